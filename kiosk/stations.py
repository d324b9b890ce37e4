"""A station: a place where one person at a time is served, as a state machine in memory.

Phases: idle, reading, confirm, checking, choose_service, done, needs_staff, out_of_order (place_card comes with the
chip). After a restart every station is idle (architecture, section 4). What the patient sees is ``screen``: a view's
name and its data, never an address, a full number, or anything the gateway said about a person.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from kiosk.checkin import CheckIns, Key
from kiosk.documents.recognise import recognise
from kiosk.errors import KioskError, StoreError
from kiosk.model import Availability, Document, DocumentKind, EligibilityClass, KeyKind, Lane, Method, Service
from kiosk.ports import Clock
from kiosk.privacy import mask_number
from kiosk.records import CheckIn

log = logging.getLogger(__name__)

_OPEN: Final = ("confirm", "checking", "choose_service")
_PROGRESS_SECONDS: Final = 4.0


class StationBusy(KioskError):
    """Another person is being served here: please wait."""

    code = "BUSY"


class NotAtThatPhase(KioskError):
    """The answer came for a check-in or a phase that is over."""

    code = "WRONG_PHASE"


class ScanRefused(KioskError):
    """The scan names nobody who can be served; ``code`` is the document's error."""

    def __init__(self, code: str) -> None:
        """Carry the document's error code."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds after which a screen clears itself."""

    unreadable: float = 10.0
    confirm: float = 40.0
    choose: float = 90.0
    done: float = 20.0
    staff: float = 30.0


