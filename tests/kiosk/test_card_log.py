"""Logs of reads: any text is a log, or is told to be none."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.card_log import Asked, LogDiffers, log_text, replay_log
from kiosk.emrtd.chip import AccessKey, read_chip
from kiosk.emrtd.errors import EmrtdError
from kiosk.emrtd.recording import Recorder, RecordingError
from tests.kiosk.signed_card import NOW, Held, chip_of

ASKED = Asked(photo=True, now=NOW, seconds=1.5)


@pytest.fixture(scope="module")
def log() -> str:
    """The log of a good read with portrait."""
    chip = chip_of("genuine")
    key = AccessKey(can=chip.data.can)
    recorder = Recorder(Held(chip), lambda size: bytes(range(1, size + 1)), key)
    read_chip(recorder, key, anchors=None, now=NOW, photo=True, rng=recorder.rng, pause=lambda seconds: None)
    return log_text(recorder.lines, ASKED)


def test_a_log_is_read_again(log):
    read = replay_log(log, None)
    assert "DG2" in read.files and (read.seconds, read.findings) == (1.5, ())


ENDS = (RecordingError, LogDiffers, EmrtdError)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=2), max_size=3)


@settings(database=None)  # an example of another run is about another log
@given(data=st.data())
def test_a_damaged_log_ends_in_a_stated_error_or_the_same_read(log, data):
    lines = log.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    found = json.loads(lines[at])
    found[data.draw(st.sampled_from([*sorted(found), "lost", "reset", "random"]))] = data.draw(VALUES)
    lines[at] = data.draw(st.sampled_from([json.dumps(found), "", "[]", lines[-1], lines[0]]))
    try:
        again = replay_log("\n".join(lines), None)
    except ENDS:
        return
    assert again.files == replay_log(log, None).files


@given(st.text(max_size=99) | st.dictionaries(st.just("read_card"), VALUES).map(json.dumps))
def test_any_text_is_no_log(text):
    with pytest.raises(RecordingError):
        replay_log(text, None)


@given(VALUES, VALUES, VALUES)
def test_any_last_line_is_taken_or_refused(log, photo, now, seconds):
    last = json.dumps({"read_card": {"photo": photo, "now": now, "seconds": seconds}})
    with pytest.raises(ENDS):
        replay_log(log.rsplit("\n", 2)[0] + "\n" + last, None)
