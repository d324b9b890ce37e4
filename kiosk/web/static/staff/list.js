// The list at the left: who needs staff, everybody of today, or what was searched.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { seenWords } from "./detail.js";
import { clock } from "./times.js";

export function rowsView(checkIns, empty, selected, choose) {
  if (!checkIns.length) return el("p", { class: "empty" }, empty);
  return el("ul", { class: "rows" }, checkIns.map((item) => el("li", {}, row(item, selected, choose))));
}

function row(item, selected, choose) {
  const { identity, ticket, needs_staff: needs } = item;
  return el(
    "button",
    {
      type: "button",
      "data-id": item.checkin_id,
      "aria-current": item.checkin_id === selected ? "true" : false,
      click: () => choose(item.checkin_id),
    },
    el("strong", { class: "ticket" }, ticket.number ?? t("list/no_number")),
    el(
      "span",
      { class: "who" },
      el("b", {}, identity.name ?? t("list/no_name")),
      ` ${identity.birth_year ?? ""} · ${identity.number ?? ""}`,
    ),
    el("time", {}, clock(needs?.since ?? item.happened_at)),
    el("span", { class: needs ? "why" : "fine" }, item.why ?? (needs ? forCode("reason", needs.reason) : summary(item))),
    item.seen_at && el("span", { class: "seen" }, seenWords(item.seen_at)),
    item.note && el("span", { class: "seen" }, item.note),
  );
}

function summary(item) {
  if (item.closed_reason) return forCode("state", item.closed_reason);
  if (item.state !== "accepted") return forCode("state", item.state);
  return [item.service?.name, forCode("hospital_state", item.hospital.state)].filter(Boolean).join(" · ");
}

// No name has digits: with them it is the end of a number, a ticket such as K-0012 or an insurance card's number.
export function searchBody(words) {
  const typed = words.trim();
  return /\d/.test(typed) ? { number_tail: typed } : { name: typed };
}
