// What each view of a desk's station looks like. A view is a function of the state that returns the children of its
// place, and tells the keys what they do.

import { dateText, el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { entryForm } from "./entry.js";
import { roomsView } from "./rooms.js";

const heading = (words) => el("h2", { tabindex: "-1" }, words);
const key = (name) => el("kbd", {}, name);

export function lostView() {
  return [heading(t("desk/lost")), el("p", {}, t("desk/lost_text"))];
}

function idle(_, tools) {
  return [
    el("p", { class: "ready" }, t("desk/ready")),
    heading(t("desk/idle")),
    el("p", {}, t("desk/idle_text")),
    entryForm(tools),
  ];
}

function unreadable({ screen }, tools) {
  tools.keys.on("Escape", () => tools.answer("cancel"));
  return [el("p", { class: "notice" }, forCode("desk/unreadable", screen.error)), heading(t("desk/idle")), entryForm(tools)];
}

function confirm({ screen }, { answer, keys }) {
  keys.on("Enter", () => answer("confirm"));
  keys.on("Escape", () => answer("reject"));
  return [
    heading(t("desk/confirm")),
    el("p", { class: "name" }, screen.name),
    el("p", { class: "big" }, t("desk/born", { year: screen.birth_year }), " · ", el("span", { class: "number" }, screen.number)),
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", class: "primary", "data-first": true, click: () => answer("confirm") }, t("desk/yes"), key("Enter")),
      el("button", { type: "button", click: () => answer("reject") }, t("desk/no"), key("Esc")),
    ),
  ];
}

function checking({ screen }) {
  return [heading(t(`desk/checking_${screen.step}`)), el("p", {}, t("desk/wait"))];
}

// What the clerk tells the person, in the insurer's words for staff.
function answerView({ answer, valid_to: until, ends, level }) {
  const more = [until && t("desk/until", { date: dateText(until) }), ends && t(`desk/ends_${ends}`), level && t("desk/level", { level })];
  return el("p", { class: `answer ${answer}` }, el("strong", {}, t(`desk/answer_${answer}`)), " ", more.filter(Boolean).join(" · "));
}

const SLIPS = ["referral", "re_examination", "none"];

function askSlip({ screen }, { answer, keys }) {
  const ask = (slip, index) => {
    const pick = () => answer("service", { value: slip });
    keys.on(String(index + 1), pick);
    return el("button", { type: "button", click: pick }, key(String(index + 1)), t(`desk/slip_${slip}`));
  };
  keys.on("Escape", () => answer("cancel"));
  return [answerView(screen), heading(t("desk/slip")), el("div", { class: "actions slips" }, SLIPS.map(ask))];
}

function chooseService(state, tools) {
  const { screen } = state;
  if (screen.asks_slip) return askSlip(state, tools);
  tools.keys.on("Escape", () => tools.answer("cancel"));
  return [
    answerView(screen),
    heading(t(screen.answer === "not_insured" ? "desk/room_self_pay" : "desk/room")),
    ...roomsView(screen, tools),
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", click: () => tools.answer("call_staff") }, t("desk/to_staff")),
      el("button", { type: "button", click: () => tools.answer("cancel") }, t("desk/cancel"), key("Esc")),
    ),
  ];
}

function ticketView({ ticket }) {
  const where = [...new Set([ticket.room, ticket.service, ticket.department].filter(Boolean))].join(" – ");
  const others = (ticket.others ?? []).map(({ number, room, department }) => el("li", {}, el("strong", {}, number), ` – ${[room, department].filter(Boolean).join(", ")}`));
  return el(
    "div",
    { class: "told" },
    el("p", { class: "ticket" }, ticket.number),
    el("p", { class: "big" }, where || t("desk/at_staff")),
    others.length ? el("ul", {}, others) : null,
    ticket.lookup_receipt ? el("p", { class: "number" }, t("desk/receipt", { code: ticket.lookup_receipt })) : null,
  );
}

function done({ screen }, { answer, keys }) {
  keys.on("Escape", () => answer("cancel"));
  return [
    answerView(screen),
    heading(t(screen.again ? "desk/again" : "desk/done")),
    ticketView(screen),
    screen.ticket.issued_by === "kiosk" ? el("p", { class: "notice" }, t("desk/kiosk_number")) : null,
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", class: "primary", "data-first": true, click: () => answer("cancel") }, t("desk/next"), key("Esc")),
      screen.again ? el("button", { type: "button", click: () => answer("another_examination") }, t("desk/another")) : null,
    ),
    el("p", {}, t("desk/scan_next")),
  ];
}

function needsStaff({ checkin_id: id, screen }, { answer, keys }) {
  const solve = async () => {
    await answer("cancel"); // the desk is free for the next person meanwhile
    location.assign(`/staff#${id}`);
  };
  keys.on("Escape", () => answer("cancel"));
  return [
    answerView(screen),
    heading(t("desk/needs_staff")),
    el("p", { class: "notice", id: "why" }),
    ticketView(screen),
    el("p", {}, t("desk/needs_staff_text")),
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", class: "primary", "data-first": true, click: solve }, t("desk/solve"), key("Enter")),
      el("button", { type: "button", click: () => answer("cancel") }, t("desk/later"), key("Esc")),
    ),
  ];
}

function outOfOrder() {
  return [heading(t("desk/out_of_order")), el("p", {}, t("desk/out_of_order_text"))];
}

export const VIEWS = {
  idle,
  unreadable,
  confirm,
  checking,
  choose_service: chooseService,
  done,
  needs_staff: needsStaff,
  out_of_order: outOfOrder,
};

