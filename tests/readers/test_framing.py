"""The framing state machine, without any device."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.mrz import starts_zone
from kiosk.readers.framing import MAX_FRAME, Framer

CARD = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()
INSURANCE = b"GD4999900000001|4e67|01/02/1990|2|-|99 - 001|01/01/2020|-|15/12/2019|$"


def frames_of(pieces: list[bytes]) -> list[bytes]:
    framer = Framer()
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.idle()


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r\n"])
def test_line_ends(end):
    assert Framer().feed(CARD + end + INSURANCE + end) == [CARD, INSURANCE]


def test_without_suffix_the_idle_gap_ends_a_scan():
    framer = Framer()
    assert framer.feed(CARD) == []
    assert framer.idle() == [CARD]
    assert framer.idle() == []


def test_insurance_code_waits_for_its_line_end():
    framer = Framer()
    assert framer.feed(INSURANCE) == []
    assert framer.feed(b"\r") == [INSURANCE]
    assert framer.idle() == []


def test_insurance_code_is_whole_when_another_scan_follows():
    framer = Framer()
    assert framer.feed(INSURANCE + CARD) == [INSURANCE]
    assert framer.idle() == [CARD]


@pytest.mark.parametrize("scan", [b"a|$|b", b"price 5$ each", b"$|$|c"])
def test_dollar_inside_a_scan_does_not_end_it(scan):
    assert Framer().feed(scan + b"\r") == [scan]


def test_longest_frame_passes():
    assert Framer().feed(b"x" * MAX_FRAME + b"\r") == [b"x" * MAX_FRAME]


def test_rubbish_is_discarded_to_the_idle_gap_and_not_to_the_line_end():
    framer = Framer()
    assert framer.feed(b"x" * (MAX_FRAME + 1) + b"\r" + CARD + b"\r") == []
    assert framer.feed(CARD + b"\r") == []
    assert framer.idle() == []
    assert framer.feed(CARD + b"\r") == [CARD]


def test_reset_forgets_half_a_scan():
    framer = Framer()
    framer.feed(CARD[:40])
    framer.reset()
    assert framer.feed(CARD[40:] + b"\r") == [CARD[40:]]


def test_reset_ends_discarding():
    framer = Framer()
    framer.feed(b"x" * (MAX_FRAME + 1))
    framer.reset()
    assert framer.feed(CARD + b"\r") == [CARD]


@given(
    st.lists(st.binary(min_size=1, max_size=60).filter(lambda scan: scan.strip(bytes(range(33)))), max_size=6),
    st.sampled_from([b"\r", b"\n", b"\r\n"]),
    st.lists(st.integers(0, 10_000), max_size=12),
)
def test_pieces_of_any_size_give_the_same_scans(scans, end, places):
    scans = [scan.replace(b"\r", b"").replace(b"\n", b"").replace(b"$", b"") for scan in scans]
    stream = b"".join(scan + end for scan in scans)
    assert frames_of(cut(stream, places)) == [scan for scan in scans if scan.strip(bytes(range(33)))]


@given(st.binary(max_size=5000), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_stream_is_cut_the_same_whatever_the_pieces(stream, places):
    frames = frames_of(cut(stream, places))
    assert frames == frames_of([stream])
    for frame in frames:
        assert 0 < len(frame) <= MAX_FRAME and b"\n" not in frame
        assert b"\r" not in frame or starts_zone(frame)


ZONE = [b"IDVNM1900004563093190000456<<3", b"9002018F3002016VNM<<<<<<<<<<<4", b"TRAN<<THI<MAU<<<<<<<<<<<<<<<<<"]


@given(st.sampled_from([b"\r", b"\n", b"\r\n"]), st.lists(st.integers(0, 300), max_size=6), st.booleans())
def test_the_lines_of_a_zone_are_one_scan(end, places, ended):
    stream = CARD + end + end.join(ZONE) + (end + CARD + end if ended else b"")
    framer = Framer()
    frames = [frame for piece in cut(stream, places) for frame in framer.feed(piece)] + framer.idle()
    assert frames == [CARD, b"\r".join(ZONE)] + [CARD] * ended


def test_half_a_zone_does_not_stick_to_the_next_scan():
    framer = Framer()
    assert framer.feed(b"\r".join(ZONE[:2]) + b"\r" + CARD + b"\r") == [b"\r".join(ZONE[:2]), CARD]
    assert framer.feed(ZONE[0] + b"\r") == []
    assert framer.idle() == [ZONE[0]]
    assert framer.feed(ZONE[0] + b"\r") == []
    framer.reset()
    assert framer.feed(CARD + b"\r") == [CARD]
