// What each view of the station looks like. A view is a function of the state that returns the children of <main>.

import { dateText, el, moneyText, picture } from "../dom.js";
import { forCode, list, t } from "../texts.js";
import { CHIP_VIEWS } from "./chip.js";
import { idle } from "./idle.js";
import { LANE_VIEWS, calledNote, helpBar, staff } from "./lanes.js";
import { layOut } from "./pages.js";
import { paperNote } from "./paper.js";
import { priorityNote, priorityTiles } from "./priority.js";
import { button, clearsLine, heading, layingPicture, leave, progress } from "./parts.js";

const MOST_ROWS = 6.5;
const FEWEST_ROWS = 1.5; // a department's heading counts for half a row

export function connecting(late) {
  if (!late) return [heading(t("connecting/title"))];
  return [picture("wait", "large"), heading(t("connecting/late_title")), el("p", {}, t("connecting/late_text"))];
}

const FOR_STAFF = ["NAME_DAMAGED"]; // trying again would change nothing
const NO_PATIENT = ["TEST_CODE", "TEST_CODE_DAMAGED"];

function unreadable({ screen }, answer) {
  const { error, lay, called } = screen;
  if (lay) return layInstead();
  const forStaff = FOR_STAFF.includes(error);
  const steps = list(`unreadable/${error}/steps`);
  const again = !forStaff && !NO_PATIENT.includes(error);
  return [
    picture(forStaff ? "person" : error === "TEST_CODE" ? "ok" : "info", "large"),
    heading(forCode("unreadable", error, "title")),
    el("p", { class: "big" }, forCode("unreadable", error, "text")),
    steps ? el("ol", { class: "steps" }, steps.map((step) => el("li", {}, step))) : null,
    again && !steps ? el("p", { class: "big" }, t("unreadable/again")) : null,
    again && !called ? el("p", {}, t("unreadable/to_desk")) : null,
    calledNote(screen),
    NO_PATIENT.includes(error) ? null : helpBar(answer),
  ];
}

// The number is known; the chip tells the rest.
function layInstead() {
  return [
    layingPicture(),
    heading(t("unreadable/lay/title")),
    el("p", { class: "big" }, t("unreadable/lay/text")),
    el("p", {}, t("unreadable/lay/or")),
  ];
}

function askingVneid({ screen }) {
  return [picture("wait", "large"), heading(t("asking_vneid/title")), ...progress("asking_vneid", screen.waited)];
}

function confirm({ screen }, answer) {
  return [
    heading(t("confirm/title")),
    el(
      "section",
      { class: "card person" },
      el("p", { class: "name" }, screen.name),
      el("p", { class: "big" }, t("confirm/born", { year: screen.birth_year })),
      el("p", { class: "number" }, t(numberWords(screen), { number: screen.number })),
      screen.chip_failed ? el("p", { class: "note" }, t("confirm/chip_failed")) : null,
    ),
    el(
      "div",
      { class: "actions two first" },
      button(t(screen.company ? `confirm/yes_${screen.company}` : "confirm/yes"), "primary", () => answer("confirm")),
      button(t("confirm/no"), "", () => answer("reject")),
    ),
    el(
      "div",
      { class: screen.company ? "actions" : "actions two" },
      screen.company ? null : button(t("confirm/my_child"), "quiet", () => answer("guardian", { value: "child" })),
      button(t("confirm/staff"), "quiet", () => answer("call_staff")),
    ),
    clearsLine(),
  ];
}

const numberWords = ({ number_kind: kind = "PERSONAL_12" }) =>
  kind === "PERSONAL_12" ? "confirm/number" : "confirm/number_bhyt";

function checking({ screen }) {
  return [
    picture("wait", "large"),
    heading(t(`checking/${screen.step}/title`)),
    ...progress(`checking/${screen.step}`, screen.waited),
  ];
}

const ANSWER_PICTURES = { insured: "ok", not_insured: "info", cannot_say: "wait", needs_staff: "person" };

// What is said of the card itself, provisional like the rest; beside a number there is room for its end only.
function cardWords({ answer, valid_to: validTo, ends, level }, words) {
  if (answer !== "insured") return [];
  const until = validTo && t(`answer/insured/${ends ? `until_${ends}` : "until"}`, { date: dateText(validTo) });
  const more = words === "text" ? [ends && t("answer/insured/renew"), level && t("answer/insured/level", { level })] : [];
  return [until, ...more].filter(Boolean);
}

function answerCard(screen, words = "text") {
  const { answer } = screen;
  const told = [...cardWords(screen, words), t(`answer/${answer}/${words}`)].join(" ");
  return el(
    "section",
    { class: `card answer ${answer}` },
    picture(ANSWER_PICTURES[answer]),
    el("div", {}, el("h2", {}, t(`answer/${answer}/title`)), el("p", {}, told)),
  );
}

const SLIPS = ["referral", "re_examination", "none"];

// Asked only of people who are registered at another place: the papers decide what the insurance pays.
function askSlip({ screen }, answer) {
  return [
    answerCard(screen),
    heading(t("slip/title")),
    el("p", { class: "big" }, t("slip/text")),
    el("div", { class: "actions slips" }, SLIPS.map((slip) => button(t(`slip/${slip}`), slip === "none" ? "quiet" : "", () => answer("service", { value: slip })))),
    clearsLine(),
  ];
}

