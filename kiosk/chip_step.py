"""One person's chip at one station: whether it is asked for, the read with its early lookup, and when to give up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kiosk.card_slot import CardSlot, ChipTrouble
from kiosk.checkin import CheckIns, Key
from kiosk.chip_checkin import chip_seen_on
from kiosk.chip_model import ChipReading
from kiosk.chip_reading import OTHER_PERSON, ChipJudge
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.lds import Portrait, portrait
from kiosk.events import NotByChip
from kiosk.model import Identity, KeyKind, Method, local_day
from kiosk.portraits import Portraits
from kiosk.records import CheckIn

log = logging.getLogger(__name__)

MAX_FAILURES: Final = 2
CHIP_PERIOD: Final = timedelta(days=90)
_NO_CARD_SHOWN: Final = {Method.BHYT_QR: NotByChip.NO_CARD, Method.VNEID_TOKEN: NotByChip.CHIP_NOT_ASKED}


@dataclass(frozen=True, slots=True)
class ChipPart:
    """What a station with a card reader has. ``policy``: chip_first, chip_periodic or qr_first.

    ``portraits``: where staff may glance at those of chips read just now; None: not wanted.
    """

    slot: CardSlot
    judge: ChipJudge
    policy: str = "chip_first"
    portraits: Portraits | None = None


class ChipStep:
    """The chip of the person who stands here now; a new person gets a new one."""

    def __init__(self, part: ChipPart, checkins: CheckIns) -> None:
        """*part*: the reader of this station and its policy."""
        self._part = part
        self._checkins = checkins
        self._proven: asyncio.Future[None] | None = None
        self._portrait: Portrait | None = None
        self._settled = False
        self.failures = 0
        self.early: asyncio.Task[CheckIn] | None = None

    @property
    def card_lies_here(self) -> bool:
        """Whether a card can be read right now."""
        return self._part.slot.card is not None

    @property
    def hopeless(self) -> bool:
        """Whether another try would only keep the queue waiting."""
        return self.failures >= MAX_FAILURES or not self._part.slot.attached

    async def why_not_ask(self, checkin_id: str, key: Key) -> NotByChip | None:
        """None when the person is to be asked for the card itself, else why not.

        Policy, or no reader; and nobody is asked for a card who showed that there is none at hand: a BHYT card names
        no chip, and a changing VNeID code was verified on a phone. A card that lies here anyway is read.
        """
        if key.kind is not KeyKind.PERSONAL_12:
            return NotByChip.NO_CARD
        if key.method in _NO_CARD_SHOWN and not self.card_lies_here:
            return _NO_CARD_SHOWN[key.method]
        if not self._part.slot.attached:
            return NotByChip.READER_DOWN
        if self._part.policy == "qr_first" and not self.card_lies_here:
            return NotByChip.CHIP_NOT_ASKED
        if self._part.policy == "chip_periodic" and not self.card_lies_here:
            seen = await chip_seen_on(self._checkins, checkin_id)
            if seen is not None and local_day(self._checkins.clock()) - seen < CHIP_PERIOD:
                return NotByChip.CHIP_NOT_ASKED
        return None

    def reason_without(self) -> NotByChip:
        """Why this person goes on without the chip, now that nobody tries it any more."""
        if not self._part.slot.attached:
            return NotByChip.READER_DOWN
        return NotByChip.CHIP_FAILED if self.failures else NotByChip.PATIENT_CHOSE_QR

    async def read(self, number: str, qr: Identity | None, checkin_id: str | None, *, another: bool) -> ChipReading:
        """Read the chip with the key of *number*; ChipTrouble when that failed, and ``failures`` counts it.

        With a *checkin_id* the gateway is asked as soon as the person is known by signed hashes (``early``); what it
        answers is kept when ``settle`` says that this read is over.
        """

        def identified(files: Mapping[str, bytes]) -> None:
            if checkin_id is None or self.early is not None or self._settled:
                return
            try:
                person = self._part.judge.person(files, qr)
            except ChipTrouble:
                return
            if person.mismatches:
                return
            self._proven = asyncio.get_running_loop().create_future()
            asking = self._checkins.look_up(checkin_id, another=another, identity=person.identity, proven=self._proven)
            self.early = asyncio.create_task(asking, name="early-lookup")
            _EARLY.add(self.early)
            self.early.add_done_callback(_told)

        try:
            read = await self._part.slot.read(number, identified)
            reading = await self._part.judge.reading(read, qr)
            if qr is not None and reading.staff_reason == OTHER_PERSON:
                raise ChipTrouble("WRONG_KEY")  # the key has six digits only: somebody else's card may take it
        except ChipTrouble as exc:
            self.failures += 1
            log.info("chip not read", extra={"code": exc.code})
            raise
        with contextlib.suppress(DataError, KeyError):
            self._portrait = portrait(read.files["DG2"])
        return reading

    def show_portrait(self, checkin_id: str) -> None:
        """Let staff glance at the portrait that was read, if that is wanted."""
        if self._portrait is not None and self._part.portraits is not None:
            self._part.portraits.keep(checkin_id, self._portrait.format, self._portrait.data)

    def settle(self) -> None:
        """What this check-in rests on is written: an early answer may now be kept, and none is asked for any more."""
        self._settled = True
        if self._proven is not None and not self._proven.done():
            self._proven.set_result(None)


_EARLY: Final[set[asyncio.Task[CheckIn]]] = set()
"""Held until they end: the person may have gone, and their lookups count all the same."""


def _told(task: asyncio.Task[CheckIn]) -> None:
    _EARLY.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("early lookup not kept", extra={"kind": type(error).__name__})
