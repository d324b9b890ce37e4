// What several views are built of.

import { el, picture } from "../dom.js";
import { list, t } from "../texts.js";

const STEP_SECONDS = 4; // the station tells every so often how long it has waited

export const heading = (words) => el("h1", { tabindex: "-1" }, words);
export const button = (words, className, click, more = {}) =>
  el("button", { type: "button", class: className, click, ...more }, words);

// Where the page counts down until the screen changes by itself; `words` say what it does then.
// Towards the end a button comes with which people keep it.
export const clearsLine = (words = "done/clears") =>
  el("div", { class: "clears" }, el("p", { id: "clears", class: "note", "data-words": words }), button(t("lanes/more_time"), "quiet", () => {}, { id: "more-time", disabled: true }));

export const leave = (answer) => button(t("choose/cancel"), "quiet", () => answer("cancel"));

// What is told while the station works: `group` holds the words of each step.
export function progress(group, waited) {
  return [
    el("p", { class: "big", id: "progress", "data-group": group }, stepText(group, waited)),
    el("div", { class: "bar", "aria-hidden": "true" }, el("div", {})),
    el("p", { id: "waited" }, waitedText(waited)),
  ];
}

export function stepText(group, waited) {
  const steps = list(`${group}/steps`);
  return steps[Math.min(Math.floor(waited / STEP_SECONDS), steps.length - 1)];
}

export function waitedText(waited) {
  return waited ? t("checking/waited", { seconds: waited }) : "";
}

// A button that comes only once somebody has waited for a while.
export const lateButton = (words, className, click, { waited, after }) =>
  button(words, className, click, { disabled: waited < after, "data-after": after });

// The same view again, some seconds later. -> what to say aloud.
export function tellWaited(view, waited) {
  const line = view.querySelector("#progress");
  line.textContent = stepText(line.dataset.group, waited);
  view.querySelector("#waited").textContent = waitedText(waited);
  for (const late of view.querySelectorAll("[data-after]")) late.disabled = waited < Number(late.dataset.after);
  return line.textContent;
}

// A card that comes down on the reader and stays there; `still`: it lies there already.
export function layingPicture(still = false) {
  const layer = (name) => picture(name, name);
  return el(
    "div",
    { class: still ? "laying still" : "laying" },
    layer("card-pad"),
    still ? null : layer("card-arrow"),
    layer("card-lying"),
  );
}
