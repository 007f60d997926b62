/** Checkout: where to, how to pay, and one order for one confirmation. */

import "./shell.js";
import { askPatiently, sleep } from "./api.js";
import { begin, pending, send } from "./attempt.js";
import { lines, onChange } from "./basket.js";
import { announce, byId, fill, h, show } from "./dom.js";
import { mark, mobile } from "./fields.js";
import { goOn } from "./paying.js";
import { failed, linkButton, notice, state, sums } from "./pieces.js";
import { digits, language, problemText, t } from "./words.js";

const FIELDS = ["name", "phone", "district", "address"];
const DRAFT = "shipping.v1";
const form = byId("checkout");
let priced = null;
let current = 0;

function draft() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(DRAFT) ?? "{}");
    for (const id of FIELDS) if (kept[id]) byId(id).value = kept[id];
  } catch {
    // Nothing was kept.
  }
}

function keepDraft() {
  try {
    sessionStorage.setItem(DRAFT, JSON.stringify(Object.fromEntries(FIELDS.map((id) => [id, byId(id).value]))));
  } catch {
    // It will have to be typed again.
  }
}

async function loadDistricts() {
  const { items } = await askPatiently(`/districts?lang=${language}`);
  byId("district").append(...items.map((each) => h("option", { value: each.district }, each.name)));
}

async function loadPayments() {
  let methods = ["cod"];
  try {
    methods = (await askPatiently("/payments/methods")).items;
  } catch {
    // Cash on delivery is always there.
  }
  fill(
    byId("payment-choices"),
    methods.map((method, index) =>
      h("label", { class: "choice" }, h("input", { type: "radio", name: "payment", value: method, checked: index === 0 }), h("span", {}, h("strong", {}, t(`payment.${method}`)), h("span", {}, t(`payment.${method}_text`)))),
    ),
  );
}

/** Price the cart for the chosen district; the total that is shown is the one the order is confirmed with. */
async function price() {
  const mine = (current += 1);
  const wanted = lines();
  if (!wanted.length) return empty();
  const cart = await askPatiently("/cart", { method: "POST", body: { lines: wanted, language, district: byId("district").value } });
  if (mine !== current) return;
  priced = cart;
  fill(byId("lines"), cart.lines.map((line) => h("li", {}, h("span", {}, `${line.name || t("cart.unknown")} × ${digits(line.quantity)}`), h("span", { class: line.problem ? "error-text" : "numbers" }, line.problem ? (line.message ?? t(`error.${line.problem}`)) : line.line_total))));
  fill(byId("sums"), sums(cart, { withDelivery: true }));
  if (!cart.orderable) notice(byId("problem"), "bad", t("cart.not_orderable"), " ", h("a", { href: "cart.html" }, t("product.to_cart")));
}

function empty() {
  show(form, false);
  state(t("cart.empty"), t("cart.empty_hint"), linkButton("./", t("home.see_all")));
}

function check() {
  const values = Object.fromEntries(FIELDS.map((id) => [id, byId(id).value.trim()]));
  const wrong = {};
  if (values.name.length < 2) wrong.name = t("checkout.name_wrong");
  if (!mobile(values.phone)) wrong.phone = t("checkout.phone_wrong");
  if (!values.district) wrong.district = t("checkout.district_wrong");
  if (values.address.length < 5) wrong.address = t("checkout.address_wrong");
  return mark(FIELDS, wrong) ? { ...values, phone: mobile(values.phone) } : null;
}

async function submit(event) {
  event.preventDefault();
  notice(byId("problem"));
  const shipping = check();
  if (!shipping) return announce(t("error.invalid"));
  if (!priced) return;
  if (!priced.orderable) {
    notice(byId("problem"), "bad", t("cart.not_orderable"), " ", h("a", { href: "cart.html" }, t("product.to_cart")));
    return byId("problem").focus();
  }
  const body = { lines: lines(), payment: new FormData(form).get("payment") ?? "cod", language, shipping, seen_total_poisha: priced.total_poisha };
  return place(begin(body));
}

/** Send the attempt, tell what happens, and go on by the answer. */
async function place(attempt) {
  show(form, false);
  show(byId("send-again"), false);
  show(byId("sending"));
  byId("sending-title").textContent = t("checkout.sending");
  byId("sending-text").textContent = t("checkout.sending_text");
  byId("sending-title").focus();
  try {
    const order = await send(attempt, (error) => {
      byId("sending-text").textContent = error.name === "Offline" ? t("checkout.no_answer") : t("checkout.busy");
      announce(byId("sending-text").textContent);
    });
    await goOn(order, attempt.body.shipping.phone);
  } catch (error) {
    if (error.code === "waiting_room") location.replace("waiting.html");
    else if (pending()) unknown(attempt, error);
    else await refused(error);
  }
}

/** No answer in all that time: nobody knows, so only the very same attempt may be sent again. */
function unknown(attempt, error) {
  byId("sending-title").textContent = t("checkout.unknown");
  byId("sending-text").textContent = error.name === "Offline" ? t("checkout.unknown_offline") : t("checkout.unknown_text");
  const button = show(byId("send-again"));
  button.onclick = () => place(attempt);
  button.focus();
}

async function refused(error) {
  show(byId("sending"), false);
  show(form);
  const ids = {};
  for (const each of error.data?.errors ?? []) {
    const id = String(each.field).split(".").pop();
    if (FIELDS.includes(id)) ids[id] = t(`checkout.${id}_wrong`);
  }
  const noPayment = error.data?.errors?.some((each) => each.field === "payment");
  const text = error.code === "sold_out" ? t("checkout.sold_out") : noPayment ? t("error.unknown_payment") : problemText(error);
  notice(byId("problem"), error.code === "price_changed" ? "mind" : "bad", text, " ", error.code === "sold_out" || error.code === "unknown_product" ? h("a", { href: "cart.html" }, t("product.to_cart")) : null);
  if (Object.keys(ids).length) mark(FIELDS, ids);
  else byId("problem").focus();
  byId("problem").scrollIntoView({ block: "nearest" });
  const before = priced?.total_poisha;
  // The new price may take a moment to reach the server that prices carts.
  for (let turn = 0; turn < 6; turn += 1) {
    await price().catch(() => {});
    if (error.code !== "price_changed" || priced?.total_poisha !== before) break;
    await sleep(500);
  }
}

async function start() {
  show(byId("state"), false);
  const attempt = pending();
  if (attempt?.ticket) return location.replace("waiting.html");
  if (attempt) return place(attempt);
  if (!lines().length) return empty();
  show(form);
  try {
    await loadDistricts();
    draft();
    await Promise.all([price(), loadPayments()]);
  } catch (error) {
    show(form, false);
    failed(error, start);
  }
}

form.addEventListener("submit", submit);
form.addEventListener("input", keepDraft);
byId("district").addEventListener("change", () => price().catch((error) => notice(byId("problem"), "bad", problemText(error))));
onChange(() => {
  if (!form.hidden) price().catch(() => {});
});
// A page that comes back from the browser's memory shows what was; the attempt may be long over.
addEventListener("pageshow", (event) => event.persisted && location.reload());
start();

