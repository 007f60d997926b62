/** One attempt to order: one Idempotency-Key and one body, kept until there is an answer. Whatever happens meanwhile
 (a lost network, a closed tab, a busy shop), sending it again can not buy twice. */

import { ask, pause, sleep } from "./api.js";
import { takeOut } from "./basket.js";

const PLACE = "attempt.v1";
const ORDERS = "orders.v1";
const ATTEMPTS = 8;

/** A new attempt with what the shopper confirmed. */
export function begin(body) {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  const key = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  return keep({ key, body });
}

/** The attempt that has no answer yet, or null. */
export function pending() {
  return read(PLACE);
}

/** Keep what is known of an attempt: its ticket in the line, its pass. */
export function keep(attempt) {
  write(PLACE, attempt);
  return attempt;
}

/** Forget the attempt: it was answered, or given up. */
export function end() {
  sessionStorage.removeItem(PLACE);
}

/** Send it until there is an answer. Gives the order, or throws: Problem with the answer (the attempt is over), with code
 `waiting_room` (stand in line), or one that is still `temporary` (not known yet: send again). */
export async function send(attempt, onWait = () => {}) {
  for (let turn = 1; ; turn += 1) {
    try {
      const headers = { "Idempotency-Key": attempt.key, ...(attempt.pass ? { "Waiting-Pass": attempt.pass } : {}) };
      const order = await ask("/orders", { method: "POST", body: attempt.body, headers, patience: 40_000 });
      end();
      takeOut(attempt.body.lines);
      remember(order.number, attempt.body.shipping.phone);
      return order;
    } catch (error) {
      if (error.code === "waiting_room") throw error;
      // A 500 says nothing about what was stored: like no answer.
      const open = error.temporary || error.status >= 500;
      if (!open) end();
      if (!open || turn >= ATTEMPTS) throw error;
      const wait = pause(turn, error.retryAfter);
      onWait(error, wait);
      await sleep(wait);
    }
  }
}

/** The phone that goes with an order of this browser's session; "" if it is not one of them. */
export function phoneOf(number) {
  return (read(ORDERS) ?? {})[number] ?? "";
}

/** Remember, until the browser's tab is closed, which phone goes with an order. */
export function remember(number, phone) {
  write(ORDERS, { ...(read(ORDERS) ?? {}), [number]: phone });
}

function read(place) {
  try {
    return JSON.parse(sessionStorage.getItem(place));
  } catch {
    return null;
  }
}

function write(place, value) {
  try {
    sessionStorage.setItem(place, JSON.stringify(value));
  } catch {
    // Without storage the attempt lives as long as the page.
  }
}
