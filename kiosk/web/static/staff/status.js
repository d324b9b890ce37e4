// The line under the header: how everything around is doing, and alarms in plain words.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { callLines } from "./calls.js";
import { clock } from "./times.js";

export function statusView(status, now = Date.now()) {
  const province = status.province.enrolled ? ["good", t("status/ok")] : ["idle", t("status/not_enrolled")];
  const plugged = { true: ["good", t("status/ok")], false: ["bad", t("status/unplugged")] };
  const cards = plugged[status.card_reader_ok]; // told only where there is one
  return [
    ...callLines(status.calls),
    el(
      "ul",
      { class: "chips" },
      el("li", {}, t("status/facility", { facility: status.facility })),
      chip(t("status/gateway"), ...known(status.gateway)),
      chip(t("status/hospital"), ...known(status.hospital)),
      chip(t("status/province"), ...province),
      chip(t("status/reader"), ...(plugged[status.reader_ok] ?? ["idle", t("status/none")])),
      status.warm_up?.problems.length === 0 && chip(t("status/warm_up"), "good", clock(status.warm_up.at)),
      cards && chip(t("status/card_reader"), ...cards),
      status.printer && chip(t("status/printer"), ...known(status.printer)),
      status.outbox.filter((queue) => queue.rows).map((queue) => queueChip(queue, now)),
    ),
    ...alarms(status).map((words) => el("p", { class: "alarm" }, words)),
  ];
}

function known({ ok }) {
  if (ok === null) return ["idle", t("status/unknown")];
  return ok ? ["good", t("status/ok")] : ["bad", t("status/bad")];
}

function chip(name, mood, words) {
  return el("li", { class: mood }, `${name}: ${words}`);
}

function queueChip({ destination, state, rows, oldest }, now) {
  const name = forCode("queue", destination);
  if (state === "parked") return el("li", { class: "bad" }, `${name} – ${t("status/parked", { rows })}`);
  return el("li", { class: "wait" }, t("status/queue", { name, rows, age: age(now - Date.parse(oldest)) }));
}

function age(milliseconds) {
  const minutes = Math.max(0, Math.round(milliseconds / 60000));
  return minutes < 120 ? t("status/minutes", { n: minutes }) : t("status/hours", { n: Math.round(minutes / 60) });
}

function alarms({ gateway, hospital, store, disk_low: diskLow, ...status }) {
  const { reader_ok: readerOk, scanner_fault: scannerFault, card_reader_ok: cardsOk } = status;
  return [
    store?.ok === false && t("status/alarm_store"),
    diskLow && t("status/alarm_disk"),
    gateway.ok === false && forCode("reason", gateway.reason),
    hospital.ok === false && t("status/alarm_hospital"),
    readerOk === false && t("status/alarm_reader"),
    scannerFault && forCode("scanner_fault", scannerFault),
    cardsOk === false && t("status/alarm_card_reader"),
    status.printer?.ok === false && t("status/alarm_printer", { reason: forCode("printer", status.printer.reason) }),
    status.overrides?.findings > 0 && t("status/alarm_overrides", { n: status.overrides.findings }),
    status.facility_key === "own" && t("status/alarm_facility_key"),
    ...(status.warm_up?.problems ?? []).filter((problem) => problem !== "space").map((problem) => forCode("warm_up", problem)),
  ].filter(Boolean);
}
