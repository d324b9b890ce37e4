"""A station: a place where one person at a time is served, as a state machine in memory.

Phases: idle, reading, place_card, confirm, checking, choose_service, done, needs_staff, out_of_order. After a restart
every station is idle (architecture, section 4). What the patient sees is ``screen``: a view's name and its data, never
an address, a full number, or anything the gateway said about a person.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from kiosk.calls import CallKind, Calls
from kiosk.checkin import Arrival, CheckIns, Key, Presented
from kiosk.choice import Choice
from kiosk.documents.text import unframe
from kiosk.errors import StoreError
from kiosk.hospital_model import Slip
from kiosk.model import Carrier, CarrierSource, Document, DocumentKind, Lane
from kiosk.ports import Clock, TokenVerifier
from kiosk.printing import Printing
from kiosk.station_model import InFront, NotAtThatPhase, ScanRefused, StationBusy, Timings, Touch
from kiosk.station_views import confirm_view, read_scan, self_service_key, why_not_alone
from kiosk.station_visit import StationVisit
from kiosk.token_step import TokenStep
from kiosk.trouble import Trouble

LANGUAGES: Final = ("vi", "en", "km")
_SERVING: Final = ("place_card", "reading", "confirm", "checking", "choose_service")


class Station(StationVisit):
    """One station; all methods run on the daemon's event loop."""

    def __init__(
        self,
        station_id: str,
        checkins: CheckIns,
        clock: Clock,
        timings: Timings,
        *,
        simulated: bool = False,
        tokens: TokenVerifier | None = None,
        printing: Printing | None = None,
        calls: Calls | None = None,
        left: Callable[[str, str], None] | None = None,
        notice: Callable[[str | None, Mapping[str, Any]], str] | None = None,
        lane: Lane = Lane.SELF,
    ) -> None:
        """*simulated*: people with numbers of the simulators' range are expected (demo).

        *tokens*: who says whose changing VNeID code was scanned; None: people are asked for something else. *calls*:
        where staff are called from here. *left* hears how each view is left (`kiosk.funnel`). *notice*: the text that
        tells people what is read, for a language and what is switched on. *lane*: whether people serve themselves here.
        """
        super().__init__(station_id, checkins, clock, timings, printing, left)
        self._notice = notice
        self._lane = lane
        self._calls = calls
        self._trouble = Trouble(clock)
        self._simulated = simulated
        self._tokens = None if tokens is None else TokenStep(tokens)
        self._asking: asyncio.Task[InFront | str] | None = None
        self._screen.flag(reader_ok=True, scanner=True, camera=False, vneid=tokens is not None)
        self._moving = asyncio.Lock()
        self._presented: InFront | None = None
        self._left_open: str | None = None

    # -- what is seen ------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The station as its screen and staff see it (interfaces, section 4)."""
        return {
            "station": self.id,
            "phase": self.phase,
            "checkin_id": self.checkin_id,
            "screen": self._screen.visible(),
            "since": self._screen.since.isoformat(),
        }

    async def changes(self) -> AsyncIterator[dict[str, Any]]:
        """The state now, and again after each change."""
        async for _ in self._screen.changes():
            yield self.state()

    def _expire(self, screen: dict[str, Any]) -> None:
        self._start(self._clear(screen))

    async def _clear(self, screen: dict[str, Any], *, left: bool = False) -> None:
        """Forget the person if *screen* still stands; a check-in that was not accepted is abandoned."""
        async with self._moving:
            if self._screen.data is not screen or (not left and await self._went_on()):
                return
            checkin_id, was_open = self.checkin_id, self._serving
            self._forget()
            self._go_idle()
        if was_open and checkin_id is not None:
            await self._abandon(checkin_id)

    def _go_idle(self) -> None:
        """Whoever stood here is gone."""
        self._screen.show("idle", "idle")

    @property
    def _serving(self) -> bool:
        """Whether a person is on the way to a number; somebody else must wait."""
        return self._presented is not None and self.phase in _SERVING

    def _forget(self) -> None:
        self.checkin_id = None
        self._presented = None
        self._choice = Choice()
        self._another = False
        self._asking = None

    async def _went_on(self) -> bool:
        """Whether somebody whose time was over went on in another way instead of being forgotten."""
        return False

    def reader_changed(self, attached: bool, *, scanner: bool = True) -> None:
        """Whether anything can read codes now, and whether a *scanner* is among it."""
        self._screen.flag(reader_ok=attached, scanner=scanner)

    def camera_changed(self, attached: bool) -> None:
        """The camera that reads codes, and shows people what it sees, was unplugged or came back."""
        self._screen.flag(camera=attached)

    # -- what comes in -----------------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether nobody is being served or told anything, but for the advice about a code that was not taken."""
        return self._screen.data["view"] in ("idle", "unreadable")

    def unclear(self, code: str) -> None:
        """The camera sees what it cannot take, such as documents of two people: say so, unless somebody is served."""
        if self.waiting:
            self._screen.show("reading", "unreadable", error=code, clear_after=self._timings.unreadable)

    async def scan(self, raw: bytes, *, carrier: Carrier = Carrier.UNKNOWN, typed: bool = False) -> str | None:
        """Take the bytes of one scan; returns the check-in id, None when a card has to be read first.

        *carrier*: what the camera saw the code on, card or phone; a scanner cannot tell. *typed*: by a scanner in
        keyboard mode.
        StationBusy if another person is being served, ScanRefused if the scan names nobody, StoreError if the store
        takes nothing (the station is then out of order until it does).
        """
        document = read_scan(raw, simulated=self._simulated, typed=typed)
        if document.kind is DocumentKind.OPAQUE_TOKEN and self._tokens is not None:
            return await self._take_token(unframe(raw), self._tokens, carrier)
        key = self_service_key(document)
        async with self._moving:
            self._refuse_others(key)
            if self._serving:
                return self.checkin_id
            if key is None:
                self._names_nobody(document)
                return None
            source = CarrierSource.NONE if carrier is Carrier.UNKNOWN else CarrierSource.CAMERA
            return await self._present(InFront(document, key, carrier, source))

    def _names_nobody(self, document: Document, *, lay: bool = False) -> None:
        """Tell what to do instead; *lay*: laying the card down now is one way."""
        self._refuse(why_not_alone(document), lay=lay)

    def _called(self, kind: CallKind) -> bool:
        """Call staff; False where nobody can be called from here."""
        if self._calls is not None:
            self._calls.call(self.id, kind)
        return self._calls is not None

    def _refuse(self, code: str, *, lay: bool = False) -> NoReturn:
        self._forget()
        clear = self._timings.place_card if lay else self._timings.unreadable
        called = not lay and self._trouble.again(code) and self._called(CallKind.TROUBLE)
        self._screen.show("reading", "unreadable", error=code, lay=lay, called=called, clear_after=clear)
        raise ScanRefused(code)

    async def _take_token(self, token: bytes, step: TokenStep, carrier: Carrier) -> str:
        """Ask whose code this is; whoever scans something else meanwhile is served instead."""
        async with self._moving:
            self._refuse_others(None)
            if self._asking is not None:
                raise StationBusy("a code is being asked about")
            self._forget()
            self._screen.show("reading", "asking_vneid", waited=0)
            asking = self._asking = asyncio.create_task(step.holder(token, carrier))
        progress = asyncio.create_task(self._tell_progress())
        await asyncio.wait([asking])
        progress.cancel()
        async with self._moving:
            if self._asking is not asking:
                raise StationBusy("another document came first")
            self._asking = None
            holder = asking.result()
            if isinstance(holder, str):
                self._refuse(holder)
            return await self._present(holder)

    def _refuse_others(self, key: Key | None) -> None:
        if self.phase == "out_of_order":
            raise StationBusy("out of order")
        if self._serving and (key is None or self._presented is None or self._presented.key.number != key.number):
            raise StationBusy("another person is being served")
        if self._serving and self.checkin_id is None:  # the card of a typed number is being read
            raise StationBusy("another document is being read")

    def _admit(self, person: InFront) -> None:
        """ScanRefused if this cannot be the one who is to be examined here."""

    async def _present(self, person: InFront, *, another: bool = False) -> str:
        presented = await self._open(person, another=another)
        if presented.again:
            self._show_ticket(presented.checkin, again=True)
        else:
            await self._next(person)
        return presented.checkin.checkin_id

    async def _next(self, person: InFront) -> None:
        """What comes after somebody was read."""
        self._ask_who(person)

    def _arrival(self, person: InFront) -> Arrival:
        return Arrival(
            self._lane,
            attended=self._lane is Lane.DESK,
            station=self.id,
            carrier=person.carrier,
            carrier_source=person.carrier_source,
            not_by_chip=person.not_by_chip,
            notice=None if self._notice is None else self._notice(self.language, self._screen.visible()),
        )

    async def _open(self, person: InFront, *, another: bool = False) -> Presented:
        try:
            presented = await self._checkins.present(
                person.document, person.key, self._arrival(person), another=another
            )
        except StoreError:
            self.break_down("store")
            raise
        self._forget()
        self._trouble.over()
        self._presented = person
        self._another = another
        self.checkin_id = presented.checkin.checkin_id
        return presented

    def _ask_who(self, person: InFront, *, chip_failed: bool = False) -> None:
        data = confirm_view(person) | {"chip_failed": chip_failed}
        self._screen.show("confirm", "confirm", clear_after=self._timings.confirm, **data)

    async def answer(
        self, checkin_id: str | None, answer: str, *, service_id: str | None = None, value: str | None = None
    ) -> None:
        """Take the touch of the person in front; NotAtThatPhase if it came too late or means nothing here."""
        async with self._moving:
            if checkin_id != self.checkin_id:
                raise NotAtThatPhase("that check-in is over")
            await self._take(Touch(answer, service_id, value))

    async def _take(self, touch: Touch) -> None:
        """What *touch* means here; stations that know more answers look for theirs first."""
        checkin_id, serving = str(self.checkin_id), self.checkin_id is not None
        match self.phase, touch.answer:
            case "confirm", "confirm":
                self._begin_check(checkin_id)
            case "choose_service", "service" if self._choice.open_question and touch.value in list(Slip):
                self._choice = replace(self._choice, slip=Slip(str(touch.value)))
                self._offer(checkin_id)
            case "choose_service", "service" if (picked := self._choice.picked(touch.service_id)) is not None:
                self._screen.show("checking", "checking", step="registering", waited=0)
                self._start(self._guarded(self._register(checkin_id, *picked)))
            case "choose_service", "priority" if touch.value in self._choice.groups:
                await self._claim_priority(checkin_id, str(touch.value))
            case (("choose_service" | "confirm" | "place_card" | "reading"), "call_staff") if serving:
                self._screen.show("checking", "checking", step="registering", waited=0)
                self._start(self._guarded(self._to_staff(checkin_id, "called_by_patient")))
            case (("done" | "needs_staff"), "call_staff") if self._called(CallKind.HELP):
                self._screen.add(called=True)
            case "done", "another_examination" if self._presented is not None:
                await self._present(self._presented, another=True)
            case ("confirm", "reject" | "cancel") | (("choose_service" | "place_card" | "reading"), "cancel"):
                self._start(self._clear(self._screen.data, left=True))
            case (("done" | "needs_staff"), "cancel"):
                self._start(self._clear(self._screen.data))
            case _, "language" if touch.value in LANGUAGES:
                self.language = touch.value
            case _, "more_time":
                self._screen.start_again()
            case _:
                raise NotAtThatPhase("no such answer here")

    def break_down(self, reason: str) -> None:
        """Nothing can be promised now: send people to the desk until ``recover``."""
        if self._serving:
            self._left_open = self.checkin_id
        self._forget()
        self._screen.show("out_of_order", "out_of_order", reason=reason)

    def recover(self) -> None:
        """What kept the station out of order is over; whoever stood here then has gone to the desk."""
        if self.phase != "out_of_order":
            return
        self._go_idle()
        if self._left_open is not None:
            self._start(self._abandon(self._left_open))
            self._left_open = None

    async def _abandon(self, checkin_id: str) -> None:
        with contextlib.suppress(StoreError):  # at the next start it is abandoned anyway
            await self._checkins.abandon(checkin_id)
