"""Card or phone, from the frame around a code: right or unknown, never one for the other."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.model import Carrier
from kiosk.readers.carrier import carrier_of
from kiosk.readers.qr_readings import look
from simulators.frames import FAMILIES, render
from tests.readers.qr_world import CARD, symbol

PHONES_ONLY = {"inverted", "card_on_phone"}


def seen(on, family, seed, severity=0.3):
    """What the carrier of the code is taken for; nothing when the code cannot be read."""
    frame = render(CARD, on=on, family=family, severity=severity, seed=seed)
    return [carrier_of(frame, code.corners) for code in look(frame).readings if code.payload == CARD]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_card_is_never_taken_for_a_phone_nor_a_phone_for_a_card(family):
    for seed in range(40, 45):
        assert Carrier.CARD not in seen("phone", family, seed)
        if family not in PHONES_ONLY:
            assert Carrier.PHONE not in seen("card", family, seed)


def test_phones_are_known_in_nine_of_ten_plain_frames():
    verdicts = Counter(verdict for seed in range(20) for verdict in seen("phone", "nominal", seed))
    assert verdicts[Carrier.PHONE] >= 18


def test_cards_are_known_where_their_corner_is_to_be_seen():
    """In a third of the frames or more: people hold the code, not the card, into the middle."""
    verdicts = Counter(verdict for seed in range(20) for verdict in seen("card", "small", seed, severity=0.0))
    assert verdicts[Carrier.CARD] >= 7
    assert set(verdicts) == {Carrier.CARD, Carrier.UNKNOWN}


def test_the_picture_of_a_card_on_a_phone_is_not_a_card():
    assert {verdict for seed in range(12) for verdict in seen("phone", "card_on_phone", seed)} <= {
        Carrier.UNKNOWN,
        Carrier.PHONE,
    }


def test_a_bare_symbol_is_unknown():
    grey = np.pad(symbol(CARD), 200, constant_values=255)
    (code,) = look(grey).readings
    assert carrier_of(grey, code.corners) is Carrier.UNKNOWN


coordinates = st.one_of(st.floats(-1e4, 1e4), st.sampled_from([float("nan"), float("inf"), 0.0, 1e30]))


@given(st.lists(st.tuples(coordinates, coordinates), max_size=5))
def test_any_corners_are_answered(corners):
    assert carrier_of(np.full((90, 120), 128, np.uint8), corners) is Carrier.UNKNOWN


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (3, 3, 3), (24, 5000)])
def test_any_frame_is_answered(shape):
    square = ((2.0, 2.0), (22.0, 2.0), (22.0, 22.0), (2.0, 22.0))
    assert carrier_of(np.zeros(shape, np.uint8), square) is Carrier.UNKNOWN
