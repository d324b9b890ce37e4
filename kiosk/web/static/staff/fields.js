// Labelled fields, and forms that send themselves once and say what went wrong beside their button.

import { el } from "../dom.js";
import { ApiError } from "./api.js";

export function field(label, control) {
  return el("label", { class: "field" }, el("span", {}, label), control);
}

export function input(name, properties = {}) {
  return el("input", { name, autocomplete: "off", spellcheck: "false", maxlength: "500", ...properties });
}

// `choices`: [value, words] pairs.
export function select(name, choices, properties = {}) {
  return el("select", { name, ...properties }, choices.map(([value, words]) => el("option", { value }, words)));
}

// `send` gets the form's values (name -> string); an ApiError is told in the form, which keeps what was typed.
export function form(properties, children, buttonWords, send) {
  const problem = el("p", { class: "problem", role: "alert" });
  const button = el("button", { class: properties.quiet ? "" : "primary" }, buttonWords);
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    problem.textContent = "";
    try {
      await send(Object.fromEntries(new FormData(event.target)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.words;
    } finally {
      button.disabled = false;
    }
  };
  return el("form", { class: properties.class, name: properties.name, autocomplete: "off", submit }, children, button, problem);
}
