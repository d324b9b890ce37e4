// What one key event adds to a scan.

import { LOST } from "./typed_bytes.js";

export const LINE_ENDS = new Map([
  ["Enter", "\r"],
  ["Tab", "\t"],
]);
const BARE = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock"]);
const NAMED = /^[A-Z][A-Za-z0-9]+$/;
// What others make of keys: an input method, a dead key, a program that rewrites words, a key that was not let go of.
const MEDDLED = new Set(["Process", "Dead", "Backspace", "Unidentified"]);

// Keys that write nothing themselves.
export function isBare(key) {
  return BARE.has(key);
}

export function isComposing({ isComposing: composing, key, keyCode }) {
  return composing || key === "Process" || keyCode === 229;
}

// Of a key that may be a person's. -> null: shortcuts, held keys, an input method at work, keys that move.
export function textBefore(event) {
  if (event.repeat || isComposing(event) || isShortcut(event)) return null;
  if (event.key === "Dead") return LOST;
  return LINE_ENDS.get(event.key) ?? (isCharacter(event.key) ? event.key : null);
}

// Of a key within a scan. Some scanners type line ends as Ctrl+J and Ctrl+M.
export function textWithin(event) {
  const { key } = event;
  if (MEDDLED.has(key) || isComposing(event) || event.repeat) return LOST;
  if (isShortcut(event)) return event.ctrlKey && /^[a-z]$/i.test(key) ? String.fromCharCode(key.charCodeAt(0) & 0x1f) : LOST;
  if (isCharacter(key)) return key;
  return LINE_ENDS.get(key) ?? (NAMED.test(key) ? "" : LOST);
}

function isCharacter(key) {
  return [...key].length === 1;
}

// AltGr, which some layouts need for the bar, is Ctrl and Alt on Windows.
function isShortcut(event) {
  return (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
}
