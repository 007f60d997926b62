/** Where an order stands, as a word on a coloured ground. */

import { h } from "../../src/scripts/dom.js";
import { t } from "../../src/scripts/words.js";

/** An order to be paid online that is only placed waits for its money. */
export function statusTag({ status, payment }) {
  const unpaid = status === "placed" && payment !== "cod";
  return h("span", { class: `tag ${unpaid ? "unpaid" : status}` }, t(unpaid ? "status.unpaid" : `status.${status}`));
}
