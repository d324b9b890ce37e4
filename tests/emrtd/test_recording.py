"""Recorded reads run again, command by command; traces hold no content."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd.chip import AccessKey, read_chip
from kiosk.emrtd.errors import ChipLost, EmrtdError
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.recording import Recorder, RecordingError, Trace, replay
from tests.emrtd.laid_card import NOW, Laid, can_key, card, issued, mrz_key, read

DATA = issued()[0]
KEY = can_key(DATA)


def read_by(connection, key, rng, *, photo=True):
    return read_chip(connection, key, anchors=None, now=NOW, rng=rng, photo=photo, pause=lambda seconds: None)


def recorded(laid, key=KEY, **options):
    """The lines, and what the read ended in."""
    recorder = Recorder(laid, secrets.token_bytes, key)
    try:
        return recorder.lines, read_by(recorder, key, recorder.rng, **options)
    except EmrtdError as error:
        return recorder.lines, error


def played(lines, **options):
    connection, rng, key = replay(lines)
    return read_by(connection, key, rng, **options)


def losing(fates, back=True):
    """A card that is lost at the commands that *fates* names; *back*: it comes back."""
    laid = Laid(card(), lose=lambda number: fates.get(number, ""))
    if not back:
        laid.back = lambda: None
    return laid


@pytest.mark.parametrize("key", [KEY, mrz_key(DATA)], ids=["can", "mrz"])
def test_a_recorded_read_runs_again_without_the_card(key):
    laid = Laid(card())
    lines, first = recorded(laid, key)
    assert replace(played(lines), seconds=first.seconds) == first
    connection, _, again = replay(lines)
    assert (again, connection.card_type) == (key, laid.card_type)


def test_losses_and_resets_run_again():
    lines, first = recorded(losing({8: "before", 30: "after"}))
    assert sum("lost" in json.loads(line) for line in lines) == 2
    assert played(lines).files == first.files


def test_a_card_that_stays_away_stays_away():
    lines, outcome = recorded(losing({15: "before"}, back=False))
    assert isinstance(outcome, ChipLost)
    with pytest.raises(ChipLost):
        played(lines)


def test_a_read_that_goes_another_way_is_named_with_its_number():
    lines, _ = recorded(Laid(card()))
    commands = [number for number, line in enumerate(lines) if "command" in json.loads(line)]
    step = json.loads(lines[commands[11]])
    step["command"] = step["command"][:-4] + "0000"
    lines[commands[11]] = json.dumps(step)
    with pytest.raises(RecordingError, match="command 12 differs") as caught:
        played(lines)
    assert step["command"][8:] not in str(caught.value).lower()


def test_a_read_that_wants_more_than_the_log_has():
    lines, _ = recorded(Laid(card()), photo=False)
    with pytest.raises(RecordingError, match="near command"):
        played(lines, photo=True)
    with pytest.raises(RecordingError, match="the log ends"):
        played(lines[:9])


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "no log"),
        (["[]"], "line 1: no JSON object"),
        (["{}"], "no log of this format"),
        (['{"apdu_log": 2, "card_type": "", "key": {"can": "000000"}}'], "no log of this format"),
        (['{"apdu_log": 1, "key": {"can": "000000"}}'], "no card type"),
        (['{"apdu_log": 1, "card_type": "3B"}'], "no key"),
        (['{"apdu_log": 1, "card_type": "3B", "key": {"can": 1}}'], "no key"),
        (['{"apdu_log": 1, "card_type": "3B", "key": {"mrz": ["X", "900101"]}}'], "an MRZ that is none"),
        (['{"apdu_log": 1, "card_type": "3B", "key": {"mrz": ["x", "900101", "300101"]}}'], "line 1"),
        (['{"apdu_log": 1, "card_type": "3B", "key": {"can": "000000"}}', "?"], "line 2: no JSON object"),
    ],
    ids=[
        "empty", "list", "no-head", "format", "no-type", "no-key", "can-number", "mrz-short", "mrz-letters", "garbage",
    ],
)  # fmt: skip
def test_what_is_no_log(lines, why):
    with pytest.raises(RecordingError, match=why):
        replay(lines)


HEAD = '{"apdu_log": 1, "card_type": "3B", "key": {"can": "000000", "mrz": null}}'


@pytest.mark.parametrize(
    "step", ['{"command": "00A4020C02011C", "answer": 9}', '{"command": "xx"}', '{"random": "00"}']
)
def test_steps_that_cannot_be_run(step):
    connection, rng, _ = replay([HEAD, step])
    with pytest.raises(RecordingError):
        if "random" in step:
            rng(8)
        else:
            connection.transmit(bytes.fromhex("00A4020C02011C"))


@given(st.lists(st.one_of(st.text(max_size=60), st.just(HEAD), st.from_regex(r'\{"(command|reset|random)": .*\}'))))
def test_any_lines_are_a_log_or_a_clear_error(lines):
    try:
        connection, rng, _ = replay(lines)
        for act in (lambda: rng(4), lambda: connection.transmit(b"\0\0\0\0"), connection.reset) * 3:
            try:
                act()
            except ChipLost:
                continue
    except RecordingError:
        pass


def test_the_key_of_a_zone_comes_back():
    key = AccessKey(can="000456", mrz=MrzKey("X9900001<", "900201", "300201"))
    recorder = Recorder(Laid(card()), secrets.token_bytes, key)
    assert replay(recorder.lines)[2] == key


class Kept(Laid):
    """Keeps what went through."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.exchanged = []

    def transmit(self, apdu):
        self.exchanged.append((apdu, b""))
        self.exchanged[-1] = (apdu, answer := super().transmit(apdu))
        return answer


