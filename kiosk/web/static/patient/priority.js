// Who is to be seen first: by birth date it is known, everything else people say themselves.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { button } from "./parts.js";

export function priorityNote({ priority }) {
  return priority ? el("p", { class: "note priority" }, t("priority/note", { group: t(`priority/${priority}`) })) : null;
}

export function priorityTiles(groups, answer) {
  const tile = (group) => button(t(`priority/${group}`), "tile", () => answer("priority", { value: group }));
  return [el("section", { class: "wide" }, el("h2", {}, t("priority/title")), el("div", { class: "tiles" }, groups.map(tile)))];
}
