"""Figures of days as a file that a hospital fills in: a template, and a reader that says which cell is wrong.

One sheet with a heading line and a line a day: day, insured visits, lookups at the desk, visits looked up, of these
successfully. CSV in UTF-8 (comma or semicolon) or XLSX. A file is taken whole or not at all.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from kiosk.day_figures import Figure, FigureRefused
from kiosk.documents.text import fold
from kiosk.events import MAX_COUNT
from kiosk.hospital_model import DeskLookups, VisitCount

HEADINGS: Final = ("Ngày", "Số lượt khám BHYT", "Số lần tra cứu tại quầy", "Số lượt đã tra cứu", "Số lượt tra cứu được")
MAX_BYTES: Final = 2 * 1024 * 1024
_MAX_ROWS: Final = 1000
_MAX_UNPACKED: Final = 16 * 1024 * 1024
_XLSX_MAGIC: Final = b"PK\x03\x04"
_TEXT_DAY: Final = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"),
    re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file is not taken. ``row`` as a spreadsheet counts, 0 for the whole file; ``column``: 1 to 5, 0: the row.

    ``code``: TOO_LARGE, NOT_A_TABLE, WRONG_HEADINGS, TOO_MANY_ROWS, NO_DAYS, DAY_MISSING, NOT_A_DAY, DAY_TWICE,
    NOT_A_COUNT, DESK_INCOMPLETE, or one of FigureRefused.
    """

    row: int
    column: int
    code: str


class FileRefused(Exception):
    """The file is not taken; ``problems``: at least one, in the order of the rows, at most 50."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the first fifty: whoever has more has the wrong file."""
        super().__init__(problems[0].code)
        self.problems = tuple(problems[:50])


def read_figures(content: bytes, today: date) -> list[Figure]:
    """The figures in a filled-in template, in the order of its rows. FileRefused when anything in it is wrong."""
    if len(content) > MAX_BYTES:
        raise FileRefused([Problem(0, 0, "TOO_LARGE")])
    rows = list(_xlsx_rows(content) if content.startswith(_XLSX_MAGIC) else _csv_rows(content))
    if not rows or [fold(str(cell or "")) for cell in rows[0][: len(HEADINGS)]] != [fold(text) for text in HEADINGS]:
        raise FileRefused([Problem(1, 0, "WRONG_HEADINGS")])
    if len(rows) > _MAX_ROWS + 1:
        raise FileRefused([Problem(_MAX_ROWS + 2, 0, "TOO_MANY_ROWS")])
    return _figures(rows[1:], today)


def template_csv(days: Iterable[date]) -> bytes:
    """The template with a line for each of *days*, for any spreadsheet program: UTF-8 with a mark, semicolons."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADINGS)
    writer.writerows([day.strftime("%d/%m/%Y"), "", "", "", ""] for day in days)
    return text.getvalue().encode("utf-8-sig")


def template_xlsx(days: Iterable[date]) -> bytes:
    """The same as a workbook, with real dates."""
    from openpyxl import Workbook  # noqa: PLC0415 - takes a tenth of a second, and is used once a month

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Số liệu ngày")
    for letter, width in zip("ABCDE", (12, 20, 24, 20, 22), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append(HEADINGS)
    for day in days:
        sheet.append([day])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _csv_rows(content: bytes) -> Iterator[list[Any]]:
    try:
        text = content.decode("utf-8-sig")
        first = text.split("\n", 1)[0]
        delimiter = max(";,\t", key=first.count)
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except (UnicodeDecodeError, csv.Error):
        raise FileRefused([Problem(0, 0, "NOT_A_TABLE")]) from None


def _xlsx_rows(content: bytes) -> Iterator[list[Any]]:
    from openpyxl import load_workbook  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _MAX_UNPACKED:
                raise FileRefused([Problem(0, 0, "TOO_LARGE")])
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            cells = sheet.iter_rows(max_row=_MAX_ROWS + 2, max_col=len(HEADINGS), values_only=True)
            yield from (list(row) for row in cells)
        finally:
            book.close()
    except FileRefused:
        raise
    except Exception:  # the library raises whatever a broken workbook makes it stumble over
        raise FileRefused([Problem(0, 0, "NOT_A_TABLE")]) from None


def _figures(rows: Sequence[Sequence[Any]], today: date) -> list[Figure]:
    found: list[Figure] = []
    problems: list[Problem] = []
    seen: set[date] = set()
    for number, row in enumerate(rows, 2):
        cells = [*row, *[None] * len(HEADINGS)][: len(HEADINGS)]
        if all(_blank(cell) for cell in cells[1:]):
            if not _blank(cells[0]) and _day(cells[0]) is None:
                problems.append(Problem(number, 1, "NOT_A_DAY"))
            continue  # a day of the template that nobody has counted yet
        day = _day(cells[0])
        if day is None:
            problems.append(Problem(number, 1, "DAY_MISSING" if _blank(cells[0]) else "NOT_A_DAY"))
            continue
        if day in seen:
            problems.append(Problem(number, 1, "DAY_TWICE"))
        seen.add(day)
        for figure in _of_row(number, day, cells[1:], problems):
            try:
                figure.check(today)
            except FigureRefused as refusal:
                problems.append(Problem(number, 1 if "DAY" in refusal.code else 0, refusal.code))
            found.append(figure)
    if problems:
        raise FileRefused(problems)
    if not found:
        raise FileRefused([Problem(0, 0, "NO_DAYS")])
    return found


def _of_row(number: int, day: date, cells: Sequence[Any], problems: list[Problem]) -> list[Figure]:
    counts = [None if _blank(cell) else _count(cell) for cell in cells]
    wrong = [
        Problem(number, column, "NOT_A_COUNT")
        for column, (cell, count) in enumerate(zip(cells, counts, strict=True), 2)
        if count is None and not _blank(cell)
    ]
    problems.extend(wrong)
    if wrong:
        return []
    visits, *desk = counts
    figures = [] if visits is None else [Figure.visits(VisitCount(day, visits))]
    lookups, looked_up, success = desk
    if lookups is not None and looked_up is not None and success is not None:
        figures.append(Figure.desk(DeskLookups(day, lookups, looked_up, success)))
    elif any(count is not None for count in desk):
        problems.append(Problem(number, 3 + desk.index(None), "DESK_INCOMPLETE"))
    return figures


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _day(cell: Any) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    for pattern in _TEXT_DAY:
        if isinstance(cell, str) and (match := pattern.fullmatch(cell.strip())):
            try:
                return date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                return None
    return None


def _count(cell: Any) -> int | None:
    """A whole number from 0; thousands are never guessed at: 1.234 may be either."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, str) and (text := cell.strip()).isascii() and text.isdigit() and len(text) <= 10:
        cell = int(text)
    return cell if isinstance(cell, int) and 0 <= cell <= MAX_COUNT else None
