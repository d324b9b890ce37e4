// Digits that somebody types. They stand in this closure and on the screen, and go with both.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { button } from "./parts.js";

const NO_DIGIT = "\u2012"; // a dash as wide as a digit

// `groups`: how many digits stand together, such as [2, 2, 4]. `enough`: whether what is typed can be sent. `send` gets
// the digits and resolves to the words of a hint, or to nothing.
export function keypad({ groups, enough, words, send, hint: first = "" }) {
  const most = groups.reduce((sum, each) => sum + each, 0);
  let typed = "";
  const shown = el("p", { class: "digits", "aria-live": "polite" });
  const hint = el("p", { class: "hint", role: "status" });
  const done = button(words, "primary", async () => {
    hint.textContent = (await send(typed)) ?? "";
  });
  const rub = button(t("need_number/delete"), "quiet", () => set(typed.slice(0, -1)));
  const set = (digits) => {
    typed = digits.slice(0, most);
    shown.replaceChildren(...cut(typed.padEnd(most, NO_DIGIT), groups).map((group) => el("span", { "data-digits": group.length }, group)));
    done.disabled = !enough(typed);
    rub.disabled = !typed;
    hint.textContent = "";
  };
  const key = (digit) => button(digit, "key", () => set(typed + digit));
  set("");
  hint.textContent = first;
  return el("div", { class: "entry" }, shown, hint, el("div", { class: "keypad" }, [..."123456789"].map(key), rub, key("0"), done));
}

function cut(text, groups) {
  let start = 0;
  return groups.map((length) => text.slice(start, (start += length)));
}
