"""A scanner in keyboard mode in front of a browser: the key events of a scan, by its mode and the host's layout."""

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from playwright.sync_api import CDPSession, Page

from simulators.stack import Stack
from tests.browser.screens import UPRIGHT

Event = dict[str, Any]

LAYOUTS: dict[str, dict[str, str]] = {
    "us": {},
    "gb": {"|": "~", "\\": "#", "@": '"', '"': "@", "~": "¬", "#": "£"},
    "vn": dict(zip("1234567890[]{}=", "ăâêô\u0300\u0309\u0303\u0301\u0323đươƯƠ₫", strict=True)),
    "de": {"|": "'", "y": "z", "Y": "Z", "z": "y", "Z": "Y", "-": "ß", "/": "-", "`": "Dead", "=": "Dead"},
}
"""What keys of the US keyboard write elsewhere, where that differs and matters."""

_NAMED = {"\r": ("Enter", "Enter", 13), "\t": ("Tab", "Tab", 9), " ": (" ", "Space", 32)}
_TONES = "\u0300\u0301\u0303\u0309\u0323"

_BENCH = """
<!doctype html><meta charset="utf-8"><form><input id="a"><textarea id="b"></textarea><input id="p" type="password">
<select id="s"><option>Nam</option><option>0991</option></select><button id="ok">ok</button></form>
"""
_LISTEN = """
async () => {
  const { Wedge } = await import("/static/wedge.js");
  window.Wedge = Wedge;
  window.scans = []; window.clicks = 0; window.submits = 0;
  document.getElementById("ok").addEventListener("click", () => window.clicks++);
  document.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); window.submits++; });
  const wedge = new Wedge((bytes) => window.scans.push([...bytes]), 1e8); // loaded machines pass keys on slowly
  wedge.listenTo(document);
  window.fallSilent = () => wedge.down({ key: "F24", timeStamp: 1e15, getModifierState: () => false });
}
"""
_PLAY = """
(events) => {
  for (const { type, ...init } of events) {
    const event = new KeyboardEvent(type, { ...init, bubbles: true, cancelable: true });
    (document.activeElement ?? document.body).dispatchEvent(event);
  }
}
"""
_PATIENT_TIMER = """
() => {
  const native = window.setTimeout;
  window.setTimeout = (call, ms, ...more) => native(call, ms === 120 ? 1500 : ms, ...more);
}
"""


def ascii_mode(text: str, layout: str = "us") -> list[Event]:
    """Only what has a key on the US keyboard, typed on a host with *layout*."""
    return [event for char in text if char in "\r\t" or " " <= char <= "~" for event in _stroke(char, layout)]


def alt_mode(text: str, layout: str = "us", charset: str = "utf-8", *, everything: bool = False) -> list[Event]:
    """What has no key as Alt codes: the bytes of *charset*, or whole characters ("unicode")."""
    events: list[Event] = []
    for char in text:
        if char in "\r\t" or (" " <= char <= "~" and not everything):
            events += _stroke(char, layout)
        else:
            codes = [ord(char)] if charset == "unicode" else [*_encoded(char, charset)]
            events += [event for code in codes for event in alt_code(code)]
    return events


def combining_mode(text: str) -> list[Event]:
    """Base letters and tones as keys of their own, as code page 1258 has them."""
    return [event for char in text for part in _of_1258(char) for event in _stroke(part, "us")]


def rewritten_mode(text: str) -> list[Event]:
    """A program for typing Vietnamese takes back each ``a`` and puts a letter of its own in its place."""
    events: list[Event] = []
    for char in text:
        events += ascii_mode(char)
        if char == "a":
            events += [
                {"type": kind, "key": key, "code": ""} for key in ("Backspace", "â") for kind in ("keydown", "keyup")
            ]
    return events


def alt_code(number: int) -> list[Event]:
    """Alt and the digits of *number* on the keypad."""
    alt = {"key": "Alt", "code": "AltLeft"}
    events = [{"type": "keydown", **alt, "altKey": True}]
    for digit in f"{number:04d}":
        key = {"key": digit, "code": f"Numpad{digit}", "altKey": True}
        events += [{"type": "keydown", **key}, {"type": "keyup", **key}]
    return [*events, {"type": "keyup", **alt, "altKey": False}]


def play(page: Page, events: Iterable[Event]) -> None:
    """Dispatch *events* at once to whatever has the focus of *page*."""
    page.evaluate(_PLAY, list(events))


def be_patient(page: Page) -> None:
    """Let the page's collector wait longer for silence, because a loaded machine passes keys on slowly."""
    page.evaluate(_PATIENT_TIMER)


def open_bench(stack: Stack, open_page: Callable[[str, dict[str, int]], Page]) -> Page:
    """A page of the kiosk's own origin with a collector, and with fields in which things can go wrong."""
    page = open_page(stack.url("kiosk") + "/healthz", UPRIGHT)
    page.set_content(_BENCH)
    page.evaluate(_LISTEN)
    return page


class Keyboard:
    """Keys that the browser takes for real ones, with the times that a device gives them."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.at = time.time()

    def types(self, text: str, every: float) -> None:
        """Characters, each *every* seconds after the one before; CR is Enter, TAB is Tab."""
        self.plays((event for char in text for event in _stroke(char, "us")), every)

    def plays(self, events: Iterable[Event], every: float) -> None:
        """*events*, with *every* seconds before each keydown."""
        for event in events:
            self.event(event, every)

    def event(self, event: Event, every: float) -> None:
        """One event."""
        down, key = event["type"] == "keydown", event["key"]
        self.at += every if down else 0
        known = {"Alt": 18} | {name: code for name, _, code in _NAMED.values()}
        shown = ord(key.upper()) if len(key) == 1 and key.isascii() and key.isalnum() else 0
        code = 96 + int(key) if event["code"].startswith("Numpad") else known.get(key, shown)
        sent = {"key": key, "code": event["code"], "windowsVirtualKeyCode": code, "timestamp": self.at}
        sent |= {"modifiers": int(event.get("altKey", False)), "autoRepeat": event.get("repeat", False)}
        text = {"Enter": "\r", "Tab": ""}.get(key, key if len(key) == 1 and not event.get("altKey") else "")
        if down and text:
            sent["text"] = text
        self.session.send("Input.dispatchKeyEvent", {"type": "keyDown" if down else "keyUp", **sent})


def _stroke(char: str, layout: str) -> Iterator[Event]:
    name, code, _ = _NAMED.get(
        char, (LAYOUTS[layout].get(char, char), f"Key{char.upper()}" if char.isalpha() else "", 0)
    )
    for kind in ("keydown", "keyup"):
        yield {"type": kind, "key": name, "code": code}


def _of_1258(char: str) -> str:
    parts = unicodedata.normalize("NFD", char)
    tone = next((mark for mark in _TONES if mark in parts), "")
    return unicodedata.normalize("NFC", parts.replace(tone, "")) + tone if tone else char


def _encoded(char: str, charset: str) -> bytes:
    return (_of_1258(char) if charset == "cp1258" else char).encode(charset)
