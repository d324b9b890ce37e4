"""Writing a simulated history into a hub: its events through the hub's own counting, or only its sums."""

import json
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from kiosk.events import parse_happened_at
from province.measures import to_row
from province.projection import Accepted, project
from province.rollup_table import Grain, rollup
from province.rollups import refresh_above, relabel
from province.simulate.event_making import STATION, events_of
from province.simulate.mark import mark, simulated_range
from province.simulate.plan import Plan, Profile
from province.store import Store
from province.tables import event, facility_day, station_key


class NotForRealFigures(Exception):
    """The hub has stations, or these figures are there already; `code` is stable."""

    def __init__(self, code: str) -> None:
        """`has_stations` or `already_simulated`."""
        super().__init__(code)
        self.code = code


def simulate(store: Store, plan: Plan, *, sums_only: bool = False, force: bool = False) -> int:
    """Write the plan's history; returns the number of facility days. Raises NotForRealFigures.

    All or nothing: one transaction. With *force* beside enrolled stations too; never twice.
    """
    with store.write() as connection:
        if simulated_range(connection) is not None:
            raise NotForRealFigures("already_simulated")
        if not force and connection.scalar(sa.select(sa.func.count()).select_from(station_key)):
            raise NotForRealFigures("has_stations")
        mark(connection, plan.span, facilities=len(plan.facilities), seed=plan.seed, sums_only=sums_only)
        write = _write_sums if sums_only else _write_events
        number = sum(write(connection, plan, profile) for profile in plan.profiles)
        if sums_only:
            refresh_above(connection, set(plan.days))
            relabel(connection, plan.facilities)
    return number


def _write_sums(connection: sa.Connection, plan: Plan, profile: Profile) -> int:
    days = [each for day in plan.days if (each := profile.plan(day)) is not None]
    if not days:
        return 0
    labels = {"facility": profile.code, "grain": Grain.DAY, "province": "", "area": "", "active": 1}
    rows = [labels | {"start": each.day, "last": each.day} | to_row(each.measures()) for each in days]
    connection.execute(sa.insert(rollup), rows)
    marks = [{"facility": profile.code, "day": each.day, "reported": True, "revision": 1} for each in days]
    connection.execute(sa.insert(facility_day), marks)
    return len(days)


def _write_events(connection: sa.Connection, plan: Plan, profile: Profile) -> int:
    number = 0
    months: dict[object, list[Accepted]] = {}
    for day in plan.days:
        planned = profile.plan(day)
        if planned is None:
            continue
        number += 1
        for raw in events_of(profile.code, planned, plan.seed):
            at = cast(datetime, parse_happened_at(raw["happened_at"]))
            months.setdefault(day.replace(day=1), []).append(Accepted(raw, str(raw["event_id"]), at))
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