class Station:
    """One station; all methods run on the daemon's event loop."""

    def __init__(
        self, station_id: str, checkins: CheckIns, clock: Clock, timings: Timings, *, simulated: bool = False
    ) -> None:
        """*simulated*: people with numbers of the simulators' range are expected (demo)."""
        self.id = station_id
        self._checkins = checkins
        self._clock = clock
        self._timings = timings
        self._simulated = simulated
        self.phase = "idle"
        self.checkin_id: str | None = None
        self._since = clock()
        self._screen: dict[str, Any] = {"view": "idle"}
        self._reader_ok = True
        self._changed = asyncio.Event()
        self._moving = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._presented: tuple[Document, Key] | None = None
        self._services: dict[str, Service] = {}
        self._insured = False
        self._another = False
        self._left_open: str | None = None

    # -- what is seen ------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The station as its screen and staff see it (interfaces, section 4)."""
        return {
            "station": self.id,
            "phase": self.phase,
            "checkin_id": self.checkin_id,
            "screen": self._screen | {"reader_ok": self._reader_ok},
            "since": self._since.isoformat(),
        }

    async def changes(self) -> AsyncIterator[dict[str, Any]]:
        """The state now, and again after each change."""
        while True:
            changed = self._changed
            yield self.state()
            await changed.wait()

    def _show(self, phase: str, view: str, *, clear_after: float | None = None, **data: Any) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if phase != self.phase:
            self._since = self._clock()
        self.phase = phase
        self._screen = {"view": view, **data}
        if clear_after is not None:
            self._screen["clears_in"] = clear_after
            self._expiry = asyncio.get_running_loop().call_later(clear_after, self._expire, self._screen)
        self._announce()

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _expire(self, screen: dict[str, Any]) -> None:
        self._start(self._clear(screen))

    async def _clear(self, screen: dict[str, Any]) -> None:
        """Forget the person if *screen* still stands; a check-in that was not accepted is abandoned."""
        async with self._moving:
            if self._screen is not screen:
                return
            checkin_id, was_open = self.checkin_id, self.phase in _OPEN
            self._forget()
            self._show("idle", "idle")
        if was_open and checkin_id is not None:
            await self._abandon(checkin_id)

    def _forget(self) -> None:
        self.checkin_id = None
        self._presented = None
        self._services = {}
        self._insured = False
        self._another = False

    def reader_changed(self, attached: bool) -> None:
        """The scanner was unplugged or came back."""
        self._reader_ok = attached
        self._announce()

    # -- what comes in -----------------------------------------------------------------------------------------

    async def scan(self, raw: bytes, *, lane: Lane = Lane.SELF) -> str:
        """Take the bytes of one scan; returns the check-in id.

        StationBusy if another person is being served, ScanRefused if the scan names nobody, StoreError if the store
        takes nothing (the station is then out of order until it does).
        """
        document = recognise(raw, simulated_prefix=self._simulated)
        key = self_service_key(document)
        async with self._moving:
            if self.phase == "out_of_order":
                raise StationBusy("out of order")
            if self.phase in _OPEN:
                if key is not None and self._presented is not None and self._presented[1].number == key.number:
                    return str(self.checkin_id)
                raise StationBusy("another person is being served")
            if key is None:
                code = document.error or _why_not_alone(document)
                self._forget()
                self._show("reading", "unreadable", error=code, clear_after=self._timings.unreadable)
                raise ScanRefused(code)
            return await self._present(document, key, lane)

    async def _present(self, document: Document, key: Key, lane: Lane, *, another: bool = False) -> str:
        try:
            presented = await self._checkins.present(document, key, lane=lane, station=self.id, another=another)
        except StoreError:
            self.break_down("store")
            raise
        self._forget()
        self._presented = (document, key)
        self._another = another
        self.checkin_id = presented.checkin.checkin_id
        if presented.again:
            self._show_ticket(presented.checkin, again=True)
        else:
            self._show("confirm", "confirm", clear_after=self._timings.confirm, **_confirm_data(document, key))
        return self.checkin_id

    async def answer(self, checkin_id: str, answer: str, *, service_id: str | None = None) -> None:
        """Take the touch of the person in front; NotAtThatPhase if it came too late or means nothing here."""
        async with self._moving:
            if checkin_id != self.checkin_id:
                raise NotAtThatPhase("that check-in is over")
            match self.phase, answer:
                case "confirm", "confirm":
                    self._show("checking", "checking", step="insurance", waited=0)
                    self._start(self._guarded(self._check(checkin_id)))
                case "choose_service", "service" if service_id in self._services:
                    service = self._services[str(service_id)]
                    self._show("checking", "checking", step="registering", waited=0)
                    self._start(self._guarded(self._register(checkin_id, service)))
                case (("choose_service" | "confirm"), "call_staff"):
                    self._show("checking", "checking", step="registering", waited=0)
                    self._start(self._guarded(self._to_staff(checkin_id, "called_by_patient")))
                case "done", "another_examination" if self._presented is not None:
                    document, key = self._presented
                    await self._present(document, key, Lane.SELF, another=True)
                case ("confirm", "reject" | "cancel") | ("choose_service", "cancel"):
                    self._start(self._clear(self._screen))
                case (("done" | "needs_staff" | "reading"), "cancel"):
                    self._start(self._clear(self._screen))
                case _:
                    raise NotAtThatPhase("no such answer here")

    def break_down(self, reason: str) -> None:
        """Nothing can be promised now: send people to the desk until ``recover``."""
        if self.phase in _OPEN:
            self._left_open = self.checkin_id
        self._forget()
        self._show("out_of_order", "out_of_order", reason=reason)

    def recover(self) -> None:
        """What kept the station out of order is over; whoever stood here then has gone to the desk."""
        if self.phase != "out_of_order":
            return
        self._show("idle", "idle")
        if self._left_open is not None:
            self._start(self._abandon(self._left_open))
            self._left_open = None

    async def _abandon(self, checkin_id: str) -> None:
        with contextlib.suppress(StoreError):  # at the next start it is abandoned anyway
            await self._checkins.abandon(checkin_id)

    # -- what goes on meanwhile --------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"station-{self.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        progress = asyncio.create_task(self._tell_progress())
        checkin_id = self.checkin_id
        try:
            await work
        except StoreError as exc:
            log.error("the store takes nothing", extra={"code": exc.code})
            self.break_down("store")
        except Exception:  # a fault of ours must still end with a number for the desk
            log.exception("check-in failed")
            try:
                await self._to_staff(str(checkin_id), "internal_error")
            except Exception:
                log.exception("could not call staff")
                self.break_down("internal")
        finally:
            progress.cancel()

    async def _tell_progress(self) -> None:
        waited = 0.0
        while self.phase == "checking":
            await asyncio.sleep(_PROGRESS_SECONDS)
            waited += _PROGRESS_SECONDS
            if self.phase == "checking":
                self._screen = self._screen | {"waited": int(waited)}
                self._announce()

    def _serves(self, checkin_id: str) -> bool:
        """Whether the person whose answer came still stands here; the store may have failed meanwhile."""
        return self.phase == "checking" and self.checkin_id == checkin_id

    async def _check(self, checkin_id: str) -> None:
        fetching = asyncio.create_task(self._checkins.menu())
        try:
            checkin = await self._checkins.look_up(checkin_id, another=self._another)
            menu = await fetching
        finally:
            fetching.cancel()
        if not self._serves(checkin_id):
            return
        if reason := self._checkins.staff_reason(checkin):
            await self._to_staff(checkin_id, reason)
            return
        not_insured = checkin.status is EligibilityClass.NOT_INSURED
        self._insured = not not_insured
        services = [s for s in menu if s.insured is self._insured and s.available is not Availability.NO]
        if not services:
            await self._to_staff(checkin_id, "no_menu")
            return
        self._services = {service.id: service for service in services}
        self._show(
            "choose_service",
            "choose_service",
            clear_after=self._timings.choose,
            answer=patient_answer(checkin.status),
            valid_to=_valid_to(checkin),
            services=[_service_data(service) for service in services],
        )

    async def _register(self, checkin_id: str, service: Service) -> None:
        checkin = await self._checkins.accept(checkin_id, service, insured=self._insured, another=self._another)
        if self._serves(checkin_id):
            self.checkin_id = checkin.checkin_id
            self._show_ticket(checkin)

    async def _to_staff(self, checkin_id: str, reason: str) -> None:
        checkin = await self._checkins.send_to_staff(checkin_id, reason, another=self._another)
        if self._serves(checkin_id):
            self._show_ticket(checkin)

    def _show_ticket(self, checkin: CheckIn, *, again: bool = False) -> None:
        """The end: a number, committed before it is shown, and where to go."""
        line = checkin.receipt.tickets[0] if checkin.receipt and checkin.receipt.tickets else None
        ticket = {
            "number": checkin.number,
            "issued_by": "his" if checkin.his_number else "kiosk",
            "service": checkin.service.name if checkin.service else None,
            "department": checkin.service.department if checkin.service else None,
            "room": line.room if line else None,
        }
        if checkin.service is None or checkin.hospital_state == "parked":
            view, clear = "needs_staff", self._timings.staff
        else:
            view, clear = "done", self._timings.done
        self._show(view, view, clear_after=clear, ticket=ticket, answer=patient_answer(checkin.status), again=again)


