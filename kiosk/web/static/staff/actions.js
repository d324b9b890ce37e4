// What staff can do about one check-in. Which actions make sense follows from its state; the server decides again.

import { el, moneyText } from "../dom.js";
import { forCode, t } from "../texts.js";
import { call } from "./api.js";
import { identifyForm } from "./entry.js";
import { field, form, input, select } from "./fields.js";

// -> names of actions, the most likely first.
export function actionsFor(item) {
  const { hospital, needs_staff: needs } = item;
  if (item.closed_reason || item.state !== "accepted") return ["note"];
  if (item.nameless) return ["note", item.can_reprint && "reprint", "cancel"].filter(Boolean);
  const underWay = ["waiting", "sending"].includes(hospital.outbox_state);
  const parked = hospital.outbox_state === "parked";
  const unknown = needs?.reason === "hospital_outcome_unknown";
  return [
    parked && unknown && "found",
    parked && !failedWithdrawal(item) && "push",
    hospital.state !== "accepted" && !underWay && !unknown && "override",
    ((parked && !unknown && !failedWithdrawal(item)) || (needs && !hospital.state)) && "found",
    needs && !parked && needs.reason !== "hand_over" && "close",
    "recheck",
    item.can_reprint && "reprint",
    "note",
    parked && failedWithdrawal(item) && "withdrawn",
    hospital.state !== "accepted" && hospital.outbox_state !== "sending" && "cancel",
    hospital.state === "accepted" && item.can_withdraw && !underWay && !parked && "withdraw",
  ].filter(Boolean);
}

const failedWithdrawal = (item) => ["cancel_refused", "cancel_unknown"].includes(item.needs_staff?.reason);

const unclearPatient = (item) => ["many", "mismatch"].includes(item.patient_match);

// Forms are kept while this stays the same, so that nothing typed is lost by a refresh.
export function actionsKey(item, services) {
  return JSON.stringify([item.checkin_id, item.nameless, actionsFor(item), unclearPatient(item), services.map(({ id }) => id)]);
}

// `changed(item, words)`: the server's new picture of the check-in, and what to tell.
export function actionsView(item, services, changed) {
  const underWay = ["waiting", "sending"].includes(item.hospital.outbox_state);
  return [
    el("h3", {}, t("actions/title")),
    underWay ? el("p", {}, t("actions/waiting")) : null,
    item.nameless ? identifyForm(item, (answer) => changed(answer, t("emergency/identified"))) : null,
    ...actionsFor(item).map((name) => action(name, item, services, changed)),
  ];
}

function action(name, item, services, changed) {
  const send = async (values) => {
    const [route, body] = REQUESTS[name](values);
    const answer = await call(`check-ins/${item.checkin_id}/${route}`, body);
    changed(answer, done(name, answer));
  };
  const children = [el("p", {}, t(`actions/${name}/help`)), ...(FIELDS[name]?.(item, services) ?? [])];
  const quiet = ["note", "reprint", "cancel", "withdraw", "recheck"].includes(name);
  if (name === "override" && !services.length) {
    return el("section", { class: "action" }, el("h4", {}, t("actions/override/title")), el("p", {}, t("actions/override/no_services")));
  }
  return el(
    "section",
    { class: "action", "data-action": name },
    el("h4", {}, t(`actions/${name}/title`)),
    form({ name, quiet }, children, t(`actions/${name}/button`), send),
  );
}

function done(name, item) {
  if (name === "reprint" && item.printed === false) return t("actions/reprint/not_done", { reason: forCode("printer", item.printer) });
  const answer = item.eligibility ? forCode("class", item.eligibility.class) : "";
  return t(`actions/${name}/done`, { answer, number: item.ticket.number ?? "–" });
}

const FIELDS = {
  override: (item, services) => [decisionAndService(item, services), ...patientField(item), overrideReason()],
  push: (item) => patientField(item),
  found: () => [
    field(t("actions/found/visit_id"), input("visit_id", { required: true })),
    field(t("actions/found/number"), input("number")),
  ],
  cancel: () => [reasonField("cancel")],
  withdraw: () => [reasonField("cancel")],
  withdrawn: () => [
    field(
      t("actions/withdrawn/stands"),
      select("stands", [["", t("actions/withdrawn/choose")], ["no", t("actions/withdrawn/no")], ["yes", t("actions/withdrawn/yes")]], { required: true }),
    ),
  ],
  recheck: () => [field(t("actions/recheck/number"), input("number"))],
  note: () => [field(t("actions/note/text"), input("text", { required: true }))],
};

const REQUESTS = {
  override: ({ decision, service_id, reason, patient }) => [
    "override",
    { decision, service_id, reason, patient: patient || null },
  ],
  push: ({ patient }) => ["push", { confirmed_absent: true, patient: patient || null }],
  found: ({ visit_id, number }) => ["amend", { visit_id, number }],
  close: () => ["amend", { done: true }],
  recheck: ({ number }) => ["recheck", number ? { number } : {}],
  cancel: ({ reason }) => ["cancel", { reason }],
  withdraw: ({ reason }) => ["cancel", { reason }],
  withdrawn: ({ stands }) => ["cancel", { stands: stands === "yes" }],
  reprint: () => ["reprint", {}],
  note: ({ text }) => ["note", { text }],
};

// Against the insurer's answer the server asks for one of them.
const OVERRIDE_REASONS = ["paper_card_seen", "insurer_confirmed", "wrong_person", "newborn", "emergency", "not_covered", "patient_pays"];

function overrideReason() {
  const choices = OVERRIDE_REASONS.map((reason) => [reason, forCode("override_reason", reason)]);
  return field(t("actions/override/reason"), select("reason", [["", t("actions/override/reason_none")], ...choices]));
}

const reasonField = (name) => field(t(`actions/${name}/reason`), input("reason"));

function patientField(item) {
  if (!unclearPatient(item)) return [];
  const choices = [
    ["", t("actions/patient_choose")],
    ["known", t("actions/patient_known")],
    ["new", t("actions/patient_new")],
  ];
  return [field(t("actions/patient"), select("patient", choices, { required: true }))];
}

// The list of services follows the decision: an insured visit can only have services that insurance covers.
function decisionAndService(item, services) {
  const service = el("select", { name: "service_id", required: true });
  const fill = (insured) => {
    const fitting = services.filter((each) => each.insured === insured && each.available !== "no");
    const options = fitting.map((each) => el("option", { value: each.id }, serviceWords(each)));
    service.replaceChildren(el("option", { value: "" }, t("actions/override/service_choose")), ...options);
    service.value = item.service?.id ?? "";
    if (service.selectedIndex < 0) service.value = "";
  };
  const choices = [
    ["", t("actions/override/decision_choose")],
    ["insured", t("actions/override/insured")],
    ["self_pay", t("actions/override/self_pay")],
  ];
  const decision = select("decision", choices, { required: true, change: () => fill(decision.value === "insured") });
  decision.value = likelyDecision(item);
  fill(decision.value === "insured");
  return el("div", {}, field(t("actions/override/decision"), decision), field(t("actions/override/service"), service));
}

// Empty where staff must look first.
function likelyDecision({ bhyt, eligibility }) {
  if (typeof bhyt === "boolean") return bhyt ? "insured" : "self_pay";
  return { insured: "insured", insured_new_card: "insured", not_insured: "self_pay" }[eligibility?.class] ?? "";
}

function serviceWords({ name, department, insured, price }) {
  return `${department} – ${name}${!insured && price !== null ? ` – ${moneyText(price)}` : ""}`;
}
