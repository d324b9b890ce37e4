"""The decoder on simulated frames: exact bytes, the ladder, second opinions, disputes, and any array at all."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kiosk.readers.qr_decoder import FrameCodes, PictureUnreadable, QrDecoder, decode_picture
from kiosk.readers.qr_readings import look
from simulators.frames import FAMILIES, picture, render
from tests.readers.qr_world import CARD, PAYMENT, symbol

SHORT = "Nở|13081980".encode()
SMALL = {kind: picture(symbol(SHORT), kind) for kind in (".png", ".jpg", ".webp", ".bmp")}


class Other:
    """A second decoder that says what a test makes it say, at the place where it is asked."""

    def __init__(self, *payloads):
        self.payloads = list(payloads)
        self.looks = []

    @property
    def asked(self):
        return len(self.looks)

    def scan(self, grey):
        height, width = grey.shape
        self.looks.append(max(grey.shape))
        middle = [(x * width, y * height) for x, y in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))]
        said = self.payloads.pop(0) if self.payloads else None
        return [(said, tuple(middle))] if said else []


def payloads(frame_codes):
    return [code.payload for code in frame_codes.codes]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("on", ["card", "phone"])
def test_mild_frames_of_each_family_are_read_exactly(family, on):
    decoder = QrDecoder()
    frames = [render(CARD, on=on, family=family, severity=0.15, seed=4, look=at, other=PAYMENT) for at in range(4)]
    read = [payload for frame in frames for payload in payloads(decoder.decode(frame))]
    assert CARD in read
    assert set(read) <= {CARD, PAYMENT}


# Seeds of frames on which zxing-cpp alone finds nothing.
@pytest.mark.parametrize(
    ("family", "on", "severity", "seed"),
    [
        ("small", "card", 0.7, 2),
        ("blur", "card", 0.35, 10),
        ("motion", "phone", 0.6, 5),
        ("noise", "card", 0.7, 2),
        ("reflection", "card", 0.9, 2),
        ("low_light", "card", 0.9, 4),
        ("glare", "card", 0.9, 3),
    ],
)
def test_the_ladder_reads_what_the_first_decoder_does_not(family, on, severity, seed):
    frames = [render(CARD, on=on, family=family, severity=severity, seed=seed, look=0)] * 5
    assert look(frames[0]).readings == []
    decoder = QrDecoder()
    assert CARD in [payload for frame in frames for payload in payloads(decoder.decode(frame))]
    assert payloads(decode_picture(picture(frames[0]))) == [CARD]


def test_two_codes_in_one_frame_are_both_given():
    frame = render(CARD, on="card", family="two_codes", severity=0.1, seed=1, other=PAYMENT)
    assert sorted(payloads(QrDecoder().decode(frame))) == [PAYMENT, CARD]


def test_a_short_text_is_exact_although_zbar_was_asked():
    found = QrDecoder().decode(render(SHORT, on="phone", severity=0.1, seed=3))
    assert [(code.payload, code.by) for code in found.codes] == [(SHORT, ("zxing", "zbar"))]


def test_the_corners_are_those_of_the_symbol_in_the_frame():
    grey = np.pad(symbol(CARD), ((40, 90), (70, 20)), constant_values=255)
    (code,) = QrDecoder().decode(grey).codes
    upper_left, _, lower_right, _ = code.corners
    assert np.allclose(upper_left, (70 + 16, 40 + 16), atol=3)
    assert np.allclose(lower_right, (grey.shape[1] - 20 - 16, grey.shape[0] - 90 - 16), atol=3)


def test_a_new_code_gets_a_second_opinion_at_once_and_a_held_one_now_and_then():
    other = Other(*[CARD] * 9)
    decoder = QrDecoder(other)
    frame = render(CARD, severity=0.1)
    by = [decoder.decode(frame).codes[0].by for _ in range(14)]
    assert by[0] == ("zxing", "zbar")
    assert other.asked == by.count(("zxing", "zbar")) == 2


def test_a_disputed_code_is_reported_and_not_believed_until_both_agree():
    decoder = QrDecoder(Other(b"something else", None, CARD))
    frame = render(CARD, severity=0.1)
    assert decoder.decode(frame) == FrameCodes((), 1)
    assert decoder.decode(frame) == FrameCodes((), 1)
    assert payloads(decoder.decode(frame)) == [CARD]
    assert decoder.decode(frame) == FrameCodes((), 1)


def test_a_dispute_is_forgotten_in_the_end():
    decoder = QrDecoder(Other(b"something else"))
    frame = render(CARD, severity=0.1)
    found = [decoder.decode(frame) for _ in range(70)]
    assert found[0].disputed == 1
    assert payloads(found[-1]) == [CARD]


def test_a_dispute_about_one_code_leaves_the_other():
    frame = render(CARD, on="card", family="two_codes", severity=0.1, seed=1, other=PAYMENT)
    first = look(frame).readings[0].payload
    found = QrDecoder(Other(b"something else")).decode(frame)
    assert found.disputed == 1
    assert payloads(found) == [payload for payload in (PAYMENT, CARD) if payload != first]


def test_nobody_there_is_no_code():
    for seed in range(10):
        assert QrDecoder().decode(render(b"", family="none", seed=seed)) == FrameCodes()


def test_work_on_a_wall_of_print_has_an_end():
    other = Other()
    decoder = QrDecoder(other)
    poster = render(b"", family="none", seed=4)
    for _ in range(60):
        decoder.decode(poster)
    assert sum(side > 360 for side in other.looks) <= 6  # a glance costs little; 10 rungs, then one every third frame


@pytest.mark.parametrize(
    "grey",
    [
        np.zeros((0, 0), np.uint8),
        np.zeros((1, 1), np.uint8),
        np.zeros((0, 500), np.uint8),
        np.zeros((21, 30_000), np.uint8),
        np.zeros((30_000, 21), np.uint8),
        np.zeros((7000, 7000), np.uint8),
        np.zeros((50, 50, 3), np.uint8),
        np.zeros((50, 50), np.float32),
        np.zeros(50, np.uint8),
    ],
    ids=lambda grey: f"{grey.shape} {grey.dtype}",
)
def test_odd_arrays_are_frames_without_codes(grey):
    decoder = QrDecoder()
    assert [decoder.decode(grey) for _ in range(4)] == [FrameCodes()] * 4


def test_a_view_that_is_not_contiguous_is_read():
    frame = render(CARD, severity=0.1)
    assert payloads(QrDecoder().decode(np.repeat(frame, 2, axis=1)[:, ::2])) == [CARD]


@settings(max_examples=60)
@given(
    arrays.arrays(
        np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90)), elements=st.sampled_from([0, 90, 255]), fill=None
    )
)
def test_random_pictures_never_raise(grey):
    decoder = QrDecoder()
    for _ in range(5):
        assert isinstance(decoder.decode(grey), FrameCodes)
    assert isinstance(decoder.decode_once(grey), FrameCodes)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(21, 400), st.integers(21, 400), st.floats(1, 90))
def test_grain_of_any_size_holds_no_code(seed, height, width, sigma):
    grain = np.random.default_rng(seed).normal(128, sigma, (height, width)).clip(0, 255).astype(np.uint8)
    assert QrDecoder().decode_once(grain) == FrameCodes()


@pytest.mark.parametrize("kind", [".png", ".jpg", ".webp", ".bmp"])
def test_pictures_of_all_kinds_are_read(kind):
    found = decode_picture(picture(render(CARD, severity=0.1), kind))
    assert [(code.payload, code.by) for code in found.codes] == [(CARD, ("zxing", "zbar"))]


def test_one_of_two_codes_in_a_picture_may_need_the_ladder():
    easy = render(PAYMENT, on="phone", severity=0.1, seed=2)
    hard = render(CARD, family="small", severity=0.7, seed=2)
    assert look(hard).readings == []
    found = decode_picture(picture(np.hstack([easy, hard])))
    assert sorted(payloads(found)) == [PAYMENT, CARD]


@given(st.binary(max_size=300))
def test_no_bytes_but_pictures_are_looked_at(data):
    with pytest.raises(PictureUnreadable) as refused:
        decode_picture(data)
    assert refused.value.code == "PICTURE_UNREADABLE"


@settings(max_examples=60)
@given(st.integers(0, 400), st.integers(0, 255), st.sampled_from([".png", ".jpg", ".webp", ".bmp"]))
def test_damaged_pictures_are_read_or_refused(at, value, kind):
    data = bytearray(SMALL[kind])
    data[at % len(data)] = value
    with contextlib.suppress(PictureUnreadable):
        assert set(payloads(decode_picture(bytes(data)))) <= {SHORT}
