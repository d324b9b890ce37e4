"""Why visits were not looked up by chip: every one has a reason, ranked, and every reason a sentence of advice."""

from datetime import date, datetime, timedelta, timezone

import pytest

from kiosk.events import NotByChip, new_event_id
from province.causes import REASONS, advice, causes, name
from province.pages.texts import Language, texts_in
from province.periods import Period
from province.rates import percent
from province.simulate.plan import Plan
from province.simulate.writing import simulate
from province.units import Level

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=7)))
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def missed(hub, code: str, **reasons: int) -> None:
    station = hub.station(code)
    batch = [
        station.visit(NOON, checkin_id=new_event_id(), not_by_chip=reason if reason != "NONE" else None)
        for reason, number in reasons.items()
        for _ in range(number)
    ]
    station.send(*batch)


def test_units_and_their_reasons_are_ranked(hub) -> None:
    missed(hub, "93002", CHIP_FAILED=1, NO_CARD=3, NONE=1)
    missed(hub, "93003", CHIP_FAILED=2)
    with hub.store.read() as connection:
        first, second = causes(connection, MARCH.start, MARCH.end, Level.FACILITY)
        (province,) = causes(connection, MARCH.start, MARCH.end, Level.PROVINCE)
    assert (first.unit_code, first.missed, first.unexplained, first.unexplained_pct) == ("93002", 5, 1, 20.0)
    assert [(each.reason, each.visits, each.share) for each in first.causes] == [
        ("NO_CARD", 3, 60.0),
        ("CHIP_FAILED", 1, 20.0),
        ("UNEXPLAINED", 1, 20.0),
    ]
    assert (second.unit_code, second.missed) == ("93003", 2)
    assert [(each.reason, each.visits) for each in province.causes] == [
        ("CHIP_FAILED", 3),
        ("NO_CARD", 3),
        ("UNEXPLAINED", 1),
    ]


def test_visits_at_desks_have_a_reason_too(hub) -> None:
    station = hub.station("93002")
    station.send(station.count(date(2026, 3, 2), 10))
    with hub.store.read() as connection:
        (unit,) = causes(connection, MARCH.start, MARCH.end, Level.FACILITY)
    assert [(each.reason, each.visits) for each in unit.causes] == [("AT_DESK_NOT_LOOKED_UP", 10)]


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_has_a_name_and_one_sentence_of_advice(language: Language) -> None:
    assert set(NotByChip) < set(REASONS)
    for reason in REASONS:
        assert name(reason, language) != reason and advice(reason, language).endswith(".")
    kept = {key for key in texts_in(language).keys() if key.startswith("causes.")}  # noqa: SIM118
    assert kept == {f"causes.{kind}.{reason}" for kind in ("name", "advice") for reason in (*REASONS, "OTHER")}
    assert name("SOLAR_FLARE", language) == "SOLAR_FLARE"
    assert advice("SOLAR_FLARE", language) == advice("OTHER", language)


def test_a_simulated_month_leaves_at_most_one_per_cent_unexplained(store) -> None:
    plan = Plan({"93002": "district_medical_centre", "93001": "hospital", "93003": "commune_station"}, MARCH, 7, {}, 1)
    simulate(store, plan, sums_only=True)
    with store.read() as connection:
        (province,) = causes(connection, MARCH.start, MARCH.end, Level.PROVINCE)
        facilities = causes(connection, MARCH.start, MARCH.end, Level.FACILITY)
    assert province.missed > 1000 and (province.unexplained_pct or 0) <= 1
    assert province.missed == sum(unit.missed for unit in facilities)
    assert province.missed == sum(each.visits for each in province.causes)
    assert sum(unit.unexplained for unit in facilities) == province.unexplained
    assert percent(province.unexplained, province.missed) == province.unexplained_pct


def test_the_causes_over_http(hub) -> None:
    missed(hub, "93002", READER_DOWN=2)
    days = {"from": "2026-03-01", "to": "2026-03-31"}
    (unit,) = hub.get("/api/v1/kpi/causes", **days).json()["units"]
    assert unit["causes"] == [
        {"reason": "READER_DOWN", "name": name("READER_DOWN"), "visits": 2, "share_pct": 100.0},
    ]
    assert unit["advice"] == advice("READER_DOWN")
    (unit,) = hub.get("/api/v1/kpi/causes", **days, lang="en", level="facility").json()["units"]
    assert (unit["unit_code"], unit["advice"]) == ("93002", advice("READER_DOWN", "en"))
    other = hub.person("facility", "93003")
    found = hub.http.get("/api/v1/kpi/causes", params=days | {"level": "facility"}, headers=other)
    assert found.json() == {"units": []}
    assert hub.http.get("/api/v1/kpi/causes", params=days, headers=other).status_code == 403
    assert hub.get("/api/v1/kpi/causes", **{"from": "x", "to": "y"}).json()["error"] == "bad_parameters"
