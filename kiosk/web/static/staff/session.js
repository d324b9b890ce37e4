// First set-up, login, a locked screen, and the first password of one's own.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { ApiError, call } from "./api.js";
import { field, form, input } from "./fields.js";

const WEAKEST = "14";

export function sessionView(setupNeeded, entered) {
  return setupNeeded ? setUp(entered) : logIn(entered);
}

function setUp(entered) {
  const [first, repeat] = newPassword();
  const children = [
    el("h2", {}, t("session/setup_title")),
    el("p", {}, t("session/setup_help")),
    field(t("session/code"), input("code", { required: true })),
    field(t("session/name"), input("name", { required: true, autocomplete: "username" })),
    field(t("session/password_new"), first),
    field(t("session/password_repeat"), repeat),
    el("p", { class: "problem", id: "differs" }),
  ];
  return form({ class: "session card", name: "setup" }, children, t("session/setup_button"), async (values) => {
    if (!areSame(values, repeat)) return;
    const { code, name, password } = values;
    await entered(await call("setup", { code: code.trim(), name, password }));
  });
}

// A person whom the server lets in with a password that somebody else knows chooses one before anything is shown.
function logIn(entered) {
  const password = input("password", { type: "password", required: true, autocomplete: "current-password" });
  const code = field(t("session/totp"), input("code", { inputmode: "numeric", autocomplete: "one-time-code" }));
  code.hidden = true;
  const children = [
    el("h2", {}, t("session/login_title")),
    field(t("session/name"), input("name", { required: true, autocomplete: "username" })),
    field(t("session/password"), password),
    code,
  ];
  const view = form({ class: "session card", name: "login" }, children, t("session/login_button"), async (values) => {
    try {
      const session = await call("login", values);
      if (!session.must_change) return await entered(session);
      view.replaceWith(passwordForm(values.password, () => entered({ ...session, must_change: false })));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const asked = error.code === "CODE_NEEDED" || error.code === "BAD_TOTP";
      code.hidden = !asked;
      if (asked) code.querySelector("input").focus();
      else password.value = "";
      throw error;
    }
  });
  return view;
}

// `old`: where it was typed just now; otherwise the form asks for it.
export function passwordForm(old, done) {
  const [first, repeat] = newPassword();
  const before = input("old", { type: "password", required: true, autocomplete: "current-password" });
  const children = [
    el("h2", {}, t("session/change_title")),
    el("p", {}, t("session/change_help")),
    old === null && field(t("session/password_old"), before),
    field(t("session/password_new"), first),
    field(t("session/password_repeat"), repeat),
    el("p", { class: "problem", id: "differs" }),
  ];
  return form({ class: "session card", name: "password" }, children.filter(Boolean), t("session/change_button"), async (values) => {
    if (!areSame(values, repeat)) return;
    await call("own/password", { old: old ?? values.old, new: values.password });
    await done();
  });
}

export function lockedView(user, entered, leave) {
  const secret = input("secret", { type: "password", required: true, autocomplete: "current-password" });
  const children = [
    el("h2", {}, t("session/locked_title")),
    el("p", {}, t("session/locked_help", { user })),
    field(t("session/secret"), secret),
  ];
  const view = form({ class: "session card", name: "unlock" }, children, t("session/unlock_button"), async (values) => {
    try {
      await entered(await call("session/unlock", values));
    } catch (error) {
      secret.value = "";
      if (error instanceof ApiError && error.code === "SIGN_IN") return leave();
      throw error;
    }
  });
  view.append(el("button", { type: "button", click: leave }, t("session/somebody_else")));
  return view;
}

function newPassword() {
  const fresh = { type: "password", required: true, minlength: WEAKEST, autocomplete: "new-password" };
  return [input("password", fresh), input("repeat", fresh)];
}

function areSame(values, repeat) {
  const same = values.password === values.repeat;
  document.getElementById("differs").textContent = same ? "" : t("session/passwords_differ");
  if (!same) repeat.focus();
  return same;
}
