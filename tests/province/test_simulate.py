"""Simulated histories: the same by seed, marked, and equal as events and as sums."""

import base64
import io
from datetime import date

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from kiosk.events import check_event
from province.enrolment import enrol, new_code
from province.periods import Period, PeriodType
from province.rates import lookup_rate
from province.rollup_table import rollup
from province.simulate.event_making import events_of
from province.simulate.mark import simulated_range
from province.simulate.plan import Plan
from province.simulate.writing import NotForRealFigures, simulate
from province.store import Store
from province.tables import event
from province.units import Level

SPAN = Period(date(2025, 10, 20), date(2025, 11, 4))
PLAN = Plan({"93002": "district_medical_centre", "93001": "hospital"}, SPAN, 7, {"93001": date(2025, 11, 2)}, 0.1)


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


def test_nothing_happens_after_a_merger_and_every_event_is_valid() -> None:
    merged = PLAN.profiles[0]
    assert merged.plan(date(2025, 11, 3)) is None
    day = PLAN.profiles[1].plan(date(2025, 10, 20))
    assert day is not None
    sent = list(events_of("93002", day, 7))
    assert sent == list(events_of("93002", day, 7))
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
        simulate(
            store, Plan({"93002": "hospital"}, Period(date(2026, 3, 2), date(2026, 3, 4)), 1, {}, 1.0), sums_only=True
        )
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
