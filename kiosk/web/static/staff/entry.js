// "Nhập tay": a typed person. A citizen number alone is asked of the hospital first.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { exchange } from "./api.js";
import { field, form, input, select } from "./fields.js";

// `entered(item, words)`: the check-in that came of it. `leave()`: back without it. `known`: values by field, from a scan.
export function entryView(entered, leave, known = {}) {
  const sexes = [
    ["", t("entry/sex_unknown")],
    ["F", t("detail/F")],
    ["M", t("detail/M")],
  ];
  const choice = select("sex", sexes);
  const children = [
    el("h2", { tabindex: "-1" }, t("entry/title")),
    el("p", {}, t("entry/help")),
    field(t("entry/number"), input("number", { required: true, maxlength: "25", autocapitalize: "characters", value: known.number })),
    field(t("entry/full_name"), input("full_name", { maxlength: "100", value: known.full_name })),
    field(t("entry/birth_date"), input("birth_date", { maxlength: "10", inputmode: "numeric", value: known.birth_date })),
    field(t("entry/sex"), choice),
  ];
  choice.value = known.sex ?? "";
  const guardian = guardianFields();
  children.push(guardian.fieldset);
  const send = async ({ sex, ...values }) => {
    const typed = Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith("guardian")));
    const { status, answer: item } = await exchange("check-ins", { ...typed, ...guardian.body(values), sex: sex || null });
    entered(item, t(status === 201 ? "entry/done" : "entry/again", { number: item.ticket.number ?? "–" }));
  };
  const back = el("button", { type: "button", click: leave }, t("entry/back"));
  return el("div", { class: "entry" }, form({ name: "entry" }, children, t("entry/button"), send), back);
}

const RELATIONS = ["mother", "father", "grandparent", "sibling", "spouse", "child", "facility", "other"];

// Closed until there is one; what is typed in it goes with the patient's visit and is asked of nobody.
function guardianFields() {
  const relation = select("guardian_relation", RELATIONS.map((name) => [name, t(`guardian/${name}`)]));
  const fieldset = el(
    "details",
    { class: "guardian" },
    el("summary", {}, t("guardian/title")),
    field(t("guardian/full_name"), input("guardian_name", { maxlength: "100" })),
    field(t("guardian/relation"), relation),
    field(t("guardian/number"), input("guardian_number", { maxlength: "25", inputmode: "numeric" })),
  );
  const body = ({ guardian_name: name, guardian_relation: is, guardian_number: number }) =>
    fieldset.open ? { kind: "guardian", guardian: { full_name: name, relation: is, number } } : {};
  return { fieldset, body };
}

// Who an emergency is. `named(item)`: the server's new picture of it.
export function identifyForm(item, named) {
  const sexes = [["", t("entry/sex_unknown")], ["F", t("detail/F")], ["M", t("detail/M")]];
  const children = [
    el("h4", {}, t("emergency/title")),
    field(t("entry/number"), input("number", { required: true, maxlength: "25" })),
    field(t("entry/full_name"), input("full_name", { maxlength: "100" })),
    field(t("entry/birth_date"), input("birth_date", { maxlength: "10" })),
    field(t("entry/sex"), select("sex", sexes)),
  ];
  const send = async ({ sex, ...values }) => {
    const { answer } = await exchange(`check-ins/${item.checkin_id}/identify`, { ...values, sex: sex || null });
    named(answer);
  };
  return form({ name: "identify", class: "action" }, children, t("emergency/identify"), send);
}

// Fills a form under way; what was typed and is not on the document stays. -> false if the form is of another number.
export function fillEntry({ elements }, known) {
  const typed = elements.number.value.replaceAll(/\s/g, "").toUpperCase();
  if (typed && typed !== known.number) return false;
  for (const [name, value] of Object.entries(known)) if (value) elements[name].value = value;
  return true;
}
