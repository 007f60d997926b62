/** Email and password, in the place of the page: what was typed there is kept until its owner is back. */

import { ask } from "../../src/scripts/api.js";
import { byId, show } from "../../src/scripts/dom.js";
import { mark } from "../../src/scripts/fields.js";
import { notice } from "../../src/scripts/pieces.js";
import { t } from "../../src/scripts/words.js";
import { hold, reason } from "./failures.js";

const FIELDS = ["email", "password"];
let asking = null;
let done = () => {};

/** Who signed in, as the API says it. All who wait for it share one form; `why` is said above it. */
export function signIn(why = "") {
  asking ??= open(why).finally(() => {
    asking = null;
  });
  return asking;
}

function open(why) {
  show(byId("content"), false);
  show(byId("sign-in"));
  notice(byId("sign-in-problem"), "mind", ...(why ? [why] : []));
  byId(byId("email").value ? "password" : "email").focus();
  return new Promise((resolve) => {
    done = resolve;
  });
}

function mistakes(email, password) {
  return {
    ...(/^[^@\s]+@[^@\s]+$/.test(email) ? {} : { email: t("signin.email_wrong") }),
    ...(password ? {} : { password: t("signin.password_wrong") }),
  };
}

async function submit(event) {
  event.preventDefault();
  const [email, password] = [byId("email").value.trim(), byId("password").value];
  const button = byId("sign-in-button");
  if (button.disabled || !mark(FIELDS, mistakes(email, password))) return;
  button.disabled = true;
  try {
    const person = await ask("/sessions", { method: "POST", body: { email, password } });
    byId("password").value = "";
    show(byId("sign-in"), false);
    button.disabled = false;
    done(person);
  } catch (error) {
    button.disabled = false;
    refuse(error);
  }
}

function refuse(error) {
  notice(byId("sign-in-problem"), "bad", error.status === 429 ? t("signin.too_often", { seconds: Math.ceil(error.retryAfter || 60) }) : reason(error));
  if (error.status === 401) byId("password").value = "";
  byId("password").focus();
  if (error.status === 429 || error.retryAfter > 0) hold(byId("sign-in-button"), error.retryAfter || 60);
}

byId("sign-in-form").addEventListener("submit", submit);
