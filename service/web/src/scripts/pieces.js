/** Parts that several pages show. */

import { byId, fill, h, show } from "./dom.js";
import { digits, problemText, t } from "./words.js";

/** A product's picture in its square; what is missing leaves the square empty. */
export function picture(image, { size = 400, lazy = true } = {}) {
  const element = h("img", { class: "picture", width: size, height: (size * 3) / 4, alt: "", loading: lazy ? "lazy" : "eager", decoding: "async" });
  element.addEventListener("error", () => element.removeAttribute("src"), { once: true });
  element.src = `/images/${encodeURIComponent(image)}`;
  return element;
}

/** What is said of the stock; nothing where there is enough. */
export function stockTag(stock, { always = false } = {}) {
  return stock === "in_stock" && !always ? null : h("span", { class: `tag ${stock}` }, t(`stock.${stock}`));
}

/** Minus, quantity, plus. `change(quantity)` hears of it; `id` keeps the focus through a redraw. */
export function stepper({ id, name, quantity, least = 1, most, change }) {
  const button = (sign, to, enabled, label) =>
    h("button", { type: "button", id: `${id}-${sign === "+" ? "more" : "less"}`, "aria-label": label, disabled: !enabled, on: { click: () => change(to) } }, sign);
  return h(
    "span",
    { class: "quantity", role: "group", "aria-label": t("cart.quantity_of", { name }) },
    button("−", quantity - 1, quantity > least, t("cart.less")),
    h("output", { class: "numbers" }, digits(quantity)),
    button("+", quantity + 1, quantity < most, t("cart.more")),
  );
}

/** Subtotal, delivery and total as rows. */
export function sums(cart, { withDelivery = false } = {}) {
  const row = (label, value, kind) => h("div", { class: kind }, h("dt", {}, label), h("dd", {}, value));
  return [
    row(t("cart.subtotal"), cart.subtotal),
    withDelivery ? row(t("cart.delivery"), cart.delivery ?? t("cart.choose_district")) : null,
    row(t("cart.total"), cart.total, "total"),
  ];
}

/** The page's one big message in place of content: a title, a text, something to do. */
export function state(title, text, ...actions) {
  byId("state-title").textContent = title;
  byId("state-text").textContent = text;
  fill(byId("state-action"), ...actions);
  return show(byId("state"));
}

/** A failed load, with a way to try again; by itself once the network is back. */
export function failed(error, again) {
  const retry = () => {
    removeEventListener("online", retry);
    again();
  };
  if (error.name === "Offline") addEventListener("online", retry);
  const title = error.name === "Offline" ? t("state.offline") : error.temporary ? t("state.busy") : t("state.failed");
  state(title, problemText(error), h("button", { type: "button", class: "button", on: { click: retry } }, t("state.again")));
}

/** A notice on the page; role=alert of its place reads it out. */
export function notice(place, kind, ...content) {
  fill(place, content.length ? h("div", { class: `notice ${kind}` }, h("p", {}, ...content)) : null);
}

/** A link that looks like a button. */
export function linkButton(href, text, kind = "") {
  return h("a", { class: `button ${kind}`, href }, text);
}
