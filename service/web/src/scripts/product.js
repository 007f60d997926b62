/** One product. */

import "./shell.js";
import { askPatiently } from "./api.js";
import { MAX_QUANTITY, put, quantityOf } from "./basket.js";
import { announce, byId, fill, h, show } from "./dom.js";
import { failed, linkButton, picture, state, stepper, stockTag } from "./pieces.js";
import { language, t } from "./words.js";

const slug = new URLSearchParams(location.search).get("p") ?? "";
let quantity = 1;

function purchase(product) {
  if (product.stock === "sold_out") {
    return [h("div", { class: "notice bad" }, h("p", {}, h("strong", {}, t("product.sold_out"))), h("p", {}, t("product.sold_out_hint")), h("p", {}, linkButton(`./?category=${encodeURIComponent(product.category)}`, t("product.similar"), "second")))];
  }
  const place = h("span", {});
  const message = h("div", { role: "status" });
  const draw = () => {
    const focus = document.activeElement?.id;
    fill(place, stepper({ id: "quantity", name: product.name, quantity, most: MAX_QUANTITY, change: (wanted) => { quantity = wanted; draw(); } }));
    if (focus) byId(focus)?.focus();
  };
  draw();
  const add = () => {
    const had = quantityOf(product.slug);
    if (!put(product.slug, had + quantity)) return say("bad", t("cart.full"));
    const most = had + quantity > MAX_QUANTITY;
    say(most ? "mind" : "good", most ? t("product.most", { count: MAX_QUANTITY }) : t("product.added"));
    return true;
  };
  const say = (kind, text) => {
    fill(message, h("div", { class: `notice ${kind} added` }, h("p", {}, text, " ", h("a", { href: "cart.html" }, t("product.to_cart")))));
    return false;
  };
  const buyNow = () => {
    if (quantityOf(product.slug) >= quantity || put(product.slug, quantity)) location.assign("checkout.html");
    else say("bad", t("cart.full"));
  };
  return [
    h("div", { class: "buy" }, h("div", {}, h("span", { class: "label", "aria-hidden": "true" }, t("cart.quantity")), place), h("button", { type: "button", class: "button second", id: "add", on: { click: add } }, t("product.add")), h("button", { type: "button", class: "button", id: "buy", on: { click: buyNow } }, t("product.buy"))),
    message,
  ];
}

async function load() {
  const article = show(byId("product"));
  show(byId("state"), false);
  try {
    const product = await askPatiently(`/products/${encodeURIComponent(slug || "-")}?lang=${language}`);
    document.title = `${product.name} · ${document.title.split(" · ").pop()}`;
    fill(byId("trail-category"), h("a", { href: `./?category=${encodeURIComponent(product.category)}` }, product.category_name));
    fill(
      article,
      h("div", {}, picture(product.image, { size: 640, lazy: false })),
      h(
        "div",
        {},
        h("h1", {}, product.name),
        h("p", {}, h("span", { class: "price numbers" }, product.price), " ", stockTag(product.stock, { always: true })),
        h("p", { class: "about" }, product.description),
        purchase(product),
        h("ul", { class: "delivery-facts" }, ["districts", "cash", "track"].map((fact) => h("li", {}, t(`product.fact_${fact}`)))),
      ),
    );
  } catch (error) {
    show(article, false);
    if (error.status === 404 || error.status === 400) {
      state(t("product.unknown"), t("product.unknown_hint"), linkButton("./", t("home.see_all")));
      announce(t("product.unknown"));
    } else failed(error, load);
  } finally {
    article.setAttribute("aria-busy", "false");
  }
}

load();
