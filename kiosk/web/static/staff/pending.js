// Visits of a day that the gateway has not answered: who, since when, why, and the files that prove it.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { download } from "./api.js";
import { clock } from "./times.js";

// `open(id)` shows a check-in; `failed(error)` tells why there is no file; `pick(day)` asks for another day.
export function pendingView(data, selected, { open, failed, pick }) {
  const { day, closed, closes_at: closes, visits } = data;
  const chosen = el("input", { type: "date", name: "day", value: day, "aria-label": t("pending/day"), change: (event) => event.target.value && pick(event.target.value) });
  const all = visits.length > 0 && fileButton(t("pending/all"), `pending/evidence?day=${day}`, failed);
  const words = closed ? t("pending/closed", { n: visits.length }) : t("pending/open", { n: visits.length, time: clock(closes).replace("00:00", "24:00") });
  return [
    el("div", { class: "search" }, chosen, all),
    el("p", { class: closed && visits.length ? "notice" : "fine", id: "pending-state" }, visits.length ? words : t("pending/none")),
    el("ul", { class: "rows" }, visits.map((visit) => el("li", {}, row(visit, selected, open), files(visit, failed)))),
  ];
}

function row({ checkin_id: id, identity, ticket, since, calls, last_reason: reason }, selected, open) {
  return el(
    "button",
    { type: "button", "data-id": id, "aria-current": id === selected ? "true" : false, click: () => open(id) },
    el("strong", { class: "ticket" }, ticket ?? t("list/no_number")),
    el("span", { class: "who" }, el("b", {}, identity.name ?? t("list/no_name")), ` ${identity.birth_year ?? ""} · ${identity.number ?? ""}`),
    el("time", {}, clock(since)),
    el("span", { class: "fine" }, `${t("pending/calls", { n: calls })} · ${reason ? forCode("reason", reason) : t("pending/never")}`),
  );
}

function files({ checkin_id: id }, failed) {
  const path = `check-ins/${id}/evidence?format=`;
  return el("div", { class: "files" }, fileButton(t("pending/pdf"), `${path}pdf`, failed), fileButton(t("pending/csv"), `${path}csv`, failed));
}

function fileButton(words, path, failed) {
  const click = async ({ target }) => {
    target.disabled = true;
    await download(path).catch(failed);
    target.disabled = false;
  };
  return el("button", { type: "button", click }, words);
}
