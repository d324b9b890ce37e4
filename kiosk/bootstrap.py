"""Wires the parts that a configuration names. The only place that picks real ones."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kiosk import journal, outbox_table, records, withdrawal
from kiosk.across_stations import AcrossStations
from kiosk.calls import Calls
from kiosk.checkin import CheckIns, Policy
from kiosk.chip_parts import anchors_of, chip_part, provider_of
from kiosk.chip_provider import HttpChipVerifier
from kiosk.chip_station import ChipStation
from kiosk.config import Config, ServiceTable, read_secret, secret_path
from kiosk.desk_station import DeskStation
from kiosk.duty import Duty
from kiosk.emrtd.trust import TrustAnchors
from kiosk.errors import ConfigError, StoreUnusable
from kiosk.facility_key import agree
from kiosk.health import Health
from kiosk.hospital_model import Service
from kiosk.hospital_push import HospitalPush
from kiosk.insight_parts import insights_of
from kiosk.insurance_parts import insurance_parts
from kiosk.journal import Journal
from kiosk.lane_station import LaneStation
from kiosk.later_number import LaterNumber
from kiosk.metrics import Metrics
from kiosk.model import Eligibility
from kiosk.opening_hours import OpeningHours
from kiosk.outbox import Backoff, Delivery, Outbox
from kiosk.ports import AdapterContext, Clock, EligibilityGateway, HospitalAdapter, HospitalAdapterFactory
from kiosk.printing import Printing
from kiosk.priority import Priority, load_priority
from kiosk.province_client import ProvinceClient
from kiosk.recheck import Recheck
from kiosk.records import CheckIn
from kiosk.register_delivery import RegisterDelivery
from kiosk.station_model import Timings
from kiosk.stations import Station
from kiosk.store import Store, read_or_make_key, write_durably
from kiosk.ticket_model import PrinterSettings, PrinterState
from kiosk.ticket_numbers import NumberSeries
from kiosk.tickets import ProcessPrinter
from kiosk.upgrade import upgrade_apart
from kiosk.vneid_verifier import HttpTokenVerifier
from kiosk.web.notice import notice_text

_TOKEN_LENGTH = 24
_SHARE_OF_ARRIVALS = 2.0
"""One in so many of the questions the insurer allows may go to people who left, once the gateway is back."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a daemon runs, wired."""

    config: Config
    store: Store
    journal: Journal
    checkins: CheckIns
    outbox: Outbox
    station: Station
    desks: tuple[DeskStation, ...]
    gateway: EligibilityGateway
    duty: Duty | None
    hospital: HospitalAdapter
    province: ProvinceClient
    provider: HttpChipVerifier | None
    tokens: HttpTokenVerifier | None
    anchors: TrustAnchors | None
    printing: Printing | None
    calls: Calls
    metrics: Metrics
    health: Health

    @property
    def stations(self) -> tuple[Station, ...]:
        """The kiosk's own and the desks."""
        return (self.station, *self.desks)

    async def close(self) -> None:
        """Release connections and files."""
        await self.gateway.close()
        await self.checkins.across.register.close()
        await self.hospital.close()
        await self.province.close()
        if self.printing is not None:
            await self.printing.close()
        if self.provider is not None:
            await self.provider.close()
        if self.tokens is not None:
            await self.tokens.close()
        self.store.close()


def build(config: Config, beside: Path, clock: Clock = utc_now) -> Parts:
    """Open the store and wire all parts; *beside*: the folder of the configuration file, where secrets may lie.

    *clock*: the wall clock of everything but the hospital adapter, which signs by its own. ConfigError for a wrong
    setting or secret, StoreError if the store cannot be opened safely.
    """
    data = config.station.data
    hospital = load_adapter(config, beside)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = _open_store(config, beside)
    now = clock()
    try:
        facility_key = store.run_now(lambda c: _wake_up(c, now, config))
        insurance = insurance_parts(config, beside, store, hospital, clock)
        if insurance.line is not None:
            facility_key = agree(store, facility_key, insurance.line.facility_key)
    except BaseException:
        store.close()
        raise
    metrics, health = Metrics(), Health()
    backoff = Backoff(config.outbox.base, config.outbox.cap)
    written = Journal(facility_key)

    def observe(checkin: CheckIn, answer: Eligibility) -> None:
        metrics.lookup(checkin, answer)
        health.answered(answer)
        recheck.answered(answer)

    def delivered(outcome: str) -> None:
        metrics.delivery(outcome)
        health.hospital.note(outcome != "retry", "no answer")

    across = AcrossStations(insurance.register, config.policy.number_wait)

    def renumbered(connection: sa.Connection, checkin_id: str) -> None:
        across.tell_again(connection, checkin_id, clock())

    push = HospitalPush(
        store,
        hospital,
        clock,
        facility=config.station.facility,
        grace=config.hospital.grace,
        observe=delivered,
        renumbered=renumbered,
        withdrawn=lambda connection, checkin_id: withdrawal.close(connection, written, across, checkin_id, clock()),
    )
    province = ProvinceClient(
        store,
        url=config.province.url,
        facility=config.station.facility,
        station=config.station.id,
        ca_file=config.province.ca_file,
    )
    deliveries: list[Delivery] = [push, province, LaterNumber(store, hospital, clock, renumbered)]
    outbox = Outbox(store, clock, deliveries, backoff)
    checkins = CheckIns(
        store=store,
        journal=written,
        gateway=insurance.gateway,
        hospital=hospital,
        outbox=outbox,
        clock=clock,
        policy=_policy(config, beside),
        observe=observe,
        insights=insights_of(config),
        across=across,
    )
    recheck = Recheck(checkins)
    outbox.add(recheck)
    outbox.add(RegisterDelivery(store, insurance.register, clock))
    provider = provider_of(config.card, beside)
    anchors = anchors_of(config.card, beside) if config.card.adapter != "none" else None
    tokens = _tokens(config, beside)
    printing = _printing(config, metrics, health)
    calls = Calls(clock)
    options: dict[str, Any] = {"simulated": config.demo, "tokens": tokens, "printing": printing, "calls": calls}
    options |= {"left": metrics.screen_left, "notice": notice_text}
    station: LaneStation
    if config.card.adapter == "none":
        station = LaneStation(config.station.id, checkins, clock, _timings(config), **options)
    else:
        chip = chip_part(config, store, clock, anchors, provider)
        station = ChipStation(config.station.id, checkins, clock, _timings(config), chip=chip, **options)
    return Parts(
        config,
        store,
        written,
        checkins,
        outbox,
        station,
        tuple(DeskStation(name, checkins, clock, simulated=config.demo) for name in config.staff.desks),
        insurance.gateway,
        insurance.duty,
        hospital,
        province,
        provider,
        tokens,
        anchors,
        printing,
        calls,
        metrics,
        health,
    )


