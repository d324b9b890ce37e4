"""The generator of camera frames: the same from the same seed, a new hand at each look, the code really in it."""

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.frames import EMPTY, FAMILIES, picture, qr_symbol, render

CARD = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()


def read(frame):
    return [code.bytes for code in zxingcpp.read_barcodes(frame)]


@pytest.mark.parametrize("family", [*FAMILIES, "none"])
def test_a_frame_follows_from_its_seed_and_look(family):
    def frame(seed, look):
        return render(CARD, family=family, seed=seed, look=look)

    assert np.array_equal(frame(1, 1), frame(1, 1))
    assert not np.array_equal(frame(1, 1), frame(1, 2))
    assert not np.array_equal(frame(1, 1), frame(2, 1))


@pytest.mark.parametrize("family", [*FAMILIES, "none"])
@pytest.mark.parametrize("on", ["card", "phone"])
def test_frames_are_grey_and_of_the_size_asked_for(family, on):
    frame = render(CARD, on=on, family=family, severity=1.0, size=(640, 480))
    assert frame.shape == (480, 640)
    assert frame.dtype == np.uint8


@pytest.mark.parametrize("on", ["card", "phone"])
def test_the_code_is_in_plain_frames_byte_for_byte(on):
    for seed in range(5):
        assert read(render(CARD, on=on, seed=seed)) == [CARD]


def test_severity_hides_the_code():
    mild, hopeless = (
        [read(render(CARD, family=family, severity=severity, seed=3)) for family in ("blur", "small", "motion")]
        for severity in (0.0, 1.0)
    )
    assert mild == [[CARD]] * 3
    assert hopeless == [[]] * 3


def test_two_codes_are_both_there_and_nobody_has_none():
    assert sorted(read(render(CARD, family="two_codes", seed=2, other=b"other"))) == [CARD, b"other"]
    assert [read(render(CARD, family="none", seed=seed)) for seed in range(len(EMPTY))] == [[]] * len(EMPTY)


def test_a_phone_in_dark_mode_shows_light_modules():
    symbol, inverted = (zxingcpp.read_barcodes(render(CARD, on="phone", family=family, seed=1), try_invert=False)
                        for family in ("nominal", "inverted"))  # fmt: skip
    assert len(symbol) == 1
    assert inverted == []


@settings(max_examples=15)
@given(st.binary(min_size=1, max_size=150), st.sampled_from("lmqh"), st.booleans())
def test_a_symbol_holds_its_bytes_or_its_declared_text(payload, level, eci):
    if eci:
        payload = payload.hex().encode()
    grey = np.kron(qr_symbol(payload, level=level, eci=eci), np.ones((3, 3), np.uint8))
    assert read(grey) == [payload]


def test_a_picture_is_the_frame_again():
    frame = render(CARD)
    assert np.array_equal(cv2.imdecode(np.frombuffer(picture(frame), np.uint8), cv2.IMREAD_GRAYSCALE), frame)
    assert picture(frame, ".jpg")[:2] == b"\xff\xd8"


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="no such family"):
        render(CARD, family="fog")
