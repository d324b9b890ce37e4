// The staff screen: who is signed in decides between the forms of session.js and the desk.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { Wedge } from "../wedge.js";
import { ApiError, call } from "./api.js";
import { BoardPage } from "./board.js";
import { Desk } from "./desk.js";
import { FiguresPage } from "./figures.js";
import { lockedView, sessionView } from "./session.js";
import { UsersPage } from "./users.js";

const ACTIVE_MS = 60000;

const content = document.getElementById("content");
const status = document.getElementById("status");
const user = document.getElementById("user");
const message = document.getElementById("message");
let desk = null;
let told = 0; // when the server heard last that somebody sits here

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
  desk?.stop();
  desk = null;
  status.replaceChildren();
  user.replaceChildren();
  content.replaceChildren();
  tell(words);
  try {
    const session = await call("session");
    if (session.signed_in && !session.must_change) return showDesk(session);
    const view = session.locked ? lockedView(session.user, showDesk, logOut) : sessionView(session.setup_needed, showDesk);
    content.replaceChildren(view);
    content.querySelector("input").focus();
  } catch (error) {
    failed(error);
    setTimeout(showSession, 5000);
  }
}

async function logOut() {
  await call("logout", {}).catch(failed);
  await showSession();
}

async function lock() {
  await call("session/lock", {}).catch(failed);
  await showSession();
}

function showDesk(session) {
  tell("");
  const figures = el("button", { type: "button", id: "figures", click: () => showPage(session, FiguresPage) }, t("figures/open"));
  const account = el("button", { type: "button", id: "account", click: () => showPage(session, UsersPage) }, t("users/open"));
  const away = el("button", { type: "button", id: "lock", click: lock }, t("session/lock"));
  const board = el("button", { type: "button", id: "today-board", click: () => showPage(session, BoardPage) }, t("board/open"));
  user.replaceChildren(board, figures, account, el("span", {}, session.user), away, el("button", { type: "button", click: logOut }, t("session/logout")));
  desk = new Desk({ content, status, tell, failed });
  desk.start();
}

// Another page in the place of the desk until it is done.
function showPage(session, Page) {
  desk?.stop();
  status.replaceChildren();
  for (const id of ["figures", "account", "today-board"]) document.getElementById(id).disabled = true;
  const page = new Page({ content, tell, failed, session, back: () => showDesk(session) });
  desk = { stop: () => page.leave?.(), scanned: () => {} };
  page.show();
}

// What a page asks by itself keeps no session open: hands on keyboard, mouse or screen do.
function touched() {
  if (!desk || Date.now() - told < ACTIVE_MS) return;
  told = Date.now();
  call("session/active", {}).catch(failed);
}

for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, touched);

showSession();
new Wedge((bytes) => desk?.scanned(bytes)).listenTo(document);
