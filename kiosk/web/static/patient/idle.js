// What stands there while nobody is served: what to show to the machine, and how to aim where a camera looks.

import { el, picture } from "../dom.js";
import { list, t } from "../texts.js";
import { lanes } from "./lanes.js";
import { heading, layingPicture } from "./parts.js";

const CAMERA = "/api/v1/station/camera";
const RETRY_MS = 3000;

export function idle({ screen }, answer) {
  if (!screen.reader_ok) return [...noCodes(screen), lanes(answer)];
  const { camera, scanner = true } = screen;
  return [
    heading(t(camera ? "idle/title_camera" : "idle/title")),
    camera ? viewfinder() : picture("hold-card", "illustration"),
    el("ol", { class: "steps" }, steps(screen).map((step) => el("li", {}, step))),
    el("p", {}, [camera && scanner && t("idle/or_scanner"), t("idle/where")].filter(Boolean).join(" ")),
    lanes(answer),
    el("p", { class: "note privacy" }, privacyText(screen)),
  ];
}

function noCodes({ card_reader: cards }) {
  const [title, text] = cards ? ["idle/scanner_title", "idle/scanner_text"] : ["idle/reader_title", "idle/reader_text"];
  return [cards ? layingPicture() : picture("person", "large"), heading(t(title)), el("p", { class: "big" }, t(text))];
}

function steps({ camera, scanner = true, card_reader: cards }) {
  const words = camera ? "idle/steps_camera" : scanner ? "idle/steps" : "idle/steps_blind";
  return list(cards ? `${words}_chip` : words);
}

function privacyText({ camera, scanner = true, card_reader: cards, provider, vneid }) {
  const looks = camera || !scanner;
  const also = [looks && "camera", cards && "chip", provider && "provider", vneid && "vneid"].filter(Boolean);
  return ["idle/privacy", ...also.map((name) => `idle/privacy_${name}`)].map((key) => t(key)).join(" ");
}

// The camera's picture in a frame to aim at. While there is none, the frame and its words stay and it is tried again.
function viewfinder() {
  const live = el("img", { alt: "", "data-live": true, error: () => retry(live), load: () => frame.classList.add("seeing") });
  const frame = el("div", { class: "viewfinder" }, live, el("i", { class: "corners", "aria-hidden": "true" }));
  live.src = CAMERA;
  return frame;
}

function retry(live) {
  live.parentElement.classList.remove("seeing");
  setTimeout(() => {
    if (live.isConnected) live.src = `${CAMERA}?again=${Date.now()}`;
  }, RETRY_MS);
}

// The camera works only while somebody looks: a picture that leaves the screen lets go of it.
export function letGoOfCamera(view) {
  for (const live of view.querySelectorAll("[data-live]")) live.removeAttribute("src");
}
