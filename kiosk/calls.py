"""People at a station who want staff: asked for by touch, or by the station itself when somebody does not get on.

In memory only, and without a person: staff see the station and what it is about, and say that somebody went.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

_FORGOTTEN_AFTER: Final = timedelta(minutes=30)


class CallKind(StrEnum):
    """What it is about, the most urgent first."""

    EMERGENCY = "emergency"
    HELP = "help"
    TROUBLE = "trouble"
    CARD_LEFT = "card_left"


@dataclass(frozen=True, slots=True)
class Call:
    """One call; ``number`` is its name for staff."""

    number: int
    station: str
    kind: CallKind
    at: datetime


class Calls:
    """The open calls of a daemon's stations."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """None is open."""
        self._clock = clock
        self._numbers = itertools.count(1)
        self._open: dict[tuple[str, CallKind], Call] = {}

    def call(self, station: str, kind: CallKind) -> None:
        """Somebody at *station* wants staff; calling again about the same changes nothing but the time."""
        now = self._clock()
        open_call = self._open.get((station, kind))
        call = Call(next(self._numbers), station, kind, now) if open_call is None else replace(open_call, at=now)
        self._open[station, kind] = call

    def over(self, station: str, kind: CallKind) -> None:
        """What *station* called about has ended by itself."""
        self._open.pop((station, kind), None)

    def answered(self, number: int) -> bool:
        """Somebody went there; False if it was not open any more."""
        key = next((key for key, call in self._open.items() if call.number == number), None)
        return key is not None and self._open.pop(key, None) is not None

    def open(self) -> Iterable[Call]:
        """The open calls, the most urgent first, then the oldest; what nobody answered for long is dropped."""
        since = self._clock() - _FORGOTTEN_AFTER
        self._open = {key: call for key, call in self._open.items() if call.at > since}
        order = list(CallKind)
        return sorted(self._open.values(), key=lambda call: (order.index(call.kind), call.number))
