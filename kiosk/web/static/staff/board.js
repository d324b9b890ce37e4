// Today's board: how the day stands and what is left, on one page; refreshed while it is open.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { ApiError, call } from "./api.js";
import { clock } from "./times.js";

const REFRESH_MS = 15000;

export class BoardPage {
  #timer = null;
  #left = false;

  constructor({ content, tell, failed, back }) {
    Object.assign(this, { content, tell, failed, back });
    this.page = el("div", { id: "board" });
  }

  async show() {
    this.tell("");
    const leave = () => {
      this.leave();
      this.back();
    };
    const button = el("button", { type: "button", id: "board-back", click: leave }, t("board/back"));
    this.content.replaceChildren(el("section", { id: "board-page", class: "card" }, button, this.page));
    button.focus();
    await this.#loop();
  }

  leave() {
    this.#left = true;
    clearTimeout(this.#timer);
  }

  async #loop() {
    try {
      const board = await call("board");
      if (!this.#left) this.page.replaceChildren(...boardView(board));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.#left) this.failed(error);
    }
    if (!this.#left) this.#timer = setTimeout(() => this.#loop(), REFRESH_MS);
  }
}

const percent = (value) => `${String(value).replace(".", ",")} %`;

function boardView(board) {
  const { rates, causes, target_pct: target } = board;
  const met = rates.r1_pct === null ? "" : rates.r1_pct >= target ? "good" : "bad";
  return [
    el("h2", {}, t("board/title", { day: board.day.split("-").reverse().join("/") })),
    el("p", { class: `rate ${met}` }, rates.r1_pct === null ? "–" : percent(rates.r1_pct)),
    el("p", {}, t("board/rate", { some: rates.r1_numerator, all: rates.r1_denominator, target: percent(target) })),
    el("p", {}, t("board/people", { n: board.people })),
    el("h3", {}, t("board/causes")),
    causes.length ? el("ol", { class: "causes" }, causes.map(({ reason, visits }) => el("li", {}, el("strong", {}, String(visits)), ` ${forCode("not_by_chip", reason)}`))) : el("p", {}, t("board/no_causes")),
    el("h3", {}, t(board.closed ? "board/before_leaving" : "board/open_items", { time: clock(board.closes_at) })),
    el("ul", { class: "todo" }, ["staff", "unanswered", "for_hospital", "parked"].map((name) => todo(name, board[name]))),
  ];
}

function todo(name, number) {
  return el("li", { class: number ? "open" : "nothing" }, el("strong", {}, String(number)), ` ${t(`board/${name}`)}`);
}
