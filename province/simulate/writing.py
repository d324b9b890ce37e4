"""Writing a simulated history into a hub: its events through the hub's own counting, or only its sums."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Final, cast

import sqlalchemy as sa

from kiosk.events import parse_happened_at
from province.facilities import Facility, read_registry
from province.projection import Accepted, project
from province.rollup_table import Grain, rollup
from province.rollups import refresh_above
from province.simulate.bulk import insert_many
from province.simulate.day_rows import COLUMNS, day_rows
from province.simulate.event_making import STATION, events_of
from province.simulate.mark import mark, simulated_range
from province.simulate.mergers import write_mergers
from province.simulate.plan import Plan, Profile, all_days
from province.store import Store
from province.tables import event, facility_day, station_key

_LABELS: Final = ("facility", "grain", "start", "last", "province", "area", "active")
_AT_ONCE: Final = 200
"""Facilities whose sums are written together."""


class NotForRealFigures(Exception):
    """The hub has stations, or these figures are there already; `code` is stable."""

    def __init__(self, code: str) -> None:
        """`has_stations` or `already_simulated`."""
        super().__init__(code)
        self.code = code


def simulate(store: Store, plan: Plan, *, sums_only: bool = False, force: bool = False) -> int:
    """Write the plan's history; returns the number of facility days.

    Raises NotForRealFigures, and RuleRefused for a merger in a closed month.

    All or nothing: one transaction. With *force* beside enrolled stations too; never twice.
    """
    with store.write() as connection:
        _refuse_real_figures(connection, force=force)
        mark(connection, plan.span, facilities=len(plan.facilities), seed=plan.seed, sums_only=sums_only)
        write_mergers(connection, plan.mergers)
        if sums_only:
            return _write_sums(connection, plan)
        return sum(_write_events(connection, plan, profile) for profile in plan.profiles())


def refuse_real_figures(store: Store, *, force: bool = False) -> None:
    """Raise NotForRealFigures where `simulate` would, before anything is prepared for it."""
    with store.read() as connection:
        _refuse_real_figures(connection, force=force)


def _refuse_real_figures(connection: sa.Connection, *, force: bool) -> None:
    if simulated_range(connection) is not None:
        raise NotForRealFigures("already_simulated")
    if not force and connection.scalar(sa.select(sa.func.count()).select_from(station_key)):
        raise NotForRealFigures("has_stations")


def _write_sums(connection: sa.Connection, plan: Plan) -> int:
    known = read_registry(connection).facilities
    number = 0
    profiles = plan.profiles()
    while part := list(islice(profiles, _AT_ONCE)):
        rows = list(chain.from_iterable(_sums_of(profile, known[profile.code], plan) for profile in part))
        rows.sort(key=itemgetter(_LABELS.index("start")))  # lying together by day, as a real hub's rows do
        number += insert_many(connection, rollup, (*_LABELS, *COLUMNS), rows)
        marks = ((each.code, day, True, 1) for each in part for day in _days_of(each, plan))
        insert_many(connection, facility_day, ("facility", "day", "reported", "revision"), marks)
    refresh_above(connection, set(all_days(plan.span)))
    return number


def _days_of(profile: Profile, plan: Plan) -> Iterator[date]:
    days = all_days(plan.span)
    return (days[place] for place in profile.days.places)


def _sums_of(profile: Profile, unit: Facility, plan: Plan) -> Iterator[tuple[Any, ...]]:
    places = zip(_days_of(profile, plan), day_rows(profile.days), strict=True)
    for (province, active), group in groupby(places, key=lambda each: _place(unit, each[0])):
        for day, values in group:
            yield (profile.code, str(Grain.DAY), day, day, province, unit.area_code, active, *values)


def _place(unit: Facility, day: date) -> tuple[str, int]:
    return unit.version_at(day, day).province_code, int(unit.active(day, day))


def _write_events(connection: sa.Connection, plan: Plan, profile: Profile) -> int:
    number = 0
    months: dict[date, list[Accepted]] = {}
    for planned in profile.plans():
        number += 1
        for raw in events_of(profile.code, planned, plan.seed):
            at = cast(datetime, parse_happened_at(raw["happened_at"]))
            months.setdefault(planned.day.replace(day=1), []).append(Accepted(raw, str(raw["event_id"]), at))
    for items in months.values():
        connection.execute(sa.insert(event), [_ledger_row(profile.code, item) for item in items])
        project(connection, profile.code, items, plan.span.start)  # no day is over yet: nothing is late
    return number


def _ledger_row(code: str, item: Accepted) -> dict[str, object]:
    raw = item.raw
    return {
        "facility": code,
        "event_id": item.event_id,
        "station": STATION,
        "epoch": raw["epoch"],
        "seq": raw["seq"],
        "kind": raw["kind"],
        "happened_at": item.happened_at,
        "received_at": item.happened_at,
        "clock_suspect": False,
        "in_rates": True,
        "payload": json.dumps(raw),
    }