def self_service_key(document: Document) -> Key | None:
    """The key a patient may ask with unaided: number, name and birth date, read whole from a citizen card's QR."""
    person = document.identity
    if document.error or person is None or document.kind not in (DocumentKind.CCCD_QR, DocumentKind.CC_QR):
        return None
    if person.personal_id is None or person.full_name is None or person.birth_date is None:
        return None
    if "W_ENCODING_DAMAGED" in document.warnings:
        return None
    return Key(person.personal_id, KeyKind.PERSONAL_12, Method.QR_CCCD)


def _why_not_alone(document: Document) -> str:
    return "NAME_DAMAGED" if "W_ENCODING_DAMAGED" in document.warnings else "NOT_FOR_SELF_SERVICE"


def patient_answer(status: EligibilityClass | None) -> str:
    """Which of the four answers the patient is told (invariant 2)."""
    if status is None or status.unanswered:
        return "cannot_say"
    return "insured" if status.insured else status.value


def _confirm_data(document: Document, key: Key) -> dict[str, Any]:
    person = document.identity
    return {
        "name": person.full_name if person else None,
        "birth_year": person.birth_date.year if person and person.birth_date else None,
        "number": mask_number(key.number),
    }


def _service_data(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "name": service.name,
        "department": service.department,
        "price": None if service.insured or service.price is None else int(service.price),
    }


def _valid_to(checkin: CheckIn) -> str | None:
    until = checkin.coverage.valid_to if checkin.coverage else None
    return until.isoformat() if until else None
