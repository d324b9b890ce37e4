"""The overview and the facility's page as the hub answers them: figures, order, what to do, languages, files."""

import html
import re
import string
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from province.access.caller import Caller, Role
from province.facilities import load_registry
from province.fleet import Reason, State, StationHealth
from province.hub_key import HubKey
from province.ingest_tables import seq_range
from province.months.confirmations import confirm
from province.pages import formats
from province.pages.facility_months import MonthLine
from province.pages.facility_view import Step, next_step
from province.pages.month_choice import Month
from province.pages.overview import PER_PAGE
from province.pages.readings import Rate, Reading, together
from province.pages.sparks import HEIGHT, WIDTH, Scale, lines
from province.pages.texts import Language, texts_in
from province.rules import set_target
from province.uploads.kinds import UploadKind
from province.uploads.taking import hand_in

NOON = datetime(2026, 3, 2, 5, tzinfo=UTC)
NOW = datetime(2026, 4, 10, 5, tzinfo=UTC)
READING = Reading(
    *("93002", "Một", date(2026, 3, 1), date(2026, 3, 31)),
    *(Rate(90, 100), Rate(80, 90), Rate(50, 100), Rate(40, 100), Rate(1, 1)),
    *(100, "his", 102, 2, 1.96, 80.0, 1, 1, "open"),
)


