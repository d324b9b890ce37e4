"""What is in a file that people hand in, and what is wrong with it: line, column and words (issue 7)."""

import csv
import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from kiosk.events import Kind
from province.facilities import Facility, Registry, Version
from province.uploads.kinds import UploadKind
from province.uploads.problems import UploadRefused
from province.uploads.reading import Rules, read_figures
from province.uploads.table_file import MAX_BYTES, MAX_ROWS
from province.uploads.templates import template_csv, template_rows, template_xlsx

TODAY = date(2026, 4, 1)
VISITS, DESK, PORTAL = UploadKind.VISIT_COUNT, UploadKind.DESK_LOOKUPS, UploadKind.PORTAL_FILE


def unit(code: str, name: str = "Trạm y tế", *, until: date | None = None) -> Facility:
    version = Version(None, until, name, "93", "Hậu Giang", "1", "Xã")
    return Facility(code, name, "4", "tram", "930", "Huyện", (version,))


REGISTRY = Registry(
    {
        each.code: each
        for each in (unit("93002"), unit("93003", "=Trạm;\tsố 3"), unit("01001", until=date(2026, 2, 28)))
    },
    "1-x",
)
RULES = Rules(REGISTRY, TODAY)


def as_csv(kind: UploadKind, *rows: list[object], delimiter: str = ";", mark: bool = True) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([kind.headings, *rows])
    return text.getvalue().encode("utf-8-sig" if mark else "utf-8")


def as_xlsx(kind: UploadKind, *rows: list[object]) -> bytes:
    book = Workbook()
    for row in (list(kind.headings), *rows):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def problems(content: bytes, kind: UploadKind = VISITS, rules: Rules = RULES) -> list[tuple[int, int, str]]:
    with pytest.raises(UploadRefused) as refused:
        read_figures(content, kind, rules)
    assert all(each.words and each.code not in each.words for each in refused.value.problems)
    return [(each.row, each.column, each.code) for each in refused.value.problems]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [True, False])
def test_csv_of_any_common_shape(delimiter: str, mark: bool) -> None:
    content = as_csv(
        DESK,
        ["93002", "x, y; z", "02/03/2026", 12, 11, "10"],
        ["93003", "", "2026-03-02", "", "", ""],
        [],
        ["93003", "", "2026-3-3", "0", "0", "0"],
        delimiter=delimiter,
        mark=mark,
    )
    found = read_figures(content, DESK, RULES)
    assert [(each.row, each.facility, each.day, each.kind) for each in found] == [
        (2, "93002", date(2026, 3, 2), Kind.DESK_LOOKUPS),
        (5, "93003", date(2026, 3, 3), Kind.DESK_LOOKUPS),
    ]
    assert found[0].counts == {"lookups": 12, "visits_looked_up": 11, "visits_success": 10}


def test_a_workbook_as_excel_saves_it() -> None:
    content = as_xlsx(
        PORTAL,
        ["93002", "a", datetime(2026, 3, 2), 604, 40, 30.0, 29],
        [93003, None, date(2026, 3, 2), "12", None, None, None],
        [],
        ["93003", None, "03/03/2026", None, 5, 5, 5],
    )
    found = read_figures(content, PORTAL, RULES)
    assert [(each.row, each.facility, str(each.kind), tuple(each.counts.values())) for each in found] == [
        (2, "93002", "visit_count", (604,)),
        (2, "93002", "desk_lookups", (40, 30, 29)),
        (3, "93003", "visit_count", (12,)),
        (5, "93003", "desk_lookups", (5, 5, 5)),
    ]


