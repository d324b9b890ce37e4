"""Rules by date and closed months (interfaces.md 6), through real ingest and feed."""

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from kiosk.events import new_event_id
from province.cli import main
from province.facilities import load_registry
from province.measures import Measures
from province.rebuild import rebuild
from province.rollup_table import rollup
from province.rollups import close_month, late
from province.rules import (
    Exclusion,
    OpeningBalance,
    RuleRefused,
    Succession,
    set_exclusion,
    set_opening,
    set_succession,
    set_target,
)

VN = timezone(timedelta(hours=7))
MARCH = ("2026-03-01", "2026-03-31")


def at(day: date, hour: int = 8) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=VN)


def visits(station, day: date, number: int, *, looked_up: int | None = None, **fields: object) -> list[dict]:
    """`number` visits on a day, of which `looked_up` (default all) have a lookup."""
    batch = []
    for index in range(number):
        checkin_id = new_event_id()
        batch.append(station.visit(at(day), checkin_id=checkin_id, **fields))
        if looked_up is None or index < looked_up:
            batch.append(station.lookup(at(day), checkin_id=checkin_id))
    return batch


def write(hub, work, *arguments: object) -> None:
    with hub.store.write() as connection:
        work(connection, *arguments)


def test_a_target_holds_for_its_unit_from_its_day_on(hub) -> None:
    assert hub.facility("93002", *MARCH)["target_pct"] == 80.0
    write(hub, set_target, "*", date(2026, 1, 1), 82.5)
    write(hub, set_target, "935", date(2026, 3, 15), 90.0)
    write(hub, set_target, "93003", date(2026, 3, 31), 99.15)
    assert hub.facility("93002", "2026-03-01", "2026-03-14")["target_pct"] == 82.5
    assert hub.facility("93002", *MARCH)["target_pct"] == 90.0
    assert hub.facility("93003", *MARCH)["target_pct"] == 99.15
    assert hub.rows(*MARCH)[0]["target_pct"] == 82.5
    station = hub.station("93002")
    station.send(*visits(station, date(2026, 3, 20), 20, looked_up=17))
    assert hub.facility("93002", *MARCH)["target_met"] is False  # 85 % of 90 %


def test_an_excluded_class_is_in_no_rate_over_visits_on_its_days(hub) -> None:
    station = hub.station("93002")
    early, later = date(2026, 3, 10), date(2026, 3, 20)
    for day in (early, later):
        station.send(*visits(station, day, 6, looked_up=5))
        station.send(*visits(station, day, 4, looked_up=1, lane="emergency"))
    write(hub, set_exclusion, Exclusion("EMERGENCY", date(2026, 3, 15), None, "agreed"))
    row = hub.facility("93002", *MARCH)
    assert (row["visits_bhyt"], row["visits_excluded"]) == (20, 4)
    assert (row["r1_numerator"], row["r1_denominator"]) == (11, 16)
    assert (row["r3_numerator"], row["r4_numerator"], row["r1_raw_denominator"]) == (11, 11, 20)
    after = hub.facility("93002", "2026-03-15", "2026-03-31")
    assert (after["r1_numerator"], after["r1_denominator"], after["r1_pct"]) == (5, 6, 83.33)
    assert hub.facility("93002", "2026-03-01", "2026-03-14")["visits_excluded"] == 0
    assert hub.rows(*MARCH)[0]["r1_denominator"] == 16


def test_the_hospitals_count_of_a_class_leads(hub) -> None:
    station, day = hub.station("93002"), date(2026, 3, 10)
    station.send(*visits(station, day, 3, lane="emergency"))
    count = station.count(day, 50)
    station.send(count | {"by_class": {"2": 9, "CHILD": 5, "other": 7}})
    write(hub, set_exclusion, Exclusion("EMERGENCY", date(2026, 1, 1), None, "agreed"))
    row = hub.facility("93002", *MARCH)
    assert (row["visits_bhyt"], row["visits_excluded"], row["r1_numerator"]) == (50, 9, 0)


def test_cumulative_rows_begin_with_the_opening_balance(hub) -> None:
    station, other = hub.station("93002"), hub.station("93003")
    for each in (station, other):
        each.send(*visits(each, date(2026, 2, 28), 3), *visits(each, date(2026, 3, 2), 4, looked_up=2))
    before = Measures(visits=1000, visits_looked_up=700, counted=800, success=650)
    write(hub, set_opening, OpeningBalance("93002", date(2022, 3, 1), date(2026, 2, 28), before))
    (row,) = [
        row
        for row in hub.rows("2022-03-01", "2026-03-31", level="facility", period="cumulative")
        if row["unit_code"] == "93002"
    ]
    assert (row["visits_bhyt"], row["r1_numerator"], row["lookups_total"], row["lookups_success"]) == (
        1004,
        702,
        802,
        652,
    )
    (province,) = hub.rows("2022-03-01", "2026-03-31", period="cumulative")
    assert (province["visits_bhyt"], province["r1_numerator"]) == (1011, 707)
    assert hub.facility("93002", "2022-03-01", "2026-03-31")["visits_bhyt"] == 7  # the balance is in no other row


def test_what_comes_under_an_old_code_counts_for_the_successor(hub) -> None:
    old, new = hub.station("93003"), hub.station("93002")
    for station in (old, new):
        station.send(*visits(station, date(2026, 3, 10), 2), *visits(station, date(2026, 3, 20), 3))
    write(hub, set_succession, Succession("93003", "93002", date(2026, 3, 15), "merged"))
    assert hub.facility("93003", *MARCH)["visits_bhyt"] == 2
    assert hub.facility("93002", *MARCH)["visits_bhyt"] == 8
    days = {
        row["period_start"]: row for row in hub.rows(*MARCH, level="area", period="day") if row["unit_code"] == "935"
    }
    assert days["2026-03-20"]["visits_bhyt"] == 6
    assert hub.rows(*MARCH)[0]["visits_bhyt"] == 10
    with pytest.raises(RuleRefused, match="circular"):
        write(hub, set_succession, Succession("93002", "93003", date(2026, 4, 1), "merged"))


