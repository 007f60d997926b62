/** What is said when something did not work, and when to try again. */

import { sleep } from "../../src/scripts/api.js";
import { announce, byId, h } from "../../src/scripts/dom.js";
import { state } from "../../src/scripts/pieces.js";
import { problemText, t } from "../../src/scripts/words.js";

/** Why, and in how many seconds to come again, where the server said so. */
export function reason(error) {
  const why = problemText(error);
  return error.retryAfter > 0 ? `${why} ${t("state.come_back", { seconds: Math.ceil(error.retryAfter) })}` : why;
}

/** Keep a button from being pressed for so many seconds, and count them down on it. */
export async function hold(button, seconds) {
  const text = button.textContent;
  button.disabled = true;
  for (let left = Math.ceil(seconds); left > 0; left -= 1) {
    button.textContent = t("state.countdown", { text, seconds: left });
    await sleep(1000);
  }
  button.textContent = text;
  button.disabled = false;
}

/** A button that tries again, once the time is over that the server asked for. */
export function retryButton(error, again) {
  const button = h("button", { type: "button", class: "button", on: { click: again } }, t("state.again"));
  if (error.retryAfter > 0) hold(button, error.retryAfter);
  return button;
}

/** A load that failed, in place of what it would have shown. */
export function failed(error, again) {
  const title = error.name === "Offline" ? t("state.offline") : error.temporary ? t("state.busy") : t("state.failed");
  state(title, reason(error), retryButton(error, again));
  announce(`${title}. ${byId("state-text").textContent}`);
}
