"""Taking the sums of days from a member hub: once per facility, day and revision, the newest revision stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from kiosk.events import VIETNAM
from province.federation.members import Member
from province.federation.wire import Rollup, read_rollup, told_place
from province.federation_tables import member_day
from province.ingest import FUTURE_LIMIT
from province.member_days import as_text
from province.rollups import refresh
from province.store import Store
from province.tables import facility_day
from province.units import Units, units_of
from province.upsert import insert_or_update

Place = tuple[str, date]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer: how many were new, how many known in this revision or a newer one, which were refused and why."""

    accepted: int
    duplicates: int
    rejected: list[dict[str, str | None]]


def take_rollups(store: Store, member: Member, raw: Sequence[Any], received_at: datetime) -> Outcome:
    """Keep the sums of one body; when this returns, the accepted ones are durable and in the feed.

    Sums that cannot be taken are refused by name and the rest count: `malformed`, `unknown_sum`, `unknown_facility`,
    `not_your_province` (the registry has the facility elsewhere on that day), `in_the_future` (more than 2 days),
    `another_hubs_day`, `counted_here` (this hub has the facility's own events of that day). `received_at` is an aware
    time. Raises SQLAlchemy's errors, with nothing kept.
    """
    rejected: list[dict[str, str | None]] = []
    latest = (received_at + FUTURE_LIMIT).astimezone(VIETNAM).date()
    with store.write() as connection:
        units = units_of(connection)
        good: list[Rollup] = []
        for each in raw:
            read = read_rollup(each)
            problem = read if isinstance(read, str) else _problem(units, member, read, latest)
            if problem is None and isinstance(read, Rollup):
                good.append(read)
            else:
                rejected.append(told_place(each) | {"reason": problem})
        for code in sorted({each.facility for each in good}):
            store.lock_facility(connection, code)
        held, own = _held(connection, good), _counted_here(connection, good)
        fresh: dict[Place, Rollup] = {}
        duplicates = 0
        for each in good:
            place = each.facility, each.day
            hub, revision = held.get(place, (member.hub, 0))
            if hub != member.hub or place in own:
                reason = "counted_here" if place in own else "another_hubs_day"
                rejected.append({"facility": each.facility, "day": each.day.isoformat(), "reason": reason})
            elif each.revision <= revision:
                duplicates += 1
            else:
                duplicates += place in fresh
                fresh[place] = each
                held[place] = member.hub, each.revision
        _keep(connection, member, list(fresh.values()), received_at)
    return Outcome(len(fresh), duplicates, rejected)


def _problem(units: Units, member: Member, rollup: Rollup, latest: date) -> str | None:
    known = units.registry.facilities.get(rollup.facility)
    if known is None:
        return "unknown_facility"
    if known.version_at(rollup.day, rollup.day).province_code not in member.provinces:
        return "not_your_province"
    return "in_the_future" if rollup.day > latest else None


def _held(connection: sa.Connection, rollups: Sequence[Rollup]) -> dict[Place, tuple[str, int]]:
    query = sa.select(member_day.c.facility, member_day.c.day, member_day.c.hub, member_day.c.revision).where(
        member_day.c.facility.in_({each.facility for each in rollups}),
        member_day.c.day.in_({each.day for each in rollups}),
    )
    return {(row.facility, row.day): (row.hub, row.revision) for row in connection.execute(query)}


def _counted_here(connection: sa.Connection, rollups: Sequence[Rollup]) -> set[Place]:
    query = sa.select(facility_day.c.facility, facility_day.c.day).where(
        facility_day.c.facility.in_({each.facility for each in rollups}),
        facility_day.c.day.in_({each.day for each in rollups}),
    )
    return {(row.facility, row.day) for row in connection.execute(query)}


def _keep(connection: sa.Connection, member: Member, fresh: Sequence[Rollup], received_at: datetime) -> None:
    rows = [
        {
            "facility": each.facility,
            "day": each.day,
            "hub": member.hub,
            "revision": each.revision,
            "sums": as_text(each.sums),
            "taken_at": received_at.astimezone(UTC),
        }
        for each in fresh
    ]
    insert_or_update(connection, member_day, rows, ("hub", "revision", "sums", "taken_at"))
    days: dict[str, set[date]] = {}
    for each in fresh:
        days.setdefault(each.facility, set()).add(each.day)
    for code, of_it in sorted(days.items()):
        refresh(connection, of_it, [code])
