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
  const send = async ({ sex, ...values }) => {
    const { status, answer: item } = await exchange("check-ins", { ...values, sex: sex || null });
    entered(item, t(status === 201 ? "entry/done" : "entry/again", { number: item.ticket.number ?? "–" }));
  };
  const back = el("button", { type: "button", click: leave }, t("entry/back"));
  return el("div", { class: "entry" }, form({ name: "entry" }, children, t("entry/button"), send), back);
}

// Fills a form under way; what was typed and is not on the document stays. -> false if the form is of another number.
export function fillEntry({ elements }, known) {
  const typed = elements.number.value.replaceAll(/\s/g, "").toUpperCase();
  if (typed && typed !== known.number) return false;
  for (const [name, value] of Object.entries(known)) if (value) elements[name].value = value;
  return true;
}