def text_of(page: str) -> str:
    """What a reader sees, tags and surplus space removed."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def codes(page: str) -> list[str]:
    table = page[page.index('<table id="facilities">') :]
    return re.findall(r"<tr>\s*<td>(\w+)</td>", table)


def fill(hub, numbers: dict[str, tuple[int, int]]) -> None:
    """Visits and visits looked up on 2 March 2026 by facility."""
    for code, (visits, looked_up) in numbers.items():
        station = hub.station(code)
        station.send(
            station.count(date(2026, 3, 2), visits), station.desk(date(2026, 3, 2), looked_up, looked_up, looked_up)
        )


def test_the_overview_has_both_numbers_completeness_and_who_is_silent(hub) -> None:
    fill(hub, {"93002": (600, 570), "93003": (100, 50)})
    page = text_of(hub.http.get("/", params={"month": "2026-03"}).text)
    assert "88,57\u00a0%" in page.replace(" %", "\u00a0%")
    assert "620 / 700 lượt · chỉ tiêu 80,00" in page
    assert "Cơ sở có báo cáo 2/95" in page
    assert "Cơ sở chưa đạt chỉ tiêu 1" in page
    assert "Chưa có số liệu trong tháng:" in page and "và 85 cơ sở khác" in page
    assert "Tháng đang mở" in page and "Chưa có số của Cổng" in page


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("", ["93003", "93004", "93002"]),
        ("&down=1", ["93002", "93004", "93003"]),
        ("&sort=missed&down=1", ["93003", "93002", "93004"]),
        ("&sort=visits", ["93005", "93001", "93006"]),
        ("&sort=code&down=1", ["93127", "93126", "93125"]),
    ],
)
def test_the_table_is_ordered_by_the_hub_and_who_has_no_value_stands_last(hub, query: str, first: list[str]) -> None:
    fill(hub, {"93002": (600, 570), "93003": (100, 50), "93004": (100, 90)})
    listed = codes(hub.http.get(f"/?month=2026-03{query}").text)
    assert len(listed) == 95
    if "visits" in query:
        assert set(listed[-3:]) == {"93002", "93003", "93004"} and listed[-1] == "93002"
    elif "code" in query:
        assert listed == sorted(listed, reverse=True)
    else:
        assert listed[:3] == first
    assert hub.http.get("/?sort=colour").status_code == 422


def test_many_facilities_are_listed_by_pages_without_small_charts(hub) -> None:
    heading = "ma_cskcb,name_vi,tier,type,district_code,district_name,commune_code,commune_name,province_code"
    rows = [f"97{number:03},Trạm {number},4,commune_health_station,930,Vị Thanh,1,Xã,92" for number in range(PER_PAGE)]
    load_registry(hub.store, "\n".join([heading, *rows]), None)
    first = hub.http.get("/?month=2026-03&sort=code").text
    second = hub.http.get("/?month=2026-03&sort=code&page=2").text
    assert (len(codes(first)), len(codes(second))) == (PER_PAGE, 95)
    assert "multiples" not in first and "page=2#facilities" in first
    assert set(codes(first)).isdisjoint(codes(second))


def test_a_facilitys_page_tells_rates_causes_months_and_what_to_do(hub) -> None:
    station = hub.station("93002")
    station.send(
        *(station.visit(NOON, not_by_chip="CHILD") for _ in range(3)), station.visit(NOON, not_by_chip="NO_CARD")
    )
    with hub.store.write() as connection:
        set_target(connection, "93002", date(2026, 3, 1), 90)
    page = text_of(hub.http.get("/facility/93002?month=2026-03").text)
    assert "Mã 93002" in page and "0 / 4 lượt · chỉ tiêu 90,00" in page
    assert re.search(r"Trẻ em chưa có thẻ căn cước 3 75,0.% Không mang thẻ căn cước 1 25,0.%", page)
    assert "Lý do lớn nhất: Trẻ em chưa có thẻ căn cước." in page
    assert re.search(r"kiosk-1 (Tốt|Cần xem) ", page)
    assert hub.http.get("/facility/99999").status_code == 404
    assert hub.http.get("/facility/93002?month=2026-13").status_code == 422


def test_machines_only_are_listed_as_stations(hub) -> None:
    content = "\n".join([";".join(UploadKind.VISIT_COUNT.headings), "93002;;02/03/2026;100"]).encode()
    lan = Caller("lan", Role.ADMIN, signed_in=True)
    hand_in(hub.store, HubKey.make(), lan, content, UploadKind.VISIT_COUNT, NOW, dry_run=False)
    page = text_of(hub.http.get("/facility/93002?month=2026-03").text)
    assert "0 / 100 lượt" in page and "Chưa có kiosk nào của cơ sở tham gia." in page


def test_what_never_came_and_what_was_refused_is_told(hub) -> None:
    station = hub.station("93002")
    first = station.visit(NOON)
    station.seq += 4
    station.send(first, station.visit(NOON), {"kind": "visit"})
    with hub.store.write() as connection:
        connection.execute(sa.update(seq_range).values(since=NOON))
    page = text_of(hub.http.get("/facility/93002?month=2026-03").text)
    assert "4 sự kiện kiosk đã đánh số nhưng chưa tới; 1 sự kiện bị từ chối" in page
    other = text_of(hub.http.get("/facility/93003?month=2026-03").text)
    assert "Không thiếu và không bị từ chối sự kiện nào" in other


def test_a_confirmed_month_shows_who_confirmed_it(hub) -> None:
    last = Month.of(datetime.now(UTC).date()).back(1)
    with hub.store.write() as connection:
        confirm(connection, "93002", last.first, "mai")
    page = text_of(hub.http.get("/facility/93002").text)
    assert re.search(r"Tháng đang mở mai xác nhận lúc \d\d/", page)


def test_the_page_of_another_facility_is_refused(hub) -> None:
    person = hub.person("facility", "93002")
    assert hub.http.get("/facility/93003", headers=person).status_code == 403
    assert hub.http.get("/facility/93002", headers=person).status_code == 200
    assert hub.http.get("/facility/93003").status_code == 303


def test_months_at_the_ends_of_the_calendar_break_no_page(hub) -> None:
    for path in ("/?month=2199-12", "/?month=2000-01", "/facility/93002?month=2199-12", "/months/2199-12"):
        assert hub.http.get(path).status_code == 200, path
    assert hub.http.get("/months/9999-12").status_code == 422


def test_what_goes_wrong_is_said_in_words_to_people_and_in_codes_to_programs(hub) -> None:
    person = hub.person("facility", "93002")
    browser = {"Accept": "text/html,*/*;q=0.8"}
    for path, status, words in (
        ("/facility/93003", 403, "Tài khoản này không được xem"),
        ("/nothing/<b>", 404, "Không có trang hoặc cơ sở nào như vậy."),
        ("/?month=<b>x</b>", 422, "không đúng dạng"),
        ("/?sort=x", 422, "không đúng dạng"),
        ("/logout", 405, "Về trang chính"),
    ):
        answer = hub.http.get(path, headers=person | browser)
        assert answer.status_code == status
        assert words in answer.text and "<b>" not in answer.text
        assert hub.http.get(path, headers=person).json()["error"]
    assert hub.http.get("/api/v1/nothing", headers=browser).json()["error"] == "not_found"
    assert hub.http.get("/", headers=browser).status_code == 303


def test_english_and_dark_come_from_cookies(hub) -> None:
    cookies = {"Cookie": "hub-language=en; hub-theme=dark"}
    page = hub.http.get("/?month=2026-03", headers=cookies).text
    assert '<html lang="en" data-theme="dark">' in page and "Overview of Mar 2026" in page
    wrong = hub.http.get("/?month=2026-03", headers={"Cookie": 'hub-language=<x>; hub-theme="'}).text
    assert '<html lang="vi" data-theme="auto">' in wrong


@pytest.mark.parametrize(
    ("back", "where"),
    [("/facility/93002?month=2026-03", "/facility/93002?month=2026-03"), ("//evil.example", "/"), ("https://x", "/")],
)
def test_a_choice_is_kept_and_leads_back_to_this_hub_only(hub, back: str, where: str) -> None:
    answer = hub.http.get("/display", params={"theme": "dark", "language": "en", "back": back})
    assert (answer.status_code, answer.headers["Location"]) == (303, where)
    assert (answer.cookies["hub-theme"], answer.cookies["hub-language"]) == ("dark", "en")
    hub.http.cookies.clear()
    assert hub.http.get("/display", params={"theme": "pink"}).status_code == 422


def test_files_are_kept_for_good_under_the_address_of_their_content_only(hub) -> None:
    page = hub.http.get("/").text
    (address,) = re.findall(r'src="(/static/charts\.js\?v=\w+)"', page)
    assert "immutable" in hub.http.get(address).headers["Cache-Control"]
    assert hub.http.get("/static/charts.js").headers["Cache-Control"] == "no-store"
    assert hub.http.get("/static/charts.js?v=old").headers["Cache-Control"] == "no-store"
    for wrong in ("/static/chart.LICENSE.md", "/static/..%2Fapp.py", "/static/x.css"):
        assert hub.http.get(wrong).status_code == 404


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_text_is_there_in_both_languages_with_the_same_values() -> None:
    vietnamese, english = (texts_in(language) for language in Language)
    assert vietnamese.keys() == english.keys()
    for key in sorted(vietnamese.keys()):
        assert names_in(vietnamese(key)) == names_in(english(key)), key
        assert vietnamese(key).strip() and english(key).strip(), key


OVER = MonthLine(Month(date(2026, 3, 1)), True, "open", None, 0, 0)
ALIVE = StationHealth("93002", "kiosk-1", State.OK, (), NOW)
SILENT = StationHealth("93002", "k2", State.ALARM, (Reason.SILENT, Reason.OLD_VERSION), NOON)
BROKEN = StationHealth("93002", "k3", State.ALARM, (Reason.READER_DOWN,), NOW)
OLD = StationHealth("93002", "k4", State.WARN, (Reason.OLD_VERSION,), NOW)


@pytest.mark.parametrize(
    ("figures", "stations", "unexplained", "closing", "expected"),
    [
        (READING, [ALIVE, SILENT], 3, [OVER], Step("silent_station", "k2", Reason.SILENT, moment=NOON)),
        (READING, [BROKEN, SILENT], 3, [OVER], Step("station", "k3", Reason.READER_DOWN)),
        (READING, [OLD], 0, [], Step("good")),
        (replace(READING, reporting=0), [ALIVE], 3, [OVER], Step("no_data")),
        (replace(READING, reporting=0), [], 0, [], Step("never_station")),
        (READING, [ALIVE], 3, [OVER], Step("explain", number=3)),
        (READING, [ALIVE], 0, [OVER], Step("confirm", month=Month(date(2026, 3, 1)))),
        (READING, [ALIVE], 0, [replace(OVER, status="closed")], Step("good")),
        (READING, [ALIVE], 0, [replace(OVER, over=False)], Step("good")),
        (replace(READING, target=92.5), [ALIVE], 0, [], Step("below", visits=3, target=92.5)),
        (replace(READING, target=90.0), [ALIVE], 0, [], Step("good")),
    ],
)
def test_the_first_thing_to_do(figures, stations, unexplained, closing, expected: Step) -> None:
    assert next_step(figures, stations, unexplained, closing) == expected


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 9999))
def test_so_many_more_visits_meet_the_target_and_no_less(looked_up: int, visits: int, hundredths: int) -> None:
    figures = replace(READING, r1=Rate(min(looked_up, visits), visits), target=hundredths / 100)
    step = next_step(figures, [ALIVE], 0, [])
    if figures.met:
        assert step == Step("good")
        return
    enough = replace(figures, r1=Rate(figures.r1.numerator + step.visits, visits))
    assert enough.r1.numerator * 10_000 >= hundredths * visits
    assert (enough.r1.numerator - 1) * 10_000 < hundredths * visits or step.visits == 1


def test_several_provinces_together_are_sum_over_sum() -> None:
    other = replace(READING, code="94", r1=Rate(1, 300), portal=None, portal_gap=None, target=85.0, origin="manual")
    whole = together([READING, other])
    assert (whole.r1, whole.target, whole.origin) == (Rate(91, 400), None, "mixed")
    assert (whole.portal, whole.portal_gap, whole.met, whole.state) == (102, 2, None, "none")
    assert together([READING]) is READING


@given(st.lists(st.none() | st.floats(0, 150), min_size=1, max_size=20))
def test_small_charts_stay_in_their_box_and_leave_gaps(values: list[float | None]) -> None:
    drawn = lines(values, Scale.over(values))
    points = [tuple(map(float, point.split(","))) for line in drawn for point in line.split(" ")]
    assert all(0 <= x <= WIDTH + 0.1 and 0 <= y <= HEIGHT for x, y in points)
    runs = "".join("x" if value is not None else " " for value in values).split()
    assert len(drawn) == len(runs)
    alone = sum(len(run) == 1 for run in runs)
    assert len(points) == sum(map(len, runs)) + alone


def test_numbers_and_days_are_written_as_each_language_does() -> None:
    vi, en = Language.VIETNAMESE, Language.ENGLISH
    assert (formats.number(1234567, vi), formats.number(1234567, en)) == ("1.234.567", "1,234,567")
    assert (formats.percentage(1098.5, vi), formats.percentage(98.5, en)) == ("1.098,50\u00a0%", "98.50\u00a0%")
    assert (formats.percentage(None, vi), formats.number(None, en)) == ("–", "–")
    assert (formats.day("2026-03-02", vi), formats.day(date(2026, 3, 2), en)) == ("02/03/2026", "2 Mar 2026")
    assert formats.moment(datetime(2026, 3, 2, 20, 5, tzinfo=UTC), vi) == "03/03/2026 03:05"


@given(st.dates(date(2001, 1, 1), date(2199, 12, 31)), st.integers(0, 300))
def test_months_count_back(day: date, months: int) -> None:
    month = Month.of(day)
    back = month.back(min(months, 11))
    assert (month.first.year * 12 + month.first.month) - (back.first.year * 12 + back.first.month) == min(months, 11)
    assert month.back(1).last + timedelta(days=1) == month.first
    assert Month.parse(str(month)) == month
