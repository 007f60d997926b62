/** All orders, the newest first. */

import { h } from "../../src/scripts/dom.js";
import { digits, moment, t } from "../../src/scripts/words.js";
import { districtNames } from "./districts.js";
import { startList } from "./list.js";
import { taka } from "./money.js";
import { enter } from "./session.js";
import { statusTag } from "./status.js";

function row(order, district) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "row", href: `order.html?number=${encodeURIComponent(order.number)}` },
      h("strong", { class: "numbers" }, order.number),
      statusTag(order),
      h("span", { class: "wide" }, `${order.name} · ${district(order.district)}`),
      h("span", { class: "numbers" }, digits(order.phone)),
      h("time", { class: "numbers", datetime: order.created_at }, moment(order.created_at)),
      h("strong", { class: "numbers end" }, taka(order.total_poisha)),
    ),
  );
}

enter("support", () => startList({ path: "/admin/orders", names: ["q", "status"], row, nothing: t("orders.none"), aside: districtNames() }));
