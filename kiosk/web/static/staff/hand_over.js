// The list of what a clerk must type into a hospital system, and one entry of it as a code for the clerk's own scanner.
//
// A scanner types letters, digits, Tab and Enter, into this page too when its window is in front. So nothing of those
// confirms anything here: it is F2, a click or a touch.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { ApiError, call } from "./api.js";
import { field, input } from "./fields.js";
import { rowsView } from "./list.js";
import { clock } from "./times.js";

const SHOWN_MS = 300000; // as long as the server keeps it for this page
const BOUNCE_MS = 1000; // a second F2 so soon was meant for the entry before
const STEPS = ["1", "2", "3"];

// The same after a reload, so that a clerk's own entry is not taken for a colleague's.
function pageWord() {
  const word = sessionStorage.getItem("page") ?? crypto.randomUUID();
  sessionStorage.setItem("page", word);
  return word;
}

export class HandOver {
  #page = pageWord();
  #shown = null;
  #resting = false;
  #ready = false;
  #busy = false;
  #timers = [];
  #waiting = [];

  // `panel`: the place of the open entry; `refresh()`: the lists again; `detail(id)`: everything about a check-in.
  constructor({ panel, tell, failed, refresh, detail }) {
    Object.assign(this, { panel, tell, failed, refresh, detail });
  }

  get selected() {
    return this.#shown?.checkin_id ?? null;
  }

