// First set-up and login.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { ApiError, call } from "./api.js";
import { field, form, input } from "./fields.js";

const WEAKEST = "14";

export function sessionView(setupNeeded, entered) {
  return setupNeeded ? setUp(entered) : logIn(entered);
}

function setUp(entered) {
  const fresh = { type: "password", required: true, minlength: WEAKEST, autocomplete: "new-password" };
  const repeat = input("repeat", fresh);
  const children = [
    el("h2", {}, t("session/setup_title")),
    el("p", {}, t("session/setup_help")),
    field(t("session/code"), input("code", { required: true })),
    field(t("session/name"), input("name", { required: true, autocomplete: "username" })),
    field(t("session/password_new"), input("password", fresh)),
    field(t("session/password_repeat"), repeat),
    el("p", { class: "problem", id: "differs" }),
  ];
  return form({ class: "session card", name: "setup" }, children, t("session/setup_button"), async (values) => {
    const same = values.password === values.repeat;
    document.getElementById("differs").textContent = same ? "" : t("session/passwords_differ");
    if (!same) return repeat.focus();
    const { code, name, password } = values;
    await entered(await call("setup", { code: code.trim(), name, password }));
  });
}

function logIn(entered) {
  const password = input("password", { type: "password", required: true, autocomplete: "current-password" });
  const children = [
    el("h2", {}, t("session/login_title")),
    field(t("session/name"), input("name", { required: true, autocomplete: "username" })),
    field(t("session/password"), password),
  ];
  return form({ class: "session card", name: "login" }, children, t("session/login_button"), async (values) => {
    try {
      await entered(await call("login", values));
    } catch (error) {
      if (error instanceof ApiError) password.value = "";
      throw error;
    }
  });
}
