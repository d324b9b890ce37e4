"""The pipe to the PC/SC child: frames, bounds, and the state of the readers."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.readers.pcsc_pipe import MAX_BODY, Frame, Kind, Readers, Slot, Unframer
from kiosk.readers.pipe import PipeError

frames = st.builds(Frame, st.sampled_from(Kind), st.binary(max_size=300))
slots = st.builds(
    Slot,
    st.text(max_size=40),
    st.booleans(),
    st.binary(max_size=33).map(bytes.hex),
    st.integers(0, 65_535),
)


@given(st.lists(frames, max_size=6), st.lists(st.integers(0, 3000), max_size=12))
def test_frames_come_back_in_pieces_of_any_size(sent, places):
    stream = b"".join(frame.encode() for frame in sent)
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    unframer = Unframer()
    assert [got for start, end in itertools.pairwise(edges) for got in unframer.feed(stream[start:end])] == sent


@given(st.lists(st.binary(max_size=400), max_size=4))
def test_any_bytes_are_frames_or_a_pipe_error(pieces):
    unframer = Unframer()
    try:
        assert all(isinstance(frame, Frame) for piece in pieces for frame in unframer.feed(piece))
    except PipeError:
        return


@pytest.mark.parametrize("line", ["00000000", "FFFFFFFF01", "0000000163"], ids=["nothing", "too-long", "unknown-kind"])
def test_nonsense_ends_the_pipe(line):
    with pytest.raises(PipeError):
        Unframer().feed(bytes.fromhex(line))


def test_longest_body_passes_and_a_longer_one_does_not():
    longest = Frame(Kind.DONE, bytes(MAX_BODY))
    assert Unframer().feed(longest.encode()) == [longest]
    with pytest.raises(PipeError):
        Frame(Kind.DONE, bytes(MAX_BODY + 1)).encode()


@given(st.integers(0, 0xFFFFFFFF), st.lists(slots, max_size=5).map(tuple))
def test_readers_come_back(code, found):
    assert Readers.decode(Readers(code, found).encode()) == Readers(code, found)


def test_more_readers_than_there_can_be_are_left_out():
    many = Readers(0, tuple(Slot(f"Reader {number}", False, "", 0) for number in range(200)))
    assert len(Readers.decode(many.encode()).slots) == 64


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists).map(
        lambda value: json.dumps({"code": 0, "slots": value}).encode()
    )
)
def test_any_body_is_readers_or_a_pipe_error(body):
    try:
        assert isinstance(Readers.decode(body), Readers)
    except PipeError:
        return


def test_deep_json_is_a_pipe_error():
    with pytest.raises(PipeError):
        Readers.decode(b"[" * MAX_BODY)
