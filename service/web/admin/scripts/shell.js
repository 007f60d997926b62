/** What every page has: where one is, the language switch that keeps the place, word of a lost network. */

import { byId, show } from "../../src/scripts/dom.js";

/** Let the language switch lead to this same place; after the address has changed, again. */
export function keepPlace() {
  byId("language").search = location.search;
}

for (const tab of document.querySelectorAll("[data-tab]")) {
  if (tab.dataset.tab.split(" ").includes(document.body.dataset.page)) tab.setAttribute("aria-current", "page");
}
keepPlace();
show(byId("offline"), !navigator.onLine);
addEventListener("offline", () => show(byId("offline")));
addEventListener("online", () => show(byId("offline"), false));
