/** One product by its slug: the API lists them by parts of slug and name. */

import { read } from "./session.js";

/** The product, or undefined where there is none. */
export async function findProduct(slug) {
  for (let page = 1; ; page += 1) {
    const { items } = await read(`/admin/products?${new URLSearchParams({ q: slug, page })}`);
    const found = items.find((each) => each.slug === slug);
    if (found || !items.length) return found;
  }
}
