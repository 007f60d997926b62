/** Money is a whole number of poisha; people read and type taka. */

import { digits, latinDigits, number } from "../../src/scripts/words.js";

const MOST = 10_000_000_00;
const TAKA = /^(\d{1,8}|\d{1,3}(?:,\d{2,3})*,\d{3})(?:\.(\d{1,2}))?$/;

/** `৳1,240` or `৳1,240.50`, in the digits of the page. */
export function taka(poisha) {
  const rest = poisha % 100;
  return `৳${number(Math.trunc(poisha / 100))}${rest ? `.${digits(String(rest).padStart(2, "0"))}` : ""}`;
}

/** An amount as it stands in a field to be edited: without sign and commas. */
export function editable(poisha) {
  const rest = poisha % 100;
  return digits(`${Math.trunc(poisha / 100)}${rest ? `.${String(rest).padStart(2, "0")}` : ""}`);
}

/** Poisha of what was typed, or 0 where that is no price. A comma only parts groups: `12,50` is no 1250. */
export function poisha(text) {
  const found = TAKA.exec(latinDigits(text).replace(/[৳\s]/g, ""));
  if (!found) return 0;
  const amount = Number(found[1].replaceAll(",", "")) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
  return amount <= MOST ? amount : 0;
}
