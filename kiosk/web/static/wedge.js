// Takes what a scanner in keyboard mode types, wherever the focus is, and leaves alone what people type.
//
// A scanner types faster than anybody: that, and nothing about the text, tells them apart. Until a burst is known to be
// a scan its characters land in the focused field, which then gets back what it held. Characters are kept exactly as
// they come, combining marks too: the kiosk undoes a keyboard layout, and could not after normalising.

const FASTEST_HAND_MS = 45; // a longer pause than this between two keys ends a burst
const SCANNER_MS = 32; // mean time per key below which a burst is a scan
const SURE_AFTER = 6; // keys
const SILENCE_MS = 120; // ends a scan: some send no Enter, others several
const LONGEST = 2048; // characters
const LINE_ENDS = { Enter: "\r", Tab: "\t" };
const SILENT_KEYS = new Set(["Shift", "CapsLock", "AltGraph", "NumLock", "Dead"]);
const DIGIT = /^Numpad(\d)$/;

// `onScan(bytes)`: a whole scan as the scanner would have sent it, UTF-8 or the raw bytes of an Alt-code scanner, told
// `silenceMs` after its last key.
export class Wedge {
  #onScan;
  #silenceMs;
  #burst = null;
  #last = Number.NEGATIVE_INFINITY;
  #alt = "";
  #silence = null;

  constructor(onScan, silenceMs = SILENCE_MS) {
    this.#onScan = onScan;
    this.#silenceMs = silenceMs;
  }

  listenTo(target) {
    target.addEventListener("keydown", (event) => this.down(event), { capture: true });
    target.addEventListener("keyup", (event) => this.up(event), { capture: true });
  }

  down(event) {
    if (this.#isNoScanner(event)) return this.#end();
    const digit = event.altKey && DIGIT.exec(event.code);
    if (digit) {
      event.preventDefault();
      this.#alt += digit[1];
      this.#beat(event.timeStamp);
      return;
    }
    if (event.key === "Alt" || SILENT_KEYS.has(event.key)) return this.#beat(event.timeStamp, false);
    const text = LINE_ENDS[event.key] ?? (isCharacter(event.key) ? event.key : null);
    if (text === null) return this.#end();
    this.#take(text, event);
  }

  up(event) {
    if (event.key !== "Alt" || !this.#alt) return;
    const code = Number(this.#alt);
    this.#alt = "";
    if (code > 0 && code <= 0x10ffff) this.#take(String.fromCodePoint(code), event, code > 0xff ? 0 : 1);
  }

  // Shortcuts, held keys, an input method at work, and passwords, which nobody scans.
  #isNoScanner(event) {
    const shortcut = event.ctrlKey || event.metaKey;
    const composing = event.isComposing || event.key === "Process" || event.keyCode === 229;
    return shortcut || composing || event.repeat || event.target?.type === "password";
  }

  #take(text, event, altBytes = 0) {
    const late = event.timeStamp - this.#last > FASTEST_HAND_MS;
    if (this.#burst === null || late) {
      this.#end();
      if (text in { "\r": 0, "\t": 0 }) return this.#beat(event.timeStamp, false); // no scan begins with its end
      this.#burst = { text: "", keys: 0, altBytes: 0, began: event.timeStamp, field: held(event.target), sure: false };
    }
    const burst = this.#burst;
    this.#beat(event.timeStamp);
    burst.keys += 1;
    burst.altBytes += altBytes;
    if (burst.text.length < LONGEST) burst.text += text;
    if (!burst.sure && burst.keys >= SURE_AFTER && (event.timeStamp - burst.began) / (burst.keys - 1) <= SCANNER_MS) {
      burst.sure = true;
      burst.field?.restore();
    }
    if (burst.sure) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  // Something came: a burst goes on until it is silent for a while.
  #beat(at, keep = true) {
    if (keep || this.#burst) this.#last = at;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#end(), this.#silenceMs);
  }

  #end() {
    clearTimeout(this.#silence);
    const burst = this.#burst;
    this.#burst = null;
    this.#alt = "";
    if (burst?.sure) this.#onScan(bytesOf(burst));
  }
}

function isCharacter(key) {
  return [...key].length === 1;
}

// Characters up to U+00FF that came as codes are bytes of some charset; the kiosk finds out which.
function bytesOf({ text, altBytes }) {
  const codes = [...text].map((char) => char.codePointAt(0));
  if (altBytes && codes.every((code) => code <= 0xff)) return Uint8Array.from(codes);
  return new TextEncoder().encode(text);
}

// What the focused text field holds before a burst.
function held(field) {
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return null;
  const { value, selectionStart, selectionEnd } = field;
  const restore = () => {
    field.value = value;
    if (selectionStart !== null) field.setSelectionRange(selectionStart, selectionEnd);
  };
  return { restore };
}
