"""Whether a code stands on a card or on a phone, judged by what surrounds it in a camera frame.

The answer is information for staff and enters no rate: what is not plain is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kiosk.model import Carrier


def carrier_of(grey: NDArray[np.uint8], corners: Sequence[tuple[float, float]]) -> Carrier:
    """What the symbol at *corners* (x, y; in reading order) of *grey*, height x width, stands on."""
    return Carrier.UNKNOWN
