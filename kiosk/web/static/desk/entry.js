// What no scanner reads, typed by the clerk: the number first; name and birth date when the hospital does not know it.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";

const MORE = "NAME_AND_BIRTH_DATE_NEEDED";

export function entryForm({ enter, tell }) {
  const number = control("number", { required: true, maxlength: "25", inputmode: "numeric", "data-first": true });
  const name = control("full_name", { maxlength: "100" });
  const born = control("birth_date", { maxlength: "10", inputmode: "numeric", placeholder: t("desk/birth_date_form") });
  const more = el("div", { class: "more", hidden: true }, field("full_name", name), field("birth_date", born));
  const button = el("button", { class: "primary" }, t("desk/enter"));
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    tell("");
    try {
      const refusal = await enter({ number: number.value, full_name: name.value, birth_date: born.value });
      if (refusal === MORE && more.hidden) {
        more.hidden = false;
        name.focus();
        tell(t("desk/more_needed"));
      } else if (refusal === "BUSY") tell(t("desk/someone_else"), true);
      else if (refusal) tell(forCode("error", refusal), true);
    } finally {
      button.disabled = false;
    }
  };
  return el("form", { name: "entry", autocomplete: "off", submit }, field("number", number), more, button);
}

// What a scanned code said of a person, in the form.
export function fillPerson(form, { number, full_name: name, birth_date: born }) {
  const { elements } = form;
  Object.entries({ number, full_name: name, birth_date: born }).forEach(([field, value]) => (elements[field].value = value ?? ""));
  form.querySelector(".more").hidden = false;
  ([elements.full_name, elements.birth_date].find((input) => !input.value) ?? form.querySelector("button")).focus();
}

function control(name, properties) {
  return el("input", { name, autocomplete: "off", spellcheck: "false", ...properties });
}

function field(name, input) {
  return el("label", { class: "field" }, el("span", {}, t(`desk/${name}`)), input);
}
