// Takes what a scanner in keyboard mode types, wherever the focus is, and leaves alone what people type.
//
// A scanner types faster than anybody: that, and nothing about the text, tells them apart. Until a burst of keys is
// known to be a scan they do what they always do; then the focused field gets back what it held, and the rest of the
// burst does nothing. Characters are kept exactly as they come, combining marks too: the kiosk undoes a keyboard layout,
// and could not after normalising. Where something else meddles with the keys the scan gets U+FFFD, so that the kiosk
// believes no name in it.

import { held } from "./held.js";
import { LINE_ENDS, isBare, isComposing, textBefore, textWithin } from "./typed_keys.js";
import { scanBytes } from "./typed_bytes.js";

const BEGINNING_MS = 55; // a longer pause between two keys ends what is no scan yet, and parts a scan's end from a hand
const WITHIN_MS = 70; // the same within a scan
const SCANNER_MS = 38; // mean time per key up to which keys are a scanner's; the fastest hands need 50
const SURE_AFTER = 8; // keys; programs for typing Vietnamese rewrite fewer at once
const PERSONS_MS = 30; // a key this long, and four times the usual time, before the next was a person's
const SILENCE_MS = 120; // ends a scan: some send no Enter, others several
const LATE_END_MS = 300; // an Enter this soon after a scan is still the scanner's, and presses no button
const LONGEST = 2048; // characters; what is longer, or takes longer, is no document
const LONGEST_MS = 60_000;
const KEYPAD_DIGIT = /^Numpad(\d)$/;

// `onScan(bytes)`: a whole scan as the scanner would have sent it, `silenceMs` after its last key: UTF-8, or the bytes
// that an Alt-code scanner typed.
export class Wedge {
  #onScan;
  #silenceMs;
  #burst = null;
  #alt = ""; // the digits typed since Alt went down
  #silence = null;
  #scanEnded = Number.NEGATIVE_INFINITY;

  constructor(onScan, silenceMs = SILENCE_MS) {
    this.#onScan = onScan;
    this.#silenceMs = silenceMs;
  }

  listenTo(target) {
    target.addEventListener("keydown", (event) => this.down(event), { capture: true });
    target.addEventListener("keyup", (event) => this.up(event), { capture: true });
    target.addEventListener("beforeinput", (event) => this.input(event), { capture: true });
  }

  down(event) {
    if (isPassword(event.target)) return this.#end(); // nobody scans one, and some type faster than hands
    if (isBare(event.key)) return this.#bare(event);
    this.#endIfOver(event.timeStamp);
    const digit = event.altKey && KEYPAD_DIGIT.exec(event.code);
    if (digit) {
      this.#alt += digit[1];
      event.preventDefault(); // with Alt, arrows of the keypad leave the page
      return this.#take(null, event);
    }
    if (!this.#burst && LINE_ENDS.has(event.key)) {
      if (event.timeStamp - this.#scanEnded <= LATE_END_MS) swallow(event);
      return; // no scan begins with its end
    }
    const text = this.#scanning ? textWithin(event) : textBefore(event);
    if (text === null) return this.#end();
    if (this.#scanning && event.key === "Backspace") this.#burst.parts.pop();
    this.#take(text, event);
  }

  up(event) {
    if (event.key === "Alt") {
      if (this.#alt && this.#burst) this.#add(Number(this.#alt), event.timeStamp);
      this.#alt = "";
    }
    if (this.#scanning) swallow(event);
  }

  // Windows makes characters of Alt codes by itself, and input methods of letters, whatever became of the keys.
  input(event) {
    if (this.#scanning && !isPassword(event.target)) event.preventDefault();
  }

  get #scanning() {
    return this.#burst !== null && this.#burst.sure;
  }

  #bare(event) {
    if (event.key === "Alt" && !event.repeat) this.#alt = "";
    if (this.#scanning) swallow(event);
  }

  // `text`: what the key adds; null while an Alt code is being typed.
  #take(text, event) {
    const at = event.timeStamp;
    this.#burst ??= { parts: [], firsts: [], keys: 0, sure: false, began: at, last: at, ended: false, composed: false };
    if (!this.#burst.sure) this.#look(event);
    this.#add(text, at);
    if (!this.#burst.sure) this.#judge(at);
    if (this.#burst.sure) {
      this.#burst.composed ||= isComposing(event);
      swallow(event);
    }
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#end(), this.#silenceMs);
  }

  // A part is a text, or the number of an Alt code.
  #add(part, at) {
    const burst = this.#burst;
    if (part !== null && burst.parts.length <= LONGEST) burst.parts.push(part);
    burst.ended = part === "\r" || part === "\n" || part === "\t";
    burst.last = at;
  }

  #look(event) {
    const { firsts, parts } = this.#burst;
    this.#burst.keys += 1;
    if (firsts.length < SURE_AFTER) firsts.push({ at: event.timeStamp, parts: parts.length, field: held(event.target) });
  }

  // Whether the burst is a scan by now. A person's keys just before it stay theirs.
  #judge(at) {
    const burst = this.#burst;
    while (burst.keys === SURE_AFTER && isPersons(burst.firsts)) {
      burst.firsts.shift();
      burst.keys -= 1;
    }
    const [first] = burst.firsts;
    if (burst.keys < SURE_AFTER || (at - first.at) / (burst.keys - 1) > SCANNER_MS) return;
    burst.sure = true;
    burst.began = first.at;
    burst.parts.splice(0, first.parts);
    burst.field = first.field;
    burst.field?.restore();
  }

  #endIfOver(at) {
    const burst = this.#burst;
    if (burst && at - burst.last > (burst.sure && !burst.ended ? WITHIN_MS : BEGINNING_MS)) this.#end();
  }

  #end() {
    clearTimeout(this.#silence);
    const burst = this.#burst;
    this.#burst = null;
    if (!burst?.sure) return;
    this.#scanEnded = burst.last;
    if (burst.composed) burst.field?.restore();
    if (burst.parts.length <= LONGEST && burst.last - burst.began <= LONGEST_MS) this.#onScan(scanBytes(burst.parts));
  }
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function isPassword(target) {
  return target?.type === "password";
}

// Whether the first of these keys came before the burst of the others.
function isPersons(firsts) {
  const [gap, ...gaps] = firsts.slice(1).map(({ at }, index) => at - firsts[index].at);
  const usual = gaps.sort((one, other) => one - other)[gaps.length >> 1];
  return gap >= PERSONS_MS && gap >= 4 * usual;
}
