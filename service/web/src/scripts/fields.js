/** Fields of a form: what is wrong is said beside each, and the first wrong one gets the focus. */

import { byId, show } from "./dom.js";
import { latinDigits } from "./words.js";

/** A mobile number of Bangladesh as `01XXXXXXXXX`, whatever digits, spaces and prefix it was typed with; else "". */
export function mobile(text) {
  const digits = latinDigits(text).replace(/[\s\-().]/g, "").replace(/^(?:\+|00)?880?(?=1)/, "0");
  return /^01[3-9]\d{8}$/.test(digits) ? digits : "";
}

/** Mark fields: `wrong` is message by field id, for all of `ids`. Whether there was none. */
export function mark(ids, wrong) {
  for (const id of ids) {
    const message = byId(`${id}-error`);
    message.textContent = wrong[id] ?? "";
    show(message, id in wrong);
    if (id in wrong) byId(id).setAttribute("aria-invalid", "true");
    else byId(id).removeAttribute("aria-invalid");
  }
  const first = ids.find((id) => id in wrong);
  if (first) byId(first).focus();
  return first === undefined;
}
