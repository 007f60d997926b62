/** The waiting room: a place in line that moves by itself, and orders when its turn has come. */

import "./shell.js";
import { ask, pause, sleep } from "./api.js";
import { end, keep, pending, send } from "./attempt.js";
import { announce, byId, show } from "./dom.js";
import { goOn } from "./paying.js";
import { failed, linkButton, state } from "./pieces.js";
import { number, problemText, t } from "./words.js";

const ANNOUNCE_EVERY_MS = 20_000;
const title = document.title;
let announcedAt = 0;
let left = false;

function showPlace(ahead) {
  byId("ahead").textContent = number(ahead);
  byId("waiting-text").textContent = t("waiting.text");
  document.title = `(${number(ahead)}) ${title}`;
  if (Date.now() - announcedAt > ANNOUNCE_EVERY_MS) {
    announcedAt = Date.now();
    announce(t("waiting.announce", { count: ahead }));
  }
}

function finish(heading, text, ...actions) {
  show(byId("line"), false);
  document.title = title;
  state(heading, text, ...actions);
  byId("state-title").focus();
}

function soldOut() {
  end();
  finish(t("waiting.sold_out"), t("waiting.sold_out_text"), linkButton("cart.html", t("product.to_cart"), "second"), " ", linkButton("./", t("home.see_all")));
}

/** Join the line, or ask where one stands. */
function look(attempt) {
  if (attempt.ticket) return ask("/waiting-room/poll", { method: "POST", body: { ticket: attempt.ticket } });
  return ask("/waiting-room", { method: "POST", body: { key: attempt.key, products: attempt.body.lines.map((line) => line.product) } });
}

/** Order, with the pass. True if the line goes on. */
async function order(attempt) {
  byId("waiting-text").textContent = t("waiting.your_turn");
  announce(t("waiting.your_turn"));
  try {
    const placed = await send(attempt, () => {});
    await goOn(placed, attempt.body.shipping.phone);
    return false;
  } catch (error) {
    if (left) return false;
    if (error.code === "waiting_room") {
      keep({ ...attempt, pass: undefined });
      return true;
    }
    if (error.code === "sold_out") soldOut();
    else if (pending()) failed(error, () => location.reload());
    else finish(t("waiting.refused"), problemText(error), linkButton("checkout.html", t("waiting.back")));
    return false;
  }
}

async function stand() {
  for (let misses = 0; !left; ) {
    const attempt = pending();
    if (!attempt) return location.replace("cart.html");
    try {
      const answer = await look(attempt);
      misses = 0;
      if (left) return undefined;
      if (answer.state === "sold_out") return soldOut();
      const known = keep({ ...attempt, ticket: answer.ticket || attempt.ticket });
      if (answer.state === "admitted" || answer.state === "open") {
        if (!(await order(keep({ ...known, pass: answer.waiting_pass || undefined })))) return undefined;
        await sleep(pause(2, answer.retry_after));
      } else {
        showPlace(answer.ahead ?? 0);
        await sleep(pause(1, answer.retry_after));
      }
    } catch (error) {
      if (left) return undefined;
      if (error.status === 410 || error.status === 400) {
        if (!attempt.ticket) return finish(t("waiting.refused"), problemText(error), linkButton("checkout.html", t("waiting.back")));
        // The ticket ran out or is none: to the end of the line.
        keep({ ...attempt, ticket: undefined, pass: undefined });
      } else if (!error.temporary && error.status < 500) {
        return finish(t("waiting.refused"), problemText(error), linkButton("checkout.html", t("waiting.back")));
      }
      misses += 1;
      if (misses > 1) byId("waiting-text").textContent = error.name === "Offline" ? t("waiting.offline") : t("waiting.busy");
      await sleep(pause(misses, error.retryAfter));
    }
  }
  return undefined;
}

byId("leave").addEventListener("click", () => {
  left = true;
  end();
  location.assign("cart.html");
});
stand();
