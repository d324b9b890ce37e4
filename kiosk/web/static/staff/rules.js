// Level, route and notices of a card in words. All of it is provisional, and says so.

import { dateText, el, moneyText } from "../dom.js";
import { forCode, t } from "../texts.js";

export function rulesView({ rules }) {
  if (!rules) return null;
  const { notices, route, benefit } = rules;
  const lines = [
    benefit && line("level", t("rules/level_text", { percent: benefit.percent })),
    benefit?.may_rise.length && line("may_rise", benefit.may_rise.map((code) => rise(code, benefit)).join("; ")),
    route && line("route", routeWords(route)),
  ].filter(Boolean);
  if (!lines.length && !notices.length) return null;
  return el(
    "section",
    { class: "rules", id: "rules" },
    lines.length ? el("dl", {}, lines) : null,
    notices.length ? el("ul", {}, notices.map((notice) => el("li", {}, noticeWords(notice)))) : null,
  );
}

const line = (name, words) => el("div", {}, el("dt", {}, t(`rules/${name}`)), el("dd", {}, words));

const rise = (code, { small_bill: below }) =>
  forCode("rules/rise", code, "", { amount: below === null ? "…" : moneyText(below) });

function routeWords({ code, words, rate, certainty }) {
  const paid = rate === null ? "" : t("rules/rate", { rate });
  return [[code, words].filter(Boolean).join(" – "), paid, forCode("rules/certainty", certainty)].filter(Boolean).join(" ");
}

const noticeWords = ({ code, value }) => forCode("notice", code, "", { value: dateText(value) });
