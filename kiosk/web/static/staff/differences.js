// What insurer and hospital hold otherwise than the document: shown on demand, and taken over field by field.

import { dateText, el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { call } from "./api.js";
import { form } from "./fields.js";

const SHOWN_MS = 120000;
const DATES = ["birth_date", "valid_from", "valid_to"];

// Which fields there are to compare, as the server named them; no values.
export const comparable = ({ differences, state, closed_reason: closed }) =>
  !closed && state === "accepted" ? differences : [];

// `fields`: their names; `changed(item, words)`: the server's new picture and what to tell; `failed` is told an ApiError.
export function differencesView(checkinId, fields, changed, failed) {
  const place = el("section", { class: "differences" });
  let timer = null;
  const hide = () => {
    clearTimeout(timer);
    const open = el("button", { type: "button", click: show }, t("differences/open"));
    place.replaceChildren(open, el("b", {}, fieldNames(fields)), el("small", {}, t("differences/note")));
  };
  const accept = async (values) => {
    const chosen = Object.keys(values);
    if (!chosen.length) return place.querySelector(".choose").removeAttribute("hidden");
    changed(await call(`check-ins/${checkinId}/accept-fields`, { fields: chosen }), t("differences/accepted"));
    hide();
  };
  const show = async () => {
    try {
      const { differences } = await call(`check-ins/${checkinId}/differences`, {});
      const close = el("button", { type: "button", click: hide }, t("differences/hide"));
      place.replaceChildren(el("h3", {}, t("differences/title")), panel(differences, accept), close);
      clearTimeout(timer);
      timer = setTimeout(hide, SHOWN_MS);
    } catch (error) {
      failed(error);
    }
  };
  hide();
  return place;
}

// "gateway.full_name" -> its words; a field that two sources have otherwise is named once.
const fieldNames = (ids) => [...new Set(ids.map((id) => forCode("differences/field", id.split(".")[1])))].join(", ");

function panel(differences, accept) {
  if (!differences.length) return el("p", {}, t("differences/none"));
  const choose = el("p", { class: "choose problem", hidden: true }, t("differences/choose"));
  const rows = differences.map((difference) => row(difference, () => choose.setAttribute("hidden", "")));
  if (!differences.some(({ acceptable }) => acceptable)) return el("div", {}, rows);
  return form({ name: "differences" }, [el("p", {}, t("differences/help")), ...rows, choose], t("differences/accept"), accept);
}

function row({ id, field, source, ours, theirs, acceptable }, chosen) {
  const name = forCode("differences/field", field);
  const box = acceptable ? el("input", { type: "checkbox", name: id, change: chosen }) : null;
  const why = acceptable ? null : t(source === "hospital" ? "differences/not_here" : "differences/used");
  return el(
    acceptable ? "label" : "div",
    { class: "difference", "data-field": id },
    box,
    el("strong", {}, name),
    value(t("differences/ours"), ours === null ? t("differences/missing") : words(field, ours)),
    value(forCode("differences/source", source), words(field, theirs)),
    why && el("small", {}, why),
  );
}

const value = (label, text) => el("span", {}, el("small", {}, label), el("b", {}, text));

function words(field, text) {
  if (field === "sex") return t(`detail/${text}`);
  return DATES.includes(field) ? dateText(text) : text;
}
