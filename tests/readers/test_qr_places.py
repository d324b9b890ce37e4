"""Where a code may be, by its texture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.readers.qr_places import Place, place_of, places_in
from simulators.frames import render
from tests.readers.qr_world import CARD, symbol


@settings(max_examples=25)
@given(st.integers(0, 900), st.integers(0, 400), st.integers(3, 5))
def test_a_code_is_found_wherever_it_is(left, top, module):
    frame = np.full((720, 1280), 120, np.uint8)
    code = np.kron(symbol(CARD)[::4, ::4], np.ones((module, module), np.uint8))
    frame[top : top + len(code), left : left + len(code)] = code
    place, *_ = places_in(frame, 2)
    assert place.overlaps(Place(left, top, len(code)))
    assert 0.6 < place.side / len(code) < 1.5


def test_large_pictures_are_looked_at_in_the_same_way():
    frame = np.full((3000, 4000), 120, np.uint8)
    code = np.kron(symbol(CARD), np.ones((3, 3), np.uint8))
    frame[1000 : 1000 + len(code), 2000 : 2000 + len(code)] = code
    place, *_ = places_in(frame, 2)
    assert place.overlaps(Place(2000, 1000, len(code)))


@pytest.mark.parametrize("seed", range(4))  # desk, hand, ceiling, face
def test_nothing_that_is_before_an_idle_kiosk_has_the_texture_of_a_code(seed):
    assert places_in(render(b"", family="none", seed=seed), 2) == []


def test_a_crop_stays_within_the_frame():
    frame = np.arange(200, dtype=np.uint8).reshape(10, 20)
    left, top, crop = Place(-5, -5, 100).crop(frame)
    assert (left, top, crop.shape) == (0, 0, (10, 20))
    assert Place(500, 500, 20).crop(frame)[2].size == 0
    assert place_of(((3.0, 4.0), (9.0, 4.0), (9.0, 8.0), (3.0, 8.0))) == Place(3.0, 4.0, 6.0)
