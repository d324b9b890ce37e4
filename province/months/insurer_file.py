"""The insurer's figures of a month as a file: a line per facility."""

from collections.abc import Collection
from datetime import date
from typing import Any, Final

from province.facilities import Registry
from province.months.insurer import InsurerFigure
from province.periods import month_end
from province.uploads.cells import to_code, to_count, to_words
from province.uploads.problems import Problem, UploadRefused
from province.uploads.table_file import is_blank, read_table

COLUMNS: Final = {
    "facility": "Mã cơ sở",
    "name": "Tên cơ sở",
    "visits": "Số lượt khám BHYT",
    "lookups": "Số lượt tra cứu",
}
"""The columns of the file in their order, with their headings; the name is for people only and not read."""
_HEADINGS: Final = tuple(COLUMNS.values())
_FACILITY, _VISITS, _LOOKUPS = 1, 3, 4


def template_rows(registry: Registry, month: date) -> list[dict[str, Any]]:
    """A row of `COLUMNS` without figures for each facility active in the month that begins with *month*."""
    last = month_end(month)
    return [
        {"facility": code, "name": unit.version_at(month, last).name, "visits": None, "lookups": None}
        for code, unit in sorted(registry.facilities.items())
        if unit.active(month, last)
    ]


def read_insurer_file(content: bytes, codes: Collection[str]) -> dict[str, InsurerFigure]:
    """The figures by facility code; a line whose numbers are both blank says nothing.

    In: a CSV or XLSX file with the headings of `COLUMNS`; the codes of the registry. Raises UploadRefused, which names
    the cell, when anything in it is wrong.
    """
    lines = read_table(content, len(_HEADINGS))
    wanted = [to_words(text) for text in _HEADINGS]
    headings = [to_words(cell) for cell in lines[0][1]] if lines else []
    if headings[: len(wanted)] != wanted or any(headings[len(wanted) :]):
        raise UploadRefused([Problem(lines[0][0] if lines else 1, 0, "WRONG_HEADINGS")])
    problems: list[Problem] = []
    figures: dict[str, InsurerFigure] = {}
    seen: set[str] = set()
    for row, found in lines[1:]:
        cells = [*found, *[None] * (len(wanted) + 1)][: len(wanted) + 1]
        wrong = _problems(row, cells, codes, seen)
        problems += wrong
        visits, lookups = to_count(cells[_VISITS - 1]), to_count(cells[_LOOKUPS - 1])
        code = to_code(cells[_FACILITY - 1])
        if code is not None and visits is not None and lookups is not None:
            figures[code] = InsurerFigure(visits, lookups)
        if code is not None:
            seen.add(code)
    if problems:
        raise UploadRefused(problems)
    if not figures:
        raise UploadRefused([Problem(0, 0, "NO_FIGURES")])
    return figures


def _problems(row: int, cells: list[Any], codes: Collection[str], seen: Collection[str]) -> list[Problem]:
    code = to_code(cells[_FACILITY - 1])
    wrong = []
    if not is_blank(cells[-1]):
        wrong.append((0, "TOO_MANY_CELLS"))
    if is_blank(cells[_FACILITY - 1]):
        wrong.append((_FACILITY, "FACILITY_MISSING"))
    elif code not in codes:
        wrong.append((_FACILITY, "UNKNOWN_FACILITY"))
    elif code in seen:
        wrong.append((_FACILITY, "FACILITY_TWICE"))
    numbers = {column: cells[column - 1] for column in (_VISITS, _LOOKUPS)}
    blank = [column for column, cell in numbers.items() if is_blank(cell)]
    if len(blank) == 1:
        wrong.append((blank[0], "NUMBER_MISSING"))
    wrong += [(at, "NOT_A_COUNT") for at, cell in numbers.items() if at not in blank and to_count(cell) is None]
    return [Problem(row, column, word, _HEADINGS[column - 1] if column else "") for column, word in wrong]