function chooseService(state, answer) {
  const { screen } = state;
  if (screen.asks_slip) return askSlip(state, answer);
  const place = el("div", { class: "services" });
  const proposed = screen.proposals ?? [];
  const rest = screen.services.filter(({ id }) => !proposed.some((proposal) => proposal.id === id));
  queueMicrotask(() => fillPages(place, rest, answer)); // once it stands on the screen and can be measured
  return [
    answerCard(screen),
    heading(t(screen.answer === "not_insured" ? "choose/title_self_pay" : "choose/title")),
    proposed.length ? el("div", { class: "tiles proposals" }, proposed.map((proposal) => proposalTile(proposal, answer))) : null,
    place,
    priorityNote(screen),
    el(
      "div",
      { class: "actions two foot" },
      screen.groups?.length ? button(t("priority/ask"), "quiet wide", () => place.replaceChildren(...priorityTiles(screen.groups, answer))) : null,
      button(t("choose/staff"), "quiet", () => answer("call_staff")),
      leave(answer),
    ),
    clearsLine(),
  ];
}

// As many rows on a page as fit without scrolling; a phone scrolls.
function fillPages(place, services, answer) {
  const main = place.parentElement;
  const scrolls = matchMedia("(max-width: 600px)").matches;
  let pages;
  const turn = (index) => place.replaceChildren(...servicePage(pages, index, turn, answer));
  const fits = (index) => {
    turn(index);
    return main.scrollHeight <= main.clientHeight;
  };
  for (let rows = MOST_ROWS; rows >= FEWEST_ROWS; rows -= 0.5) {
    pages = layOut(services, 2, rows);
    if (scrolls || pages.every((_, index) => fits(index))) break;
  }
  turn(0);
}

function servicePage(pages, index, turn, answer) {
  const groups = pages[index].map(({ department, services }) =>
    el(
      "section",
      { class: services.length > 1 ? "wide" : "" },
      department ? el("h2", {}, department) : null,
      el("div", { class: "tiles" }, services.map((service) => tile(service, answer))),
    ),
  );
  if (pages.length === 1) return groups;
  const step = (words, to) => el("button", { type: "button", disabled: !pages[to], click: () => turn(to) }, words);
  const where = el("p", { role: "status" }, t("choose/page", { page: index + 1, pages: pages.length }));
  const nav = el("nav", { class: "pager" }, step(t("choose/before"), index - 1), where, step(t("choose/after"), index + 1));
  return [...groups, nav];
}

function proposalTile(proposal, answer) {
  const pick = () => answer("service", { service_id: proposal.id });
  return el("button", { type: "button", class: "tile proposal", click: pick }, el("small", {}, t(`choose/why_${proposal.why}`)), proposal.name);
}

function tile(service, answer) {
  const price = service.price === null ? null : t("choose/price", { price: moneyText(service.price) });
  const pick = () => answer("service", { service_id: service.id });
  return el("button", { type: "button", class: "tile", click: pick }, service.name, price && el("small", {}, price));
}

function done({ screen }, answer) {
  const { ticket, again } = screen;
  const own = ticket.issued_by === "kiosk";
  const another = again && button(t("done/another"), "quiet", () => answer("another_examination"));
  return [
    heading(t(again ? "done/again_title" : "done/title")),
    ticketCard(screen, t(own ? "done/number_kiosk" : "done/number")),
    own ? el("p", { class: "where big" }, t("done/kiosk")) : whereTo(ticket),
    otherNumbers(ticket),
    paperNote(screen),
    answerCard(screen, "after"),
    screen.called ? calledNote(screen) : receiptLine(ticket),
    el(
      "div",
      { class: "actions two" },
      button(t("done/finish"), "primary", () => answer("cancel")),
      another,
      screen.called ? null : staff(answer),
    ),
    clearsLine(),
  ];
}

function needsStaff({ screen }, answer) {
  return [
    heading(t("needs_staff/title")),
    ticketCard(screen, t("needs_staff/number")),
    paperNote(screen),
    answerCard({ answer: "needs_staff" }, "after"),
    receiptLine(screen.ticket),
    el("div", { class: "actions" }, button(t("done/finish"), "primary", () => answer("cancel"))),
    clearsLine(),
  ];
}

function ticketCard({ ticket, card_reader: cards }, words) {
  const short = ticket.number.length <= 5 ? "ticket-number short" : "ticket-number";
  const number = el("p", { class: short }, ticket.number);
  return el("section", { class: "card ticket" }, el("p", {}, words), number, el("p", {}, t(cards ? "done/remember_card" : "done/remember")));
}

function receiptLine({ lookup_receipt: code }) {
  return code ? el("p", { class: "receipt" }, t("done/receipt", { code })) : null;
}

// One visit can have a number in each of several rooms.
function otherNumbers({ others = [] }) {
  if (!others.length) return null;
  const line = ({ number, room, department }) => el("li", {}, el("strong", {}, number), ` – ${[room, department].filter(Boolean).join(", ")}`);
  return el("section", { class: "where others" }, el("p", {}, t("done/others")), el("ul", {}, others.map(line)));
}

function whereTo({ room, department, service }) {
  const places = [...new Set([room, service, department].filter(Boolean))];
  const [first, ...rest] = places;
  if (!first) return null;
  return el(
    "section",
    { class: "where" },
    el("p", {}, t("done/where")),
    el("p", { class: "place" }, first),
    rest.length ? el("p", {}, rest.join(" – ")) : null,
  );
}

function outOfOrder() {
  return [
    picture("person", "large"),
    heading(t("out_of_order/title")),
    el("p", { class: "big" }, t("out_of_order/text")),
  ];
}

export const VIEWS = {
  idle,
  unreadable,
  asking_vneid: askingVneid,
  ...CHIP_VIEWS,
  ...LANE_VIEWS,
  confirm,
  checking,
  choose_service: chooseService,
  done,
  needs_staff: needsStaff,
  out_of_order: outOfOrder,
};
