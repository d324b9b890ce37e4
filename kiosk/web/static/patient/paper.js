// The paper ticket on the patient's screen: whether it came out, and what to do when it did not.

import { el, picture } from "../dom.js";
import { t } from "../texts.js";

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // modules left white around a QR code (ISO/IEC 18004)

// -> nodes to stand below the number; nothing where there is no printer or nobody can tell.
export function paperNote({ printed, receipt_qr: code }) {
  if (printed === true) return el("p", { class: "paper" }, t("paper/take"));
  if (printed !== false) return null;
  return el(
    "section",
    { class: "card paper missing" },
    code ? qrPicture(code) : picture("info"),
    el("div", {}, el("h2", {}, t("paper/missing_title")), el("p", {}, t(code ? "paper/missing_photo" : "paper/missing"))),
  );
}

function qrPicture({ size, path }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `${-QUIET} ${-QUIET} ${size + 2 * QUIET} ${size + 2 * QUIET}`);
  svg.setAttribute("class", "receipt-qr");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("paper/code"));
  const dark = document.createElementNS(SVG, "path");
  dark.setAttribute("d", path);
  svg.append(dark);
  return svg;
}
