// The own account for everybody, and for a supervisor: who may sign in, and decisions that wait for a signature.

import { dateText, el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { call } from "./api.js";
import { field, form, input } from "./fields.js";
import { passwordForm } from "./session.js";

const ROLES = ["receptionist", "supervisor", "technician"];

export class UsersPage {
  constructor({ content, tell, failed, back, session }) {
    Object.assign(this, { content, tell, failed, back, session });
    this.users = el("div", { id: "users" });
    this.overrides = el("div", { id: "overrides" });
    this.once = el("div", { id: "one-time", role: "status" });
  }

  async show() {
    this.tell("");
    const back = el("button", { type: "button", id: "users-back", click: this.back }, t("users/back"));
    const supervises = this.session.roles.includes("supervisor");
    const page = el("section", { id: "users-page" }, back, supervises && [this.overrides, this.once, this.users], this.#own());
    this.content.replaceChildren(page);
    back.focus();
    if (supervises) await this.#ask(() => Promise.all([this.#showOverrides(), this.#showUsers()]));
  }

  async #ask(work) {
    try {
      await work();
    } catch (error) {
      this.failed(error);
    }
  }

  async #showOverrides() {
    this.#drawOverrides(await call("overrides"));
  }

  #drawOverrides({ overrides }) {
    const rows = overrides.map((each) => this.#override(each));
    const nobody = !rows.length && el("p", { class: "fine" }, t("overrides/none"));
    this.overrides.replaceChildren(el("h2", {}, t("overrides/title")), el("p", {}, t("overrides/why")), nobody || el("ul", { class: "rows" }, rows));
  }

  #override({ id, day, who, reason, insured, due, state, signed_by: by, number }) {
    const sign = (agreed) => this.#ask(async () => this.#drawOverrides(await call(`overrides/${id}`, { agreed })));
    const what = t(insured ? "overrides/insured" : "overrides/self_pay");
    const open = by === null && who !== this.session.user;
    return el(
      "li",
      { class: "override", "data-state": state },
      el("strong", {}, `${number ?? "–"} · ${dateText(day)}`),
      el("span", {}, ` ${what} · ${forCode("override_reason", reason)} · ${who} `),
      el("em", {}, t(`overrides/${state}`, { due: dateText(due), by: by ?? "" })),
      open && el("button", { type: "button", class: "primary", click: () => sign(true) }, t("overrides/agree")),
      open && el("button", { type: "button", click: () => sign(false) }, t("overrides/refuse")),
    );
  }

  async #showUsers() {
    this.#drawUsers(await call("users"));
  }

  #drawUsers({ users }) {
    const add = form({ name: "add-user", class: "card" }, [field(t("users/name"), input("name", { required: true })), roleBoxes(["receptionist"])], t("users/add"), async (values) => {
      const told = await call("users", { name: values.name, roles: ROLES.filter((role) => values[role]) });
      this.#tellOnce(told);
      await this.#showUsers();
    });
    this.users.replaceChildren(el("h2", {}, t("users/title")), el("ul", { class: "rows" }, users.map((user) => this.#user(user))), el("h3", {}, t("users/add_title")), add);
  }

  #user({ name, roles, disabled, locked, must_change: fresh, authenticator, seen_at: seen }) {
    const own = name === this.session.user;
    const state = [disabled && "disabled", locked && "locked", fresh && "fresh", authenticator && "authenticator"].filter(Boolean);
    const change = form({ name: "roles", quiet: true }, [roleBoxes(roles)], t("users/save_roles"), async (values) => {
      this.#drawUsers(await call("users/roles", { name, roles: ROLES.filter((role) => values[role]) }));
      this.tell(t("users/saved"));
    });
    const reset = () => this.#ask(async () => {
      this.#tellOnce(await call("users/reset", { name }));
      await this.#showUsers();
    });
    const disable = () => this.#ask(async () => this.#drawUsers(await call("users/disable", { name })));
    return el(
      "li",
      { class: "user", "data-user": name },
      el("strong", {}, name),
      el("span", { class: "fine" }, ` ${state.map((each) => t(`users/${each}`)).join(" · ")} ${t("users/seen", { day: dateText(seen) })}`),
      !own && change,
      !own && el("button", { type: "button", click: reset }, t("users/reset")),
      !own && !disabled && el("button", { type: "button", click: disable }, t("users/disable")),
    );
  }

  #tellOnce({ name, one_time_password: password }) {
    this.once.replaceChildren(el("p", { class: "notice" }, t("users/once", { name }), " ", el("code", {}, password)));
  }

  #own() {
    const password = (name) => field(t("session/password"), input(name, { type: "password", required: true, autocomplete: "current-password" }));
    const pin = form({ name: "pin", class: "session card", quiet: true }, [el("h2", {}, t("own/pin_title")), el("p", {}, t("own/pin_help")), password("password"), field(t("own/pin"), input("pin", { type: "password", inputmode: "numeric" }))], t("own/pin_button"), async (values) => {
      await call("own/pin", values);
      this.tell(t("own/saved"));
    });
    const totp = el("div", {});
    const offer = form({ name: "totp", class: "session card", quiet: true }, [el("h2", {}, t("own/totp_title")), el("p", {}, t("own/totp_help")), password("password")], t("own/totp_button"), async (values) => {
      const { secret } = await call("own/totp", values);
      totp.replaceChildren(this.#confirm(secret, totp));
    });
    totp.append(offer);
    return el("div", { id: "own" }, passwordForm(null, () => this.tell(t("own/saved"))), pin, totp);
  }

  #confirm(secret, place) {
    const children = [el("p", {}, t("own/totp_secret")), el("code", {}, secret), field(t("session/totp"), input("code", { required: true, inputmode: "numeric" }))];
    return form({ name: "confirm-totp", class: "session card" }, children, t("own/totp_confirm"), async (values) => {
      await call("own/totp/confirm", values);
      place.replaceChildren();
      this.tell(t("own/saved"));
    });
  }
}

function roleBoxes(roles) {
  const boxes = ROLES.map((role) => el("label", {}, el("input", { type: "checkbox", name: role, ...(roles.includes(role) && { checked: "" }) }), t(`users/${role}`)));
  return el("fieldset", { class: "roles" }, el("legend", {}, t("users/roles")), boxes);
}