def test_a_trace_keeps_headers_lengths_and_times_only():
    ticks = iter(range(10_000))
    slipping = Kept(card(), lose=lambda number: "before" if number == 20 else "")
    trace = Trace(slipping, clock=lambda: next(ticks) / 1000)
    done = read(trace, KEY)
    commands = [each for each in trace.exchanges if each.header]
    assert [each.header for each in commands] == [apdu[:4] for apdu, _ in slipping.exchanged]
    assert [each.sent for each in commands] == [len(apdu) for apdu, _ in slipping.exchanged]
    assert [each.received for each in commands] == [max(len(answer) - 2, 0) for _, answer in slipping.exchanged]
    assert [each.sw for each in commands].count(None) == 1
    assert {round(each.milliseconds, 6) for each in trace.exchanges} == {1.0}
    assert len(trace.exchanges) - len(commands) == slipping.resets
    assert (trace.card_access, trace.card_type) == (done.files["EF.CardAccess"], slipping.card_type)
    assert str(commands[0]) == "00A4020C 7 -> 0 9000 1.0 ms"
    assert str(commands[20]).endswith(" -> 0 lost 1.0 ms")


def test_a_trace_passes_on_that_no_card_came_back():
    trace = Trace(losing({3: "after"}, back=False))
    with pytest.raises(ChipLost):
        read(trace, KEY)
    assert str(trace.exchanges[-1]).startswith("reset 0 -> 0 lost ")


def test_parts_of_an_answer_belong_to_the_file_that_is_read():
    """Contact readers hand long answers out in parts (61xx)."""
    answers = {"00B0": b"\x31\x04\x61\x02", "00C0": b"\x30\x02\x90\x00", "0084": b"\x01\x02\x90\x00"}

    class Parts:
        card_type = "3B"

        def transmit(self, apdu):
            return answers[apdu[:2].hex().upper()]

    trace = Trace(Parts())
    for command in ("00B09C0000", "00C0000002", "0084000008"):
        trace.transmit(bytes.fromhex(command))
    assert trace.card_access == bytes.fromhex("31043002")
