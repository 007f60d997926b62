/** A list with a search and pages. The address says what is shown, so that it can be sent and kept. */

import { announce, byId, fill, h, show } from "../../src/scripts/dom.js";
import { linkButton, state } from "../../src/scripts/pieces.js";
import { t } from "../../src/scripts/words.js";
import { failed } from "./failures.js";
import { read } from "./session.js";
import { keepPlace } from "./shell.js";

const PAGE_SIZE = 50;

/** `path` of the API, `names` of the fields of the form, `row(item, aside)` as an `li`, `nothing` said where all is
empty. `aside` is a promise of what every row needs besides: the search works while it is under way. */
export function startList({ path, names, row, nothing, aside = null }) {
  let current = 0;

  const wanted = () => {
    const given = new URLSearchParams(location.search);
    return Object.fromEntries([...names, "page"].map((name) => [name, (given.get(name) ?? "").trim()]));
  };
  const query = (changes) => new URLSearchParams(Object.entries({ ...wanted(), ...changes }).filter(([, value]) => value)).toString();
  const address = (changes) => `${location.pathname}?${query(changes)}`.replace(/\?$/, "");
  const go = (href) => {
    history.pushState(null, "", href);
    load({ moved: true });
  };

  const step = (to, text) => {
    const href = address({ page: to > 1 ? String(to) : "" });
    const click = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(href);
    };
    return h("a", { class: "button second", href, on: { click } }, text);
  };

  const draw = ({ items, total, page }, known) => {
    const pages = Math.ceil(total / PAGE_SIZE);
    fill(show(byId("list"), items.length > 0), items.map((item) => row(item, known)));
    fill(byId("pages"), page > 1 ? step(page - 1, t("list.previous")) : null, h("span", {}, t("list.page_of", { page, pages })), page < pages ? step(page + 1, t("list.next")) : null);
    show(byId("pages"), pages > 1);
    byId("count").textContent = t("list.count", { count: total });
    if (items.length) return;
    const narrowed = query({}) !== "";
    state(narrowed ? t("list.nothing_found") : nothing, narrowed ? t("list.nothing_hint") : "", narrowed ? linkButton(location.pathname, t("list.all"), "second") : null);
    announce(byId("state-title").textContent);
  };

  const load = async ({ moved = false } = {}) => {
    const mine = (current += 1);
    const asked = wanted();
    for (const name of names) byId(name).value = asked[name];
    keepPlace();
    show(byId("state"), false);
    show(byId("list")).setAttribute("aria-busy", "true");
    if (moved) byId("heading").focus();
    try {
      const [found, known] = await Promise.all([read(`${path}?${query({})}`), aside]);
      if (mine === current) draw(found, known);
    } catch (error) {
      if (mine !== current) return;
      show(byId("list"), false);
      show(byId("pages"), false);
      byId("count").textContent = "";
      failed(error, () => load());
    } finally {
      if (mine === current) byId("list").setAttribute("aria-busy", "false");
    }
  };

  const submit = (event) => {
    event?.preventDefault();
    go(address({ ...Object.fromEntries(names.map((name) => [name, byId(name).value.trim()])), page: "" }));
  };
  byId("find").addEventListener("submit", submit);
  for (const select of byId("find").querySelectorAll("select")) select.addEventListener("change", () => submit());
  addEventListener("popstate", () => load());
  load();
}
