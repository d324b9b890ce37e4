"""What blurred a code is found and undone."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.readers.qr_readings import look
from kiosk.readers.qr_restore import disc, line, movement_in, restored
from tests.readers.qr_world import CARD, symbol


def blurred(kernel):
    grey = np.clip(symbol(CARD), 30, 220)
    return np.asarray(cv2.filter2D(grey, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize("radius", [3.6, 4.2])
def test_a_code_out_of_focus_is_read_when_restored(radius):
    grey = blurred(disc(radius))
    assert look(grey).readings == []
    assert [reading.payload for reading in look(restored(grey, disc(radius))).readings] == [CARD]


@pytest.mark.parametrize("direction", [0.0, 0.6, 1.2, 2.4])
def test_a_code_that_moved_is_read_when_restored_along_the_direction_seen(direction):
    grey = blurred(line(10, direction))
    assert look(grey).readings == []
    kernel = line(10, movement_in(grey).direction)
    assert [reading.payload for reading in look(restored(grey, kernel)).readings] == [CARD]


@settings(max_examples=25)
@given(st.floats(0, np.pi), st.floats(6, 14))
def test_the_direction_of_a_movement_is_seen(direction, length):
    seen = movement_in(blurred(line(length, direction)))
    assert abs(np.sin(seen.direction - direction)) < 0.25
    assert seen.left < 0.7


def test_a_code_held_still_did_not_move():
    assert movement_in(blurred(disc(2.4))).left > 0.8
    assert 0 <= movement_in(np.full((50, 50), 90, np.uint8)).left <= 1
