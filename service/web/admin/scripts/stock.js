/** How many there are of everything, and booking pieces in and out. */

import { byId, h, show } from "../../src/scripts/dom.js";
import { mark } from "../../src/scripts/fields.js";
import { notice } from "../../src/scripts/pieces.js";
import { language, latinDigits, t } from "../../src/scripts/words.js";
import { reason } from "./failures.js";
import { findProduct } from "./find-product.js";
import { startList } from "./list.js";
import { enter, send } from "./session.js";

const MOST = 1_000_000;
/** Why, and which way. People type how many; which way is chosen, since a phone's digits have no minus. */
const KINDS = { receipt: ["receipt", 1], less: ["correction", -1], more: ["correction", 1] };

function pieces(text) {
  const typed = latinDigits(text).trim();
  return /^\d{1,7}$/.test(typed) && Number(typed) <= MOST ? Number(typed) : 0;
}

function showLevel(product, available) {
  product.available = available;
  const level = byId(`level-${product.id}`);
  level.textContent = t("products.available", { count: available });
  level.className = available ? "level numbers" : "level numbers none";
}

/** What stands there now, after an answer that was lost. */
async function lookAgain(product) {
  const now = await findProduct(product.slug).catch(() => undefined);
  if (now) showLevel(product, now.available);
}

async function refuse(error, product, place) {
  if (error.code === "stock") {
    showLevel(product, error.data.available);
    notice(place, "bad", t("stock.too_many", { count: error.data.available }));
  } else if (error.name === "Offline") {
    await lookAgain(product);
    notice(place, "bad", t("stock.no_answer"));
  } else notice(place, "bad", reason(error));
}

async function book(event, product) {
  event.preventDefault();
  const [place, field, button] = [byId(`said-${product.id}`), byId(`pieces-${product.id}`), byId(`book-${product.id}`)];
  const quantity = pieces(field.value);
  notice(place, "");
  if (button.disabled || !mark([field.id], quantity ? {} : { [field.id]: t("stock.pieces_wrong") })) return;
  const [why, sign] = KINDS[byId(`kind-${product.id}`).value];
  button.disabled = true;
  try {
    const { available } = await send(`/admin/products/${product.id}/stock`, "POST", { quantity: sign * quantity, reason: why });
    showLevel(product, available);
    field.value = "";
    notice(place, "good", t("stock.booked", { count: available }));
  } catch (error) {
    await refuse(error, product, place);
  } finally {
    button.disabled = false;
  }
}

function form(product) {
  const [kind, field] = [`kind-${product.id}`, `pieces-${product.id}`];
  return h(
    "form",
    { class: "book", id: `form-${product.id}`, novalidate: true, hidden: true, on: { submit: (event) => book(event, product) } },
    h("div", { class: "field" }, h("label", { for: kind }, t("stock.kind")), h("select", { id: kind }, Object.keys(KINDS).map((each) => h("option", { value: each }, t(`stock.kind_${each}`))))),
    h("div", { class: "field" }, h("label", { for: field }, t("stock.pieces")), h("input", { type: "text", id: field, inputmode: "numeric", autocomplete: "off", maxlength: 7, "aria-describedby": `${field}-error` }), h("p", { id: `${field}-error`, class: "error-text", hidden: true })),
    h("button", { type: "submit", class: "button", id: `book-${product.id}` }, t("stock.book")),
  );
}

function row(product) {
  const name = product[`name_${language}`];
  const toggle = (event) => {
    const opened = byId(`form-${product.id}`).hidden;
    show(byId(`form-${product.id}`), opened);
    event.target.setAttribute("aria-expanded", opened);
    if (opened) byId(`pieces-${product.id}`).focus();
  };
  return h(
    "li",
    {},
    h(
      "div",
      { class: "row" },
      h("strong", { class: "wide" }, name),
      h("span", { id: `level-${product.id}`, class: product.available ? "level numbers" : "level numbers none" }, t("products.available", { count: product.available })),
      h("button", { type: "button", class: "button second", "aria-expanded": "false", "aria-controls": `form-${product.id}`, "aria-label": t("stock.adjust_name", { name }), on: { click: toggle } }, t("stock.adjust")),
    ),
    form(product),
    h("div", { id: `said-${product.id}`, role: "alert" }),
  );
}

enter("warehouse", () => startList({ path: "/admin/products", names: ["q"], row, nothing: t("products.none") }));
