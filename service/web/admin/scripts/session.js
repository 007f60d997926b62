/** Who is signed in, and the API as they may use it.

The token is a cookie that no script can read. This tab remembers a name and a role, which are no secret, so that not
every page has to ask; what somebody may is decided by the API alone. */

import { ask, askPatiently } from "../../src/scripts/api.js";
import { byId, fill, h, show } from "../../src/scripts/dom.js";
import { linkButton, notice, state } from "../../src/scripts/pieces.js";
import { t } from "../../src/scripts/words.js";
import { reason, retryButton } from "./failures.js";
import { signIn } from "./sign-in.js";

const KEPT = "staff.v1";
const LOOK_MS = 60_000;
const RENEW_BEFORE_MS = 10 * 60_000;
const RANK = { support: 1, warehouse: 2, manager: 3 };
/** A cookie counts only beside this header, which no foreign page can send. */
const OURS = { "X-Requested-With": "staff" };
let person = kept();

/** Whether whoever is signed in may what a role may. */
export function may(role) {
  return RANK[person.role] >= RANK[role];
}

/** Who is signed in: `name` and `role`. */
export function me() {
  return person;
}

/** Ask for something, more than once while the shop is busy. Throws Problem or Offline. */
export function read(path) {
  return signedIn(() => patiently(path));
}

/** Change something. Never repeated by itself: whether a lost request was done is not known. */
export function send(path, method, body) {
  return signedIn(() => ask(path, { method, body, headers: OURS }));
}

/** Begin a page that needs a role: `start` is called once somebody is there who has it. */
export async function enter(role, start) {
  if (soonOver()) await identify();
  show(byId("content"));
  showPerson();
  setInterval(renew, LOOK_MS);
  document.addEventListener("visibilitychange", renew);
  if (may(role)) start();
  else forbid();
}

async function signedIn(request) {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (error.status !== 401) throw error;
      await again();
    }
  }
}

async function patiently(path, options) {
  const onWait = (_, wait) => fill(show(byId("busy")), t("state.waiting", { seconds: Math.ceil(wait / 1000) }));
  try {
    return await askPatiently(path, options, { attempts: 3, onWait });
  } finally {
    show(byId("busy"), false);
  }
}

/** Another sign-in, above a page that shows what belongs to who was there before. */
async function again() {
  const before = person;
  sessionStorage.removeItem(KEPT);
  keep(await signIn(before ? t("signin.ended") : ""));
  if (before) await stayIfSame(before);
  show(byId("content"));
}

/** Somebody else, or the same one with another role, gets a new page. */
async function stayIfSame(before) {
  if (before.name === person.name && before.role === person.role) return;
  location.reload();
  await new Promise(() => {});
}

async function identify() {
  for (;;) {
    try {
      keep(await signedIn(() => patiently("/sessions/renew", { method: "POST", headers: OURS })));
      return;
    } catch (error) {
      await new Promise((resolve) => {
        notice(byId("entry"), "bad", reason(error), " ", retryButton(error, resolve));
      });
      fill(byId("entry"));
    }
  }
}

/** Another quarter of an hour, while somebody looks at the page. Another tab may have signed in somebody else. */
async function renew() {
  if (document.hidden || !soonOver()) return;
  const before = person;
  try {
    keep(await ask("/sessions/renew", { method: "POST", headers: OURS }));
    if (before) await stayIfSame(before);
  } catch (error) {
    if (error.status === 401) await again();
  }
}

function soonOver() {
  return !person || person.until - Date.now() < RENEW_BEFORE_MS;
}

function keep(answer) {
  person = { name: answer.name, role: answer.role, until: Date.now() + answer.expires_in * 1000 };
  sessionStorage.setItem(KEPT, JSON.stringify(person));
}

function kept() {
  const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  return found && found.until > Date.now() ? found : null;
}

function showPerson() {
  for (const element of document.querySelectorAll("[data-role]")) show(element, may(element.dataset.role));
  show(byId("tabs"));
  show(byId("sign-out"));
  fill(byId("who"), person.name, " · ", h("span", { class: "tag" }, t(`role.${person.role}`)));
}

function forbid() {
  fill(byId("content"), byId("heading"), byId("state"));
  state(t("state.forbidden"), t("state.forbidden_text"), linkButton("./", t("orders.title")));
}

async function signOut() {
  try {
    await ask("/sessions", { method: "DELETE", headers: OURS });
    sessionStorage.removeItem(KEPT);
    location.reload();
  } catch (error) {
    notice(byId("entry"), "bad", reason(error));
  }
}

byId("sign-out").addEventListener("click", signOut);
