"""Simulated histories: the same by seed, marked, and equal as events and as sums."""

import base64
import io
import json
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from openpyxl import load_workbook

from kiosk.events import VIETNAM, check_event
from province.cli import main
from province.enrolment import enrol, new_code
from province.facilities import read_registry
from province.periods import Period, PeriodType
from province.rates import lookup_rate, why_not_by_chip
from province.rollup_table import rollup
from province.rollups import refresh_above
from province.rules import read_rules
from province.simulate.chances import NAMES, Trouble, is_outage
from province.simulate.event_making import events_of
from province.simulate.mark import simulated_range
from province.simulate.mergers import Merger
from province.simulate.plan import Plan, all_days
from province.simulate.writing import NotForRealFigures, simulate
from province.store import Store
from province.tables import event
from province.units import Level

SPAN_OF_A_YEAR = Period(date(2025, 1, 1), date(2025, 12, 31))
SPAN = Period(date(2025, 10, 20), date(2025, 11, 4))
PLAN = Plan(
    {"93002": "district_medical_centre", "93001": "hospital"},
    SPAN,
    7,
    (Merger("93001", "93002", date(2025, 11, 2)),),
    0.1,
)


def figures(store: Store) -> object:
    with store.read() as connection:
        query = sa.select(rollup).order_by(rollup.c.facility, rollup.c.grain, rollup.c.start)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_events_and_sums_give_the_same_figures(store: Store) -> None:
    assert simulate(store, PLAN) > 20
    from_events = figures(store)
    with store.write() as connection:
        for table in ("simulated", "facility_day", "rollup", "event", "lookup", "visit", "visit_count", "desk_lookups"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    simulate(store, PLAN, sums_only=True)
    assert figures(store) == from_events
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(event)) == 0
        assert simulated_range(connection) == SPAN
        (row,) = lookup_rate(connection, SPAN.start, SPAN.end, Level.PROVINCE, PeriodType.TOTAL)
    assert 70 < row["r1_pct"] <= 100


ADDED_UP = (
    *("visits_bhyt", "lookups_total", "lookups_success", "lookups_desk", "persons_looked_up", "r1_numerator"),
    *("r3_numerator", "r4_numerator", "facilities_reporting", "facilities_active", "r5_numerator"),
)


@pytest.mark.parametrize("cut", [PeriodType.DAY, PeriodType.WEEK, PeriodType.MONTH, PeriodType.TOTAL])
def test_units_are_the_sums_of_their_facilities_also_around_a_merger(store: Store, cut: PeriodType) -> None:
    simulate(store, PLAN, sums_only=True)
    with store.write() as connection:
        day = sa.and_(rollup.c.facility == "93001", rollup.c.start == date(2025, 11, 1), rollup.c.grain == "day")
        late = dict(connection.execute(sa.select(rollup).where(day)).mappings().one())
        afterwards = date(2025, 11, 4)  # of a station that is no more: for its successor, in another area
        connection.execute(sa.insert(rollup).values(late | {"start": afterwards, "last": afterwards, "active": 0}))
        refresh_above(connection, {afterwards})
    with store.read() as connection:
        for span in (SPAN, Period(date(2025, 11, 1), date(2025, 11, 30)), Period(date(2025, 11, 3), SPAN.end)):
            singles = lookup_rate(connection, span.start, span.end, Level.FACILITY, cut)
            for level, unit in ((Level.AREA, lambda row: row["parent_code"]), (Level.PROVINCE, lambda _row: "92")):
                expected: dict[object, Counter[str]] = {}
                for row in singles:
                    key = row["period_start"], unit(row)
                    expected.setdefault(key, Counter()).update({name: int(str(row[name])) for name in ADDED_UP})
                units = lookup_rate(connection, span.start, span.end, level, cut)
                found = {
                    (row["period_start"], row["unit_code"]): Counter({name: int(str(row[name])) for name in ADDED_UP})
                    for row in units
                }
                assert found == expected
                reasons = why_not_by_chip(connection, span.start, span.end, level, cut)
                own = why_not_by_chip(connection, span.start, span.end, Level.FACILITY, cut)
                assert (
                    sum(int(str(row["visits"])) for row in reasons) == sum(int(str(row["visits"])) for row in own) > 0
                )


def test_nothing_happens_after_a_merger_and_every_event_is_valid() -> None:
    merged, other = PLAN.profiles()
    last, still_open = ([each.day for each in profile.plans()][-1] for profile in (merged, other))
    assert last < date(2025, 11, 3) <= still_open
    first = next(other.plans())
    sent = list(events_of("93002", first, 7))
    again = next(list(PLAN.profiles())[1].plans())
    assert sent == list(events_of("93002", again, 7))
    assert [check_event(each) for each in sent] == [None] * len(sent)


def test_a_hub_with_stations_and_a_second_run_are_refused(store: Store) -> None:
    simulate(store, PLAN, sums_only=True)
    with pytest.raises(NotForRealFigures, match="already_simulated"):
        simulate(store, PLAN, sums_only=True)


def test_real_stations_need_force(store: Store) -> None:
    enrol(store, new_code(store, "93002", "kiosk-1")["code"], base64.b64encode(bytes(32)).decode())
    with pytest.raises(NotForRealFigures, match="has_stations"):
        simulate(store, PLAN, sums_only=True)
    assert figures(store) == []
    assert simulate(store, PLAN, sums_only=True, force=True) > 20


def test_the_dashboard_says_which_days_are_simulated(store, run_hub) -> None:
    with run_hub(store) as hub:
        assert "Số liệu mô phỏng" not in hub.http.get("/").text
        simulate(store, Plan({"93002": "hospital"}, Period(date(2026, 3, 2), date(2026, 3, 4)), 1), sums_only=True)
        shown = hub.http.get("/", params={"month": "2026-03"}).text
    assert "Số liệu mô phỏng" in shown and "02/03/2026" in shown and "04/03/2026" in shown


