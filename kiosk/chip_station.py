"""A station with a card reader: the chip is asked for, read, and proves who stands here.

Scan the QR, then lay the card down; or the card first, then its number. Nobody is held up by a chip: two failures, a
dead reader, a touch of "I can't" or half a minute without a card, and the person goes on with the QR (invariant 10).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from kiosk.calls import CallKind
from kiosk.card_slot import CardSlot, ChipTrouble
from kiosk.checkin import Key
from kiosk.chip_checkin import chip_not_read, chip_read
from kiosk.chip_model import ChipReading
from kiosk.chip_step import ChipPart, ChipStep
from kiosk.documents.card_number import classify_number
from kiosk.emrtd.results import ChipRead
from kiosk.errors import StoreError
from kiosk.events import NotByChip
from kiosk.lane_station import LaneStation
from kiosk.model import Carrier, CarrierSource, Document, DocumentKind, Identity, KeyKind, Method
from kiosk.portraits import Portraits
from kiosk.privacy import mask_number
from kiosk.records import CheckIn
from kiosk.station_model import InFront, ScanRefused, StationBusy, Touch
from kiosk.station_views import number_of

_BY_QR: Final = (Method.QR_CCCD, Method.VNEID_TOKEN, Method.BHYT_QR)

ON_PHONE: Final = "phone"
"""The value of ``skip_chip`` with which people say that they show a phone."""


class ChipStation(LaneStation):
    """One station whose people may lay their cards down."""

    def __init__(self, *args: Any, chip: ChipPart, **options: Any) -> None:
        """*chip*: the reader and the policy; everything else as for ``Station``."""
        super().__init__(*args, **options)
        self._part = chip
        self._chip = ChipStep(chip, self._checkins)
        self._number_waits: InFront | None = None
        self._laid_since = False
        self._screen.flag(card_reader=chip.slot.attached, provider=chip.judge.asks_provider)

    @property
    def slot(self) -> CardSlot:
        """Where the card lies."""
        return self._part.slot

    @property
    def portraits(self) -> Portraits | None:
        """What staff may glance at, if the facility wants that."""
        return self._part.portraits

    def _forget(self) -> None:
        self._chip.settle()
        super()._forget()
        self._chip = ChipStep(self._part, self._checkins)
        self._number_waits = None

    def _show_ticket(self, checkin: CheckIn, *, again: bool = False) -> None:
        self._laid_since = False
        super()._show_ticket(checkin, again=again)

    # -- what the reader tells ---------------------------------------------------------------------------------

    async def card_laid(self) -> None:
        """A card lies on the reader: read it for the person in front, or ask whose it is.

        A ticket stays for its time; whose card lies here is asked after it, and so it is after a code of which it is
        being asked whose it is.
        """
        async with self._moving:
            self._laid_since = True
            if self._asking is not None:
                return
            if not self._serving and self.phase in ("idle", "reading"):
                waiting = self._number_waits
                self._forget()
                if waiting is None:
                    self._ask_for_number()
                else:
                    self._presented = waiting
                    self._read_card()
            elif (
                self.phase in ("place_card", "confirm")
                and self._presented is not None
                and self._presented.key.method is not Method.CHIP_CCCD
                and self._presented.key.kind is KeyKind.PERSONAL_12
                and not self._chip.hopeless
            ):
                self._read_card()

    async def card_removed(self) -> None:
        """The card is gone; a read under way tells by itself what that means for it."""
        async with self._moving:
            if self._calls is not None:
                self._calls.over(self.id, CallKind.CARD_LEFT)
            if self._screen.data["view"] == "forgotten_card" or (
                self.phase == "place_card" and self._presented is None
            ):
                self._go_idle()
            elif "ticket" in self._screen.data and not self._laid_since:
                self._screen.shorten(self._timings.card_taken)

    def card_reader_changed(self, attached: bool) -> None:
        """The card reader was unplugged or came back; nobody is left waiting for a dead one."""
        self._screen.flag(card_reader=attached)
        if attached or self.phase != "place_card":
            return
        if self.checkin_id is None:  # the QR is what still works
            self._forget()
            clear = self._timings.unreadable
            self._screen.show("reading", "unreadable", error="CARD_READER_DOWN", clear_after=clear)
        else:
            self._start(self._clear(self._screen.data))

    async def chip_pushed(self, read: ChipRead, reader: str | None = None) -> str:
        """Take the files that a vendor's *reader* program brought, already checked; returns the check-in id.

        Errors as ``scan``; ScanRefused CHIP_ERROR when the files name nobody.
        """
        self._refuse_now()
        before = self._presented
        try:  # a provider may be asked here: the person can go on meanwhile
            reading = await self._part.judge.reading(read, self._scanned(), reader=reader)
        except ChipTrouble as exc:
            raise ScanRefused(exc.code) from None
        if reading.identity.personal_id is None:
            raise ScanRefused("CHIP_ERROR")
        async with self._moving:
            self._refuse_now()
            if self._serving and self._presented is not before:
                raise StationBusy("another document came first")
            if not self._serving:
                self._forget()
            key = Key(reading.identity.personal_id, KeyKind.PERSONAL_12, Method.CHIP_CCCD)
            self._refuse_others(key)
            return await self._chip_done(reading, key)

    def _refuse_now(self) -> None:
        if self.phase in ("out_of_order", "checking", "choose_service"):
            raise StationBusy("not now")

    # -- the chip of the person in front -----------------------------------------------------------------------

    def _names_nobody(self, document: Document, *, lay: bool = False) -> None:
        """A number alone opens the chip of the card that lies here, or of the one that is laid down next."""
        person = number_of(document)
        if person is None or not self._part.slot.attached:
            super()._names_nobody(document)
        elif not self._chip.card_lies_here:
            try:
                super()._names_nobody(document, lay=True)
            finally:
                self._number_waits = person
        else:
            self._admit(person)
            if self.phase != "place_card":  # there it was asked for, and failures with this card count on
                self._forget()
            self._presented = person
            self._read_card()

    async def _next(self, person: InFront) -> None:
        reason = await self._chip.why_not_ask(str(self.checkin_id), person.key)
        if reason is None:
            self._ask_for_card()
        else:
            await self._without_chip(reason)

    async def _went_on(self) -> bool:
        if self.phase != "place_card" or self.checkin_id is None:
            return False
        await self._without_chip(self._chip.reason_without())
        return True

    async def _clear(self, screen: dict[str, Any], *, left: bool = False) -> None:
        had_ticket = "ticket" in screen
        await super()._clear(screen, left=left)
        async with self._moving:
            if self.phase != "idle" or left:
                return
            if had_ticket and self._part.slot.lies and not self._laid_since:
                self._called(CallKind.CARD_LEFT)
                self._screen.show("idle", "forgotten_card")
            elif self._chip.card_lies_here:
                self._ask_for_number()

    async def _take(self, touch: Touch) -> None:
        match self.phase, touch.answer:
            case (("place_card" | "reading"), "skip_chip") if self.checkin_id is not None:
                await self._without_chip(self._chip.reason_without(), phone=touch.value == ON_PHONE)
            case "reading", ("skip_chip" | "call_staff") if self._presented is not None:
                await self._number_to_staff("called_by_patient" if touch.answer == "call_staff" else "chip_failed")
            case "place_card", "number" if self.checkin_id is None:
                self._take_number(touch.value or "")
            case _:
                await super()._take(touch)

    def _scanned(self) -> Identity | None:
        """What the card's own QR said, if it was scanned."""
        return self._presented.document.identity if self._presented and self._presented.key.method in _BY_QR else None

    def _ask_for_card(self, trouble: str | None = None) -> None:
        if trouble is None and self._chip.card_lies_here:
            self._read_card()
            return
        number = mask_number(self._presented.key.number) if self._presented else None
        wait = self._timings.place_card
        self._screen.show("place_card", "place_card", clear_after=wait, trouble=trouble, number=number)

    def _ask_for_number(self, trouble: str | None = None) -> None:
        wait = self._timings.number
        self._screen.show("place_card", "need_number", clear_after=wait, trouble=trouble)

    def _take_number(self, typed: str) -> None:
        """The number of a card that lies here, typed because no QR was scanned."""
        classified = classify_number(typed)
        if classified is None or classified[0] is not KeyKind.PERSONAL_12:
            raise ScanRefused("BAD_ID_NUMBER")
        number = classified[1]
        document = Document(DocumentKind.NUMBER, Identity(personal_id=number))
        person = InFront(document, Key(number, KeyKind.PERSONAL_12, Method.MANUAL_ID))
        self._admit(person)
        self._presented = person
        self._read_card()

    def _read_card(self) -> None:
        self._screen.show("reading", "reading_chip", waited=0)
        self._start(self._guarded(self._read_chip(self._chip)))

    async def _read_chip(self, chip: ChipStep) -> None:
        if self._presented is None:
            return
        number = self._presented.key.number
        reading, trouble = None, ""
        try:
            reading = await chip.read(number, self._scanned(), self.checkin_id, another=self._another)
        except ChipTrouble as exc:
            trouble = exc.code
        async with self._moving:
            if chip is not self._chip or self.phase != "reading":
                return  # the person went on without it
            if reading is None:
                await self._after_trouble(trouble)
            else:
                if self.checkin_id is None:  # the key needs six digits only: the others may have been mistyped
                    number = reading.identity.personal_id or number
                await self._chip_done(reading, Key(number, KeyKind.PERSONAL_12, Method.CHIP_CCCD))

    async def _after_trouble(self, code: str) -> None:
        if not self._chip.hopeless and self.checkin_id is None:  # the number may have been mistyped
            self._presented = None
            self._ask_for_number(trouble=code)
            return
        await self._part.slot.let_go()  # it is to be laid down once more, or taken away
        if not self._chip.hopeless:
            self._ask_for_card(trouble=code)
        elif self.checkin_id is not None:
            await self._without_chip(self._chip.reason_without())
        else:
            await self._number_to_staff("chip_failed")

    async def _number_to_staff(self, reason: str) -> None:
        """A number alone names nobody: staff help."""
        if self._presented is None:
            return
        opened = await self._open(self._presented)
        checkin_id = opened.checkin.checkin_id
        await chip_not_read(self._checkins, checkin_id, NotByChip.CHIP_FAILED.value)
        self._screen.show("checking", "checking", step="registering", waited=0)
        self._start(self._guarded(self._to_staff(checkin_id, reason)))

    async def _without_chip(self, reason: NotByChip, *, phone: bool = False) -> None:
        """Go on with what the QR said, and keep why; *phone*: the person said that it stands on a phone."""
        if self._presented is None:
            return
        try:
            if reason is not NotByChip.CHIP_NOT_ASKED:
                await chip_not_read(self._checkins, str(self.checkin_id), reason.value, phone=phone)
        except StoreError:
            self.break_down("store")
            raise
        self._chip.settle()
        if phone:
            self._presented = replace(self._presented, carrier=Carrier.PHONE, carrier_source=CarrierSource.ASKED)
        self._ask_who(self._presented, chip_failed=reason is NotByChip.CHIP_FAILED)

    async def _chip_done(self, reading: ChipReading, key: Key) -> str:
        """The chip was read to its end: the check-in rests on it now."""
        person = InFront(Document(DocumentKind.CHIP, reading.identity), key)
        if self.checkin_id is None:
            self._admit(person)
            opened = await self._open(person)
            if opened.again:
                self._show_ticket(opened.checkin, again=True)
                return opened.checkin.checkin_id
        checkin_id = str(self.checkin_id)
        try:
            await chip_read(self._checkins, checkin_id, reading)
        except StoreError:
            self.break_down("store")
            raise
        self._chip.settle()
        self._chip.show_portrait(checkin_id)
        self._presented = person
        if reading.staff_reason is None:
            self._ask_who(person)
        else:
            self._screen.show("checking", "checking", step="insurance", waited=0)
            self._start(self._guarded(self._doubted(checkin_id, reading.staff_reason)))
        return checkin_id

    async def _doubted(self, checkin_id: str, reason: str) -> None:
        if self._chip.early is not None:
            await self._chip.early
        await self._to_staff(checkin_id, reason)

    async def _look_up(self, checkin_id: str) -> CheckIn:
        return await (self._chip.early or super()._look_up(checkin_id))
