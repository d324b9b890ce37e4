// The switches below every view: language, large letters, strong contrast. What one person chose ends with the visit.

import { speak, t } from "../texts.js";

const HOME = "vi";
const UNUSED_MS = 30_000; // somebody chose, and then no card came
const ENDINGS = ["done", "needs_staff"];

export class Switches {
  #nav;
  #onLanguage;
  #onSpoken;
  #before = { view: "idle", visit: null };
  #unused = null;

  // onLanguage: what stands on the screen has to be written anew; onSpoken hears which language it is from now on.
  constructor(nav, onLanguage, onSpoken) {
    this.#nav = nav;
    this.#onLanguage = onLanguage;
    this.#onSpoken = onSpoken;
    for (const each of nav.querySelectorAll("[data-language]")) {
      each.addEventListener("click", () => this.#chosen(() => this.#speak(each.dataset.language)));
    }
    for (const each of nav.querySelectorAll("[data-look]")) {
      each.addEventListener("click", () => this.#chosen(() => this.#look(each, each.ariaPressed !== "true")));
    }
  }

  // Hears which view comes, before it is drawn.
  follow(view, visit) {
    const { view: from, visit: whose } = this.#before;
    const over = view === "idle" ? from !== "idle" : ENDINGS.includes(from) && visit !== whose;
    this.#before = { view, visit };
    clearTimeout(this.#unused);
    if (over) this.#home();
  }

  #chosen(change) {
    change();
    this.#onLanguage();
    clearTimeout(this.#unused);
    if (this.#before.view === "idle") this.#unused = setTimeout(() => this.#chosenByNobody(), UNUSED_MS);
  }

  #chosenByNobody() {
    this.#home();
    this.#onLanguage();
  }

  #home() {
    this.#speak(HOME);
    for (const each of this.#nav.querySelectorAll("[data-look]")) this.#look(each, false);
  }

  #speak(language) {
    if (document.documentElement.lang !== language) this.#onSpoken(language);
    speak(language);
    document.documentElement.lang = language;
    document.title = t("title");
    for (const each of document.querySelectorAll("[data-words-of]")) each.textContent = t(each.dataset.wordsOf);
    for (const each of this.#nav.querySelectorAll("[data-language]")) each.ariaPressed = String(each.dataset.language === language);
    this.#nav.ariaLabel = t("switch/label");
  }

  #look(button, on) {
    button.ariaPressed = String(on);
    document.documentElement.toggleAttribute(`data-${button.dataset.look}`, on);
  }
}
