// What is known of one check-in, masked; "show all" fetches the full person and forgets it again after a while.

import { dateText, el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { call } from "./api.js";
import { chipView } from "./chip.js";
import { rulesView } from "./rules.js";
import { clock, moment } from "./times.js";

const REVEALED_MS = 60000;

export function factsView(item) {
  const { identity, eligibility, hospital, needs_staff: needs, ticket } = item;
  const state = item.closed_reason ?? item.state;
  return [
    el(
      "div",
      { class: "title" },
      el("strong", { class: "ticket" }, ticket.number ?? "–"),
      el("h2", { tabindex: "-1" }, identity.name ?? t("list/no_name")),
    ),
    needs && el("p", { class: "alarm", id: "why" }, forCode("reason", needs.reason)),
    item.guardian && el("p", { class: "notice", id: "guardian" }, t("guardian/told", { name: item.guardian.name, relation: t(`guardian/${item.guardian.relation}`) })),
    item.priority && el("p", { class: "notice", id: "priority" }, t(`priority/${item.priority}`)),
    item.seen_at && el("p", { class: "notice", id: "seen" }, seenWords(item.seen_at)),
    facts([
      ["born", identity.birth_year],
      ["number", identity.number],
      ["sex", identity.sex && t(`detail/${identity.sex}`)],
      ["arrived", moment(item.happened_at)],
      ["station", forCode("station", item.station)],
      ["document", forCode("document", item.document)],
      ["carrier", item.carrier !== "unknown" && forCode("carrier", `${item.carrier}_${item.carrier_source}`)],
      ["how", forCode("method", item.method)],
      ["not_by_chip", item.not_by_chip && forCode("not_by_chip", item.not_by_chip)],
      ["holder_check", item.holder_check !== "none" && forCode("holder", item.holder_check)],
      ["state", forCode("state", state)],
      ["kiosk_number", ticket.kiosk_number],
      ["lookup_receipt", item.lookup_receipt],
    ]),
    chipView(item),
    eligibility && insurance(eligibility),
    rulesView(item),
    item.card_hints && cardHints(item.card_hints, item.rules),
    facts([
      ["service", item.service && `${item.service.name} – ${item.service.department}`],
      ["bhyt", item.service && typeof item.bhyt === "boolean" && t(item.bhyt ? "detail/bhyt_yes" : "detail/bhyt_no")],
      ["hospital", item.state === "accepted" && hospitalWords(hospital)],
      ["visit", hospital.receipt?.visit_id],
      ["error", hospital.state !== "accepted" && hospital.last_error],
      ["patient", item.patient_match && forCode("match", item.patient_match)],
    ]),
  ].filter(Boolean);
}

export const seenWords = ({ station, at }) => t("detail/seen", { station: forCode("station", station), time: clock(at) });

function insurance({ class: status, reason, result_code: code, coverage, asked_at: asked, origin }) {
  return el(
    "section",
    { class: "insurance" },
    el("h3", {}, `${t("detail/insurance")}: ${forCode("class", status)}`),
    el("p", {}, forCode("reason", reason)),
    facts([
      ["card", coverage?.number],
      ["valid", coverage?.valid_from && t("detail/valid_text", range(coverage))],
      ["facility", coverage?.registered_facility],
      ["result", code],
      ["asked", `${moment(asked)} ${origin ? `(${forCode("origin", origin)})` : ""}`],
    ]),
  );
}

// The level printed on the card, unless the rules have said how it is read today.
function cardHints({ level, province, doubts }, rules) {
  return facts([
    ["level", !rules?.benefit && level],
    ["province", province],
    ["doubt", doubts.map((code) => forCode("card_doubt", code)).join("; ")],
  ]);
}

const range = ({ valid_from: from, valid_to: to }) => ({ from: dateText(from), to: to ? dateText(to) : "…" });

function hospitalWords({ state, attempts }) {
  const words = forCode("hospital_state", state);
  return attempts ? `${words} (${t("detail/attempts", { n: attempts })})` : words;
}

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  if (!known.length) return null;
  return el(
    "dl",
    {},
    known.map(([name, value]) => el("div", {}, el("dt", {}, t(`detail/${name}`)), el("dd", {}, String(value)))),
  );
}

export function auditView(item) {
  const line = ({ at, who, action, detail }) => {
    const more = detail?.text || detail?.reason || detail?.visit_id || detail?.number;
    return el("li", {}, `${clock(at)} · ${who}: ${forCode("audit", action)}${more ? ` – ${more}` : ""}`);
  };
  return el(
    "details",
    { class: "audit", open: item.audit.length > 0 },
    el("summary", {}, t("detail/audit")),
    el("ul", {}, item.audit.map(line)),
  );
}

// A button that shows the full person for a minute. `failed` is told an ApiError.
export function revealView(checkinId, failed) {
  const place = el("div", { class: "reveal" });
  let timer = null;
  const hide = () => {
    clearTimeout(timer);
    const open = el("button", { type: "button", click: show }, t("detail/reveal"));
    place.replaceChildren(open, el("small", {}, t("detail/reveal_note")));
  };
  const show = async () => {
    try {
      const { identity } = await call(`check-ins/${checkinId}/reveal`, {});
      place.replaceChildren(fullPerson(identity), el("button", { type: "button", click: hide }, t("detail/hide")));
      timer = setTimeout(hide, REVEALED_MS);
    } catch (error) {
      failed(error);
    }
  };
  hide();
  return place;
}

function fullPerson(person) {
  return facts([
    ["full_name", person.full_name],
    ["birth_date", dateText(person.birth_date)],
    ["sex", person.sex && t(`detail/${person.sex}`)],
    ["personal_id", person.personal_id],
    ["old_id", person.old_id],
    ["address", person.address],
    ["issued_on", dateText(person.issued_on)],
    ["card_number", person.card_number],
    ["card_object", person.card_object],
    ["key_number", person.key_number !== person.personal_id && person.key_number],
  ]);
}
