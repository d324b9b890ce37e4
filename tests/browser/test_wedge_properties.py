"""Any keys at any time: the collector never breaks, a scan is exactly what was typed, and so is what a person types."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from simulators.stack import Stack
from tests.browser.typing_scanner import open_bench

# A keyboard whose keys do in a field what they do in a browser, unless they are kept from it.
RUN = """
([events, start]) => {
  const field = document.getElementById("a");
  const scans = [], errors = [];
  const wedge = new Wedge((bytes) => scans.push(new TextDecoder().decode(bytes)), 1e8);
  field.value = start;
  let at = 0, pressed = 0;
  const send = (type, { gap = 0, ...init }) => {
    at += gap;
    let stopped = false;
    const preventDefault = () => (stopped = true);
    const target = init.password ? document.getElementById("p") : field;
    try {
      const getModifierState = () => init.altGraph ?? false;
      wedge[type]({ target, timeStamp: at, preventDefault, stopImmediatePropagation() {}, getModifierState, ...init });
    } catch (error) { errors.push(String(error)); }
    if (stopped || type === "up") return stopped;
    if (init.key === "Enter" || init.key === "Tab") pressed += 1;
    else if (init.key.length === 1) field.setRangeText(init.key, field.value.length, field.value.length, "end");
    return stopped;
  };
  const stopped = events.map(([type, init]) => send(type, init));
  send("down", { key: "F24", gap: 1e6 });
  return { scans, errors, pressed, field: field.value, stopped };
}
"""
LETTERS = [chr(code) for code in range(32, 127)]
SCAN = st.text(LETTERS, min_size=8, max_size=120)
HAND = st.lists(st.tuples(st.sampled_from(LETTERS), st.integers(42, 400)), max_size=20)
NAMES = [*"aZ09|~ầ\u0300", "Enter", "Tab", "Shift", "Alt", "Control", "AltGraph", "Dead", "Process", "Backspace", ""]
KEYS = st.fixed_dictionaries(
    {"key": st.sampled_from([*NAMES, "F8", "Unidentified", "constructor", "\U0001f600"]), "gap": st.integers(-5, 90)},
    optional={
        "code": st.sampled_from(["Numpad0", "Numpad9", "KeyA", "Numpad10"]),
        **{
            name: st.booleans()
            for name in ("altKey", "ctrlKey", "metaKey", "repeat", "isComposing", "altGraph", "password")
        },
        "keyCode": st.sampled_from([0, 229]),
    },
)


@pytest.fixture
def bench(stack: Stack, open_page: Callable[[str, dict[str, int]], Page]) -> Page:
    return open_bench(stack, open_page)


def strokes(keys: list[tuple[str, int]]) -> list[tuple[str, dict[str, Any]]]:
    named = [({"\r": "Enter", "\t": "Tab"}.get(char, char), gap) for char, gap in keys]
    return [event for name, gap in named for event in (("down", {"key": name, "gap": gap}), ("up", {"key": name}))]


def test_a_scan_between_what_a_hand_types(bench: Page) -> None:
    @settings(max_examples=80, deadline=None)
    @given(
        before=HAND,
        text=SCAN,
        every=st.lists(st.integers(0, 29), min_size=8),
        end=st.sampled_from(["", "\r", "\t", "\r\r"]),
        after=HAND,
    )
    def check(before: Any, text: str, every: list[int], end: str, after: Any) -> None:
        typed = [(char, every[index % len(every)]) for index, char in enumerate(text + end)]
        typed[0] = (text[0], 60)
        after = [(char, gap + 80 if index == 0 else gap) for index, (char, gap) in enumerate(after)]
        result = bench.evaluate(RUN, [strokes([*before, *typed, *after]), "Trần "])
        assert result["scans"] == [text + end]
        assert result["field"] == "Trần " + "".join(char for char, _ in [*before, *after])
        assert (result["pressed"], result["errors"]) == (0, [])

    check()


def test_any_keys(bench: Page) -> None:
    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["down", "up"]), KEYS), max_size=60))
    def check(events: list[tuple[str, dict[str, Any]]]) -> None:
        result = bench.evaluate(RUN, [events, ""])
        assert result["errors"] == []
        into_passwords = [event.get("password", False) and kind == "down" for kind, event in events]
        assert not any(map(min, zip(into_passwords, result["stopped"], strict=True)))
        assert all(len(scan) <= 2048 for scan in result["scans"])

    check()
