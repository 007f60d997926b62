/** Texts, numbers and money in the language of the page. */

export const language = document.documentElement.lang === "en" ? "en" : "bn";
const TEXTS = globalThis.TEXTS ?? {};
const BANGLA = "০১২৩৪৫৬৭৮৯";

/** The text of a key with `{name}` filled in; numbers come as `number` says them. */
export function t(key, values = {}) {
  const text = TEXTS[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}

/** Whether there is such a text. */
export function has(key) {
  return key in TEXTS;
}

/** A number or text with its digits in the language's script. */
export function digits(value) {
  return language === "bn" ? String(value).replace(/\d/g, (digit) => BANGLA[digit]) : String(value);
}

/** A whole number as people write it: 1,24,000, or in Bangla digits. */
export function number(value) {
  return new Intl.NumberFormat(language === "bn" ? "bn-BD" : "en-IN").format(value);
}

/** What was typed, with Bangla digits made Latin ones. */
export function latinDigits(text) {
  return text.replace(/[০-৯]/g, (digit) => BANGLA.indexOf(digit));
}

/** A moment as people say it. */
export function moment(iso) {
  const locale = language === "bn" ? "bn-BD" : "en-GB";
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Dhaka" }).format(new Date(iso));
}

/** Why a request failed, for the person who made it. */
export function problemText(error) {
  if (error.code && has(`error.${error.code}`)) return t(`error.${error.code}`);
  if (error.name === "Offline") return t("error.offline");
  return t("error.unknown");
}