@pytest.mark.parametrize("make", [as_csv, as_xlsx])
def test_every_fault_is_told_with_its_line_and_column(make) -> None:
    rows = [
        ["93002", "", "02/03/2026", "-1", "3", "3"],
        ["99999", "", "02/03/2026", "1", "1", "1"],
        ["", "", "02/03/2026", "1", "1", "1"],
        ["93002", "", "31/02/2026", "1", "1", "1"],
        ["93002", "", "02/04/2026", "1", "1", "1"],
        ["93002", "", "02/04/2006", "1", "1", "1"],
        ["93002", "", "", "1", "1", "1"],
        ["93002", "", "02/03/2026", "1", "1", "1"],
        ["93002", "", "03/03/2026", "1.234", "1", ""],
        ["93002", "", "04/03/2026", "5", "6", "7"],
        ["01001", "", "01/03/2026", "5", "5", "5"],
        ["1001", "", "01/02/2026", "5", "5", "5"],
    ]
    assert problems(make(DESK, *rows), DESK) == [
        (2, 4, "NOT_A_COUNT"),
        (3, 1, "UNKNOWN_FACILITY"),
        (4, 1, "FACILITY_MISSING"),
        (5, 3, "NOT_A_DAY"),
        (6, 3, "DAY_IN_FUTURE"),
        (7, 3, "DAY_TOO_OLD"),
        (8, 3, "DAY_MISSING"),
        (9, 1, "ROW_TWICE"),
        (10, 4, "NOT_A_COUNT"),
        (10, 6, "INCOMPLETE"),
        (11, 5, "LOOKED_UP_OVER_LOOKUPS"),
        (11, 6, "SUCCESS_OVER_LOOKED_UP"),
        (12, 3, "FACILITY_NOT_ACTIVE"),
        (13, 1, "UNKNOWN_FACILITY"),
    ]


def test_words_say_where_and_what_was_expected_and_repeat_nothing() -> None:
    with pytest.raises(UploadRefused) as refused:
        read_figures(as_csv(VISITS, ["93002", "", "Nguyễn Văn A", "5"]), VISITS, RULES)
    words = refused.value.problems[0].words
    assert words == "Dòng 2, cột 3 (Ngày): cần một ngày dạng ngày/tháng/năm, ví dụ 05/03/2026."


def test_files_that_are_no_table_of_this_kind() -> None:
    row = ["93002", "", "02/03/2026", "5"]
    assert problems(b"") == [(1, 0, "WRONG_HEADINGS")]
    assert problems(as_csv(DESK, row)) == [(1, 0, "WRONG_HEADINGS")]
    assert problems(as_csv(VISITS, row).replace("Ngày".encode(), b"Day")) == [(1, 0, "WRONG_HEADINGS")]
    assert problems(as_csv(VISITS, [*row, "6"])) == [(2, 0, "TOO_MANY_CELLS")]
    assert problems(as_csv(VISITS, ["93002", "", "02/03/2026", ""])) == [(0, 0, "NO_FIGURES")]
    assert problems("Mã cơ sở".encode("utf-16")) == [(0, 0, "NOT_A_TABLE")]
    assert problems(b"PK\x03\x04 and no more") == [(0, 0, "NOT_A_TABLE")]
    assert problems(as_csv(VISITS, ["93002", "x" * 200_000, "02/03/2026", "5"])) == [(0, 0, "NOT_A_TABLE")]


def test_bombs_are_refused_before_they_are_unpacked() -> None:
    assert problems(b"," * (MAX_BYTES + 1)) == [(0, 0, "TOO_LARGE")]
    many = [["93002", "", "02/03/2026", ""]] * (MAX_ROWS + 1)
    assert problems(as_csv(VISITS, *many))[-1] == (MAX_ROWS + 2, 0, "TOO_MANY_ROWS")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/worksheets/sheet1.xml", b" " * 64 * 1024 * 1024)
    assert problems(packed.getvalue()) == [(0, 0, "TOO_LARGE")]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for number in range(1000):
            file.writestr(f"x{number}", b"")
    assert problems(packed.getvalue()) == [(0, 0, "TOO_LARGE")]
    book = Workbook()
    book.active.append(VISITS.headings)
    book.active.cell(1_048_576, 1, "93002")
    file = io.BytesIO()
    book.save(file)
    assert problems(file.getvalue())[0][2] == "TOO_MANY_ROWS"
    book = Workbook()
    book.active.append(VISITS.headings)
    book.active.cell(2, 16_384, "93002")
    file = io.BytesIO()
    book.save(file)
    assert problems(file.getvalue()) == [(0, 0, "NO_FIGURES")]


