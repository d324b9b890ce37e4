// The rooms to choose from: the likely ones first, the first nine by their digit, all by a part of their names.

import { el, moneyText } from "../dom.js";
import { t } from "../texts.js";

const BY_DIGIT = 9;

export function roomsView({ proposals = [], services }, { answer, keys }) {
  const rest = services.filter(({ id }) => !proposals.some((proposal) => proposal.id === id));
  const all = [...proposals, ...rest];
  const list = el("ol", { class: "rooms" });
  const find = el("input", { type: "search", "data-first": true, "aria-label": t("desk/find_room"), placeholder: t("desk/find_room"), autocomplete: "off", input: () => draw() });
  let shown = [];
  const pick = (room) => room && answer("service", { service_id: room.id });
  const draw = () => {
    const wanted = folded(find.value);
    shown = all.filter(({ name, department }) => folded(`${name} ${department ?? ""}`).includes(wanted));
    list.replaceChildren(...shown.map((room, index) => row(room, index, find.value, () => pick(room))));
  };
  for (let digit = 1; digit <= BY_DIGIT; digit += 1) keys.on(String(digit), () => pick(shown[digit - 1]));
  keys.on("Enter", () => (find.value || shown.length === 1) && pick(shown[0]));
  draw();
  return [find, list];
}

function row({ name, department, price, why }, index, wanted, click) {
  const digit = index < BY_DIGIT && !wanted ? String(index + 1) : index === 0 && wanted ? "Enter" : null;
  const more = [why && t(`desk/why_${why}`), department, price !== null && price !== undefined && moneyText(price)].filter(Boolean).join(" · ");
  return el("li", {}, el("button", { type: "button", click }, digit && el("kbd", {}, digit), el("span", {}, name, more && el("small", {}, more))));
}

// Vietnamese without accents, as it is typed in a hurry.
function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("đ", "d").replaceAll("Đ", "D").toLowerCase().trim();
}
