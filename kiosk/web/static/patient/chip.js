// The views of the card itself: laying it down, whose it is, and while it is read.

import { el, picture } from "../dom.js";
import { forCode, t } from "../texts.js";
import { keypad } from "./keypad.js";
import { button, clearsLine, heading, lateButton, layingPicture, leave, progress } from "./parts.js";

const NUMBER = [3, 3, 3, 3];
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

function needNumber({ screen }, answer) {
  const send = async (typed) => {
    const refusal = await answer("number", { value: typed });
    return refusal ? t("need_number/trouble/BAD_ID_NUMBER") : "";
  };
  const pad = {
    groups: NUMBER,
    enough: (typed) => typed.length === 12,
    words: t("need_number/done"),
    send,
    hint: screen.trouble ? forCode("need_number/trouble", screen.trouble) : "",
  };
  return [
    el("div", { class: "ask" }, heading(t("need_number/title")), el("p", { class: "big" }, t("need_number/text")), picture("hold-card")),
    keypad(pad),
    el("div", { class: "actions" }, leave(answer)),
    clearsLine(),
  ];
}

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
