"""Registers visits in hisnguonmo, by the call of its own kiosk or the one for partners (his-kiosk-c06.md 10.1).

Neither call has a key. What protects a repeat is the look-up, which shows the examination requests of a visit that runs
today: a request of that person in the room and for the service that we asked for, made after we asked, is ours.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hospital_adapters import hisnguonmo_lookup as lookup
from hospital_adapters import hisnguonmo_mapping as mapping
from hospital_adapters import hisnguonmo_menu as menus
from hospital_adapters import hisnguonmo_settings
from hospital_adapters.base import BaseAdapter
from hospital_adapters.hisnguonmo_line import LOGIN, Line
from hospital_adapters.hisnguonmo_lookup import Shown
from hospital_adapters.hisnguonmo_settings import HisnguonmoSettings
from kiosk.errors import ConfigError, HospitalError, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import (
    Appointment,
    Capabilities,
    Encounter,
    Idempotency,
    MatchedBy,
    MatchKind,
    PatientMatch,
    PatientRef,
    QueueNumber,
    Receipt,
    Service,
)
from kiosk.model import AdapterHealth, Identity, local_day
from kiosk.ports import AdapterContext, Clock

_SKEW_S = 60.0
_CLOCKS_APART = timedelta(minutes=2)
"""How far the server's clock may be from ours for its requests to be told from older ones."""
_REMEMBERED = 2000


def _now() -> datetime:
    return datetime.now(UTC)


def create(settings: Mapping[str, Any], context: AdapterContext) -> HisnguonmoAdapter:
    """Entry point ``hisnguonmo``: *settings* as HisnguonmoSettings describes them. ConfigError names a wrong one."""
    checked = hisnguonmo_settings.load(settings)
    name = checked.token_file or checked.password_file
    secret = context.secret(name).strip()
    if not secret or not secret.isprintable():
        key = "token_file" if checked.token_file else "password_file"
        raise ConfigError(f"hospital.{key}: expected a file with one line")
    return HisnguonmoAdapter(checked, secret)


@dataclass(slots=True)
class _Sent:
    """A registration that left this machine, and the request that it became, once that is known."""

    person: Identity
    room_code: str
    service_code: str
    at: datetime
    request: str | None = None