def test_a_closed_month_keeps_what_was_published(hub) -> None:
    station, day = hub.station("93002"), date(2026, 3, 10)
    station.send(*visits(station, day, 20, looked_up=19))
    write(hub, close_month, date(2026, 3, 1))
    before = hub.facility("93002", *MARCH)
    assert (before["status"], before["adjustment"], before["r1_pct"]) == ("closed", None, 95.0)
    station.send(*visits(station, day, 5, looked_up=0))
    for row in (hub.facility("93002", *MARCH), hub.rows(*MARCH)[0], hub.rows("2026-01-01", "2026-12-31")[0]):
        assert (row["r1_pct"], row["visits_bhyt"]) == (95.0, 20)
    row = hub.facility("93002", *MARCH)
    assert row["status"] == "adjusted"
    assert row["adjustment"] == {"visits": 5, "not_by_chip.UNEXPLAINED": 5}
    assert hub.facility("93003", *MARCH)["status"] == "closed"
    assert hub.rows("2026-01-01", "2026-12-31")[0]["status"] == "open"
    assert hub.facility("93002", str(day), str(day))["visits_bhyt"] == 25  # days follow the ledger
    with hub.store.read() as connection:
        ((code, (published, live)),) = late(connection, date(2026, 3, 1)).items()
    assert (code, published.visits, live.visits) == ("93002", 20, 25)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        (set_target, ("*", date(2026, 3, 31), 50.0)),
        (set_exclusion, (Exclusion("CHILD", date(2026, 2, 1), None, "late idea"),)),
        (set_succession, (Succession("93003", "93002", date(2026, 3, 2), "merged"),)),
    ],
)
def test_no_rule_reaches_into_a_closed_month(hub, rule, arguments: tuple[object, ...]) -> None:
    write(hub, close_month, date(2026, 3, 1))
    with pytest.raises(RuleRefused, match="month_closed"):
        write(hub, rule, *arguments)
    write(hub, set_target, "*", date(2026, 4, 1), 50.0)


def test_the_portals_gap_is_that_of_the_days_it_knows(hub) -> None:
    station = hub.station("93002")
    station.send(station.count(date(2026, 3, 2), 600), station.count(date(2026, 3, 2), 604, origin="portal_file"))
    station.send(station.count(date(2026, 3, 3), 500))
    row = hub.facility("93002", *MARCH)
    assert (row["visits_bhyt"], row["visits_bhyt_portal"], row["portal_gap"], row["portal_gap_pct"]) == (
        1100,
        604,
        4,
        0.66,
    )


def test_the_sums_can_be_made_again_from_the_ledger(hub) -> None:
    station = hub.station("93002")
    station.send(*visits(station, date(2026, 3, 10), 7, looked_up=5), station.count(date(2026, 3, 10), 9))
    station.send(*visits(station, date(2026, 3, 11), 2, method="IRIS"))

    def kept() -> list[sa.Row]:
        with hub.store.read() as connection:
            return list(
                connection.execute(sa.select(rollup).order_by(rollup.c.facility, rollup.c.grain, rollup.c.start))
            )

    before = kept()
    with hub.store.write() as connection:
        connection.execute(sa.delete(rollup))
        rebuild(connection)
    assert kept() == before and len(before) == 4


def test_the_sums_follow_the_registry(hub) -> None:
    station = hub.station("93002")
    station.send(*visits(station, date(2026, 3, 10), 7))
    facilities = "ma_cskcb,name_vi,tier,type,district_code,district_name,commune_code,commune_name,province_code\n"
    versions = "ma_cskcb,version,valid_from,valid_to,name_vi,province_code,province_name,commune_code,commune_name\n"
    load_registry(hub.store, facilities, versions + "93002,1,,,Trạm Thử,77,Tỉnh Thử,1,Xã Thử\n")
    rows = {row["unit_code"]: row["visits_bhyt"] for row in hub.rows(*MARCH)}
    assert rows == {"77": 7, "92": 0}


def test_rules_are_set_at_the_command_line(tmp_path: Path) -> None:
    def run(*words: str) -> dict:
        result = CliRunner().invoke(main, ["--data", str(tmp_path), "rules", *words])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    run("target", "--from", "2026-01-01", "--pct", "85")
    run("exclude", "CHILD", "--from", "2026-01-01", "--to", "2026-06-30", "--reason", "agreed")
    numbers = ("--visits", "10", "--looked-up", "8", "--lookups", "9", "--success", "7")
    run("opening", "93002", "--from", "2022-03-01", "--to", "2025-12-31", *numbers)
    assert run("succession", "93003", "93002", "--day", "2026-07-01") == run("list")
    assert run("list") == {
        "targets": [{"unit": "*", "valid_from": "2026-01-01", "pct": 85.0}],
        "exclusions": [{"name": "CHILD", "valid_from": "2026-01-01", "valid_to": "2026-06-30", "reason": "agreed"}],
        "successions": [{"old": "93003", "new": "93002", "day": "2026-07-01", "kind": "merged"}],
        "opening_balances": [
            {"facility": "93002", "first": "2022-03-01", "last": "2025-12-31"}
            | {"visits": 10, "visits_looked_up": 8, "lookups": 9, "success": 7}
        ],
    }
    refused = CliRunner().invoke(
        main, ["--data", str(tmp_path), "rules", "succession", "93002", "93003", "--day", "2026-08-01"]
    )
    assert refused.exit_code == 1 and "circular" in refused.output
