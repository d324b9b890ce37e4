// The desk: a list at the left, one check-in at the right, refreshed every few seconds without touching what is typed.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { actionsKey, actionsView } from "./actions.js";
import { ApiError, call } from "./api.js";
import { portraitView } from "./chip.js";
import { auditView, factsView, revealView } from "./detail.js";
import { comparable, differencesView } from "./differences.js";
import { dutyView } from "./duty.js";
import { entryView, fillEntry } from "./entry.js";
import { HandOver } from "./hand_over.js";
import { rowsView, searchBody } from "./list.js";
import { peopleView } from "./people.js";
import { pendingView } from "./pending.js";
import { readScan } from "./scan.js";
import { statusView } from "./status.js";

const REFRESH_MS = 5000;
const SERVICES_MS = 120000;

export class Desk {
  #timer = null;
  #stopped = false;
  #away = false; // the last refresh failed, and that is what the message says
  #round = 0; // an answer that a later refresh has overtaken shows nothing
  #focusNext = false;
  #tab = "waiting"; // waiting | hand_over | today | pending | search
  #day = null; // of the tab "pending"; null is today
  #searched = "";
  #scan = 0; // only the newest scan is answered
  #selected = null;
  #shown = { list: "", facts: "", portrait: "", differences: "", people: "", actions: "", status: "", duty: "" };
  #services = { at: 0, items: [] };

