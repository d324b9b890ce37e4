"""Published figures once more from the raw events: equal, or named with what differs."""

import json
from datetime import date, datetime, timedelta, timezone

import sqlalchemy as sa
from click.testing import CliRunner

from kiosk.events import new_event_id
from province.cli import main
from province.hub_key import HubKey
from province.months.closing import close
from province.periods import Period
from province.recompute import compare, recompute
from province.rollup_table import Grain, rollup
from province.simulate.plan import Plan
from province.simulate.writing import simulate
from province.tables import lookup

VN = timezone(timedelta(hours=7))
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def at(day: int = 10, hour: int = 8) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=VN)


def seen(station, number: int, day: int = 10, **fields: object) -> None:
    batch = []
    for _ in range(number):
        checkin_id = new_event_id()
        batch += [
            station.visit(at(day), checkin_id=checkin_id, **fields),
            station.lookup(at(day), checkin_id=checkin_id),
        ]
    station.send(*batch)


def test_sums_that_were_tampered_with_are_found(hub) -> None:
    station = hub.station()
    seen(station, 3)
    station.send(station.count(date(2026, 3, 10), 9), station.desk(date(2026, 3, 10), 4, 4, 4))
    with hub.store.write() as connection:
        assert compare(connection, MARCH) == []
        month = sa.and_(rollup.c.facility == "93002", rollup.c.grain == Grain.MONTH)
        connection.execute(sa.update(rollup).where(month).values(visits_looked_up=5))
        (found,) = compare(connection, MARCH)
        assert (found.facility, found.by) == ("93002", {"visits_looked_up": -2})
        assert compare(connection, MARCH, "93003") == []


def test_rows_between_the_events_and_the_sums_are_not_believed(hub) -> None:
    seen(hub.station(), 2)
    with hub.store.write() as connection:
        connection.execute(sa.delete(lookup))
        assert recompute(connection, "93002", MARCH).visits_looked_up == 2


def test_a_closed_month_is_compared_as_it_was_published(hub) -> None:
    station = hub.station()
    seen(station, 3)
    close(hub.store, HubKey.make(), MARCH.start, "Sở Y tế", "chốt")
    seen(station, 2, 11)
    seen(station, 1, 10)
    with hub.store.read() as connection:
        assert recompute(connection, "93002", MARCH).visits == 3
        assert compare(connection, MARCH) == []
        assert compare(connection, Period(date(2026, 2, 20), date(2026, 4, 2))) == []
        assert compare(connection, Period(date(2026, 3, 10), date(2026, 3, 11))) == []


def test_classes_of_visits_are_counted_as_the_rules_leave_them_out(hub) -> None:
    station = hub.station()
    seen(station, 2, lane="emergency")
    seen(station, 1, not_by_chip="CHILD")
    told = station.count(date(2026, 3, 10), 8) | {"by_class": {"2": 3, "ARMED_FORCES": 1, "unheard": 2}}
    station.send(told)
    with hub.store.read() as connection:
        assert compare(connection, MARCH) == []
        assert recompute(connection, "93002", MARCH).classes["EMERGENCY.visits"] == 3


def test_a_simulated_history_is_equal(store) -> None:
    span = Period(date(2026, 3, 2), date(2026, 3, 15))
    simulate(store, Plan({"93002": "district_medical_centre", "93001": "hospital"}, span, 7, (), 0.1))
    with store.read() as connection:
        assert compare(connection, span) == []
        assert recompute(connection, "93002", span).visits > 20


def test_the_command_says_equal_or_fails(hub, tmp_path) -> None:
    station = hub.station()
    seen(station, 1)
    url = hub.store._engine.url.render_as_string(hide_password=False)

    def call(*words: str):
        return CliRunner().invoke(main, ["--database", url, "--data", str(tmp_path), "recompute", *words])

    good = call("--month", "2026-03")
    assert (good.exit_code, json.loads(good.output)["equal"]) == (0, True)
    with hub.store.write() as connection:
        connection.execute(sa.update(rollup).values(visits=7))
    bad = call("--from", "2026-03-01", "--to", "2026-03-31", "--facility", "93002")
    assert bad.exit_code == 1
    assert json.loads(bad.output)["differences"] == [{"facility": "93002", "by": {"visits": -6}}]
    for words in ([], ["--month", "2026-13"], ["--month", "2026-03", "--from", "2026-03-01"]):
        assert call(*words).exit_code == 2
