// One desk: shows its station's state, takes scans and keys, and the hand-over to a hospital system typed by clerks.

import { forCode, t } from "../texts.js";
import { ApiError, call } from "../staff/api.js";
import { HandOver } from "../staff/hand_over.js";
import { readScan } from "../staff/scan.js";
import { el } from "../dom.js";
import { fillPerson } from "./entry.js";
import { Keys } from "./keys.js";
import { StationLine } from "./line.js";
import { VIEWS, lostView } from "./views.js";

export class Counter {
  #line;
  #keys = new Keys();
  #shown = "";
  #state = null;
  #scan = 0; // only the newest scan is answered

  constructor({ content, station, tell, failed }) {
    Object.assign(this, { content, tell, failed });
    this.place = el("section", { id: "person", class: "card" });
    this.entered = el("section", { id: "panel", hidden: true });
    this.handOver = new HandOver({ panel: this.entered, tell, failed, refresh: async () => {}, detail: (id) => location.assign(`/staff#${id}`) });
    this.#line = new StationLine(station, { state: (state) => this.#show(state), lost: () => this.#lost(), signedOut: () => failed(new ApiError(401, "SIGN_IN")) });
  }

  start() {
    this.content.replaceChildren(this.place, this.entered);
    document.addEventListener("keydown", this.#onKey);
    this.#line.open();
  }

  stop() {
    document.removeEventListener("keydown", this.#onKey);
    this.#keys.clear();
    this.handOver.leave();
    this.#line.close();
  }

  async scanned(bytes) {
    if (this.handOver.isOwnCode(bytes)) return this.tell(t("hand_over/wrong_window"), true);
    const scan = ++this.#scan;
    this.tell("");
    const refusal = await this.#try(() => this.#line.scan(bytes));
    if (refusal === null || scan !== this.#scan) return;
    if (refusal === "BUSY") return this.tell(t("desk/someone_else"), true);
    await this.#fill(bytes, scan);
  }

  // A code that names nobody whole: what it does say stands in the form, and the clerk types the rest.
  async #fill(bytes, scan) {
    try {
      const { known, words } = await readScan(bytes);
      const form = this.place.querySelector("form[name=entry]");
      if (known && form && scan === this.#scan) fillPerson(form, known);
      this.tell(words, !known);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed(error);
    }
  }

  #onKey = (event) => {
    if (event.key === "F2") return this.handOver.key(event);
    this.#keys.down(event);
  };

  #lost() {
    this.#shown = "";
    this.#keys.clear();
    this.handOver.leave();
    this.entered.hidden = true;
    this.place.dataset.view = "lost";
    this.place.replaceChildren(...lostView());
  }

  #show(state) {
    this.#state = state;
    const { waited, ...still } = state.screen;
    const key = JSON.stringify([state.checkin_id, still]);
    if (key === this.#shown) return;
    this.#shown = key;
    const view = state.screen.view in VIEWS ? state.screen.view : "out_of_order";
    if (!["idle", "unreadable"].includes(view)) this.tell("");
    this.#keys.clear();
    this.place.dataset.view = view;
    const tools = {
      answer: (answer, more) => this.#answer({ checkin_id: state.checkin_id, answer, ...more }),
      enter: (person) => this.#line.enter(person),
      keys: this.#keys,
      tell: this.tell,
    };
    this.place.replaceChildren(...VIEWS[view](state, tools).filter(Boolean));
    (this.place.querySelector("[data-first]") ?? this.place.querySelector("h2")).focus();
    if (view === "needs_staff") this.#tellWhy(state.checkin_id);
    this.#showEntry(view, state);
  }

  // The person's own screen would not say why; the clerk is told.
  async #tellWhy(id) {
    try {
      const { needs_staff: needs } = await call(`check-ins/${id}`);
      const place = this.place.querySelector("#why");
      if (place && needs && this.#state.checkin_id === id) place.textContent = forCode("reason", needs.reason);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed(error);
    }
  }

  // What the clerk has to type into the hospital system for the person who has just been served.
  async #showEntry(view, { checkin_id: id }) {
    if (view !== "done") {
      if (view !== "idle") this.#hideEntry();
      return;
    }
    try {
      const queue = await call("hand-over");
      if (this.#state?.checkin_id !== id || !queue.waiting.some((item) => item.checkin_id === id)) return;
      this.handOver.update(queue);
      this.entered.hidden = false;
      await this.handOver.open(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed(error);
    }
  }

  #hideEntry() {
    this.handOver.leave();
    this.entered.hidden = true;
    this.entered.replaceChildren();
  }

  async #answer(body) {
    const refusal = await this.#try(() => this.#line.answer(body));
    if (refusal && refusal !== "WRONG_PHASE") this.tell(forCode("error", refusal), true); // the stream shows what stands instead
  }

  // -> the code of a refusal, or null.
  async #try(work) {
    try {
      return await work();
    } catch {
      this.#line.lost();
      return null;
    }
  }
}
