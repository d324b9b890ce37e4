// People at a station who want somebody to come; they stand above everything else until somebody says that they go.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { ApiError, call } from "./api.js";
import { clock } from "./times.js";

export function callLines(calls = []) {
  return calls.map(({ number, station, kind, at }) => {
    const line = el("p", { class: `alarm call ${kind}`, role: "alert" }, t(`call/${kind}`, { station, time: clock(at) }), " ");
    line.append(el("button", { type: "button", click: () => going(number, line) }, t("call/going")));
    return line;
  });
}

async function going(number, line) {
  try {
    await call(`calls/${number}/answered`, {});
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "NO_SUCH_CALL") throw error; // a colleague was quicker
  }
  line.remove();
}
