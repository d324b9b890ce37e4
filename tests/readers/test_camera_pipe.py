"""The pipe to the camera child: frames, bounds, settings and what was seen."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.model import Carrier
from kiosk.readers.camera_pipe import (
    MAX_BODY,
    MAX_PAYLOAD,
    CameraSettings,
    Decoder,
    Kind,
    Seen,
    Trouble,
    encode,
    trouble_of,
)
from kiosk.readers.pipe import PipeError

seen = st.builds(Seen, st.binary(max_size=MAX_PAYLOAD), st.sampled_from(Carrier), st.booleans())


@given(
    st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=300)), max_size=6),
    st.lists(st.integers(0, 3000), max_size=12),
)
def test_frames_come_back_in_pieces_of_any_size(sent, places):
    stream = b"".join(encode(kind, body) for kind, body in sent)
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    decoder = Decoder()
    assert [got for start, end in itertools.pairwise(edges) for got in decoder.feed(stream[start:end])] == sent


@given(st.lists(st.binary(max_size=400), max_size=4))
def test_any_bytes_are_frames_or_a_pipe_error(pieces):
    decoder = Decoder()
    try:
        assert all(isinstance(kind, Kind) for piece in pieces for kind, _ in decoder.feed(piece))
    except PipeError:
        return


def test_longest_body_passes_and_a_longer_one_does_not():
    assert Decoder().feed(encode(Kind.JPEG, bytes(MAX_BODY))) == [(Kind.JPEG, bytes(MAX_BODY))]
    with pytest.raises(PipeError):
        encode(Kind.JPEG, bytes(MAX_BODY + 1))


@given(seen)
def test_what_was_seen_comes_back_to_the_byte(one):
    assert Seen.decode(one.encode()) == one


@given(st.one_of(st.binary(max_size=8), st.just(bytes(MAX_PAYLOAD + 3))))
def test_any_body_is_a_sight_or_a_pipe_error(body):
    try:
        assert Seen.decode(body).encode() == body
    except PipeError:
        return


@pytest.mark.parametrize("trouble", Trouble)
def test_troubles_come_back(trouble):
    assert trouble_of(trouble.encode()) is trouble


@pytest.mark.parametrize("body", [b"", b"no_device", b"\xff"])
def test_no_other_trouble_passes(body):
    with pytest.raises(PipeError):
        trouble_of(body)


def test_settings_come_back():
    chosen = CameraSettings("/dev/v4l/by-id/usb-é", 640, 480, 10, -6.5, "auto", 90, False, 3.0)
    assert CameraSettings.decode(chosen.encode()) == chosen
