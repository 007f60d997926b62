/** Who works here, with which role; new accounts. */

import { byId, fill, h, show } from "../../src/scripts/dom.js";
import { mark } from "../../src/scripts/fields.js";
import { notice } from "../../src/scripts/pieces.js";
import { t } from "../../src/scripts/words.js";
import { failed, reason } from "./failures.js";
import { enter, me, read, send } from "./session.js";
import "./shell.js";
import { sureButton } from "./sure.js";

const ROLES = ["support", "warehouse", "manager"];
const FIELDS = ["new-name", "new-email", "new-password"];
const SHORTEST = 12;

/** Which of the accounts is one's own; where two look alike, the API says it when it matters. */
function own(people) {
  const alike = people.filter((each) => each.active && each.name === me().name && each.role === me().role);
  return alike.length === 1 ? alike[0] : null;
}

function roleForm(person) {
  const id = `role-${person.id}`;
  const submit = (event) => {
    event.preventDefault();
    change(person, { role: byId(id).value, active: person.active });
  };
  return h(
    "form",
    { class: "book", on: { submit } },
    h("div", { class: "field" }, h("label", { for: id }, t("staff.role")), h("select", { id }, ROLES.map((role) => h("option", { value: role, selected: role === person.role }, t(`role.${role}`))))),
    h("button", { type: "submit", class: "button second" }, t("staff.change_role")),
    person.active
      ? sureButton({ text: t("staff.deactivate"), sure: t("staff.sure"), "aria-describedby": `name-${person.id}`, act: () => change(person, { role: person.role, active: false }) })
      : h("button", { type: "button", class: "button", "aria-describedby": `name-${person.id}`, on: { click: () => change(person, { role: person.role, active: true }) } }, t("staff.activate")),
  );
}

function row(person, mine) {
  return h(
    "li",
    { class: person.active ? null : "ended" },
    h(
      "div",
      { class: "row" },
      h("span", { class: "wide" }, h("strong", { id: `name-${person.id}` }, person.name), person.name === person.email ? null : h("span", { class: "hint" }, person.email)),
      h("span", { class: "tag" }, t(`role.${person.role}`)),
      h("span", { class: person.active ? "tag in_stock" : "tag sold_out" }, t(person.active ? "staff.active" : "staff.ended")),
    ),
    mine ? h("p", { class: "hint" }, t("staff.own")) : roleForm(person),
  );
}

async function load() {
  show(byId("state"), false);
  const list = show(byId("list"));
  list.setAttribute("aria-busy", "true");
  try {
    const people = await read("/admin/staff");
    const mine = own(people);
    fill(list, people.map((person) => row(person, person === mine)));
    show(byId("new"));
  } catch (error) {
    show(list, false);
    failed(error, load);
  } finally {
    list.setAttribute("aria-busy", "false");
  }
}

async function change(person, to) {
  try {
    await send(`/admin/staff/${person.id}`, "PUT", to);
    notice(byId("problem"), "good", t("staff.changed", { name: person.name }));
  } catch (error) {
    notice(byId("problem"), "bad", error.name === "Offline" ? t("state.unknown_outcome") : reason(error));
  }
  await load();
  byId("heading").focus();
}

function mistakes({ name, email, password }) {
  return {
    ...(name ? {} : { "new-name": t("staff.name_wrong") }),
    ...(/^[^@\s]+@[^@\s]+$/.test(email) ? {} : { "new-email": t("signin.email_wrong") }),
    ...(password.length < SHORTEST ? { "new-password": t("staff.password_wrong") } : {}),
  };
}

function refuse(error) {
  const weak = (error.data?.errors ?? []).some((each) => each.field === "password");
  const said = error.name === "Offline" ? t("state.unknown_outcome") : reason(error);
  if (weak) mark(FIELDS, { "new-password": t("staff.password_weak") });
  else if (error.code === "email_taken") mark(FIELDS, { "new-email": said });
  else notice(byId("new-problem"), "bad", said);
}

async function add(event) {
  event.preventDefault();
  const person = { name: byId("new-name").value.trim(), email: byId("new-email").value.trim(), role: byId("new-role").value, password: byId("new-password").value };
  notice(byId("new-problem"), "");
  if (byId("add-button").disabled || !mark(FIELDS, mistakes(person))) return;
  byId("add-button").disabled = true;
  try {
    await send("/admin/staff", "POST", person);
    byId("add").reset();
    showMay();
    notice(byId("new-problem"), "good", t("staff.added", { name: person.name }));
    await load();
  } catch (error) {
    refuse(error);
  } finally {
    byId("add-button").disabled = false;
  }
}

function showMay() {
  byId("new-role-hint").textContent = t(`role.${byId("new-role").value}_may`);
}

byId("add").addEventListener("submit", add);
byId("new-role").addEventListener("change", showMay);
enter("manager", load);
