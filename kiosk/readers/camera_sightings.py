"""When a code before the camera is told: once while it is held there, again when it was away for a moment.

Pure; time is handed in, in seconds of a monotonic clock. The pauses are chosen for hurried people with unsteady hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kiosk.readers.camera_choice import choose

AWAY_S: Final = 1.5
"""A person's document that was not read for so long was taken away: shown again, it is told again. Longer than a hand's
shake or a glare makes a code unreadable, shorter than anybody needs to find the next paper.
"""

AWAY_OTHER_S: Final = 12.0
"""The same for all other codes. The screen's advice about one stays ten seconds; a poster in the picture that people
walk by would otherwise bring it back for ever.
"""

SETTLE_S: Final = 0.7
SETTLE_LOOKS: Final = 3
"""Another code than a person's document is told only when it stayed for so long and was read so often: the card beside
it may need these looks to become readable.
"""

AFTER_REFUSAL_S: Final = 4.0
"""Nobody took the code, perhaps because another person was being served: it is told again if it is still held then."""

_MOST: Final = 64


@dataclass(slots=True)
class _Held:
    first: float
    last: float
    looks: int = 0
    document: bool = False
    told: bool = False
    again_at: float | None = None

    @property
    def away(self) -> float:
        return AWAY_S if self.document else AWAY_OTHER_S

    @property
    def settled(self) -> bool:
        return self.document or (self.looks >= SETTLE_LOOKS and self.last - self.first >= SETTLE_S)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told after one look: the code at ``index``, or that people are ``mixed``, or nothing.

    ``document``: that code names a person.
    """

    index: int | None = None
    document: bool = False
    mixed: bool = False


class Sightings:
    """What lies or is held before one camera."""

    def __init__(self) -> None:
        """Nothing is there."""
        self._held: dict[bytes, _Held] = {}
        self._mixed_last: float | None = None

    def look(self, payloads: Sequence[bytes], now: float) -> Telling:
        """Take in the codes of the picture of *now*, largest first."""
        payloads = payloads[:_MOST]
        self._forget(now)
        choice = choose(payloads)
        seen = [self._note(payload, index in choice.documents, now) for index, payload in enumerate(payloads)]
        if choice.mixed:
            news = self._mixed_last is None
            self._mixed_last = now
            return Telling(mixed=news)
        if choice.index is None or not seen[choice.index].settled:
            return Telling()
        held = seen[choice.index]
        due = not held.told or (held.again_at is not None and now >= held.again_at)
        if due:
            held.again_at = None
        # What lies beside it is no news either, should the chosen one be unreadable for a moment.
        for one in seen:
            one.told = True
        return Telling(choice.index, held.document) if due else Telling()

    def refused(self, payload: bytes, now: float) -> None:
        """Nobody took the code that was told: it is told again after a pause if it is still there."""
        if (held := self._held.get(payload)) is not None:
            held.again_at = now + AFTER_REFUSAL_S

    @property
    def unsettled(self) -> bool:
        """Whether a code is there that was not told yet."""
        return any(not held.told for held in self._held.values())

    @property
    def holding(self) -> bool:
        """Whether somebody's document is there, or was a moment ago."""
        return any(held.document for held in self._held.values())

    def _note(self, payload: bytes, document: bool, now: float) -> _Held:
        held = self._held.setdefault(payload, _Held(now, now))
        held.last = now
        held.looks += 1
        held.document = document
        return held

    def _forget(self, now: float) -> None:
        self._held = {payload: held for payload, held in self._held.items() if now - held.last <= held.away}
        while len(self._held) > _MOST:
            del self._held[min(self._held, key=lambda payload: self._held[payload].last)]
        if self._mixed_last is not None and now - self._mixed_last > AWAY_S:
            self._mixed_last = None
