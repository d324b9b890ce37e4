"""Reports as a health department sends them: the figures of the feed on paper and in the workbook (issue 7)."""

import io
import subprocess
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from kiosk.events import new_event_id
from province.cli import main
from province.pages.texts import Language
from province.periods import Period, PeriodType
from province.rates import lookup_rate
from province.reports import pdf
from province.reports.content import BadPeriod, Kind, monthly, parse_week, weekly
from province.reports.making import make
from province.reports.words import Words
from province.simulate.plan import Plan
from province.simulate.writing import simulate
from province.units import Level

NOW = datetime(2026, 4, 3, tzinfo=UTC)
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
PLAN = Plan({"93002": "district_medical_centre", "93001": "hospital"}, MARCH, 7, {}, 0.3)


def read_pdf(content: bytes) -> str:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


def sheets(content: bytes) -> dict[str, list[tuple[object, ...]]]:
    book = load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def vietnamese(value: object) -> str:
    return f"{value:,}".translate(str.maketrans(",.", ".,"))


def test_the_month_on_paper_has_the_figures_of_the_feed(store) -> None:
    simulate(store, PLAN, sums_only=True)
    with store.read() as connection:
        text = read_pdf(make(connection, Kind.MONTHLY, "2026-03", "pdf", NOW, Language.VIETNAMESE))
        (whole,) = lookup_rate(connection, MARCH.start, MARCH.end, Level.PROVINCE, PeriodType.TOTAL)
        facilities = lookup_rate(connection, MARCH.start, MARCH.end, Level.FACILITY, PeriodType.TOTAL)
    assert "BÁO CÁO THÁNG 03/2026" in text and text.count("SỐ LIỆU MÔ PHỎNG") == text.count("Trang ")
    assert f"{whole['r1_pct']:.2f}".replace(".", ",") in text
    assert vietnamese(whole["visits_bhyt"]) in text and "2/95" in text
    for row in facilities:
        assert str(row["unit_code"]) in text
        assert row["visits_bhyt"] == 0 or vietnamese(row["visits_bhyt"]) in text
    assert "Tra cứu tại quầy, không qua kiosk" in text and "chưa chốt" in text and "Lãnh đạo đơn vị" in text
    assert "93003 " in text[text.index("Cơ sở chưa có số liệu trong kỳ") :]


def test_the_week_is_one_sheet(store) -> None:
    simulate(store, PLAN, sums_only=True)
    with store.read() as connection:
        text = read_pdf(make(connection, Kind.WEEKLY, "2026-W11", "pdf", NOW, Language.ENGLISH))
        report = weekly(connection, "2026-W11", NOW)
    assert "WEEKLY REPORT 11/2026" in text and "Page 1/1" in text and "Page 2" not in text
    assert (report.span.start, report.span.end, len(report.days)) == (date(2026, 3, 9), date(2026, 3, 15), 7)
    assert report.before is not None and report.before.visits > 0


def test_the_workbook_has_every_figure(store) -> None:
    simulate(store, PLAN, sums_only=True)
    with store.read() as connection:
        found = sheets(make(connection, Kind.MONTHLY, "2026-03", "xlsx", NOW, Language.VIETNAMESE))
        facilities = lookup_rate(connection, MARCH.start, MARCH.end, Level.FACILITY, PeriodType.TOTAL)
        days = lookup_rate(connection, MARCH.start, MARCH.end, Level.PROVINCE, PeriodType.DAY)
    assert list(found) == ["Tóm tắt", "Cơ sở", "Xu hướng", "Theo ngày", "Nguyên nhân", "Cách tính"]
    assert found["Tóm tắt"][0][0] == "SỐ LIỆU MÔ PHỎNG – KHÔNG DÙNG ĐỂ BÁO CÁO"
    assert [(line[0], line[2], line[5]) for line in found["Cơ sở"][1:]] == [
        (row["unit_code"], row["visits_bhyt"], row["r1_pct"]) for row in facilities
    ]
    assert [line[1] for line in found["Theo ngày"][1:]] == [row["visits_bhyt"] for row in days]
    assert found["Nguyên nhân"][1][0] == "Tra cứu tại quầy, không qua kiosk"


def test_a_closed_month_shows_its_digest(hub) -> None:
    station = hub.station("93002")
    station.send(station.visit(datetime(2026, 3, 10, 3, tzinfo=UTC), checkin_id=new_event_id()))
    admin = hub.person("admin")
    closed = hub.http.post("/api/v1/months/2026-03/closing", json={"reason": "chốt"}, headers=admin).json()
    answer = hub.get("/api/v1/reports/monthly", month="2026-03")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="monthly-2026-03.pdf"'
    text = read_pdf(answer.content)
    assert "đã chốt lúc" in text and closed["sha256"][:60] in text.replace(" ", "")
    answer = hub.get("/api/v1/reports/weekly", week="2026-W11", format="xlsx", lang="en")
    assert next(iter(sheets(answer.content))) == "Summary"


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("monthly", {"month": "2026-13"}, 422, "bad_parameters"),
        ("monthly", {"month": "2026-03", "format": "doc"}, 422, "format_not_offered"),
        ("weekly", {"week": "2026-W54"}, 422, "bad_parameters"),
        ("weekly", {"week": "2026-03"}, 422, "bad_parameters"),
    ],
)
def test_what_is_no_report_is_refused(hub, path: str, params: dict[str, str], status: int, code: str) -> None:
    answer = hub.get(f"/api/v1/reports/{path}", **params)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_who_gets_reports(hub) -> None:
    own = hub.person("facility", "93002")
    asked = {"month": "2026-03"}
    assert hub.http.get("/api/v1/reports/monthly", params=asked, headers=own).status_code == 403
    assert hub.http.get("/api/v1/reports/monthly", params=asked).status_code == 401


def test_a_machine_without_the_font_says_so(hub, monkeypatch) -> None:
    monkeypatch.setattr(pdf, "_FONTS", "/nowhere/")
    answer = hub.get("/api/v1/reports/monthly", month="2026-03")
    assert (answer.status_code, answer.json()["error"]) == (503, "pdf_unavailable")
    assert hub.get("/api/v1/reports/monthly", month="2026-03", format="xlsx").status_code == 200


@given(st.text(max_size=12) | st.from_regex(r"\d{4}-W\d{2}", fullmatch=True))
def test_a_week_is_read_or_refused(text: str) -> None:
    try:
        monday = parse_week(text)
    except BadPeriod:
        return
    year, week, day = monday.isocalendar()
    assert (f"{year}-W{week:02}", day) == (text, 1)


def test_many_facilities_are_cut_on_paper_only(store, monkeypatch) -> None:
    monkeypatch.setattr(pdf, "_MOST_PRINTED", 10)
    with store.read() as connection:
        report = monthly(connection, "2026-03", NOW)
    text = read_pdf(pdf.to_pdf(report, Words(report, Language.VIETNAMESE)))
    assert "In 10 cơ sở có tỷ lệ thấp nhất trong 95" in text


def test_reports_at_the_command_line(store, database_url, tmp_path) -> None:
    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--database", database_url, "report", *words])
        assert result.exit_code == code, result.output
        return result.output

    target = tmp_path / "r.pdf"
    run("monthly", "2026-03", str(target))
    assert target.read_bytes().startswith(b"%PDF-")
    run("weekly", "2026-W11", "--format", "xlsx", "--language", "en", str(tmp_path / "r.xlsx"))
    assert (tmp_path / "r.xlsx").read_bytes().startswith(b"PK")
    assert "not a month" in run("weekly", "2026-03", str(target), code=1)
