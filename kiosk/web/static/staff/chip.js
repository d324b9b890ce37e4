// What the chip of the card proved, in words: one sentence, and all codes behind a fold. And the glance at its portrait.

import { el } from "../dom.js";
import { forCode, t } from "../texts.js";
import { call } from "./api.js";

const CHECKS = ["hashes", "signature", "chain", "active_authentication", "chip_authentication", "downgrade"];
const PROVIDER = ["passive_authentication", "active_authentication", "chip_authentication"];

export function chipView({ verdict, chip }) {
  if (!verdict) return null;
  return el(
    "section",
    { class: "chip" },
    el("h3", {}, t("chip/title")),
    el("p", { id: "verdict" }, forCode("verdict", verdict)),
    chip ? el("details", {}, el("summary", {}, t("chip/more")), lines(chip)) : null,
  );
}

function lines({ access, access_note: note, checks, findings, mismatches, source, provider }) {
  const states = CHECKS.map((name) => [t(`chip/check/${name}`), forCode("chip/state", checks[name])]);
  const found = [...mismatches, ...findings].map((code) => el("li", {}, forCode("chip/finding", code)));
  return el(
    "div",
    {},
    el("p", {}, t("chip/holder")),
    table([
      [t("chip/source_label"), forCode("chip/source", source)],
      [t("chip/access_label"), [forCode("chip/access", access ?? "none"), note].filter(Boolean).join(" – ")],
      ...states,
      ...(provider ? said(provider) : []),
    ]),
    found.length ? el("ul", { class: "found" }, found) : null,
  );
}

function said({ provider: name, ...answers }) {
  const words = { true: "passed", false: "failed", null: "not_done" };
  return PROVIDER.map((check) => [
    t("chip/provider", { name, check: t(`chip/provider_check/${check}`) }),
    t(`chip/state/${words[answers[check] ?? null]}`),
  ]);
}

function table(pairs) {
  return el("dl", {}, pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

// A POST, because looking is kept in the audit; so there is no address that an <img> could ask.
async function draw(canvas, checkinId) {
  const response = await fetch(`/api/v1/staff/check-ins/${checkinId}/portrait`, { method: "POST", cache: "no-store" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const picture = await createImageBitmap(await response.blob());
  Object.assign(canvas, { width: picture.width, height: picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
}

// The portrait for as long as the server has it. `changed(item, words)`: what came of the comparison.
export function portraitView(checkinId, changed, failed) {
  const buttons = [
    [true, "same"],
    [false, "differs"],
  ].map(([same, name]) => el("button", { type: "button", class: same ? "primary" : "", click: () => say(same, name) }, t(`portrait/${name}`)));
  const say = async (same, name) => {
    for (const button of buttons) button.disabled = true;
    try {
      changed(await call(`check-ins/${checkinId}/holder-check`, { same_person: same }), t(`portrait/${name}_done`));
    } catch (error) {
      for (const button of buttons) button.disabled = false;
      failed(error);
    }
  };
  const gone = () => box.remove();
  const image = el("canvas", { role: "img", "aria-label": t("portrait/alt") });
  draw(image, checkinId).catch(gone);
  const box = el(
    "section",
    { class: "portrait" },
    image,
    el("div", {}, el("h3", {}, t("portrait/title")), el("p", {}, t("portrait/text")), el("div", { class: "choice" }, buttons)),
  );
  return box;
}