  constructor({ content, status, tell, failed }) {
    Object.assign(this, { content, status, tell, failed });
    this.tabs = {
      waiting: this.#tabButton("waiting"),
      hand_over: this.#tabButton("hand_over"),
      today: this.#tabButton("today"),
      pending: this.#tabButton("pending"),
    };
    this.duty = el("div", {});
    this.rows = el("div", { id: "rows" });
    this.facts = el("div", { id: "facts" });
    this.portrait = el("div", {});
    this.reveal = el("div", {});
    this.differences = el("div", {});
    this.people = el("div", {});
    this.actions = el("div", { id: "actions" });
    this.audit = el("div", {});
    this.panel = el("section", { id: "panel" });
    this.handOver = new HandOver({ panel: this.panel, tell, failed, refresh: () => this.refresh(), detail: (id) => this.#leaveFor("today", id) });
    this.query = el("input", { type: "search", name: "query", "aria-label": t("list/search"), placeholder: t("list/search"), autocomplete: "off" });
  }

  start() {
    const search = el("form", { class: "search", role: "search", submit: (event) => this.#search(event) }, this.query, el("button", {}, t("list/search_button")));
    const enter = el("button", { type: "button", class: "primary", id: "enter", click: () => this.#enter() }, t("list/enter"));
    const emergency = el("button", { type: "button", class: "emergency", id: "emergency", click: () => this.#emergency() }, t("emergency/button"));
    const left = el("section", { id: "left" }, el("div", { class: "tabs" }, ...Object.values(this.tabs), enter, emergency), search, this.duty, this.rows);
    this.content.replaceChildren(left, this.panel);
    this.#leave();
    document.addEventListener("keydown", this.#onKey);
    const asked = location.hash.slice(1); // a check-in that the counter sends its clerk to
    if (asked) {
      history.replaceState(null, "", location.pathname);
      this.#open(asked);
      this.#focusNext = true;
    }
    this.#loop();
  }

  stop() {
    this.#stopped = true;
    document.removeEventListener("keydown", this.#onKey);
    this.handOver.leave();
    clearTimeout(this.#timer);
  }

  #tabButton(name) {
    const click = () => this.#leaveFor(name);
    return el("button", { type: "button", id: `tab-${name}`, click }, t(`list/${name}`));
  }

  // Another tab, perhaps with one check-in of it; people who were being entered are shown no longer.
  async #leaveFor(tab, id = null) {
    const entering = this.#tab === "hand_over";
    this.#tab = tab;
    this.query.value = "";
    if (tab === "hand_over") this.#selected = null;
    if (tab === "hand_over" && !entering) this.handOver.rest();
    if (tab !== "hand_over" && entering) this.#leave();
    if (id) this.#choose(id);
    else await this.refresh();
  }

  #onKey = (event) => {
    if (event.key === "F9" && !event.repeat) {
      event.preventDefault();
      this.#emergency();
      return;
    }
    if (this.#tab === "hand_over") this.handOver.key(event);
  };

  async #loop() {
    await this.refresh();
    if (!this.#stopped) this.#timer = setTimeout(() => this.#loop(), REFRESH_MS);
  }

  async refresh() {
    const round = ++this.#round;
    const overtaken = () => this.#stopped || round !== this.#round;
    try {
      const questions = [call("status"), call("check-ins?status=needs_staff"), call("hand-over"), this.#listed()];
      const [status, needy, entries, listed] = await Promise.all(questions);
      if (overtaken()) return;
      if (this.#away) this.tell("");
      this.#away = false;
      this.#once("status", status, () => this.status.replaceChildren(...statusView(status)));
      this.#once("duty", status.duty, () => this.duty.replaceChildren(...(status.duty ? [dutyView(status.duty, this.#onDuty)] : [])));
      const waiting = needy.check_ins.filter((item) => item.needs_staff.reason !== "hand_over"); // they have a tab
      this.#showTabs(waiting.length, status.pending.visits, entries);
      if (this.#tab === "pending") this.#showPending(listed);
      else if (this.#tab === "hand_over") this.#showEntries(entries);
      else this.#showList(listed?.check_ins ?? waiting);
      await this.#loadServices();
      const item = this.#selected && (await call(`check-ins/${this.#selected}`));
      if (item && !overtaken()) this.#showItem(item);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (overtaken()) return;
      this.#away = true;
      this.failed(error);
    }
  }

  #onDuty = async (path, body) => {
    try {
      await call(`duty/${path}`, body);
      this.tell(t("duty/changed"));
      await this.refresh();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed(error);
    }
  };

  // null: the list is that of the people who need staff.
  #listed() {
    if (this.#tab === "search") return call("check-ins/search", searchBody(this.#searched));
    if (this.#tab === "pending") return call(this.#day ? `pending?day=${this.#day}` : "pending");
    return this.#tab === "today" ? call("check-ins?status=all") : null;
  }

  async #loadServices() {
    if (Date.now() - this.#services.at < SERVICES_MS && this.#services.items.length) return;
    this.#services = { at: Date.now(), items: (await call("services")).services };
  }

  #once(part, data, show) {
    const key = JSON.stringify(data);
    if (this.#shown[part] === key) return;
    this.#shown[part] = key;
    show();
  }

  #showTabs(waiting, pending, { waiting: entries, expected }) {
    const badge = (n, some) => el("span", { class: n ? some : "badge none" }, String(n));
    this.tabs.waiting.replaceChildren(t("list/waiting"), " ", badge(waiting, "badge"));
    this.tabs.hand_over.hidden = !expected && !entries.length && this.#tab !== "hand_over";
    this.tabs.hand_over.replaceChildren(t("list/hand_over"), " ", badge(entries.length, "badge"));
    this.tabs.pending.replaceChildren(t("list/pending"), " ", badge(pending, "badge wait"));
    for (const [name, button] of Object.entries(this.tabs)) button.setAttribute("aria-pressed", String(name === this.#tab));
  }

  #showPending(data) {
    const pick = (day) => {
      this.#day = day;
      this.refresh();
    };
    const tools = { open: (id) => this.#choose(id), failed: this.failed, pick };
    this.#once("list", [this.#tab, this.#selected, data], () => this.rows.replaceChildren(...pendingView(data, this.#selected, tools).filter(Boolean)));
  }

  #showEntries(entries) {
    this.handOver.update(entries);
    this.#once("list", [this.#tab, this.handOver.selected, entries], () => this.rows.replaceChildren(...this.handOver.listView(entries)));
  }

  #showList(listed) {
    this.#once("list", [this.#tab, this.#selected, listed], () => {
      const focused = this.rows.contains(document.activeElement) ? document.activeElement.dataset.id : null;
      const found = this.#tab === "search" ? el("p", {}, t("list/found", { n: listed.length })) : "";
      const view = rowsView(listed, t(`list/empty_${this.#tab}`), this.#selected, (id) => this.#choose(id));
      this.rows.replaceChildren(found, view);
      if (focused) this.rows.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    });
  }

  #search(event) {
    event.preventDefault();
    this.#searched = this.query.value;
    if (this.#tab === "hand_over") this.#leave();
    this.#tab = this.#searched.trim() ? "search" : "waiting";
    this.refresh();
  }

  #choose(id) {
    this.#open(id);
    this.#focusNext = true;
    this.refresh();
  }

  #open(id) {
    this.#selected = id;
    this.tell("");
    Object.assign(this.#shown, { facts: "", portrait: "", differences: "", people: "", actions: "" });
    for (const part of [this.facts, this.portrait, this.differences, this.people, this.actions, this.audit]) part.replaceChildren();
    this.reveal.replaceChildren(revealView(id, this.failed));
    this.panel.replaceChildren(this.portrait, this.facts, this.reveal, this.differences, this.people, this.actions, this.audit);
  }

  #showItem(item) {
    if (item.checkin_id !== this.#selected) return;
    this.#once("facts", item, () => {
      this.facts.replaceChildren(...factsView(item));
      this.audit.replaceChildren(auditView(item));
      if (this.#focusNext) this.facts.querySelector("h2").focus();
      this.#focusNext = false;
    });
    this.#once("portrait", [item.checkin_id, item.portrait], () => {
      const compared = (fresh, words) => {
        this.tell(words);
        this.#showItem(fresh);
      };
      this.portrait.replaceChildren(...(item.portrait ? [portraitView(item.checkin_id, compared, this.failed)] : []));
    });
    const changed = (fresh, words) => this.#changed(fresh, words);
    this.#once("differences", [item.checkin_id, comparable(item)], () => {
      const fields = comparable(item);
      const view = fields.length ? [differencesView(item.checkin_id, fields, changed, this.failed)] : [];
      this.differences.replaceChildren(...view);
    });
    this.#once("people", [item.checkin_id, item.can_choose_patient, item.patient_match], () => {
      this.people.replaceChildren(...(item.can_choose_patient ? [peopleView(item.checkin_id, changed, this.failed)] : []));
    });
    const { items } = this.#services;
    this.#once("actions", actionsKey(item, items), () => {
      this.actions.replaceChildren(...actionsView(item, items, changed).filter(Boolean));
    });
  }

  async #changed(item, words) {
    this.tell(words);
    this.#shown.actions = "";
    this.#showItem(item);
    await this.refresh();
  }

