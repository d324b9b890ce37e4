// The figures of whole days: a month as a table, one day entered by hand, or many handed in as a file.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { ApiError, call, download, exchange } from "./api.js";

const DESK = ["lookups", "visits_looked_up", "visits_success"];
const WORDS = { bhyt_visits: "figures/visits", lookups: "figures/lookups", visits_looked_up: "figures/looked_up", visits_success: "figures/success" };
const COLUMNS = ["day", "visits", "lookups", "looked_up", "success"];

const local = (iso) => iso.split("-").reverse().join("/");

export class FiguresPage {
  #month = null; // null is this one
  #open = null; // the day whose form is open

  constructor({ content, tell, failed, back }) {
    Object.assign(this, { content, tell, failed, back });
    this.table = el("div", { id: "figure-days" });
    this.problems = el("div", { id: "figure-problems", role: "alert" });
  }

  async show() {
    this.tell("");
    const back = el("button", { type: "button", id: "figures-back", click: this.back }, t("figures/back"));
    this.hint = el("p", { class: "fine" });
    this.month = el("input", { type: "month", "aria-label": t("figures/month"), change: (event) => this.#pick(event.target.value) });
    const head = el("div", { class: "search" }, back, this.month);
    const page = el("section", { id: "figures-page" }, head, el("h2", {}, t("figures/title")), el("p", {}, t("figures/why")), this.hint, this.#files(), this.problems, this.table);
    this.content.replaceChildren(page);
    back.focus();
    await this.#refresh();
  }

  #pick(month) {
    if (!month) return;
    this.#month = month;
    this.#open = null;
    this.#refresh();
  }

  async #refresh() {
    try {
      const data = await call(this.#month ? `figures?month=${this.#month}` : "figures");
      this.month.value = data.month;
      this.month.max = data.today.slice(0, 7);
      this.hint.textContent = data.by_hospital.visit_count ? t("figures/by_hospital") : "";
      this.#draw(data.days);
    } catch (error) {
      this.#tellError(error);
    }
  }

  #draw(days) {
    const head = [...COLUMNS, "own", "source"].map((name) => el("th", { scope: "col" }, t(`figures/${name}`)));
    const rows = days.flatMap((day) => [this.#row(day), ...(this.#open === day.day ? [this.#form(day)] : [])]);
    this.table.replaceChildren(el("table", { class: "figures" }, el("thead", {}, el("tr", {}, head, el("th", {}))), el("tbody", {}, rows)));
    this.table.querySelector("form input")?.focus();
  }

  #row({ day, visits, desk, own, doubtful }) {
    const count = (value) => (value == null ? el("span", { class: "fine" }, t("figures/missing")) : String(value));
    const first = el("td", { class: doubtful ? "doubtful" : "" }, count(visits?.bhyt_visits), doubtful ? el("span", { class: "fine" }, ` ${t("figures/doubtful")}`) : "");
    const origin = visits ?? desk;
    const toggle = () => {
      this.#open = this.#open === day ? null : day;
      this.#refresh();
    };
    const button = el("button", { type: "button", "data-day": day, click: toggle }, t(visits ? "figures/change" : "figures/enter"));
    return el("tr", {}, el("th", { scope: "row" }, local(day)), first, DESK.map((name) => el("td", {}, count(desk?.[name]))), el("td", {}, String(own)), el("td", {}, origin ? forCode("figure_origin", origin.origin) : ""), el("td", {}, button));
  }

  #form({ day, visits, desk }) {
    const field = (name, value) => el("label", {}, t(WORDS[name]), el("input", { type: "number", name, min: "0", step: "1", inputmode: "numeric", value: value ?? "" }));
    const submit = (event) => this.#save(event, day);
    const close = () => {
      this.#open = null;
      this.#refresh();
    };
    const fields = [field("bhyt_visits", visits?.bhyt_visits), ...DESK.map((name) => field(name, desk?.[name]))];
    const buttons = el("div", { class: "buttons" }, el("button", { class: "primary" }, t("figures/save")), el("button", { type: "button", click: close }, t("figures/close")));
    return el("tr", { class: "open" }, el("td", { colspan: "8" }, el("form", { class: "figure-form", submit }, fields, buttons)));
  }

  async #save(event, day) {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value === "" ? null : Number(value)]));
    const desk = DESK.every((name) => given[name] != null) ? Object.fromEntries(DESK.map((name) => [name, given[name]])) : null;
    if (!desk && DESK.some((name) => given[name] != null)) return this.tell(forCode("figure_problem", "DESK_INCOMPLETE"), true);
    try {
      const { new: news } = await call("figures", { day, bhyt_visits: given.bhyt_visits, desk });
      this.#open = null;
      this.tell(news ? t("figures/saved", { day: local(day) }) : t("figures/same"));
      await this.#refresh();
      this.table.querySelector(`[data-day="${day}"]`)?.focus();
    } catch (error) {
      this.#tellError(error);
    }
  }

  #files() {
    const file = el("input", { type: "file", name: "file", accept: ".xlsx,.csv", required: true });
    const origin = el("select", { name: "origin" }, ["manual", "portal_file"].map((code) => el("option", { value: code }, forCode("figure_origin", code))));
    const template = (form) => el("button", { type: "button", click: () => download(`figures/template?form=${form}`).catch((error) => this.#tellError(error)) }, t(`figures/template_${form}`));
    const submit = async (event) => {
      event.preventDefault();
      await this.#hand(new Uint8Array(await file.files[0].arrayBuffer()), origin.value);
      event.target.reset();
    };
    const form = el("form", { class: "figure-form", submit }, el("label", {}, t("figures/file"), file), el("label", {}, t("figures/origin"), origin), el("button", { class: "primary" }, t("figures/upload")));
    return el("div", { class: "figure-files" }, form, el("div", { class: "buttons" }, template("xlsx"), template("csv")));
  }

  async #hand(bytes, origin) {
    this.problems.replaceChildren();
    try {
      const { answer } = await exchange(`figures/file?origin=${origin}`, bytes);
      this.tell(t("figures/uploaded", { n: answer.new }));
      await this.#refresh();
    } catch (error) {
      this.#tellError(error);
      const wrong = error.answer?.problems ?? [];
      if (wrong.length) this.problems.replaceChildren(el("p", {}, t("figures/refused")), el("ul", {}, wrong.map((problem) => el("li", {}, words(problem)))));
    }
  }

  #tellError(error) {
    if (!(error instanceof ApiError)) throw error;
    this.failed(error);
  }
}

function words({ row, column, code }) {
  const place = row && column ? t("figures/at_row", { row, column: t(`figures/${COLUMNS[column - 1]}`) }) : row ? t("figures/at_line", { row }) : "";
  return place + forCode("figure_problem", code);
}
