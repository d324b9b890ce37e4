// The views of people who do not come alone with a card, and the buttons that lead there.

import { el, picture } from "../dom.js";
import { forCode, t } from "../texts.js";
import { keypad } from "./keypad.js";
import { button, clearsLine, heading, leave } from "./parts.js";

const NUMBER = [3, 3, 3, 3];
const DATE = [2, 2, 4];

const child = (answer) => button(t("lanes/child"), "", () => answer("guardian", { value: "child" }));
const helper = (answer) => button(t("lanes/helper"), "", () => answer("guardian", { value: "other" }));
const noCard = (answer) => button(t("lanes/no_card"), "", () => answer("no_card"));
const emergency = (answer) => button(t("lanes/emergency"), "urgent", () => answer("emergency"));
export const staff = (answer) => button(t("lanes/staff"), "quiet", () => answer("call_staff"));

export function lanes(answer) {
  const ways = [child, helper, noCard, emergency, staff].map((way) => way(answer));
  return el("nav", { class: "lanes", "aria-label": t("lanes/label") }, ways);
}

// Beside what is told of a code that could not be used.
export const helpBar = (answer) => el("div", { class: "actions two" }, noCard(answer), staff(answer));

export const calledNote = ({ called }) => (called ? el("p", { class: "note called", role: "status" }, t("lanes/called")) : null);

function forOther({ screen }, answer) {
  const { company, trouble } = screen;
  return [
    picture(company === "child" ? "child" : "helper", "illustration"),
    heading(t(trouble ? `for_other/${company}/adult` : `for_other/${company}/title`)),
    el("p", { class: "big" }, t(`for_other/${company}/text`)),
    el(
      "div",
      { class: "actions" },
      button(t(`for_other/${company}/no_card`), "", () => answer("no_card")),
    ),
    el("div", { class: "actions two" }, staff(answer), leave(answer)),
    clearsLine(),
  ];
}

// A phone first, which shows a card's code; who remembers a number types it, and the birth date after it.
function withoutCard({ screen }, answer) {
  const whose = screen.company === "child" ? "_child" : "";
  const view = el("div", { class: "typing" });
  const ways = () => [
    picture("phone", "illustration"),
    heading(t("no_card/title")),
    el("p", { class: "big" }, t("no_card/phone")),
    el("div", { class: "actions" }, button(t("no_card/type"), "primary", () => show(number()))),
    el("div", { class: "actions two" }, staff(answer), leave(answer)),
    clearsLine(),
  ];
  const typing = (words, text, pad) => [
    el("div", { class: "ask" }, heading(t(`no_card/title_${words}${whose}`)), el("p", { class: "big" }, t(`no_card/text_${text}`))),
    pad,
    el("div", { class: "actions two" }, staff(answer), leave(answer)),
    clearsLine(),
  ];
  const number = (hint = "") =>
    typing("number", `number${whose}`, keypad({ groups: NUMBER, enough: (typed) => typed.length === 12, words: t("no_card/next"), send: async (typed) => show(birth(typed)), hint }));
  const birth = (typedNumber) => {
    const send = async (typed) => {
      const refusal = await answer("number", { value: `${typedNumber} ${isoDate(typed)}` });
      if (refusal && refusal !== "BAD_DATE") show(number(forCode("no_card/trouble", refusal)));
      return refusal ? forCode("no_card/trouble", refusal) : "";
    };
    const enough = (typed) => typed.length === 8 || (typed.length === 4 && Number(typed) > 1880);
    return typing("birth", "birth", keypad({ groups: DATE, enough, words: t("need_number/done"), send }));
  };
  const show = (children) => {
    view.replaceChildren(...children);
    view.querySelector("h1").focus({ preventScroll: true });
  };
  show(whose ? number() : ways());
  return [view];
}

// "05091950" -> "1950-09-05"; a year alone stays a year.
function isoDate(digits) {
  return digits.length === 4 ? digits : `${digits.slice(4)}-${digits.slice(2, 4)}-${digits.slice(0, 2)}`;
}

function emergencyView(_, answer) {
  return [
    picture("emergency", "large"),
    heading(t("emergency/title")),
    el("p", { class: "big" }, t("emergency/text")),
    el("div", { class: "actions" }, button(t("emergency/close"), "quiet", () => answer("cancel"))),
    clearsLine(),
  ];
}

function called(_, answer) {
  return [
    picture("person", "large"),
    heading(t("called/title")),
    el("p", { class: "big" }, t("called/text")),
    el("div", { class: "actions" }, button(t("lanes/back"), "quiet", () => answer("cancel"))),
    clearsLine(),
  ];
}

function forgottenCard() {
  return [picture("card-left", "illustration"), heading(t("forgotten_card/title")), el("p", { class: "big" }, t("forgotten_card/text"))];
}

export const LANE_VIEWS = { for_other: forOther, no_card: withoutCard, emergency: emergencyView, called, forgotten_card: forgottenCard };
