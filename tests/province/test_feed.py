"""Levels, periods and formats of the feed, and the pages around it (interfaces.md 6)."""

import csv
import io
import re
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from province.facilities import load_registry
from province.feed import LOOKUP_RATE_COLUMNS, to_csv
from province.periods import Period, PeriodType, periods

VN = timezone(timedelta(hours=7))
D1 = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=VN)

ROW_FIELDS = (
    "period_start period_end period_type level unit_code unit_name parent_code visits_bhyt visits_bhyt_origin "
    "visits_bhyt_portal lookups_total lookups_desk lookups_success lookups_not_eligible lookups_fail_not_found "
    "lookups_fail_mismatch lookups_fail_technical lookups_fail_other lookups_not_counted lookups_other_key "
    "attempted_not_sent persons_looked_up by_method "
    + "".join(f"{rate}_pct {rate}_numerator {rate}_denominator " for rate in ("r1", "r1_raw", "r2", "r3", "r4", "r5"))
    + "target_pct target_met facilities_reporting facilities_active status revision generated_at registry_version "
    + "visits_excluded portal_gap portal_gap_pct adjustment simulated"
).split()


def spans(first: str, last: str, cut: PeriodType) -> list[tuple[str, str]]:
    found = periods(date.fromisoformat(first), date.fromisoformat(last), cut)
    return [(period.start.isoformat(), period.end.isoformat()) for period in found]


def test_periods_are_natural_and_clipped() -> None:
    assert spans("2026-03-30", "2026-04-01", PeriodType.DAY) == [
        ("2026-03-30", "2026-03-30"),
        ("2026-03-31", "2026-03-31"),
        ("2026-04-01", "2026-04-01"),
    ]
    assert spans("2026-01-01", "2026-01-13", PeriodType.WEEK) == [
        ("2026-01-01", "2026-01-04"),
        ("2026-01-05", "2026-01-11"),
        ("2026-01-12", "2026-01-13"),
    ]
    assert spans("2024-02-10", "2024-03-05", PeriodType.MONTH) == [
        ("2024-02-10", "2024-02-29"),
        ("2024-03-01", "2024-03-05"),
    ]
    assert spans("2025-11-30", "2026-04-01", PeriodType.QUARTER) == [
        ("2025-11-30", "2025-12-31"),
        ("2026-01-01", "2026-03-31"),
        ("2026-04-01", "2026-04-01"),
    ]
    assert spans("2025-12-31", "2026-01-01", PeriodType.YEAR) == [
        ("2025-12-31", "2025-12-31"),
        ("2026-01-01", "2026-01-01"),
    ]
    assert spans("2025-12-31", "2026-01-01", PeriodType.TOTAL) == [("2025-12-31", "2026-01-01")]


@pytest.mark.parametrize("cut", list(PeriodType))
def test_periods_tile_the_range_even_at_the_end_of_the_calendar(cut: PeriodType) -> None:
    for first, last in ((date(9999, 1, 5), date(9999, 12, 31)), (date(2026, 1, 1), date(2027, 5, 5))):
        found = periods(first, last, cut)
        assert (found[0].start, found[-1].end) == (first, last)
        assert all(two.start - one.end == timedelta(1) for one, two in pairwise(found))
    assert periods(D1, D1, cut) == [Period(D1, D1)]


def test_a_row_has_the_fields_of_the_contract_in_order(hub) -> None:
    (row,) = hub.rows("2026-03-01", "2026-03-31")
    assert list(row) == ROW_FIELDS
    assert row["period_type"] == "total" and row["level"] == "province"
    assert datetime.fromisoformat(row["generated_at"]).tzinfo is not None


def test_every_active_unit_has_a_row_in_every_period(hub) -> None:
    rows = hub.rows("2026-02-27", "2026-03-02", level="facility", period="month")
    assert len(rows) == 190
    assert [row["period_start"] for row in rows[94:96]] == ["2026-02-27", "2026-03-01"]
    assert all(row["visits_bhyt"] == 0 and row["r1_pct"] is None and row["r2_pct"] is None for row in rows)
    areas = hub.rows("2026-03-01", "2026-03-31", level="area")
    assert [(row["unit_code"], row["facilities_active"]) for row in areas] == [
        ("930", 15),
        ("931", 8),
        ("932", 13),
        ("933", 11),
        ("934", 18),
        ("935", 11),
        ("936", 9),
        ("937", 10),
    ]
    assert {row["parent_code"] for row in areas} == {"92"}