def upgrade_store(config: Config, beside: Path) -> None:
    """Bring an older store to this code's schema apart from this process, which must have no second thread yet.

    StoreUnusable for a missing or malformed key; whatever else is wrong, ``build`` reports.
    """
    config.station.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade_apart(config.station.data, _store_key(config, beside))


def _open_store(config: Config, beside: Path) -> Store:
    return Store(config.station.data, _store_key(config, beside))


def _store_key(config: Config, beside: Path) -> bytes:
    credential = config.station.store_key_file
    return read_or_make_key(config.station.data, secret_path(credential, beside) if credential else None)


def _wake_up(connection: sa.Connection, now: datetime, config: Config) -> bytes:
    """After a stop of any kind: nobody stands at a station, and what was being sent has an unknown outcome.

    A store belongs to a demo or to a hospital for ever: the demo's account must open no hospital's data (ConfigError).
    """
    made_by_demo = records.get_setting(connection, "demo")
    if made_by_demo is None:
        records.put_setting(connection, "demo", config.demo)
    elif made_by_demo is not config.demo:
        raise ConfigError("station.data: expected a folder of its own, demo and hospital do not share one")
    records.abandon_open(connection)
    outbox_table.recover(connection, now, timedelta(seconds=config.hospital.grace))
    return journal.prepare(connection)


def _tokens(config: Config, beside: Path) -> HttpTokenVerifier | None:
    """The service that verifies VNeID's changing codes, if there is one."""
    table = config.vneid
    if not table.url:
        return None
    return HttpTokenVerifier(url=table.url, token=read_secret(table.token_file, beside), ca_file=table.ca_file)


def _printing(config: Config, metrics: Metrics, health: Health) -> Printing | None:
    """The ticket printer of the local station, if there is one."""
    table = config.printer
    if table.adapter == "none":
        return None

    def changed(state: PrinterState) -> None:
        ready = state.prints is not False
        metrics.printer(ready=ready)
        health.printer.note(ready, state.value)

    asks = table.asks and table.adapter != "file"
    settings = PrinterSettings(table.adapter, table.address, table.width, table.baud, asks, table.languages)
    return Printing(ProcessPrinter(settings), changed, lambda state: metrics.ticket(state.value))


def load_adapter(config: Config, beside: Path) -> HospitalAdapter:
    """The hospital adapter named in the configuration; only that plug-in is imported. ConfigError if there is none."""
    found = entry_points(group="hospital_adapters", name=config.hospital.adapter)
    if not found:
        known = ", ".join(sorted(point.name for point in entry_points(group="hospital_adapters")))
        raise ConfigError(f"hospital.adapter: expected one of {known}")
    factory: HospitalAdapterFactory = next(iter(found)).load()
    context = AdapterContext(config.station.facility, lambda name: read_secret(name, beside))
    return factory(config.hospital.own, context)


def _policy(config: Config, beside: Path) -> Policy:
    return Policy(
        station=config.station.id,
        facility=config.station.facility,
        unchecked=config.hospital.unchecked,
        number_wait=config.policy.number_wait,
        recheck_after=config.insurance.recheck_after,
        recheck_gap=_SHARE_OF_ARRIVALS / config.insurance.per_second,
        hours=OpeningHours.parse(config.insurance.opens, config.insurance.closes),
        services=tuple(_service(row) for row in config.service),
        numbers=NumberSeries(config.tickets.first, config.tickets.last, config.tickets.lines),
        priority=_priority(config, beside),
        own_codes=tuple(sorted((row.since, frozenset(row.accepted)) for row in config.route)),
    )


def _priority(config: Config, beside: Path) -> Priority:
    name = config.policy.priority_file
    try:
        return load_priority(beside / name if name else None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"policy.priority_file: {error}") from None


def _service(row: ServiceTable) -> Service:
    values = row.model_dump() | {"code": row.code or row.id}
    values["price"] = None if row.price is None else Decimal(row.price)
    return Service(**values)


def _timings(config: Config) -> Timings:
    return Timings(
        confirm=config.policy.confirm_seconds,
        choose=config.policy.choose_seconds,
        done=config.policy.done_seconds,
        place_card=config.card.place_seconds,
        staff=config.policy.staff_seconds,
    )


def own_token(path: Path) -> str:
    """The random token in a 0600 file of the data folder, made when it is missing. StoreUnusable if it is too short."""
    if not path.exists():
        write_durably(path, secrets.token_urlsafe(24))
    token = path.read_text("ascii").strip()
    if len(token) < _TOKEN_LENGTH:
        raise StoreUnusable(f"{path.name} is damaged: remove it and start again")
    return token
