/** Names of districts, in the language of the page. */

import { askPatiently } from "../../src/scripts/api.js";
import { language } from "../../src/scripts/words.js";

/** A function from a district to its name; without an answer the district stands for itself. */
export async function districtNames() {
  const names = new Map();
  try {
    const { items } = await askPatiently(`/districts?lang=${language}`, {}, { attempts: 2 });
    for (const each of items) names.set(each.district, each.name);
  } catch {
    // Better a plain word than no order.
  }
  return (district) => names.get(district) ?? district;
}
