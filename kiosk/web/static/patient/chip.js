// The views of the card itself: laying it down, whose it is, and while it is read.

import { el, picture } from "../dom.js";
import { forCode, t } from "../texts.js";
import { button, clearsLine, heading, lateButton, layingPicture, progress } from "./parts.js";

const DIGITS = 12;
const NO_DIGIT = "\u2012"; // a dash as wide as a digit
const ON_PHONE = "phone";
const LONG_WAIT = 8; // seconds after which nobody is kept from going on without the chip

function placeCard({ screen }, answer) {
  const { trouble, number } = screen;
  const words = (name) => (trouble ? forCode("place_card/trouble", trouble, name) : t(`place_card/${name}`));
  return [
    heading(words("title")),
    layingPicture(),
    el(
      "div",
      { class: "how" },
      el("p", { class: "big" }, words("text")),
      number ? el("p", {}, t("place_card/number", { number })) : null,
    ),
    el(
      "div",
      { class: "actions two ways" },
      button(t("place_card/phone"), "wide", () => answer("skip_chip", { value: ON_PHONE })),
      button(t("place_card/skip"), "wide", () => answer("skip_chip")),
      button(t("place_card/staff"), "quiet", () => answer("call_staff")),
      leave(answer),
    ),
    clearsLine("place_card/goes_on"),
  ];
}

const leave = (answer) => button(t("choose/cancel"), "quiet", () => answer("cancel"));

// The digits stand in this closure and on the screen, and go with both.
function needNumber({ screen }, answer) {
  let typed = "";
  const shown = el("p", { class: "digits", "aria-live": "polite" });
  const hint = el("p", { class: "hint", role: "status" });
  const send = async () => {
    const refusal = await answer("number", { value: typed });
    hint.textContent = refusal ? t("need_number/trouble/BAD_ID_NUMBER") : "";
  };
  const done = button(t("need_number/done"), "primary", send);
  const rub = button(t("need_number/delete"), "quiet", () => set(typed.slice(0, -1)));
  const set = (digits) => {
    typed = digits.slice(0, DIGITS);
    shown.replaceChildren(...grouped(typed.padEnd(DIGITS, NO_DIGIT)).map((group) => el("span", {}, group)));
    done.disabled = typed.length < DIGITS;
    rub.disabled = !typed;
    hint.textContent = "";
  };
  const key = (digit) => button(digit, "key", () => set(typed + digit));
  set("");
  hint.textContent = screen.trouble ? forCode("need_number/trouble", screen.trouble) : "";
  return [
    el(
      "div",
      { class: "ask" },
      heading(t("need_number/title")),
      el("p", { class: "big" }, t("need_number/text")),
      picture("hold-card"),
    ),
    el("div", { class: "entry" }, shown, hint, el("div", { class: "keypad" }, [..."123456789"].map(key), rub, key("0"), done)),
    el("div", { class: "actions" }, leave(answer)),
    clearsLine(),
  ];
}

const grouped = (digits) => digits.match(/.{3}/g);

function readingChip({ screen }, answer) {
  const late = { waited: screen.waited, after: LONG_WAIT };
  return [
    layingPicture(true),
    heading(t("reading_chip/title")),
    ...progress("reading_chip", screen.waited),
    el("div", { class: "actions" }, lateButton(t("place_card/skip"), "", () => answer("skip_chip"), late)),
  ];
}

export const CHIP_VIEWS = { place_card: placeCard, need_number: needNumber, reading_chip: readingChip };
