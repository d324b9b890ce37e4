// Shows the station's state. Holds nothing of a person but what the current view shows.

import { t } from "../texts.js";
import { letGoOfCamera } from "./idle.js";
import { tellWaited } from "./parts.js";
import { Wedge } from "../wedge.js";
import { Switches } from "./switches.js";
import { StationStream, sendAnswer, sendScan } from "./stream.js";
import { VIEWS, connecting } from "./views.js";

const LATE_MS = 3000;
const MORE_TIME_LAST = 15; // seconds before the end from which people are asked whether they need more
const SETTLE_MS = 400; // the second tap of a double tap must not hit a button of the next view

const screen = document.getElementById("screen");
const status = document.getElementById("status");
let shown = "";
let extended = 0;
let timers = [];
let standing = null; // the check-in that the view is about
let redraw = () => connect(false); // what stands, in the language of now

function put(view, children) {
  for (const timer of timers) clearTimeout(timer);
  timers = [];
  clearTimeout(ticking);
  document.body.dataset.view = view;
  letGoOfCamera(screen);
  screen.replaceChildren(...children.filter(Boolean));
  screen.scrollTop = 0;
  const heading = screen.querySelector("h1");
  heading.focus({ preventScroll: true });
  status.textContent = "";
}

function show(state) {
  const { waited, extended: more = 0, ...still } = state.screen;
  const { clears_in: clearsIn } = state.screen;
  const end = clearsIn && performance.now() + clearsIn * 1000;
  const key = JSON.stringify([state.checkin_id, still]);
  if (key === shown) {
    if (waited !== undefined) status.textContent = tellWaited(screen, waited);
    if (more !== extended) countDown(end); // what was typed on this view stays
    extended = more;
    return;
  }
  shown = key;
  extended = more;
  const view = state.screen.view in VIEWS ? state.screen.view : "out_of_order";
  standing = state.checkin_id;
  switches.follow(view, state.checkin_id);
  redraw = () => draw(view, state, end);
  redraw();
}

function draw(view, state, end) {
  put(view, VIEWS[view](state, (answer, more) => send({ checkin_id: state.checkin_id, answer, ...more })));
  letSettle();
  countDown(end);
}

function letSettle() {
  screen.inert = true;
  const heading = screen.querySelector("h1");
  timers.push(
    setTimeout(() => {
      screen.inert = false;
      heading.focus({ preventScroll: true });
    }, SETTLE_MS),
  );
}

let ticking = null;

function countDown(end) {
  clearTimeout(ticking);
  if (!end) return;
  const tick = () => {
    const line = document.getElementById("clears");
    if (!line) return;
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    line.textContent = t(line.dataset.words, { seconds: left });
    document.getElementById("more-time").disabled = left > MORE_TIME_LAST;
    if (left > 0) ticking = setTimeout(tick, 500);
  };
  tick();
}

// One line counts on every view, so its button is heard here.
screen.addEventListener("click", ({ target }) => {
  if (target.closest("#more-time")) send({ checkin_id: standing, answer: "more_time" });
});

// -> why the station did not take it, or null.
async function send(body) {
  screen.inert = true;
  let refusal = null;
  try {
    refusal = await sendAnswer(body);
  } catch {
    stream.lost();
    return null;
  }
  if (refusal || body.answer === "more_time") screen.inert = false;
  return refusal;
}

function lost() {
  shown = "";
  screen.inert = false;
  connect(false);
}

function connect(late) {
  redraw = () => connect(late);
  put("connecting", connecting(late));
  if (!late) timers.push(setTimeout(() => connect(true), LATE_MS));
}

function told(language) {
  send({ checkin_id: standing, answer: "language", value: language }).finally(() => (screen.inert = false));
}

const switches = new Switches(document.getElementById("switches"), () => redraw(), told);
const stream = new StationStream({ onState: show, onLost: lost });
stream.open();
new Wedge((bytes) => sendScan(bytes).catch(() => stream.lost())).listenTo(document);