def test_names_and_province_follow_the_version_of_the_period(hub) -> None:
    june = hub.facility("93002", "2025-06-01", "2025-06-30")
    july = hub.facility("93002", "2025-06-01", "2025-07-31")
    assert (june["unit_name"], june["parent_code"]) == ("Trung tâm Y tế huyện Vị Thủy", "935")
    assert (july["unit_name"], july["parent_code"]) == ("Trung tâm Y tế khu vực Vị Thủy", "935")
    assert [(row["unit_code"], row["unit_name"]) for row in hub.rows("2025-06-30", "2025-07-01", period="day")] == [
        ("93", "Tỉnh Hậu Giang"),
        ("92", "Thành phố Cần Thơ"),
    ]


FACILITY_CSV = (
    "ma_cskcb,name_vi,tier,type,district_code,district_name,commune_code,commune_name,province_code\n"
    "{code},{name},ban_dau,private_clinic,935,Huyện Vị Thủy,31441,Xã Vị Thủy,92\n"
)
VERSION_CSV = (
    "ma_cskcb,version,valid_from,valid_to,name_vi,province_code,province_name,commune_code,commune_name\n"
    "{code},1,{first},{last},{name},92,Thành phố Cần Thơ,31441,Xã Vị Thủy\n"
)


def test_active_facilities_are_those_valid_in_the_period(hub) -> None:
    before = hub.rows("2026-03-01", "2026-03-31")[0]
    versions = VERSION_CSV.format(code="93999", first="2026-03-10", last="2026-03-20", name="Phòng khám Mẫu")
    assert load_registry(hub.store, FACILITY_CSV.format(code="93999", name="Phòng khám Mẫu"), versions) == 1
    row = hub.rows("2026-03-01", "2026-03-31")[0]
    assert (row["facilities_active"], row["r5_denominator"]) == (96, 96)
    assert row["registry_version"] != before["registry_version"]
    active = {
        row["period_start"]: row["facilities_active"] for row in hub.rows("2026-03-09", "2026-03-21", period="day")
    }
    assert (active["2026-03-09"], active["2026-03-10"], active["2026-03-20"], active["2026-03-21"]) == (95, 96, 96, 95)
    codes = [row["unit_code"] for row in hub.rows("2026-04-01", "2026-04-30", level="facility")]
    assert "93999" not in codes
    listed = hub.get("/api/v1/facilities").json()["facilities"]
    assert len(listed) == 96
    assert next(unit for unit in listed if unit["code"] == "93999")["versions"][0]["valid_to"] == "2026-03-20"


def test_data_of_a_facility_outside_its_validity_are_shown_and_not_counted_as_active(hub) -> None:
    station = hub.station("93095")
    versions = VERSION_CSV.format(code="93095", first="", last="2026-02-28", name="Trạm đã đóng")
    load_registry(hub.store, FACILITY_CSV.format(code="93095", name="Trạm đã đóng"), versions)
    station.send(station.visit(NOON), station.lookup(NOON))
    row = hub.facility("93095", "2026-03-01", "2026-03-31")
    assert (row["visits_bhyt"], row["facilities_active"], row["r5_numerator"], row["r5_pct"]) == (1, 0, 0, None)


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"from": "2026-03-02"},
        {"to": "2026-03-02"},
        {"from": "02/03/2026", "to": "2026-03-02"},
        {"from": "2026-02-30", "to": "2026-03-02"},
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"from": "2017-01-01", "to": "2026-12-31", "level": "facility", "period": "day"},
        {"from": "2026-03-02", "to": "2026-03-02", "level": "planet"},
        {"from": "2026-03-02", "to": "2026-03-02", "period": "decade"},
        {"from": "2026-03-02", "to": "2026-03-02", "format": "pdf"},
    ],
)
def test_wrong_parameters_are_named(hub, params: dict[str, str]) -> None:
    answer = hub.get("/api/v1/kpi/lookup-rate", **params)
    assert answer.status_code == 422
    assert answer.json()["error"] in ("bad_parameters", "format_not_offered")
    assert answer.json()["detail"]