def test_every_row_and_file_with_simulated_days_says_so(store, run_hub) -> None:
    simulate(store, PLAN, sums_only=True)
    with run_hub(store) as hub:
        rows = hub.rows("2025-11-01", "2025-11-30")
        assert [row["simulated"] for row in rows] == [True]
        assert not any(row["simulated"] for row in hub.rows("2025-12-01", "2025-12-31"))
        days = {"from": "2025-10-01", "to": "2025-10-31"}
        for path in ("/api/v1/kpi/lookup-rate", "/api/v1/kpi/why-not-by-chip"):
            heading, line, *_ = hub.get(path, **days, format="csv").text.splitlines()
            assert (heading.split(",")[-1], line.split(",")[-1]) == ("Có số liệu mô phỏng", "true")
            book = load_workbook(io.BytesIO(hub.get(path, **days, format="xlsx").content))
            assert book["Cách tính"]["A1"].value == "SỐ LIỆU MÔ PHỎNG"


def ctl(database: str, *words: str) -> dict[str, int]:
    done = CliRunner().invoke(main, ["--database", database, "simulate", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.output)  # type: ignore[no-any-return]


def test_a_made_up_country_with_merged_stations(database_url: str) -> None:
    words = ("--facilities", "500", "--merged", "3", "--from", "2025-09-01", "--to", "2025-09-20", "--sums-only")
    days = ctl(database_url, *words)["facility_days"]
    with closing(Store(database_url)) as store, store.read() as connection:
        registry, rules = read_registry(connection), read_rules(connection)
        provinces = lookup_rate(connection, date(2025, 9, 1), date(2025, 9, 20), Level.PROVINCE, PeriodType.TOTAL)
        stored = connection.execute(
            sa.select(rollup.c.facility, sa.func.max(rollup.c.start))
            .where(rollup.c.grain == "day")
            .group_by("facility")
        )
        newest = {row[0]: row[1] for row in stored}
        assert days == connection.scalar(sa.select(sa.func.count()).select_from(rollup).where(rollup.c.grain == "day"))
    assert len(registry.facilities) == 500
    assert {code for code in registry.facilities if not code.startswith("93")} == {
        f"M{number // 383 + 1:02}{number % 383 + 1:03}" for number in range(405)
    }
    assert {row["unit_code"]: row["facilities_active"] for row in provinces} == {"92": 95, "M01": 383, "M02": 22}
    assert len(rules.successions) == 3
    for each in rules.successions:
        old, new = registry.facilities[each.old], registry.facilities[each.new]
        assert (old.area_code, old.type) == (new.area_code, "commune_health_station")
        assert old.versions[-1].valid_to == each.day - timedelta(days=1) >= newest[each.old]
        assert newest[each.new] == date(2025, 9, 20)


def test_a_history_ends_yesterday_unless_told_otherwise(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'province.db'}"
    ctl(url, "--facilities", "2", "--sums-only")
    with closing(Store(url)) as store, store.read() as connection:
        span = simulated_range(connection)
        units = set(connection.scalars(sa.select(rollup.c.facility)))
    assert span is not None and span.end - span.start == timedelta(days=364)
    assert timedelta(0) < datetime.now(VIETNAM).date() - span.end <= timedelta(days=2)  # midnight may pass meanwhile
    assert units == {"93001", "93002"}


def test_a_last_day_that_is_none_is_refused(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'province.db'}"
    done = CliRunner().invoke(main, ["--database", database, "simulate", "--until", "tomorrow"])
    assert done.exit_code == 2 and "YYYY-MM-DD or yesterday" in done.output


def test_people_come_in_the_morning_and_on_weekdays() -> None:
    year = Plan({"93001": "hospital"}, Period(date(2025, 1, 1), date(2025, 12, 31)), 3)
    (profile,) = year.profiles()
    visits = {each.day: each.visits for each in profile.plans()}
    weekdays, sundays = (
        [number for day, number in visits.items() if (day.weekday() == 6) == sunday] for sunday in (False, True)
    )
    assert sum(weekdays) / len(weekdays) > 5 * sum(sundays) / len(sundays)
    monday = next(each for each in profile.plans() if each.day == date(2025, 9, 8))
    hours = [
        datetime.fromisoformat(str(each["happened_at"])).astimezone(VIETNAM).hour
        for each in events_of("93001", monday, 3)
        if each["kind"] == "visit"
    ]
    assert sum(hour < 9 for hour in hours) > len(hours) / 2


def test_troubles_and_outages_are_there_to_be_found() -> None:
    plan = Plan({f"M01{number:03}": "commune_health_station" for number in range(600)}, SPAN_OF_A_YEAR, 1)
    profiles = list(plan.profiles())
    assert {profile.trouble for profile in profiles} == {None, *Trouble}
    broken = next(each for each in profiles if each.trouble is Trouble.READER)
    by_day = {each.day: each.outcomes.get("reader_down", 0) for each in broken.plans()}
    assert sum(sorted(by_day.values())[-40:]) > 0.9 * sum(by_day.values())
    silent = next(each for each in profiles if each.trouble is Trouble.SILENT)
    heard = [each.day for each in silent.plans()]
    assert max(later - day for day, later in pairwise(heard)) > timedelta(days=30)
    down = {place for place, day in enumerate(all_days(SPAN_OF_A_YEAR)) if is_outage(day, 1)}
    failed: Counter[int] = Counter()
    for days in (profile.days for profile in profiles):
        failed.update(dict(zip(days.places.tolist(), days.outcomes[:, NAMES.index("gateway_down")], strict=True)))
    assert {place for place, number in failed.items() if number} == down