def test_a_facility_hands_in_its_own_lines_only_even_blank_ones() -> None:
    rows = [["93002", "", "02/03/2026", "5"], ["93003", "", "02/03/2026", ""], ["99999", "", "x", "y"]]
    with pytest.raises(UploadRefused) as refused:
        read_figures(as_csv(VISITS, *rows), VISITS, Rules(REGISTRY, TODAY, "93002"))
    assert refused.value.foreign
    assert [(each.row, each.code) for each in refused.value.problems] == [
        (3, "NOT_YOUR_FACILITY"),
        (4, "NOT_YOUR_FACILITY"),
    ]


@pytest.mark.parametrize("kind", list(UploadKind))
@pytest.mark.parametrize("make", [template_csv, template_xlsx])
def test_a_filled_in_template_is_taken(kind: UploadKind, make) -> None:
    rows = template_rows(REGISTRY, date(2026, 2, 28), date(2026, 3, 1), None)
    assert [(code, day.day) for code, _, day in rows] == [
        ("93002", 28),
        ("93002", 1),
        ("93003", 28),
        ("93003", 1),
        ("01001", 28),
    ]
    content = make(kind, rows)
    assert problems(content, kind) == [(0, 0, "NO_FIGURES")]
    if make is template_csv:
        lines = content.decode("utf-8-sig").splitlines()
        assert any("'=Trạm" in line for line in lines)
        filled = "\r\n".join([lines[0], *(line.rstrip(";") + ";7" * len(kind.counts) for line in lines[1:])]).encode()
    else:
        book = load_workbook(io.BytesIO(content))
        sheet = book.active
        assert (sheet["B4"].value, sheet["B4"].data_type, sheet["A6"].value) == ("=Trạm;\tsố 3", "s", "01001")
        for row in range(2, sheet.max_row + 1):
            for column in range(4, 4 + len(kind.counts)):
                sheet.cell(row, column, 7)
        file = io.BytesIO()
        book.save(file)
        filled = file.getvalue()
    found = read_figures(filled, kind, RULES)
    assert len(found) == 5 * len(kind.parts)
    assert {value for figure in found for value in figure.counts.values()} == {7}


def test_templates_for_nothing_or_too_much_are_refused() -> None:
    for first, last, only in (
        (date(2026, 3, 2), date(2026, 3, 1), None),
        (date(1, 1, 1), date(9999, 12, 31), None),
        (date(2020, 1, 1), date(2026, 1, 1), None),
        (date(2026, 3, 1), date(2026, 3, 1), "99999"),
    ):
        with pytest.raises(ValueError):
            template_rows(REGISTRY, first, last, only)


CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["93002", "01001", "02/03/2026", "2026-03-02", "", " ", "-1", "1e3", "٣", "1.0", "NaN"]),
    st.integers(-3, 2**70).map(str),
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELL, max_size=9), max_size=5), kind=st.sampled_from(UploadKind))
def test_any_cells_are_figures_or_refused(rows: list[list[str]], kind: UploadKind) -> None:
    try:
        found = read_figures(as_csv(kind, *rows), kind, RULES)
    except UploadRefused as refused:
        assert 0 < len(refused.problems) <= 50
        assert all(each.words for each in refused.problems)
        return
    for figure in found:
        assert figure.facility in REGISTRY.facilities and figure.day <= TODAY
        assert all(0 <= count < 2**31 for count in figure.counts.values())


@settings(max_examples=200, deadline=None)
@given(content=st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda rest: b"PK\x03\x04" + rest)))
def test_any_bytes_are_refused_and_break_nothing(content: bytes) -> None:
    with pytest.raises(UploadRefused):
        read_figures(content, VISITS, RULES)


WHOLE = as_xlsx(VISITS, ["93002", "a", date(2026, 3, 2), 5])


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_a_damaged_workbook_is_read_as_it_was_or_refused(place: int, byte: int) -> None:
    damaged = WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    try:
        found = read_figures(damaged, VISITS, RULES)
    except UploadRefused:
        return
    assert [figure.counts for figure in found] == [{"bhyt_visits": 5}]