def test_the_csv_has_a_bom_vietnamese_headings_and_the_rows_columns(hub) -> None:
    station = hub.station()
    station.send(*[station.visit(NOON) for _ in range(3)], station.lookup(NOON), station.lookup(NOON, method="QR_CCCD"))
    answer = hub.get(
        "/api/v1/kpi/lookup-rate",
        **{"from": "2026-03-02", "to": "2026-03-02", "level": "facility", "period": "day", "format": "csv"},
    )
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heading, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert heading == list(LOOKUP_RATE_COLUMNS.values())
    assert list(LOOKUP_RATE_COLUMNS) == ROW_FIELDS
    assert "Lượt khám BHYT" in heading and len(set(heading)) == len(heading)
    row = dict(zip(ROW_FIELDS, next(line for line in lines if line[4] == "93002"), strict=True))
    assert row["period_start"] == "2026-03-02"
    assert row["by_method"] == '{"CHIP_CCCD": 1, "QR_CCCD": 1}'
    assert (row["r1_pct"], row["r1_raw_pct"], row["r2_pct"], row["visits_bhyt"]) == ("0.00", "66.67", "100.00", "3")
    empty = dict(zip(ROW_FIELDS, next(line for line in lines if line[4] == "93003"), strict=True))
    assert (empty["r1_pct"], empty["target_met"], empty["by_method"]) == ("", "", "{}")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(hub, start: str) -> None:
    name = f'{start}HYPERLINK("http://evil.example","x")'
    row = {"name": name, "number": -5, "rate": -0.5}
    (line,) = list(
        csv.reader(io.StringIO(to_csv([row], {"name": "a", "number": "b", "rate": "c"}).decode("utf-8-sig")))
    )[1:]
    assert line == ["'" + name, "-5", "-0.50"]


def test_a_facility_named_like_a_formula_stays_text_in_the_csv(hub) -> None:
    load_registry(hub.store, FACILITY_CSV.format(code="93998", name="=1+1"), None)
    params = {"from": "2026-03-02", "to": "2026-03-02", "level": "facility", "format": "csv"}
    text = hub.get("/api/v1/kpi/lookup-rate", **params).content.decode("utf-8-sig")
    (line,) = [line for line in csv.reader(io.StringIO(text)) if line[4] == "93998"]
    assert line[5] == "'=1+1"


def test_an_unknown_method_cannot_break_out_of_the_csv(hub) -> None:
    station = hub.station()
    station.send(station.lookup(NOON, method='x"\r\n=1,2'))
    params = {"from": "2026-03-02", "to": "2026-03-02", "level": "facility", "format": "csv"}
    text = hub.get("/api/v1/kpi/lookup-rate", **params).content.decode("utf-8-sig")
    assert {len(line) for line in csv.reader(io.StringIO(text))} == {len(ROW_FIELDS)}


def test_why_not_by_chip_as_csv(hub) -> None:
    station = hub.station()
    station.send(station.visit(NOON, not_by_chip="=cmd|x"))
    params = {"from": "2026-03-02", "to": "2026-03-02", "format": "csv"}
    text = hub.get("/api/v1/kpi/why-not-by-chip", **params).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1][-3:] == ["'=cmd|x", "1", "false"]


def test_accepted_events_show_at_once(hub) -> None:
    station = hub.station()
    for expected in range(1, 4):
        station.send(station.lookup(NOON))
        assert hub.facility("93002", "2026-03-02", "2026-03-02")["lookups_total"] == expected


def test_the_dashboard_shows_the_rate_the_target_and_every_facility(hub) -> None:
    station = hub.station()
    events = []
    for number in range(4):
        visit = station.visit(NOON)
        events += [visit, *([station.lookup(NOON, checkin_id=visit["checkin_id"])] if number < 3 else [])]
    station.send(*events)
    answer = hub.http.get("/", params={"month": "2026-03"})
    page = answer.text
    assert answer.status_code == 200
    assert "75,00" in page and "80,00" in page and "3 / 4 lượt" in page
    table = page[page.index('<table id="facilities">') :]
    assert table.count('<th scope="row">') == 95
    row = re.search(r"<tr>\s*<td>93002</td>.*?</tr>", page, re.DOTALL)
    assert row and "75,00" in row[0] and "Chưa đạt" in row[0] and "chưa có" not in row[0]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.search(r"(?:src|href|action)=\"(?!/|#)", page)
    assert hub.http.get("/static/dashboard.css").headers["Content-Type"].startswith("text/css")


def test_the_dashboard_escapes_names_and_refuses_wrong_months(hub) -> None:
    load_registry(hub.store, FACILITY_CSV.format(code="93997", name="<script>alert(1)</script>"), None)
    page = hub.http.get("/").text
    assert "<script>" not in page and "&lt;script&gt;" in page
    for month in ("2026-13", "x", "9999-12", "0001-01", "2026-03-01"):
        assert hub.http.get("/", params={"month": month}).status_code == 422


def test_health_and_metrics(hub) -> None:
    station = hub.station()
    station.send(visit := station.visit(NOON), visit, "x")
    assert hub.http.get("/healthz").json() == {"status": "ok"}
    assert hub.http.get("/readyz").json() == {"status": "ok", "reasons": []}
    metrics = hub.http.get("/metrics").text
    for outcome in ("accepted", "duplicate", "rejected"):
        assert f'province_events_total{{outcome="{outcome}"}} 1.0' in metrics
    hub.http.get("/nothing/here")
    assert "nothing" not in hub.http.get("/metrics").text
    assert 'route="/api/v1/events"' in metrics
