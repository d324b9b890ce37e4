// The staff screen: who is signed in decides between the forms of session.js and the desk.

import { el } from "../dom.js";
import { t } from "../texts.js";
import { Wedge } from "../wedge.js";
import { ApiError, call } from "./api.js";
import { BoardPage } from "./board.js";
import { Desk } from "./desk.js";
import { FiguresPage } from "./figures.js";
import { sessionView } from "./session.js";

const content = document.getElementById("content");
const status = document.getElementById("status");
const user = document.getElementById("user");
const message = document.getElementById("message");
let desk = null;

function tell(words, failed = false) {
  message.textContent = words;
  message.className = failed ? "failed" : "";
}

function failed(error) {
  if (!(error instanceof ApiError)) throw error;
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
    if (session.signed_in) return showDesk(session);
    content.replaceChildren(sessionView(session.setup_needed, showDesk));
    content.querySelector("input").focus();
  } catch (error) {
    failed(error);
    setTimeout(showSession, 5000);
  }
}

function showDesk({ user: name }) {
  tell("");
  const logOut = async () => {
    await call("logout", {}).catch(failed);
    await showSession();
  };
  const figures = el("button", { type: "button", id: "figures", click: () => showFigures({ user: name }) }, t("figures/open"));
  const board = el("button", { type: "button", id: "today-board", click: () => showBoard({ user: name }) }, t("board/open"));
  user.replaceChildren(board, figures, el("span", {}, name), el("button", { type: "button", click: logOut }, t("session/logout")));
  desk = new Desk({ content, status, tell, failed });
  desk.start();
}

// The figures of whole days, in the place of the desk until they are done.
function showFigures(session) {
  desk?.stop();
  desk = null;
  status.replaceChildren();
  document.getElementById("figures").disabled = true;
  new FiguresPage({ content, tell, failed, back: () => showDesk(session) }).show();
}

// How the day stands, in the place of the desk until it is left.
function showBoard(session) {
  desk?.stop();
  const page = new BoardPage({ content, tell, failed, back: () => showDesk(session) });
  desk = { stop: () => page.leave(), scanned: () => {} };
  status.replaceChildren();
  for (const id of ["figures", "today-board"]) document.getElementById(id).disabled = true;
  page.show();
}

showSession();
new Wedge((bytes) => desk?.scanned(bytes)).listenTo(document);
