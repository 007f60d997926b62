/** The cart, priced and checked by the server at every change. */

import "./shell.js";
import { askPatiently } from "./api.js";
import { lines, MAX_QUANTITY, onChange, put } from "./basket.js";
import { announce, byId, fill, h, show } from "./dom.js";
import { failed, linkButton, notice, picture, state, stepper, stockTag, sums } from "./pieces.js";
import { digits, language, problemText, t } from "./words.js";

let current = 0;
let drawn = false;

function line(priced) {
  const href = `product.html?p=${encodeURIComponent(priced.product)}`;
  const known = priced.problem !== "unknown_product";
  const remove = () => {
    put(priced.product, 0);
    announce(t("cart.removed", { name: priced.name }));
    byId("heading").focus();
  };
  return h(
    "li",
    {},
    picture(priced.image, { size: 84, lazy: false }),
    known ? h("a", { class: "line-name", href }, priced.name) : h("span", { class: "line-name" }, priced.name || t("cart.unknown")),
    known ? h("span", { class: "numbers hint" }, t("cart.each", { price: priced.unit_price }), " ", priced.stock === "low" ? stockTag("low") : null) : null,
    h(
      "div",
      { class: "line-tools" },
      priced.problem ? h("p", { class: "error-text" }, priced.message ?? t(`error.${priced.problem}`)) : stepper({ id: `line-${priced.product}`, name: priced.name, quantity: priced.quantity, most: MAX_QUANTITY, change: (quantity) => put(priced.product, quantity) }),
      h("button", { type: "button", class: "button quiet", "aria-label": t("cart.remove_name", { name: priced.name }), on: { click: remove } }, t("cart.remove")),
      priced.problem ? null : h("span", { class: "line-total numbers" }, priced.line_total),
    ),
  );
}

function empty() {
  show(byId("cart"), false);
  state(t("cart.empty"), t("cart.empty_hint"), linkButton("./", t("home.see_all")));
}

async function load() {
  const mine = (current += 1);
  const wanted = lines();
  notice(byId("problem"));
  if (!wanted.length) return empty();
  show(byId("state"), false);
  show(byId("cart")).setAttribute("aria-busy", "true");
  try {
    const cart = await askPatiently("/cart", { method: "POST", body: { lines: wanted, language } });
    if (mine !== current) return;
    const focus = document.activeElement?.id;
    fill(byId("lines"), cart.lines.map(line));
    if (focus?.startsWith("line-")) (byId(focus)?.disabled ? byId("heading") : byId(focus))?.focus();
    fill(byId("sums"), sums(cart));
    show(byId("summary"));
    byId("checkout").setAttribute("aria-disabled", String(!cart.orderable));
    show(byId("not-orderable"), !cart.orderable);
    if (drawn) announce(t("cart.total_now", { total: digits(cart.total) }));
    drawn = true;
  } catch (error) {
    if (mine !== current) return;
    if (drawn) notice(byId("problem"), "bad", problemText(error));
    else {
      show(byId("cart"), false);
      failed(error, load);
    }
  } finally {
    if (mine === current) byId("cart").setAttribute("aria-busy", "false");
  }
}

byId("checkout").addEventListener("click", (event) => {
  if (event.currentTarget.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    byId("not-orderable").scrollIntoView({ block: "nearest" });
  }
});
onChange(load);
load();
