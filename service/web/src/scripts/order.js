/** An order: found by number and phone, followed until it is at the door. */

import "./shell.js";
import { askPatiently, sleep } from "./api.js";
import { phoneOf, remember } from "./attempt.js";
import { announce, byId, fill, h, show } from "./dom.js";
import { mark, mobile } from "./fields.js";
import { pay } from "./paying.js";
import { notice, sums } from "./pieces.js";
import { digits, language, latinDigits, moment, problemText, t } from "./words.js";

const FORM = ["number", "phone"];
const WAY = ["placed", "packed", "shipped", "delivered"];
const PAID_WAY = ["placed", "paid", "packed", "shipped", "delivered"];
const asked = new URLSearchParams(location.search).get("number") ?? "";
let shown = "";

function fresh(number) {
  return latinDigits(number).trim().toUpperCase();
}

async function follow(number, phone) {
  return askPatiently(`/orders/track?lang=${language}`, { method: "POST", body: { number, phone } });
}

function steps(order) {
  const times = new Map(order.history.map((event) => [event.status, event.at]));
  const ended = ["cancelled", "refunded"].includes(order.status);
  const way = ended ? order.history.map((event) => event.status) : order.payment === "cod" ? WAY : PAID_WAY;
  const here = way.lastIndexOf(order.status);
  return h(
    "ol",
    { class: "steps" },
    way.map((status, index) =>
      h("li", { class: index < here ? "done" : index === here ? "done here" : "", "aria-current": index === here ? "step" : null }, h("span", {}, t(`status.${status}`)), times.get(status) ? h("time", { class: "hint numbers", datetime: times.get(status) }, moment(times.get(status))) : null),
    ),
  );
}

function row(label, value, kind) {
  return h("div", { class: kind }, h("dt", {}, label), h("dd", {}, value));
}

function draw(order, phone) {
  const unpaid = order.payment !== "cod" && order.status === "placed";
  const parts = [
    h(
      "section",
      { class: "panel" },
      h("p", { class: "label" }, t("order.number")),
      h("p", { class: "order-number", id: "order-number" }, order.number),
      h("p", { class: "hint" }, t("order.keep")),
      steps(order),
    ),
    h(
      "aside",
      { class: "panel summary" },
      h("h2", {}, t("order.content")),
      h("ul", { class: "short-lines" }, order.lines.map((line) => h("li", {}, h("span", {}, `${line.name} × ${digits(line.quantity)}`), h("span", { class: "numbers" }, line.line_total)))),
      h("dl", { class: "sums numbers" }, row(t("order.payment"), t(`payment.${order.payment}`)), sums(order, { withDelivery: true })),
      h(
        "div",
        { class: "actions" },
        unpaid ? h("button", { type: "button", class: "button wide", id: "pay", on: { click: () => payNow(order, phone) } }, t("order.pay")) : null,
        order.cancellable ? h("button", { type: "button", class: "button quiet", id: "cancel", on: { click: () => cancel(order, phone) } }, t("order.cancel")) : null,
      ),
    ),
  ];
  show(byId("track"), false);
  byId("order").className = "two";
  fill(show(byId("order")), parts);
  const said = unpaid ? t("order.unpaid") : t(`order.said_${order.status}`);
  notice(byId("problem"), order.status === "cancelled" || order.status === "refunded" ? "bad" : unpaid ? "mind" : "good", said);
  if (shown && shown !== order.status) announce(t(`status.${order.status}`));
  shown = order.status;
}

async function payNow(order, phone) {
  byId("pay").disabled = true;
  try {
    await pay(order.number, phone);
  } catch (error) {
    byId("pay").disabled = false;
    notice(byId("problem"), "bad", problemText(error));
  }
}

/** The first press asks, the second does it: no dialogue that a keyboard could get lost in. */
async function cancel(order, phone) {
  const button = byId("cancel");
  if (!button.dataset.sure) {
    button.dataset.sure = "yes";
    button.textContent = t("order.cancel_sure");
    announce(t("order.cancel_sure"));
    return;
  }
  button.disabled = true;
  try {
    draw(await askPatiently(`/orders/cancel?lang=${language}`, { method: "POST", body: { number: order.number, phone } }), phone);
  } catch (error) {
    button.disabled = false;
    notice(byId("problem"), "bad", problemText(error));
  }
}

/** Look; after a return from paying, look again until it is settled, two minutes at most. */
async function open(number, phone) {
  const order = await follow(number, phone);
  draw(order, phone);
  byId("heading").focus({ preventScroll: true });
  let latest = order;
  for (let turn = 0; turn < 30 && latest.payment !== "cod" && latest.status === "placed"; turn += 1) {
    await sleep(4000);
    if (document.hidden) continue;
    try {
      const next = await follow(number, phone);
      if (next.status !== latest.status) draw(next, phone);
      latest = next;
    } catch {
      // It will be seen the next time.
    }
  }
}

async function submit(event) {
  event.preventDefault();
  const number = fresh(byId("number").value);
  const phone = mobile(byId("phone").value);
  const wrong = {};
  if (!number) wrong.number = t("order.number_wrong");
  if (!phone) wrong.phone = t("checkout.phone_wrong");
  notice(byId("problem"));
  if (!mark(FORM, wrong)) return;
  const button = byId("track").querySelector("button");
  button.disabled = true;
  try {
    remember(number, phone);
    history.replaceState(null, "", `?number=${encodeURIComponent(number)}`);
    await open(number, phone);
  } catch (error) {
    notice(byId("problem"), "bad", error.status === 404 || error.status === 400 ? t("error.unknown_order") : problemText(error));
  } finally {
    button.disabled = false;
  }
}

byId("track").addEventListener("submit", submit);
byId("number").value = asked;
const phone = phoneOf(asked);
if (asked && phone) {
  show(byId("track"), false);
  open(asked, phone).catch((error) => {
    show(byId("track"));
    byId("phone").value = phone;
    notice(byId("problem"), "bad", problemText(error));
  });
}
