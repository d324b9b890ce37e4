// The counter screen: who is signed in and at which desk, then that desk until the session ends.

import { el } from "../dom.js";
import { ApiError, call } from "../staff/api.js";
import { lockedView, sessionView } from "../staff/session.js";
import { forCode, t } from "../texts.js";
import { Wedge } from "../wedge.js";
import { Counter } from "./counter.js";
import { SerialScanner } from "./serial.js";

const PLACE = "desk"; // this browser's desk: a name, nobody's data

const content = document.getElementById("content");
const user = document.getElementById("user");
const message = document.getElementById("message");
let counter = null;

function tell(words, failed = false) {
  message.textContent = words;
  message.className = failed ? "failed" : "";
}

function failed(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.code === "LOCKED") return showSession();
  if (error.status === 401) return showSession(t("session/signed_out"));
  tell(error.words, true);
}

async function showSession(words = "") {
  counter?.stop();
  counter = null;
  user.replaceChildren();
  content.replaceChildren();
  tell(words);
  try {
    const session = await call("session");
    if (session.signed_in && !session.must_change) return await chooseDesk(session);
    const view = session.locked ? lockedView(session.user, chooseDesk, logOut) : sessionView(session.setup_needed, chooseDesk);
    content.replaceChildren(view);
    content.querySelector("input").focus();
  } catch (error) {
    failed(error);
    setTimeout(showSession, 5000);
  }
}

async function chooseDesk(session) {
  tell("");
  const response = await fetch("/api/v1/stations", { cache: "no-store" });
  if (!response.ok) return tell(forCode("error", (await response.json()).error), true);
  const { stations } = await response.json();
  const known = stations.find(({ station }) => station === localStorage.getItem(PLACE));
  if (known || stations.length === 1) return showDesk(session, (known ?? stations[0]).station, stations.length > 1);
  askForDesk(session, stations);
}

async function logOut() {
  await call("logout", {}).catch(failed);
  await showSession();
}

async function lock() {
  await call("session/lock", {}).catch(failed);
  await showSession();
}

function askForDesk(session, stations) {
  const choose = ({ station, phase }) => {
    const state = phase === "idle" ? t("desk/free") : t("desk/busy");
    return el("button", { type: "button", click: () => showDesk(session, station, true) }, t("desk/name", { name: station }), el("small", {}, state));
  };
  content.replaceChildren(el("section", { class: "card places" }, el("h2", { tabindex: "-1" }, t("desk/which")), stations.map(choose)));
  content.querySelector("button").focus();
}

function showDesk(session, station, several) {
  localStorage.setItem(PLACE, station);
  const move = async () => {
    counter?.stop();
    localStorage.removeItem(PLACE);
    await chooseDesk(session);
  };
  const scanner = new SerialScanner((bytes) => counter?.scanned(bytes), tell);
  user.replaceChildren(
    el("strong", { id: "place" }, t("desk/name", { name: station })),
    scanner.button() ?? "",
    several ? el("button", { type: "button", click: move }, t("desk/move")) : "",
    el("a", { href: "/staff" }, t("desk/staff")),
    el("span", {}, session.user),
    el("button", { type: "button", id: "lock", click: lock }, t("session/lock")),
    el("button", { type: "button", click: logOut }, t("session/logout")),
  );
  counter?.stop();
  counter = new Counter({ content, station, tell, failed });
  counter.start();
}

showSession();
new Wedge((bytes) => counter?.scanned(bytes)).listenTo(document);
