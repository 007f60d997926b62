/** An order: who gets what, what was paid, and what may happen to it next. */

import { byId, fill, h, show } from "../../src/scripts/dom.js";
import { linkButton, notice, state } from "../../src/scripts/pieces.js";
import { digits, language, moment, t } from "../../src/scripts/words.js";
import { districtNames } from "./districts.js";
import { failed, reason } from "./failures.js";
import { taka } from "./money.js";
import { enter, may, read, send } from "./session.js";
import "./shell.js";
import { statusTag } from "./status.js";
import { sureButton } from "./sure.js";

const FORWARD = ["packed", "shipped", "delivered"];
const BACK = ["refunded", "cancelled"];
/** Those that no later step takes back. */
const FINAL = ["delivered", ...BACK];
const HELD = ["paid", "refund_due"];
const OVER = ["cancelled", "delivered"];

const number = new URLSearchParams(location.search).get("number") ?? "";
const path = `/admin/orders/${encodeURIComponent(number)}`;
let district = (slug) => slug;

function row(label, value, kind) {
  return h("div", { class: kind }, h("dt", {}, label), h("dd", {}, value));
}

function moveButton(order, to) {
  const kind = FORWARD.includes(to) ? "" : "quiet";
  const text = t(`order.to_${to}`);
  if (FINAL.includes(to)) return sureButton({ text, sure: t(`order.sure_${to}`), kind, act: () => move(order, to) });
  return h("button", { type: "button", class: `button ${kind}`, on: { click: () => move(order, to) } }, text);
}

/** Money that a provider holds is given back there; saying so of the order alone would be a lie. */
function possible(order) {
  const held = order.payments.some((payment) => HELD.includes(payment.status));
  return [...FORWARD, ...BACK].filter((to) => order.next.includes(to) && !(to === "refunded" && held));
}

function nextSteps(order) {
  const buttons = possible(order).map((to) => moveButton(order, to));
  return buttons.length ? h("div", { class: "actions", role: "group", "aria-label": t("order.next") }, buttons) : h("p", { class: "hint" }, t("order.nothing_next"));
}

function customer(order) {
  return h(
    "dl",
    { class: "facts" },
    row(t("order.name"), order.name),
    row(t("order.phone"), h("a", { href: `tel:${order.phone}`, class: "numbers" }, digits(order.phone))),
    row(t("order.address"), `${order.address}, ${district(order.district)}`),
  );
}

function history(order) {
  const last = order.history.length - 1;
  return h(
    "ol",
    { class: "steps" },
    order.history.map((event, index) =>
      h("li", { class: index === last ? "done here" : "done", "aria-current": index === last ? "step" : null }, h("span", {}, t(`status.${event.status}`)), h("time", { class: "hint numbers", datetime: event.at }, moment(event.at))),
    ),
  );
}

function payments(order) {
  if (!order.payments.length) return null;
  const refundable = (payment) => may("manager") && payment.status === "paid" && OVER.includes(order.status);
  return [
    h("h2", {}, t("order.payments")),
    h(
      "ul",
      { class: "payments" },
      order.payments.map((payment) =>
        h(
          "li",
          {},
          h("span", {}, `${t(`payment.${payment.provider}`)} · `, h("span", { class: "numbers" }, taka(payment.amount_poisha))),
          h("span", { class: `tag ${payment.status}` }, t(`payment_status.${payment.status}`)),
          h("span", { class: "hint" }, payment.transaction || payment.reference),
          refundable(payment) ? sureButton({ text: t("order.refund"), sure: t("order.sure_refund"), act: () => refund(payment) }) : null,
        ),
      ),
    ),
  ];
}

function draw(order) {
  const heading = t("order.heading", { number: order.number });
  byId("heading").textContent = heading;
  document.title = `${heading} · ${t("shop.name")}`;
  const waits = order.reserved_until ? h("p", { class: "hint" }, t("order.reserved", { time: moment(order.reserved_until) })) : null;
  fill(
    byId("order"),
    h("section", { class: "panel" }, h("p", { class: "status-line" }, statusTag(order)), waits, nextSteps(order), h("h2", {}, t("order.customer")), customer(order), h("h2", {}, t("order.history")), history(order)),
    h(
      "section",
      { class: "panel" },
      h("h2", {}, t("order.content")),
      h("ul", { class: "short-lines" }, order.lines.map((line) => h("li", {}, h("span", {}, `${line.name} × ${digits(line.quantity)}`), h("span", { class: "numbers" }, line.line_total)))),
      h(
        "dl",
        { class: "sums numbers" },
        row(t("order.subtotal"), taka(order.subtotal_poisha)),
        row(t("order.delivery"), taka(order.delivery_poisha)),
        row(t("order.total"), taka(order.total_poisha), "total"),
        row(t("order.payment"), t(`payment.${order.payment}`)),
      ),
      payments(order),
    ),
  );
  byId("order").setAttribute("aria-busy", "false");
}

/** Look again; `say` afterwards what is to be said. */
async function reload(kind, ...said) {
  draw(await read(`${path}?lang=${language}`));
  notice(byId("problem"), kind, ...said);
  byId("heading").focus();
}

/** Do something to the order; where that fails, show how it stands now. */
async function act(doing, sayDone, sayConflict) {
  for (const button of byId("order").querySelectorAll("button")) button.disabled = true;
  try {
    await doing();
    await reload("good", sayDone);
  } catch (error) {
    const said = error.status === 409 ? sayConflict(error) : error.name === "Offline" ? t("state.unknown_outcome") : reason(error);
    await reload("bad", said).catch(() => notice(byId("problem"), "bad", said));
    for (const button of byId("order").querySelectorAll("button")) button.disabled = false;
  }
}

function move(order, to) {
  const conflict = (error) => (error.data.order_status ? t("order.changed", { status: t(`status.${error.data.order_status}`) }) : reason(error));
  return act(() => send(`${path}/status?lang=${language}`, "POST", { status: to }), t(`order.done_${to}`), conflict);
}

function refund(payment) {
  return act(() => send(`/admin/payments/${payment.id}/refund`, "POST"), t("order.done_refund"), () => t("order.payment_changed"));
}

async function open() {
  show(byId("state"), false);
  show(byId("order"));
  district = await districtNames();
  try {
    draw(await read(`${path}?lang=${language}`));
  } catch (error) {
    show(byId("order"), false);
    if (error.status === 404 || error.status === 400) state(t("order.unknown"), t("order.unknown_text"), linkButton("./", t("orders.title")));
    else failed(error, open);
  }
}

enter("support", open);
