"""Card or phone: right where it is plain, unknown elsewhere, and never the other one."""

from collections import Counter

import numpy as np
import pytest

from kiosk.model import Carrier
from kiosk.readers.carrier import carrier_of
from kiosk.readers.qr_decoder import QrDecoder
from simulators.frames import render

CARD = "099190000456|364000123|Trần Thị Mẫu|01021990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()


@pytest.mark.parametrize("on", ["card", "phone"])
def test_what_is_told_is_true(on):
    told: Counter[str] = Counter()
    for family in ("nominal", "blur", "rotation", "jpeg", "low_light", "glare", "noise", "inverted"):
        for seed in range(4):
            frame = render(CARD, on=on, family=family, severity=0.4, seed=seed)
            told.update(carrier_of(frame, code.corners).value for code in QrDecoder().decode(frame).codes)
    other = {"card": "phone", "phone": "card"}[on]
    assert told[other] == 0
    assert told[on] >= told.total() * 0.4


@pytest.mark.parametrize(
    "corners",
    [
        (),
        ((0.0, 0.0),) * 4,
        ((0.0, 0.0), (1e9, 0.0), (1e9, 1e9), (0.0, 1e9)),
        ((float("nan"), 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    ],
)
def test_no_corners_raise(corners):
    assert carrier_of(np.full((90, 160), 120, np.uint8), corners) is Carrier.UNKNOWN
