// The bytes of a scan that was typed.

export const LOST = "\ufffd"; // the kiosk believes no name in a scan that has it

const TONES = new Set([0xcc, 0xd2, 0xde, 0xec, 0xf2]); // of code page 1258, which sets them behind their letter
const UNCLEAR = /[ÃÐÕÝãðõýþ]/g; // other letters in code page 1258 than in Unicode

// `parts`: texts of keys, and numbers of Alt codes. Numbers up to 255 are bytes, of a charset that the kiosk finds out;
// if any is above they are all characters. What could be either becomes LOST.
export function scanBytes(parts) {
  const codes = parts.filter((part) => typeof part === "number");
  const text = parts.map((part) => (typeof part === "number" ? character(part) : part)).join("");
  if (codes.some((code) => code > 0xff)) return utf8(text);
  const raw = Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? part : [...utf8(part)])));
  if (isUtf8(raw) || codes.some((code) => TONES.has(code))) return raw;
  return utf8(text.replace(UNCLEAR, LOST));
}

function character(code) {
  const half = code >= 0xd800 && code <= 0xdfff;
  return half || code > 0x10ffff ? LOST : String.fromCodePoint(code);
}

function utf8(text) {
  return new TextEncoder().encode(text);
}

function isUtf8(raw) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(raw) !== null;
  } catch {
    return false;
  }
}
