// Who answers for lookups at the insurer: one line, and behind it the forms to begin or end a shift.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { clock } from "./times.js";

// `act(path, body)` calls a route under duty/ and refreshes.
export function dutyView(duty, act) {
  const { officer, signed_on: shift, refused, officers } = duty;
  const who = officer ? officer.name : t("duty/nobody");
  const how = shift ? t("duty/since", { time: clock(shift.since) }) : t("duty/designated");
  const summary = el("summary", {}, t("duty/line", { who, how: officer ? how : "" }));
  const select = el(
    "select",
    { name: "officer", "aria-label": t("duty/choose") },
    officers.map((each) => el("option", { value: each.id, ...(each.id === officer?.id && { selected: "" }) }, `${each.name} (${each.number})`)),
  );
  const begin = (event) => {
    event.preventDefault();
    act("sign-on", { officer_id: select.value });
  };
  return el(
    "details",
    { id: "duty", class: refused || !officer ? "refused" : "", ...((refused || !officer) && { open: "" }) },
    summary,
    refused && el("p", { class: "alarm" }, t(`duty/refused_${refused}`, { who })),
    !officer && el("p", { class: "alarm" }, t("duty/none")),
    officers.length > 0 && el("form", { submit: begin }, select, el("button", { class: "primary" }, t("duty/sign_on"))),
    refused && el("button", { type: "button", click: () => act("try-again", {}) }, t("duty/try_again")),
    shift && el("button", { type: "button", click: () => act("sign-off", {}) }, t("duty/sign_off")),
  );
}