  // The lists at the left: what waits, and what was entered last.
  listView({ waiting, done }) {
    const rows = waiting.map((item) => ({ ...item, why: t(`hand_over/kind/${item.needs_staff.reason}`), note: this.#takenBy(item) && takenWords(item.taken) }));
    const list = rowsView(rows, t("hand_over/empty"), this.selected, (id) => this.open(id));
    if (!done.length) return [list];
    return [list, el("h3", {}, t("hand_over/done_title")), el("ul", { class: "rows", id: "entered" }, done.map((item) => this.#doneRow(item)))];
  }

  // What waits now, as the server last said.
  update({ waiting }) {
    const some = this.#waiting.length > 0;
    this.#waiting = waiting;
    if (this.#resting && some !== waiting.length > 0) this.rest();
  }

  // Nothing is open: F2 opens the next.
  rest(words = t(this.#waiting.length ? "hand_over/start" : "hand_over/all_done")) {
    this.leave();
    this.#resting = true;
    this.panel.replaceChildren(el("p", { class: "empty", id: "hand-over-rest" }, words));
  }

  // Colleagues may take what was open here.
  leave() {
    const id = this.selected;
    this.#clear();
    if (id) call(`hand-over/${id}/release`, { page: this.#page }).catch(() => {}); // else it ends by itself
  }

  #clear() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#shown = null;
    this.#ready = false;
    this.#resting = false;
  }

  key(event) {
    if (event.key !== "F2" || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (event.repeat || this.#busy) return;
    if (this.#shown) this.#confirm();
    else this.#next();
  }

  // Whether `bytes` are what the open code types: then the scanner's window was this one.
  isOwnCode(bytes) {
    if (!this.#shown) return false;
    const bare = (text) => text.replaceAll(/\s/g, "");
    const scanned = bare(new TextDecoder().decode(bytes));
    return [this.#shown.typed, ...this.#shown.fields.map(({ value }) => value)].some((text) => text && bare(text) === scanned);
  }

  async open(id, takeOver = false) {
    const item = this.#waiting.find((one) => one.checkin_id === id);
    if (!takeOver && this.#takenBy(item)) return this.#showTaken(item);
    await this.#do(async () => {
      this.#show(await call(`hand-over/${id}/open`, { page: this.#page, take_over: takeOver }));
    });
    await this.refresh();
  }

  async #next(words = null) {
    await this.#do(async () => this.update(await call("hand-over")));
    const next = this.#waiting.find((item) => !this.#takenBy(item));
    if (next) await this.open(next.checkin_id);
    else {
      this.rest();
      await this.refresh();
    }
    if (words) this.tell(words);
  }

  async #confirm() {
    if (!this.#ready) return;
    const { checkin_id: id, told, digest } = this.#shown;
    const number = this.panel.querySelector("input[name=number]")?.value.trim() ?? "";
    let done = null;
    const problem = await this.#do(async () => {
      done = await call(`hand-over/${id}/confirm`, { number, told, digest });
    });
    if (done) this.#clear();
    if (done) return this.#next(t(number ? "hand_over/done_number" : "hand_over/done", { number: done.number ?? "" }));
    if (problem?.code !== "CHANGED") return;
    await this.open(id, true);
    this.tell(problem.words, true);
  }

  async #again(id) {
    const problem = await this.#do(() => call(`hand-over/${id}/again`, {}));
    if (!problem) await this.open(id, true);
    await this.refresh();
  }

  // One thing at a time; -> the error that was told, if any.
  async #do(work) {
    if (this.#busy) return null;
    this.#busy = true;
    this.tell("");
    try {
      await work();
      return null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed(error);
      return error;
    } finally {
      this.#busy = false;
    }
  }

  #takenBy(item) {
    return item?.taken && item.taken.page !== this.#page ? item.taken.who : null;
  }

  #showTaken(item) {
    this.rest(takenWords(item.taken));
    this.#resting = false;
    const take = el("button", { type: "button", id: "take-over", click: () => this.open(item.checkin_id, true) }, t("hand_over/take_over"));
    this.panel.append(el("p", {}, t("hand_over/take_over_help")), take);
  }

  #doneRow({ checkin_id: id, identity, number, at }) {
    const again = el("button", { type: "button", "data-again": id, click: () => this.#again(id) }, t("hand_over/again"));
    return el("li", { class: "entered" }, el("strong", {}, number ?? t("list/no_number")), el("span", {}, identity.name ?? t("list/no_name")), el("time", {}, clock(at)), again);
  }

  #show(shown) {
    this.#clear();
    this.#shown = shown;
    const confirm = el("button", { type: "button", class: "primary", id: "entered-button", disabled: true, click: () => this.#confirm(), keydown: notByScanner, keyup: notByScanner }, t("hand_over/confirm"));
    const later = el("button", { type: "button", click: () => this.#later() }, t("hand_over/later"));
    const details = el("button", { type: "button", click: () => this.detail(shown.checkin_id) }, t("hand_over/detail"));
    const visit = shown.kind === "visit";
    const typedBack = visit && el("div", { class: "number" }, field(t("hand_over/number"), input("number", { maxlength: "40" })));
    const heading = el("h2", { tabindex: "-1" }, shown.name ?? t("list/no_name"));
    this.panel.replaceChildren(
      el("div", { class: "title" }, el("strong", { class: "ticket" }, shown.ticket ?? "–"), heading),
      el(
        "div",
        { class: `hand-over ${shown.kind}` },
        el("div", {}, codeView(shown), el("ol", {}, STEPS.map((step) => el("li", {}, t(`hand_over/${shown.kind}_${step}`))))),
        el("div", {}, notices(shown), this.#table(shown)),
      ),
      el("div", { class: "confirm" }, typedBack, confirm, later, details),
    );
    heading.focus();
    this.#timers = [
      setTimeout(() => {
        this.#ready = true;
        confirm.disabled = false;
      }, BOUNCE_MS),
      setTimeout(() => this.rest(t("hand_over/hidden")), SHOWN_MS),
    ];
  }

  #later() {
    this.rest();
    this.refresh();
  }

  #table({ fields, row, kind }) {
    const known = fields.filter(({ value }) => value);
    const lines = known.map((each) => {
      const draw = () => this.panel.querySelector(".qr").replaceWith(codeBox(each));
      const show = each.svg && el("button", { type: "button", click: draw }, t("hand_over/show_code"));
      const hint = !each.typed && el("small", {}, t("hand_over/by_hand"));
      return el("tr", { "data-field": each.name }, el("th", { scope: "row" }, forCode("hand_over/field", each.name)), el("td", {}, valueWords(each), hint), el("td", {}, show, this.#copyButton(valueWords(each), "hand_over/copy")));
    });
    const whole = kind === "visit" && this.#copyButton(row, "hand_over/copy_row");
    return el("div", {}, el("table", { class: "to-enter" }, el("tbody", {}, lines)), whole);
  }

  #copyButton(text, words) {
    const click = async ({ target }) => {
      try {
        await navigator.clipboard.writeText(text);
        target.textContent = t("hand_over/copied");
      } catch {
        this.tell(t("hand_over/copy_failed"), true);
      }
    };
    return el("button", { type: "button", click }, t(words));
  }
}

// Enter and blanks may be a scanner's: they press no button that says something is done.
function notByScanner(event) {
  if (event.key === "Enter" || event.key === " ") event.preventDefault();
}

const takenWords = ({ who, at }) => t("hand_over/taken", { who, time: clock(at) });

const valueWords = ({ name, value }) => (name === "sex" && ["M", "F"].includes(value) ? t(`detail/${value}`) : value);

function notices({ kind, unchecked, reason, fields }) {
  const byHand = fields.filter(({ typed, value }) => !typed && value).map(({ name }) => forCode("hand_over/field", name));
  return [
    kind === "addition" && el("p", { class: "notice" }, forCode("reason", reason)),
    kind === "visit" && unchecked && el("p", { class: "notice", id: "unchecked" }, t("hand_over/unchecked")),
    kind === "visit" && reason !== "hand_over" && el("p", { class: "alarm" }, forCode("reason", reason)),
    kind === "visit" && byHand.length > 0 && el("p", { class: "notice", id: "left-out" }, t("hand_over/left_out", { fields: byHand.join(", ") })),
  ].filter(Boolean);
}

function codeView({ svg, fields }) {
  const first = svg ? { svg } : fields.find((each) => each.svg);
  return first ? codeBox(first) : el("p", { class: "notice" }, t("hand_over/no_code"));
}

// `name`: of the field, where the code fills only one.
function codeBox({ svg, name }) {
  const caption = name && el("figcaption", {}, forCode("hand_over/field", name));
  return el("figure", { class: "qr", role: "img", "aria-label": t("hand_over/code") }, drawing(svg), caption);
}

// The code comes from our own server as an element of SVG.
function drawing(svg) {
  return document.adoptNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement);
}