class HisnguonmoAdapter(BaseAdapter):
    """One server. All errors are HospitalErrors; their texts hold no person, number or URL."""

    capabilities = Capabilities(
        menu=True,
        find_patient=True,
        history=True,
        new_patient=True,
        appointments=True,
        idempotency=Idempotency.NATURAL,
        queue_number=QueueNumber.IN_RECEIPT,
    )

    def __init__(
        self,
        settings: HisnguonmoSettings,
        secret: str,
        clock: Clock = _now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """*secret*: the password of ``user``, or the token that does not end."""
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._line = Line(settings, secret, clock, monotonic)
        self._menu = menus.Menu()
        self._menu_until = 0.0
        self._sent: OrderedDict[str, _Sent] = OrderedDict()

    async def close(self) -> None:
        """Release connections."""
        await self._line.close()

    async def check(self) -> AdapterHealth:
        """Sign in and read the catalogues: account, clock, the kiosk's room, the patient types. Never raises.

        ``details``: ``services``, how many patients could choose from; ``skew_s``, the server's clock less ours.
        """
        problems: list[str] = []
        details: dict[str, Any] = {}
        try:
            await self._line.sign_in()
            found = await self._load()
            details["services"] = len(found.entries)
            if found.request_room is None:
                problems.append("the server lists no room that is the setting request_room")
            for words, insured in (("insured_type", True), ("fee_type", False)):
                if not any(entry.service.insured is insured for entry in found.entries.values()):
                    problems.append(f"no service has a price for the patient type of the setting {words}")
        except HospitalError as failure:
            problems.append(_problem(str(failure)))
        if self._line.clock_said is not None:
            details["skew_s"] = skew = round((self._line.clock_said - self._clock()).total_seconds())
            if abs(skew) > _SKEW_S:
                problems.append(f"the clock of the server differs from ours by {skew} s")
        return AdapterHealth(ok=not problems, problems=tuple(problems), details=details)

    async def services(self, day: date) -> tuple[Service, ...]:
        """Examinations in rooms, for insured and for paying people; the same every day. HospitalUnavailable."""
        return (await self._fresh_menu()).services

    async def find_patient(self, identity: Identity, card: str | None = None) -> PatientMatch:
        """Ask by citizen number, old number, then insurance card. HospitalUnavailable.

        The server shows the first it finds and says nothing of others, so MANY never comes.
        """
        shown = await self._look_up(_filters(identity, card), identity)
        return shown.match if shown is not None else PatientMatch(MatchKind.NONE)

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """The examination requests of a visit that runs today. HospitalUnavailable.

        A request carries no id of ours: it is given the one of the registration that it surely came from, else "".
        Where the server cannot show whether there is a visit, a pair without id says that one may be there: another
        day, a visit that ended, a person without a number, somebody else under their number, or nobody any more.
        """
        filters = _filters(identity, None, ref)
        if day != local_day(self._clock()) or not filters:
            return _perhaps("hisnguonmo.not_shown")
        shown = await self._look_up(filters, identity)
        if shown is None:
            return () if ref is None else _perhaps("hisnguonmo.patient_gone")
        if shown.match.kind is MatchKind.MISMATCH:
            return _perhaps("hisnguonmo.wrong_person")
        if shown.hidden is not None:
            return (("", shown.hidden),)
        return tuple((self._whose(request, identity), request.receipt) for request in shown.requests)

    async def appointments(self, identity: Identity, day: date) -> tuple[Appointment, ...]:
        """The appointment that the look-up shows, if it is for *day*. HospitalUnavailable."""
        shown = await self._look_up(_filters(identity, None), identity)
        if shown is None or shown.match.kind is not MatchKind.ONE or shown.appointment is None:
            return ()
        code, at = shown.appointment
        if local_day(at) != day:
            return ()
        menu = await self._fresh_menu()
        rooms = (menu.insured_in(room) for room in shown.appointment_rooms)
        return (Appointment(code, day, next((room for room in rooms if room is not None), None)),)

    async def push(self, encounter: Encounter) -> Receipt:
        """Look first, as the product's own kiosk does, then register once by the call that ``mode`` names.

        A request of today in the same room and for the same service is the visit: its receipt, nothing is sent. All
        three hospital errors; HospitalRejected ``hisnguonmo.no_such_service`` for a service that is no longer listed,
        ``hisnguonmo.patient_differs`` for a number that stands at somebody else, ``hisnguonmo.patient_gone`` for one
        who was known and is no longer there, ``hisnguonmo.new_patient`` where partners can register only known people.
        """
        menu = await self._fresh_menu()
        entry = menu.entries.get(encounter.service.id)
        if entry is None:
            raise HospitalRejected("hisnguonmo.no_such_service")
        shown = await self._known(encounter)
        for request in shown.requests if shown is not None else ():
            if (request.room_code, request.service_code) == (entry.room_code, entry.service_code):
                return request.receipt
        path, body = self._registration(encounter, entry, shown.match.ref if shown is not None else None, menu)
        sent = _Sent(encounter.identity, entry.room_code, entry.service_code, self._clock())
        self._remember(encounter.checkin_id, sent)
        try:
            data = await self._line.register(path, body)
        except (HospitalRejected, HospitalUnavailable):
            self._sent.pop(encounter.checkin_id, None)  # what stands there later is not ours
            raise
        receipt = mapping.receipt_of(data, encounter, self._settings)
        sent.request = receipt.registration_id
        return receipt

    async def _known(self, encounter: Encounter) -> Shown | None:
        known = encounter.patient.ref if encounter.patient is not None else None
        card = encounter.coverage.number if encounter.coverage is not None else None
        shown = await self._look_up(_filters(encounter.identity, card, known), encounter.identity)
        if shown is not None and shown.match.kind is MatchKind.MISMATCH:
            raise HospitalRejected("hisnguonmo.patient_differs")
        if shown is None and known is not None:
            raise HospitalRejected("hisnguonmo.patient_gone")
        return shown

    def _registration(
        self, encounter: Encounter, entry: menus.Entry, ref: PatientRef | None, menu: menus.Menu
    ) -> tuple[str, dict[str, Any]]:
        paths = self._settings.paths
        if self._settings.mode == "partner":
            return paths.register_partner, mapping.partner_registration(encounter, entry, ref, self._settings)
        if menu.request_room is None:
            raise HospitalUnavailable("hisnguonmo.request_room")
        return paths.register_own, mapping.own_registration(encounter, entry, ref, menu.request_room, self._settings)

    async def _look_up(self, filters: Sequence[_Filter], identity: Identity) -> Shown | None:
        """Whom the first of the *filters* finds; None when the server holds nobody under any."""
        for by, question in filters:
            data = await self._line.ask(self._settings.paths.find, question)
            if data is None:
                continue
            shown = lookup.read(data, identity, by, local_day(self._clock()), self._settings)
            if shown is None:
                raise HospitalUnavailable("hisnguonmo.malformed")
            return shown
        return None

    async def _fresh_menu(self) -> menus.Menu:
        if self._monotonic() >= self._menu_until:
            await self._load()
        return self._menu

    async def _load(self) -> menus.Menu:
        paths = self._settings.paths
        rooms, service_rooms, prices, types = [
            await self._line.ask(path, {})
            for path in (paths.rooms, paths.service_rooms, paths.prices, paths.patient_types)
        ]
        menu = menus.build(rooms, service_rooms, prices, types, self._settings)
        if not menu.entries:
            raise HospitalUnavailable("hisnguonmo.no_services")
        self._menu, self._menu_until = menu, self._monotonic() + self._settings.menu_seconds
        return menu

    def _remember(self, checkin_id: str, sent: _Sent) -> None:
        self._sent[checkin_id] = sent
        self._sent.move_to_end(checkin_id)
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def _whose(self, request: lookup.Request, person: Identity) -> str:
        for checkin_id, sent in self._sent.items():
            if sent.request == request.code:
                return checkin_id
        place = (request.room_code, request.service_code)
        for checkin_id, sent in reversed(self._sent.items()):
            young = request.at is not None and request.at >= sent.at - _CLOCKS_APART
            if (
                sent.person == person
                and sent.request is None
                and young
                and place == (sent.room_code, sent.service_code)
            ):
                sent.request = request.code
                return checkin_id
        return ""


_Filter = tuple[MatchedBy | None, Mapping[str, str]]


def _filters(identity: Identity, card: str | None, ref: PatientRef | None = None) -> list[_Filter]:
    numbers = (
        (None, "PATIENT_CODE__EXACT", ref.code if ref is not None else None),
        (MatchedBy.PERSONAL_ID, "CCCD_NUMBER__EXACT", identity.personal_id),
        (MatchedBy.OLD_ID, "CMND_NUMBER__EXACT", identity.old_id),
        (MatchedBy.CARD, "HEIN_CARD_NUMBER__EXACT", card),
    )
    return [(by, {name: number}) for by, name, number in numbers if number]


def _perhaps(status: str) -> tuple[tuple[str, Receipt], ...]:
    return (("", Receipt(raw_status=status)),)


def _problem(reason: str) -> str:
    if reason == LOGIN:
        return "the server refuses the account: check user, password_file or token_file, and application_code"
    if reason in ("hisnguonmo.unreachable", "hisnguonmo.connect_timeout"):
        return "the HIS cannot be reached"
    if reason == "hisnguonmo.tls":
        return "the server's certificate is not trusted or TLS failed: check ca_file"
    if reason == "hisnguonmo.no_services":
        return "the catalogues hold no examination in a room: check paths, insured_type and fee_type"
    return f"the server does not answer as agreed ({reason})"
