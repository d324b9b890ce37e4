"""The file of day figures: what is taken, and for everything else the cell that is wrong."""

import io
import zipfile
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from kiosk.day_figures import Figure
from kiosk.day_figures_file import (
    HEADINGS,
    MAX_BYTES,
    FileRefused,
    Problem,
    read_figures,
    template_csv,
    template_xlsx,
)
from kiosk.events import Kind
from kiosk.hospital_model import DeskLookups, VisitCount

TODAY = date(2026, 3, 10)
HEAD = ";".join(HEADINGS)


def read(*lines: str, head: str = HEAD) -> list[Figure]:
    return read_figures("\n".join([head, *lines]).encode(), TODAY)


def problems(*lines: str, head: str = HEAD) -> list[tuple[int, int, str]]:
    with pytest.raises(FileRefused) as refused:
        read(*lines, head=head)
    return [(problem.row, problem.column, problem.code) for problem in refused.value.problems]


def workbook(*rows: tuple) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in (HEADINGS, *rows):
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def test_each_line_is_a_day():
    figures = read("09/03/2026;120;;;", "2026-03-08;;30;28;27", " 7/3/2026 ; 5 ;1;1;0", "06/03/2026;;;;", ";;;;")
    assert figures == [
        Figure.visits(VisitCount(date(2026, 3, 9), 120)),
        Figure.desk(DeskLookups(date(2026, 3, 8), 30, 28, 27)),
        Figure.visits(VisitCount(date(2026, 3, 7), 5)),
        Figure.desk(DeskLookups(date(2026, 3, 7), 1, 1, 0)),
    ]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_whatever_a_spreadsheet_program_makes_of_it(delimiter, encoding, newline):
    text = newline.join([delimiter.join(HEADINGS).lower(), delimiter.join(["09/03/2026", "7", "", "", ""])])
    assert read_figures(text.encode(encoding), TODAY) == [Figure.visits(VisitCount(date(2026, 3, 9), 7))]


def test_a_workbook_with_real_dates_and_numbers():
    content = workbook((datetime(2026, 3, 9), 12.0, None, None, None), ("08/03/2026", "3", 1, 1, 1))
    assert [(figure.day, dict(figure.values)) for figure in read_figures(content, TODAY)] == [
        (date(2026, 3, 9), {"bhyt_visits": 12, "by_class": {}}),
        (date(2026, 3, 8), {"bhyt_visits": 3, "by_class": {}}),
        (date(2026, 3, 8), {"lookups": 1, "visits_looked_up": 1, "visits_success": 1}),
    ]


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("hôm qua;3;;;", (2, 1, "NOT_A_DAY")),
        ("31/02/2026;3;;;", (2, 1, "NOT_A_DAY")),
        ("03/09/26;3;;;", (2, 1, "NOT_A_DAY")),
        (";3;;;", (2, 1, "DAY_MISSING")),
        ("09/03/2026;1.234;;;", (2, 2, "NOT_A_COUNT")),
        ("09/03/2026;-1;;;", (2, 2, "NOT_A_COUNT")),
        ("09/03/2026;٣;;;", (2, 2, "NOT_A_COUNT")),
        ("09/03/2026;=1+1;;;", (2, 2, "NOT_A_COUNT")),
        ("09/03/2026;;3;;", (2, 4, "DESK_INCOMPLETE")),
        ("09/03/2026;;;3;3", (2, 3, "DESK_INCOMPLETE")),
        ("11/03/2026;3;;;", (2, 1, "FUTURE_DAY")),
        ("09/03/2024;3;;;", (2, 1, "DAY_TOO_OLD")),
        ("09/03/2026;;3;4;4", (2, 0, "MORE_LOOKED_UP_THAN_LOOKUPS")),
        ("09/03/2026;;4;3;4", (2, 0, "MORE_SUCCESSES_THAN_LOOKED_UP")),
    ],
)
def test_what_is_wrong_is_told_with_its_cell(line, where):
    assert problems(line) == [where]


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_taken():
    assert problems("09/03/2026;1;;;", "x;1;;;", "09/03/2026;2;;;", "08/03/2026;y;;;") == [
        (3, 1, "NOT_A_DAY"),
        (4, 1, "DAY_TWICE"),
        (5, 2, "NOT_A_COUNT"),
    ]


def test_files_that_are_no_such_table():
    assert problems("09/03/2026;1;;;", head="Ngày;Lượt") == [(1, 0, "WRONG_HEADINGS")]
    assert problems() == [(0, 0, "NO_DAYS")]
    assert problems(*["09/03/2026;1;;;"] * 1001)[0] == (1002, 0, "TOO_MANY_ROWS")
    for content, code in (
        (b"", "WRONG_HEADINGS"),
        (b"x" * (MAX_BYTES + 1), "TOO_LARGE"),
        (b"PK\x03\x04 no workbook", "NOT_A_TABLE"),
        ("Ngày".encode("utf-16"), "NOT_A_TABLE"),
        (HEAD.encode("cp1258", "ignore"), "NOT_A_TABLE"),
    ):
        with pytest.raises(FileRefused) as refused:
            read_figures(content, TODAY)
        assert refused.value.problems[0].code == code


def test_a_workbook_that_unpacks_to_more_than_it_may_is_not_unpacked():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * (64 * 1024 * 1024))
    assert len(file.getvalue()) < MAX_BYTES
    with pytest.raises(FileRefused) as refused:
        read_figures(file.getvalue(), TODAY)
    assert refused.value.problems == (Problem(0, 0, "TOO_LARGE"),)


def test_at_most_fifty_problems_are_told():
    assert len(problems(*["x;1;;;"] * 200)) == 50


def test_templates_are_read_back_once_they_are_filled_in():
    days = [TODAY - timedelta(days=back) for back in (2, 1, 0)]
    empty = template_csv(days)
    with pytest.raises(FileRefused) as refused:
        read_figures(empty, TODAY)
    assert refused.value.problems == (Problem(0, 0, "NO_DAYS"),)
    filled = empty.decode("utf-8-sig").replace("09/03/2026;;;;", "09/03/2026;8;;;").encode("utf-8-sig")
    assert [figure.values["bhyt_visits"] for figure in read_figures(filled, TODAY)] == [8]
    book = load_workbook(io.BytesIO(template_xlsx(days)))
    assert [row[0].value for row in book.active.iter_rows(min_row=2)] == [
        datetime(d.year, d.month, d.day) for d in days
    ]
    book.active["B3"] = 9
    file = io.BytesIO()
    book.save(file)
    (figure,) = read_figures(file.getvalue(), TODAY)
    assert (figure.kind, figure.day, figure.values["bhyt_visits"]) == (Kind.VISIT_COUNT, days[1], 9)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"{HEAD}\n{text}".encode("utf-8", "ignore")))
def test_any_bytes_are_read_or_refused(content):
    try:
        figures = read_figures(content, TODAY)
    except FileRefused as refused:
        assert refused.problems
    else:
        assert figures


@given(
    st.lists(
        st.tuples(st.dates(date(2025, 6, 1), TODAY), st.integers(0, 10**6), st.integers(0, 10**6)),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[0],
    )
)
def test_every_true_table_is_taken_as_it_stands(rows):
    lines = [f"{day:%d/%m/%Y};{count};{looked};{looked};{looked}" for day, count, looked in rows]
    figures = read(*lines)
    assert [(f.day, f.values["bhyt_visits"]) for f in figures if f.kind is Kind.VISIT_COUNT] == [r[:2] for r in rows]
    assert [f.values["lookups"] for f in figures if f.kind is Kind.DESK_LOOKUPS] == [row[2] for row in rows]
