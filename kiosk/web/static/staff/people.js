// Whom the hospital system holds under the same name and birth date: asked on demand, chosen by a clerk, never by us.

import { dateText, el } from "../dom.js";
import { t } from "../texts.js";
import { call } from "./api.js";
import { form } from "./fields.js";

const SHOWN_MS = 120000;
const NONE = "";

// `changed(item, words)`: the server's new picture and what to tell; `failed` is told an ApiError.
export function peopleView(checkinId, changed, failed) {
  const place = el("section", { class: "differences people" });
  let timer = null;
  const hide = () => {
    clearTimeout(timer);
    const open = el("button", { type: "button", click: show }, t("people/open"));
    place.replaceChildren(open, el("small", {}, t("people/note")));
  };
  const choose = async ({ candidate }) => {
    if (candidate === undefined) return place.querySelector(".choose").removeAttribute("hidden");
    changed(
      await call(`check-ins/${checkinId}/patient`, { candidate: candidate === NONE ? null : candidate }),
      t(candidate === NONE ? "people/new_done" : "people/done"),
    );
  };
  const show = async () => {
    try {
      const { candidates } = await call(`check-ins/${checkinId}/candidates`, {});
      const close = el("button", { type: "button", click: hide }, t("people/hide"));
      place.replaceChildren(el("h3", {}, t("people/title")), panel(candidates, choose), close);
      clearTimeout(timer);
      timer = setTimeout(hide, SHOWN_MS);
    } catch (error) {
      failed(error);
    }
  };
  hide();
  return place;
}

function panel(candidates, choose) {
  if (!candidates.length) return el("p", {}, t("people/nobody"));
  const remind = el("p", { class: "choose problem", hidden: true }, t("people/choose"));
  const picked = () => remind.setAttribute("hidden", "");
  const none = option(NONE, picked, el("strong", {}, t("people/none")));
  return form({ name: "people" }, [el("p", {}, t("people/help")), ...candidates.map((each) => row(each, picked)), none, remind], t("people/button"), choose);
}

const option = (value, picked, ...children) =>
  el("label", { class: "difference" }, el("input", { type: "radio", name: "candidate", value, change: picked }), ...children);

function row({ id, name, birth_date: born, sex, number, old_number: old, address }, picked) {
  const facts = [
    born && t("people/born", { date: dateText(born) }),
    sex && t(`detail/${sex}`),
    number && t("people/number", { number }),
    old && t("people/old_number", { number: old }),
    address,
  ];
  return option(id, picked, el("span", {}, el("strong", {}, name), el("small", {}, facts.filter(Boolean).join(" · "))));
}
