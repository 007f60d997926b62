/** All products, those that are not shown to shoppers too. */

import { h } from "../../src/scripts/dom.js";
import { picture } from "../../src/scripts/pieces.js";
import { language, t } from "../../src/scripts/words.js";
import { startList } from "./list.js";
import { taka } from "./money.js";
import { enter } from "./session.js";

function row(product) {
  const [name, other] = language === "bn" ? ["name_bn", "name_en"] : ["name_en", "name_bn"];
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row", href: `product.html?slug=${encodeURIComponent(product.slug)}` },
      product.image ? picture(product.image, { size: 64 }) : h("span", { class: "picture" }),
      h("span", { class: "wide" }, h("strong", {}, product[name]), h("span", { class: "hint", lang: language === "bn" ? "en" : "bn" }, product[other])),
      product.active ? null : h("span", { class: "tag" }, t("products.hidden")),
      h("span", { class: product.available ? "level numbers" : "level numbers none" }, t("products.available", { count: product.available })),
      h("strong", { class: "numbers end" }, taka(product.price_poisha)),
    ),
  );
}

enter("support", () => startList({ path: "/admin/products", names: ["q"], row, nothing: t("products.none") }));
