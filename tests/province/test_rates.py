"""Every definition of the KPI feed (interfaces.md 6), through real ingest and feed."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from kiosk.events import new_event_id

VN = timezone(timedelta(hours=7))
D1, D2 = date(2026, 3, 2), date(2026, 3, 3)
DAY1 = (str(D1), str(D1))
BOTH = (str(D1), str(D2))


def at(day: date, hour: int = 8, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=VN)


def checked_in(station, day: date = D1, *, visit: dict | None = None, **lookup: object) -> list[dict]:
    """A visit with one lookup."""
    checkin_id = new_event_id()
    return [
        station.lookup(at(day), checkin_id=checkin_id, **lookup),
        station.visit(at(day, 8, 1), checkin_id=checkin_id, **(visit or {})),
    ]


def test_the_headline_figures_of_the_reference(hub) -> None:
    """20,000 insured visits, 19,830 looked up once, 19,100 of those with success: 99.15 and 96.32, exactly once."""
    stations = [hub.station(code) for code in ("93001", "93002", "93005", "93016", "93040")]
    for index, station in enumerate(stations):
        batch: list[dict] = []
        for number in range(4000):
            serial = index * 4000 + number
            day = D1 + timedelta(days=number % 20)
            visit = station.visit(at(day, 9), checkin_id=new_event_id())
            batch.append(visit)
            if serial < 19_830:
                code = "000" if serial < 19_100 else "050"
                batch.append(station.lookup(at(day, 9), checkin_id=visit["checkin_id"], result_code=code))
        for start in range(0, len(batch), 1000):
            part = batch[start : start + 1000]
            assert station.send(*part)["accepted"] == len(part)
        assert station.send(*batch[:1000])["duplicates"] == 1000
    (row,) = hub.rows("2026-03-01", "2026-03-31")
    assert (row["r1_pct"], row["r1_numerator"], row["r1_denominator"]) == (99.15, 19_830, 20_000)
    assert (row["r2_pct"], row["r2_numerator"], row["r2_denominator"]) == (96.32, 19_100, 19_830)
    assert (row["r3_pct"], row["r1_raw_pct"], row["r4_pct"]) == (95.5, 99.15, 95.5)
    assert (row["r5_numerator"], row["r5_denominator"], row["facilities_reporting"]) == (5, 95, 5)
    assert (row["target_pct"], row["target_met"], row["visits_bhyt_origin"]) == (80.0, True, "stations")
    facilities = hub.rows("2026-03-01", "2026-03-31", level="facility")
    days = hub.rows("2026-03-01", "2026-03-31", level="area", period="day")
    for name in ("visits_bhyt", "lookups_total", "r1_numerator", "persons_looked_up"):
        assert sum(unit[name] for unit in facilities) == sum(unit[name] for unit in days) == row[name]


@pytest.mark.parametrize(
    ("fields", "lands_in"),
    [
        ({"result_code": "000"}, {"lookups_total", "lookups_success"}),
        ({"result_code": "003"}, {"lookups_total", "lookups_success"}),
        ({"result_code": "110"}, {"lookups_total", "lookups_success", "lookups_not_eligible"}),
        ({"result_code": "050"}, {"lookups_total", "lookups_fail_not_found"}),
        ({"result_code": "070"}, {"lookups_total", "lookups_fail_mismatch"}),
        ({"result_code": "100"}, {"lookups_total", "lookups_fail_technical"}),
        ({"result_code": None}, {"lookups_total", "lookups_fail_technical"}),
        ({"result_code": ""}, {"lookups_total", "lookups_fail_technical"}),
        ({"result_code": "777"}, {"lookups_total", "lookups_fail_other"}),
        ({"result_code": "205"}, {"lookups_not_counted"}),
        ({"result_code": "401"}, {"lookups_not_counted"}),
        ({"result_code": "403"}, {"lookups_not_counted"}),
        ({"result_code": "054"}, {"lookups_not_counted"}),
        ({"result_code": "055"}, {"lookups_not_counted"}),
        ({"key_kind": "BHYT_15"}, {"lookups_other_key"}),
        ({"key_kind": None}, {"lookups_other_key"}),
        ({"key_kind": "BHYT_15", "result_code": "205"}, {"lookups_other_key"}),
        ({"reached_gateway": False, "result_code": None}, {"attempted_not_sent"}),
        ({"reached_gateway": False, "key_kind": "BHYT_15", "result_code": "205"}, {"attempted_not_sent"}),
        ({"result_code": "050", "eligibility_class": "insured"}, {"lookups_total", "lookups_fail_not_found"}),
        ({"result_code": "000", "eligibility_class": "cannot_say"}, {"lookups_total", "lookups_success"}),
    ],
)
def test_where_a_lookup_lands(hub, fields: dict[str, object], lands_in: set[str]) -> None:
    station = hub.station()
    station.send(*checked_in(station, **fields))
    row = hub.facility("93002", *DAY1)
    names = {name for name in row if name.startswith(("lookups_", "attempted_"))}
    assert {name for name in names if row[name]} == lands_in
    counted = "lookups_total" in lands_in
    assert (row["r1_numerator"], row["r1_denominator"]) == (int(counted), 1)
    assert (row["persons_looked_up"], row["r5_numerator"]) == (int(counted), int(counted))
    assert row["r3_numerator"] == row["r4_numerator"] == int("lookups_success" in lands_in)


def test_visits_follow_origin_then_revision_whatever_came_last(hub) -> None:
    station = hub.station()
    station.send(*checked_in(station))
    steps = [
        (station.count(D1, 50, origin="manual", revision=9), 50, "manual", None),
        (station.count(D1, 60, origin="satellite", revision=99), 50, "manual", None),
        (station.count(D1, 40, origin="portal_file", revision=2), 40, "portal_file", 40),
        (station.count(D1, 41, origin="portal_file", revision=1), 40, "portal_file", 40),
        (station.count(D1, 30, origin="his", revision=3), 30, "his", 40),
        (station.count(D1, 31, origin="his", revision=2), 30, "his", 40),
        (station.count(D1, 44, origin="portal_file", revision=5), 30, "his", 44),
        (station.count(D1, 32, origin="his", revision=4), 32, "his", 44),
    ]
    for event, visits, origin, portal in steps:
        station.send(event)
        row = hub.facility("93002", *DAY1)
        figures = (row["visits_bhyt"], row["visits_bhyt_origin"], row["visits_bhyt_portal"])
        assert figures == (visits, origin, portal)
    assert (row["r1_numerator"], row["r1_pct"], row["target_met"]) == (1, 3.13, False)


def test_a_count_of_zero_from_the_his_leads(hub) -> None:
    station = hub.station()
    station.send(station.visit(at(D1)), station.count(D1, 0))
    row = hub.facility("93002", *DAY1)
    assert (row["visits_bhyt"], row["visits_bhyt_origin"], row["r1_pct"]) == (0, "his", None)


def test_origins_mix_over_days_and_units(hub) -> None:
    one, two = hub.station("93002"), hub.station("93003")
    one.send(one.visit(at(D1)), one.count(D2, 10))
    two.send(two.count(D1, 5))
    assert hub.facility("93002", *DAY1)["visits_bhyt_origin"] == "stations"
    assert hub.facility("93002", *BOTH)["visits_bhyt_origin"] == "mixed"
    assert hub.facility("93003", *BOTH)["visits_bhyt_origin"] == "his"
    assert hub.facility("93004", *BOTH)["visits_bhyt_origin"] is None
    assert hub.rows(*DAY1)[0]["visits_bhyt_origin"] == "mixed"
    assert hub.rows(*DAY1)[0]["visits_bhyt"] == 6


def test_desk_lookups_join_every_rate_they_belong_to(hub) -> None:
    station = hub.station()
    station.send(
        *checked_in(station),
        station.count(D1, 10),
        station.desk(D1, 99, 99, 99, origin="manual", revision=9),
        station.desk(D1, 8, 6, 5, origin="his", revision=2),
        station.desk(D1, 7, 7, 7, origin="his", revision=1),
    )
    row = hub.facility("93002", *DAY1)
    assert (row["lookups_desk"], row["lookups_total"], row["lookups_success"]) == (8, 9, 6)
    assert (row["r1_numerator"], row["r1_pct"], row["r1_raw_pct"]) == (7, 70.0, 90.0)
    assert (row["r2_pct"], row["r3_numerator"], row["r4_numerator"]) == (66.67, 1, 1)
    assert row["by_method"] == {"CHIP_CCCD": 1}
    assert row["persons_looked_up"] == 1


def test_desk_lookups_alone_make_a_facility_count_in_r5(hub) -> None:
    station = hub.station()
    station.send(station.desk(D1, 3, 3, 3))
    (row,) = hub.rows(*DAY1)
    assert (row["r5_numerator"], row["r5_denominator"], row["r5_pct"]) == (1, 95, 1.05)
    assert row["r1_pct"] is None and row["target_met"] is None


def test_r1_raw_counts_every_lookup_and_may_pass_100(hub) -> None:
    station = hub.station()
    events = checked_in(station, result_code="050")
    again = [station.lookup(at(D1, 9, n), checkin_id=events[0]["checkin_id"]) for n in range(2)]
    station.send(*events, *again)
    row = hub.facility("93002", *DAY1)
    assert (row["r1_pct"], row["r1_raw_pct"], row["r2_pct"]) == (100.0, 300.0, 66.67)


@pytest.mark.parametrize(
    ("method", "r3"),
    [("CHIP_CCCD", 1), ("QR_CCCD", 1), ("VNEID_TOKEN", 1), ("MANUAL_ID", 0), ("IRIS", 0), (None, 0)],
)
def test_r3_wants_a_number_read_from_a_document(hub, method: str | None, r3: int) -> None:
    station = hub.station()
    station.send(*checked_in(station, method=method))
    row = hub.facility("93002", *DAY1)
    assert (row["r3_numerator"], row["r1_numerator"]) == (r3, 1)
    assert row["by_method"] == {method or "UNKNOWN": 1}


@pytest.mark.parametrize(
    ("verdict", "r4"),
    [("genuine", 1), ("data_authentic", 1), ("cannot_tell", 1), ("suspected_copy", 0), ("forged", 0), (None, 0)],
)
def test_r4_wants_a_trusted_chip(hub, verdict: str | None, r4: int) -> None:
    station = hub.station()
    station.send(*checked_in(station, chip_verdict=verdict))
    row = hub.facility("93002", *DAY1)
    assert (row["r4_numerator"], row["r3_numerator"]) == (r4, 1)


def test_r4_looks_at_the_first_success_by_time(hub) -> None:
    station = hub.station()

    def sequence(*steps: tuple[int, str, str]) -> list[dict]:
        checkin_id = new_event_id()
        lookups = [
            station.lookup(at(D1, 9, minute), checkin_id=checkin_id, method=method, result_code=code)
            for minute, method, code in steps
        ]
        return [*lookups, station.visit(at(D1, 9), checkin_id=checkin_id)]

    failed_qr_first = sequence((1, "QR_CCCD", "050"), (2, "CHIP_CCCD", "000"), (3, "QR_CCCD", "000"))
    qr_first_arriving_last = sequence((5, "CHIP_CCCD", "000"), (4, "QR_CCCD", "000"))
    station.send(*failed_qr_first, *qr_first_arriving_last)
    row = hub.facility("93002", *DAY1)
    assert (row["r4_numerator"], row["r4_denominator"], row["r3_numerator"]) == (1, 2, 2)


def test_a_visit_belongs_to_its_own_day_even_if_looked_up_later(hub) -> None:
    station = hub.station()
    visit = station.visit(at(D1, 23, 59))
    late = station.lookup(at(D2 + timedelta(days=5), 1), checkin_id=visit["checkin_id"])
    station.send(visit)
    station.send(late)
    row = hub.facility("93002", *DAY1)
    assert (row["r1_pct"], row["lookups_total"], row["r1_raw_numerator"]) == (100.0, 0, 0)
    later = hub.facility("93002", str(D2), "2026-03-31")
    assert (later["visits_bhyt"], later["lookups_total"], later["r1_numerator"]) == (0, 1, 0)


def test_days_are_vietnamese_days(hub) -> None:
    station = hub.station()
    station.send(
        station.visit(datetime(2026, 3, 1, 17, 0, tzinfo=UTC)),
        station.visit(datetime(2026, 3, 2, 16, 59, 59, 999999, tzinfo=UTC)),
        station.visit(datetime(2026, 3, 2, 17, 0, tzinfo=UTC)),
        station.visit(datetime(2026, 3, 1, 16, 59, 59, tzinfo=UTC)),
    )
    assert hub.facility("93002", *DAY1)["visits_bhyt"] == 2


def test_a_later_visit_event_replaces_but_keeps_the_day(hub) -> None:
    station = hub.station()
    first = station.visit(at(D1), bhyt=True)
    middle = station.visit(at(D2), checkin_id=first["checkin_id"], bhyt=True, not_by_chip="CHILD")
    last = station.visit(at(D2), checkin_id=first["checkin_id"], bhyt=False)
    station.send(last)
    station.send(first)
    station.send(middle)
    assert hub.facility("93002", *BOTH)["visits_bhyt"] == 0
    revived = station.visit(at(D2), checkin_id=first["checkin_id"], bhyt=True, not_by_chip="NO_CARD")
    station.send(revived)
    assert hub.facility("93002", *DAY1)["visits_bhyt"] == 1
    assert hub.facility("93002", str(D2), str(D2))["visits_bhyt"] == 0
    assert hub.reasons(*BOTH) == {"NO_CARD": 1}


def test_one_check_in_under_two_epochs_counts_once(hub) -> None:
    station = hub.station()
    first = station.visit(at(D1))
    restored = station.visit(at(D2), checkin_id=first["checkin_id"]) | {"epoch": "restored"}
    station.send(restored)
    assert hub.facility("93002", str(D2), str(D2))["visits_bhyt"] == 1
    station.send(first)
    assert hub.facility("93002", *BOTH)["visits_bhyt"] == 1
    assert hub.facility("93002", *DAY1)["visits_bhyt"] == 1


def test_uninsured_visits_and_lookups_of_other_facilities_do_not_count(hub) -> None:
    station, other = hub.station("93002"), hub.station("93003")
    visit = station.visit(at(D1))
    station.send(*checked_in(station, visit={"bhyt": False}), visit)
    other.send(other.lookup(at(D1), checkin_id=visit["checkin_id"]))
    row = hub.facility("93002", *DAY1)
    assert (row["visits_bhyt"], row["r1_numerator"], row["lookups_total"]) == (1, 0, 1)


def test_persons_are_distinct_per_facility_and_day(hub) -> None:
    one, two = hub.station("93002"), hub.station("93003")
    same = "00000000000000aa"
    one.send(one.lookup(at(D1), person_day=same), one.lookup(at(D1), person_day=same))
    one.send(one.lookup(at(D1), person_day=None), one.lookup(at(D1), person_day="00000000000000bb"))
    two.send(two.lookup(at(D1), person_day=same))
    assert hub.rows(*DAY1)[0]["persons_looked_up"] == 3


def test_reporting_is_any_event_that_happened_in_the_period(hub) -> None:
    station = hub.station()
    station.send(station.lookup(at(D1), reached_gateway=False))
    assert hub.facility("93002", *DAY1)["facilities_reporting"] == 1
    assert hub.facility("93002", str(D2), str(D2))["facilities_reporting"] == 0
    assert hub.rows(*DAY1)[0]["facilities_reporting"] == 1


def test_percentages_round_half_up(hub) -> None:
    station = hub.station()
    looked_up = [event for _ in range(3) for event in checked_in(station)]
    station.send(*looked_up, station.count(D1, 800), station.count(D2, 800))
    assert hub.facility("93002", *DAY1)["r1_pct"] == 0.38
    from province.rates import percent

    assert [percent(1, 800), percent(5, 800), percent(2, 3), percent(1, 3), percent(0, 0)] == [
        0.13,
        0.63,
        66.67,
        33.33,
        None,
    ]
    assert (percent(79_995, 100_000), percent(79_994, 100_000)) == (80.0, 79.99)


def test_the_revision_rises_with_late_data_only(hub) -> None:
    station = hub.station()
    today = datetime.now(VN).date()
    station.send(station.visit(datetime.now(VN)))
    assert hub.facility("93002", str(today), str(today))["revision"] == 1
    before = hub.facility("93002", "2026-03-01", "2026-03-31")["revision"]
    batch = [station.visit(at(D1)), station.visit(at(D2))]
    station.send(*batch)
    first = hub.facility("93002", "2026-03-01", "2026-03-31")["revision"]
    station.send(*batch)
    assert hub.facility("93002", "2026-03-01", "2026-03-31")["revision"] == first > before
    station.send(station.lookup(at(D2 + timedelta(days=40)), checkin_id=batch[0]["checkin_id"]))
    assert hub.facility("93002", "2026-03-01", "2026-03-31")["revision"] > first
    assert hub.facility("93002", *DAY1)["status"] == "open"


def test_why_not_by_chip(hub) -> None:
    station = hub.station()
    station.send(
        *checked_in(station, visit={"not_by_chip": "CHILD"}, chip_verdict="forged"),
        *checked_in(station, visit={"not_by_chip": "NO_CARD"}, method="QR_CCCD"),
        *checked_in(station, visit={"not_by_chip": "NO_CARD"}, result_code="050"),
        *checked_in(station, method="MANUAL_ID"),
        *checked_in(station, visit={"not_by_chip": "SOLAR_FLARE"}, method="QR_CCCD"),
        *checked_in(station, visit={"bhyt": False, "not_by_chip": "CHILD"}, method="QR_CCCD"),
        station.visit(at(D1), not_by_chip="EMERGENCY", method=None),
        station.count(D1, 20),
        station.desk(D1, 9, 4, 4),
        station.count(D2, 3),
        station.desk(D2, 9, 5, 4),
    )
    reasons = {"NO_CARD": 2, "UNEXPLAINED": 1, "SOLAR_FLARE": 1, "EMERGENCY": 1}
    assert hub.reasons(*DAY1) == reasons | {"AT_DESK_LOOKED_UP": 4, "AT_DESK_NOT_LOOKED_UP": 10}
    assert hub.reasons(str(D2), str(D2)) == {"AT_DESK_LOOKED_UP": 5}
    assert hub.reasons(*BOTH) == reasons | {"AT_DESK_LOOKED_UP": 9, "AT_DESK_NOT_LOOKED_UP": 10}
    rows = hub.rows(*BOTH, path="/api/v1/kpi/why-not-by-chip", level="facility", period="day")
    assert {row["unit_code"] for row in rows} == {"93002"}
    assert [row["period_start"] for row in rows if row["reason"] == "AT_DESK_LOOKED_UP"] == [str(D1), str(D2)]