  // A clerk's scanner typed a document: into the search if that has the focus, else into the form of a new person.
  async scanned(bytes) {
    const searching = document.activeElement === this.query;
    if (this.#tab === "hand_over" && this.handOver.isOwnCode(bytes)) return this.tell(t("hand_over/wrong_window"), true);
    const scan = ++this.#scan;
    try {
      const { known, words } = await readScan(bytes);
      if (this.#stopped || scan !== this.#scan) return;
      if (!known) return this.tell(words, true);
      if (searching) {
        this.query.value = known.number;
        this.query.form.requestSubmit();
      } else this.#enter(known);
      this.tell(searching ? t("scan/searched") : words);
    } catch (error) {
      if (!this.#stopped) this.failed(error);
    }
  }

  // One touch: a number at once, who it is when there is time.
  async #emergency() {
    try {
      const item = await call("check-ins", { kind: "emergency" });
      this.#leaveFor("waiting", item.checkin_id);
      this.tell(t("emergency/done", { number: item.ticket.number }));
      await this.refresh();
    } catch (error) {
      this.failed(error);
    }
  }

  #enter(known) {
    this.#selected = null;
    this.handOver.leave();
    this.portrait.replaceChildren();
    this.tell("");
    const entered = async (item, words) => {
      this.#open(item.checkin_id);
      this.tell(words);
      await this.refresh();
    };
    const open = this.panel.querySelector("form[name=entry]");
    if (!known || !open || !fillEntry(open, known)) this.panel.replaceChildren(entryView(entered, () => this.#leave(), known));
    const missing = [...this.panel.querySelectorAll("input")].find((input) => !input.value && !input.closest("details"));
    (missing ?? this.panel.querySelector("form button")).focus();
  }

  #leave() {
    this.#selected = null;
    this.handOver.leave();
    this.portrait.replaceChildren();
    this.panel.replaceChildren(el("p", { class: "empty" }, t("detail/choose")));
  }
}
