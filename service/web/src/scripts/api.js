/** The shop's API. */

const API = "/api/v1";
const PATIENCE_MS = 20_000;

/** An answer other than success: HTTP `status`, stable `code`, `data` of the problem, `retryAfter` in seconds. */
export class Problem extends Error {
  constructor(status, data, retryAfter) {
    super(data?.detail ?? `status ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = data?.code ?? "";
    this.data = data ?? {};
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed a moment later. */
  get temporary() {
    return this.status === 503 || this.status === 429 || this.status === 502 || this.status === 504;
  }
}

/** No answer at all: no network, or none in time. */
export class Offline extends Error {
  constructor(cause) {
    super("no answer", { cause });
    this.name = "Offline";
  }

  get temporary() {
    return true;
  }
}

/** Ask the API; the answer's JSON. Throws Problem or Offline. */
export async function ask(path, { method = "GET", body, headers = {}, patience = PATIENCE_MS, signal } = {}) {
  const signals = [AbortSignal.timeout(patience), ...(signal ? [signal] : [])];
  let response;
  let data = null;
  try {
    response = await fetch(API + path, {
      method,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signals.length > 1 && AbortSignal.any ? AbortSignal.any(signals) : (signal ?? signals[0]),
    });
    const text = await response.text();
    if ((response.headers.get("Content-Type") ?? "").includes("json")) data = text ? JSON.parse(text) : null;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new Offline(error);
  }
  if (!response.ok) throw new Problem(response.status, data, seconds(response.headers.get("Retry-After")));
  return data;
}

/** Like `ask`, again and again while the failure is a passing one, at most `attempts` times. */
export async function askPatiently(path, options = {}, { attempts = 4, onWait = () => {} } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(path, options);
    } catch (error) {
      if (!error.temporary || attempt >= attempts || options.stopAt?.(error)) throw error;
      const wait = pause(attempt, error.retryAfter);
      onWait(error, wait, attempt);
      await sleep(wait);
    }
  }
}

/** Milliseconds to wait: what the server said, else 1, 2, 4 … 15 s; up to half of it more, so that not all come at once. */
export function pause(attempt, retryAfter) {
  const base = retryAfter > 0 ? Math.min(retryAfter, 60) : Math.min(2 ** (attempt - 1), 15);
  return base * 1000 * (1 + Math.random() / 2);
}

/** Resolves after so many milliseconds. */
export function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function seconds(header) {
  const value = Number(header);
  return header && Number.isFinite(value) ? value : 0;
}
