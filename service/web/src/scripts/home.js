/** The list: categories, search, sort, pages. The address says what is shown, so that it can be sent and kept. */

import "./shell.js";
import { askPatiently } from "./api.js";
import { announce, byId, fill, h, show } from "./dom.js";
import { failed, linkButton, picture, state, stockTag } from "./pieces.js";
import { keepPlace } from "./shell.js";
import { digits, language, t } from "./words.js";

const KNOWN = ["category", "q", "sort", "page"];
const shopTitle = document.title.split(" · ").pop();
let categories = [];
let current = 0;

function wanted() {
  const given = new URLSearchParams(location.search);
  return Object.fromEntries(KNOWN.map((name) => [name, (given.get(name) ?? "").trim()]));
}

function address(changes) {
  const query = new URLSearchParams(Object.entries({ ...wanted(), ...changes }).filter(([, value]) => value));
  return `${location.pathname}${query.size ? `?${query}` : ""}`;
}

/** A link that changes the list without a new page. */
function inside(href, props, ...children) {
  const click = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.pushState(null, "", href);
    load({ moved: true });
  };
  return h("a", { href, ...props, on: { click } }, ...children);
}

function showCategories() {
  const { category } = wanted();
  const entry = (slug, name, number) =>
    h(
      "li",
      {},
      inside(slug ? `${location.pathname}?category=${slug}` : location.pathname, { "aria-current": slug === category ? "page" : null }, h("span", {}, name), number === undefined ? null : h("span", { class: "numbers" }, digits(number))),
    );
  fill(byId("categories"), entry("", t("home.all")), categories.map((each) => entry(each.slug, each.name, each.products)));
  byId("categories").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

function showHeading() {
  const { category, q } = wanted();
  const shelf = categories.find((each) => each.slug === category)?.name;
  const heading = q ? t("home.results", { q }) : (shelf ?? t("home.heading"));
  byId("heading").textContent = heading;
  byId("subheading").textContent = q && shelf ? t("home.within", { name: shelf }) : q ? t("home.search_hint") : t("home.promise");
  document.title = `${q || shelf ? heading : t("home.title")} · ${shopTitle}`;
  byId("q").value = q;
  byId("sort").value = wanted().sort;
}

function card(product, position) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: product.stock === "sold_out" ? "card gone" : "card", href: `product.html?p=${encodeURIComponent(product.slug)}` },
      picture(product.image, { lazy: position > 3 }),
      h("span", { class: "card-name" }, product.name),
      h("span", { class: "card-foot" }, h("span", { class: "price numbers" }, product.price), stockTag(product.stock)),
    ),
  );
}

function showPages({ page, pages }) {
  const step = (to, text, possible) => (possible ? inside(address({ page: to > 1 ? String(to) : "" }), { class: "button second", rel: to > page ? "next" : "prev" }, text) : null);
  fill(byId("pages"), step(page - 1, t("home.previous"), page > 1), h("span", {}, t("home.page_of", { page, pages })), step(page + 1, t("home.next"), page < pages));
  show(byId("pages"), pages > 1);
}

async function load({ moved = false } = {}) {
  const mine = (current += 1);
  const { category, q, sort, page } = wanted();
  const query = new URLSearchParams(Object.entries({ lang: language, category, q, sort, page }).filter(([, value]) => value));
  keepPlace();
  showHeading();
  showCategories();
  show(byId("state"), false);
  const list = show(byId("products"));
  list.setAttribute("aria-busy", "true");
  if (moved) {
    scrollTo({ top: 0 });
    byId("heading").focus({ preventScroll: true });
  }
  try {
    const found = await askPatiently(`/products?${query}`);
    if (mine !== current) return;
    fill(list, found.items.map(card));
    showPages(found);
    byId("count").textContent = t("home.count", { count: found.total });
    if (found.total === 0) {
      show(list, false);
      state(q ? t("home.nothing_found", { q }) : t("home.empty"), q ? t("home.nothing_hint") : "", linkButton(location.pathname, t("home.see_all")));
      announce(byId("state-title").textContent);
    }
  } catch (error) {
    if (mine !== current) return;
    show(list, false);
    show(byId("pages"), false);
    byId("count").textContent = "";
    if (error.status === 404 || error.status === 400) state(t("missing.title"), t("missing.text"), linkButton(location.pathname, t("home.see_all")));
    else failed(error, load);
  } finally {
    if (mine === current) list.setAttribute("aria-busy", "false");
  }
}

byId("sort").addEventListener("change", (event) => {
  history.replaceState(null, "", address({ sort: event.target.value, page: "" }));
  load();
});
addEventListener("popstate", () => load());
load();
try {
  categories = (await askPatiently(`/categories?lang=${language}`)).items;
  showCategories();
  showHeading();
} catch {
  // The list works without the shelves.
}
