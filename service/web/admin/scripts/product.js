/** A product: what managers decide of it. Without one in the address, a new one. */

import { askPatiently } from "../../src/scripts/api.js";
import { byId, fill, h, show } from "../../src/scripts/dom.js";
import { mark } from "../../src/scripts/fields.js";
import { linkButton, notice, state } from "../../src/scripts/pieces.js";
import { language, t } from "../../src/scripts/words.js";
import { failed, reason } from "./failures.js";
import { findProduct } from "./find-product.js";
import { editable, poisha, taka } from "./money.js";
import { enter, may, send } from "./session.js";
import "./shell.js";

const TEXTS = ["name_bn", "name_en", "description_bn", "description_en", "category", "slug", "image"];
const FIELDS = [...TEXTS.slice(0, 4), "category", "slug", "image", "price"];
const DECIDED = [...TEXTS, "price_poisha", "active"];
const PATTERNS = { name_bn: /\S/, name_en: /\S/, slug: /^[a-z0-9]+(-[a-z0-9]+)*$/, image: /^([a-z0-9-]+\.(svg|webp|jpg|png))?$/ };

const asked = new URLSearchParams(location.search).get("slug") ?? "";
/** The product as it was when it was shown; null for a new one. */
let loaded = null;

function draft() {
  return { ...Object.fromEntries(TEXTS.map((name) => [name, byId(name).value.trim()])), price_poisha: poisha(byId("price").value), active: byId("active").checked };
}

function mistakes(values) {
  const wrong = Object.fromEntries(Object.entries(PATTERNS).filter(([name, pattern]) => !pattern.test(values[name])).map(([name]) => [name, t(`product.${name}_wrong`)]));
  return values.price_poisha ? wrong : { ...wrong, price: t("product.price_wrong") };
}

function differing(one, other) {
  return DECIDED.filter((name) => one[name] !== other[name]);
}

function label(name) {
  return t(name === "price_poisha" ? "product.price" : `product.${name}`);
}

function shown(product, name) {
  if (name === "category") return [...byId("category").options].find((each) => each.value === product.category)?.text ?? product.category;
  if (name === "price_poisha") return taka(product[name]);
  return name === "active" ? t(product[name] ? "products.active" : "products.hidden") : product[name];
}

function showForm(product) {
  loaded = product;
  for (const name of TEXTS) byId(name).value = product?.[name] ?? byId(name).value;
  byId("price").value = product ? editable(product.price_poisha) : "";
  byId("active").checked = product?.active ?? true;
  showAround(product);
  mark(FIELDS, {});
  show(byId("product"));
}

function showAround(product) {
  byId("heading").textContent = product ? product[`name_${language}`] : t("products.add");
  if (!product) return;
  const stock = may("warehouse") ? h("a", { href: `stock.html?q=${encodeURIComponent(product.slug)}` }, t("product.to_stock")) : null;
  fill(byId("level"), t("products.available", { count: product.available }), stock ? " · " : null, stock);
  fill(byId("see"), product.active ? linkButton(`/${language}/product.html?p=${encodeURIComponent(product.slug)}`, t("product.see"), "second wide") : null);
}

/** What those see who decide nothing of it. */
function showFacts(product) {
  showAround(product);
  const row = (name) => h("div", {}, h("dt", {}, label(name)), h("dd", {}, shown(product, name)));
  fill(show(byId("facts")), ["name_bn", "name_en", "price_poisha", "active", "category", "slug"].map(row), h("div", {}, h("dt", {}, t("product.level")), h("dd", {}, t("products.available", { count: product.available }))));
}

async function fillCategories() {
  const { items } = await askPatiently(`/categories?lang=${language}`);
  fill(byId("category"), items.map((each) => h("option", { value: each.slug }, each.name)));
}

/** Somebody else was faster: what they changed, and a choice. */
function tellConflict(theirs) {
  const changes = differing(loaded, theirs).map((name) => h("li", {}, h("strong", {}, label(name)), ": ", shown(loaded, name), " → ", shown(theirs, name)));
  const take = () => {
    showForm(theirs);
    notice(byId("problem"), "good", t("product.taken"));
    byId("heading").focus();
  };
  const keepMine = () => {
    loaded = theirs;
    save();
  };
  const button = (text, click, kind) => h("button", { type: "button", class: `button ${kind}`, on: { click } }, text);
  fill(byId("problem"), h("div", { class: "notice mind" }, h("p", {}, t("product.conflict")), h("ul", { class: "changes" }, changes), h("div", { class: "actions" }, button(t("product.take_theirs"), take, ""), button(t("product.keep_mine"), keepMine, "second"))));
  byId("problem").scrollIntoView({ block: "nearest" });
}

/** The API lets the last one win: look for what somebody else changed, before. Whether there is nothing. */
async function unchanged() {
  const theirs = await findProduct(loaded.slug);
  if (theirs?.id === loaded.id && !differing(loaded, theirs).length) return true;
  if (theirs?.id === loaded.id) tellConflict(theirs);
  else notice(byId("problem"), "bad", t("product.moved"));
  return false;
}

function refuse(error) {
  const named = error.code === "slug_taken" ? ["slug"] : (error.data?.errors ?? []).map((each) => (each.field === "price_poisha" ? "price" : each.field));
  const known = named.filter((name) => FIELDS.includes(name));
  const said = error.name === "Offline" ? t("product.no_answer") : reason(error);
  notice(byId("problem"), "bad", said);
  if (known.length) mark(FIELDS, Object.fromEntries(known.map((name) => [name, error.code === "slug_taken" ? said : t("product.field_wrong")])));
  else byId("problem").scrollIntoView({ block: "nearest" });
}

async function save() {
  const values = draft();
  notice(byId("problem"), "");
  if (!mark(FIELDS, mistakes(values))) return;
  byId("save").disabled = true;
  try {
    if (loaded && !(await unchanged())) return;
    const stored = loaded ? await send(`/admin/products/${loaded.id}`, "PUT", values) : await send("/admin/products", "POST", values);
    history.replaceState(null, "", `?slug=${encodeURIComponent(stored.slug)}`);
    showForm(stored);
    notice(byId("problem"), "good", t("product.saved"));
    byId("heading").focus();
  } catch (error) {
    refuse(error);
  } finally {
    byId("save").disabled = false;
  }
}

function unknown() {
  state(t("product.unknown"), t("product.unknown_text"), linkButton("products.html", t("products.title")));
}

async function open() {
  show(byId("state"), false);
  show(byId("waiting"));
  try {
    const product = asked ? await findProduct(asked) : null;
    await fillCategories();
    if (product === undefined || (!product && !may("manager"))) unknown();
    else if (may("manager")) showForm(product);
    else showFacts(product);
  } catch (error) {
    failed(error, open);
  } finally {
    show(byId("waiting"), false);
  }
}

byId("product").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!byId("save").disabled) save();
});
enter("support", open);
