/** What every page has: the cart's count, the language switch that keeps the place, word of a lost network. */

import { count, onChange } from "./basket.js";
import { byId, show } from "./dom.js";
import { digits, t } from "./words.js";

function showCount() {
  const pieces = count();
  const badge = show(byId("cart-count"), pieces > 0);
  badge.textContent = digits(pieces);
  badge.setAttribute("aria-label", t("cart.pieces", { count: pieces }));
}

/** Let the language switch lead to this same place; after the address has changed, again. */
export function keepPlace() {
  const link = byId("language");
  link.search = location.search;
}

onChange(showCount);
showCount();
keepPlace();
show(byId("offline"), !navigator.onLine);
addEventListener("offline", () => show(byId("offline")));
addEventListener("online", () => show(byId("offline"), false));
