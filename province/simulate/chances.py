"""How likely each outcome of a kiosk visit is, on a usual day and when something is wrong."""

import random
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WEIGHTS: Final[Mapping[str, float]] = {
    **{"chip": 700, "chip_data": 40, "chip_check": 8, "chip_expired": 6, "chip_not_found": 3, "chip_mismatch": 3},
    **{"qr": 90, "vneid": 45, "chip_failed": 22, "reader_down": 4, "typed": 14, "old_card": 5, "child": 45},
    **{"emergency": 3, "gateway_down": 0, "gateway_error": 2, "account": 1, "unexplained": 4},
}
_OUTAGE_SHARE: Final = 1 / 60

NAMES: Final = tuple(_WEIGHTS)
"""The outcomes (keys of `OUTCOMES`), in the order of the chances."""


class Trouble(StrEnum):
    """What is wrong at a facility for a while, so that there is something to find."""

    READER = "reader"
    TYPING = "typing"
    DESKS = "desks"
    SILENT = "silent"


def _chances(**other: float) -> NDArray[np.float64]:
    weights = np.array(list((dict(_WEIGHTS) | other).values()), dtype=np.float64)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


USUAL: Final = _chances()
OUTAGE: Final = _chances(gateway_down=260, gateway_error=60)
IN_TROUBLE: Final[Mapping[Trouble, NDArray[np.float64]]] = {
    Trouble.READER: _chances(chip=80, chip_data=5, reader_down=620),
    Trouble.TYPING: _chances(chip=280, typed=450),
}


@cache
def is_outage(day: date, seed: int) -> bool:
    """Whether the insurance gateway fails on that day for a good part of everybody."""
    return random.Random(f"{seed} gateway {day.toordinal()}").random() < _OUTAGE_SHARE  # noqa: S311 - no secret
