"""Whoever does not come alone with a card: with a child, for somebody else, without any document, as an emergency.

The person who acts is not the patient: of a document that they showed first nothing is kept. A typed number names
nobody surely; a child of whom the hospital knows number and birth date is served like anybody, everyone else gets a
number and goes on at the desk.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from kiosk.ages import ADULT_FROM, CARD_FROM, may_be_under, surely_under
from kiosk.calls import CallKind
from kiosk.checkin import Arrival, Key
from kiosk.documents.card_number import classify_number
from kiosk.documents.personal_id import birth_year_of
from kiosk.errors import StoreError
from kiosk.events import NotByChip
from kiosk.model import Document, DocumentKind, Identity, KeyKind, Lane, Method, PartialDate, local_day
from kiosk.records import CheckIn
from kiosk.staff_entry import OLDEST
from kiosk.station_model import Company, InFront, ScanRefused, Touch
from kiosk.stations import Station

_OPEN: Final = ("idle", "unreadable", "for_other", "no_card", "called")


class LaneStation(Station):
    """A station that serves these people too."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """As for ``Station``."""
        super().__init__(*args, **options)
        self._company: Company | None = None

    # -- whose visit it is -------------------------------------------------------------------------------------

    def _go_idle(self) -> None:
        self._company = None
        super()._go_idle()

    def break_down(self, reason: str) -> None:
        """As for ``Station``."""
        self._company = None
        super().break_down(reason)

    def _show_ticket(self, checkin: CheckIn, *, again: bool = False) -> None:
        self._company = None
        super()._show_ticket(checkin, again=again)

    def _arrival(self, person: InFront) -> Arrival:
        arrival = super()._arrival(person)
        return arrival if self._company is None else replace(arrival, lane=Lane.GUARDIAN)

    def _admit(self, person: InFront) -> None:
        identity = person.document.identity or Identity()
        if self._company is Company.CHILD and not self._can_be_child(identity):
            self._ask_whose(Company.CHILD, trouble="ADULT")
            raise ScanRefused("NOT_A_CHILD")

    def _can_be_child(self, person: Identity) -> bool:
        """Whether birth date, and the year that stands in the number, leave it possible."""
        number = person.personal_id
        if number is not None and not may_be_under(ADULT_FROM, _of_year(birth_year_of(number)), self._today()):
            return False
        return may_be_under(ADULT_FROM, person, self._today())

    def _today(self) -> date:
        return local_day(self._checkins.clock())

    async def _present(self, person: InFront, *, another: bool = False) -> str:
        self._admit(person)
        identity, day = person.document.identity or Identity(), self._today()
        if surely_under(CARD_FROM, identity, day):
            self._company = self._company or Company.CHILD
            if person.key.method is not Method.QR_CCCD:
                person = replace(person, not_by_chip=NotByChip.CHILD.value)
        return await super()._present(person, another=another)

    def _ask_who(self, person: InFront, *, chip_failed: bool = False) -> None:
        super()._ask_who(person, chip_failed=chip_failed)
        if self._company is not None:
            self._screen.add(company=self._company.value)

    def _ask_whose(self, company: Company, *, trouble: str | None = None) -> None:
        """Ask for the document of the one who is to be examined."""
        self._forget()
        self._company = company
        wait = self._timings.number
        self._screen.show("reading", "for_other", clear_after=wait, company=company.value, trouble=trouble)

    async def _clear(self, screen: dict[str, Any], *, left: bool = False) -> None:
        async with self._moving:
            if self._screen.data is screen and screen["view"] == "unreadable" and self._company and not left:
                self._ask_whose(self._company)
                return
        await super()._clear(screen, left=left)

    # -- what they touch ---------------------------------------------------------------------------------------

    async def _take(self, touch: Touch) -> None:
        view = self._screen.data["view"]
        match view, touch.answer:
            case (("idle" | "unreadable" | "for_other" | "no_card" | "confirm"), "guardian") if touch.value in list(
                Company
            ):
                await self._for_other(Company(str(touch.value)))
            case "confirm", "reject" if self._company is not None:
                await self._for_other(self._company)
            case (("idle" | "unreadable" | "for_other"), "no_card"):
                self._ask_number_and_birth()
            case ("no_card", "number"):
                self._take_typed(touch.value or "")
            case (_, "emergency") if view in _OPEN and self._called(CallKind.EMERGENCY):
                self._forget()
                self._screen.show("needs_staff", "emergency", clear_after=self._timings.number)
            case (_, "call_staff") if view in _OPEN and self._called(CallKind.HELP):
                self._forget()
                self._screen.show("needs_staff", "called", clear_after=self._timings.staff)
            case _:
                await super()._take(touch)

    async def _for_other(self, company: Company) -> None:
        """Who stands here acts for somebody else; their own passage, if one was opened, never was."""
        shown = self.checkin_id
        if shown is not None:
            try:
                await self._checkins.abandon(shown, forget=True)
            except StoreError:
                self.break_down("store")
                raise
        self._ask_whose(company)

    def _ask_number_and_birth(self, trouble: str | None = None) -> None:
        company = self._company.value if self._company else None
        wait = self._timings.number
        self._screen.show("reading", "no_card", clear_after=wait, company=company, trouble=trouble)

    # -- number and birth date in the place of a document ------------------------------------------------------

    def _take_typed(self, typed: str) -> None:
        """``<12 digits> <birth date, ISO, day and month may be unknown>``."""
        person = self._typed_person(typed)
        self._presented = InFront(
            Document(DocumentKind.NUMBER, person), Key(person.personal_id or "", KeyKind.PERSONAL_12, Method.MANUAL_ID)
        )
        self._screen.show("checking", "checking", step="person", waited=0)
        self._start(self._guarded(self._find_typed(self._presented)))

    def _typed_person(self, typed: str) -> Identity:
        number, _, born_text = typed.partition(" ")
        classified = classify_number(number)
        if classified is None or classified[0] is not KeyKind.PERSONAL_12:
            raise ScanRefused("BAD_ID_NUMBER")
        try:
            born = PartialDate.parse(born_text)
        except ValueError:
            raise ScanRefused("BAD_DATE") from None
        if born.year < OLDEST or date(born.year, born.month or 1, born.day or 1) > self._today():
            raise ScanRefused("BAD_DATE")
        person = Identity(classified[1], birth_date=born)
        if self._company is Company.CHILD and not self._can_be_child(person):
            raise ScanRefused("NOT_A_CHILD")
        return person

    async def _find_typed(self, front: InFront) -> None:
        person = front.document.identity or Identity()
        known = await self._checkins.ask_hospital_for(front.key.number)
        async with self._moving:
            if self._presented is not front or self.checkin_id is not None:
                return
            born = person.birth_date
            if known and known.full_name and known.birth_date and born and known.birth_date.agrees_with(born):
                person = replace(known, personal_id=front.key.number)
            child = surely_under(CARD_FROM, person, self._today())
            why = NotByChip.CHILD if child else NotByChip.NO_CARD
            front = replace(front, document=Document(DocumentKind.NUMBER, person), not_by_chip=why.value)
            opened = await self._open(front)
            if opened.again:  # who typed it may be anybody: the ticket of before is shown at the desk only
                self._forget()
                self._called(CallKind.HELP)
                self._screen.show("needs_staff", "called", clear_after=self._timings.staff)
            elif child and self._company is not None and person.full_name:
                self._ask_who(front)
            else:
                checkin_id, reason = opened.checkin.checkin_id, "child_unknown" if child else "no_document"
                self._screen.show("checking", "checking", step="insurance", waited=0)
                self._start(self._guarded(self._ask_and_send(checkin_id, reason, known=bool(person.full_name))))

    async def _ask_and_send(self, checkin_id: str, reason: str, *, known: bool) -> None:
        """To the desk, with the insurer's answer where there is enough to ask with."""
        if known:
            await self._look_up(checkin_id)
        await self._to_staff(checkin_id, reason)


def _of_year(year: int) -> Identity:
    return Identity(birth_date=PartialDate(year))
