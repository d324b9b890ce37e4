"""A report as a workbook: a summary and every figure, text as text, numbers as numbers, no formula."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from province import causes
from province.pages.readings import Reading
from province.reports.content import Report
from province.reports.words import RATES, Words

_BOLD: Final = Font(bold=True)
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_UNSTORABLE: Final = {code: None for code in range(32) if chr(code) not in "\t\n"}
_FIGURES: Final = ("visits", "looked_up", "not_looked_up", "value", "target", "portal", "portal_gap")


def to_xlsx(report: Report, words: Words) -> bytes:
    """The sheets: summary, facilities, trend, days, causes, method."""
    book = Workbook(write_only=True)
    _summary(book, report, words)
    rates = [name.upper() for name in RATES[1:]]
    figures = [*(words(key) if key != "value" else "R1" for key in _FIGURES), *rates]
    headings = [words("code"), words("name"), *figures, words("origin")]
    rows = [[each.code, each.name, *_figures(each), words.origin(each.origin)] for each in report.facilities]
    _sheet(book, words("facilities_sheet"), headings, rows, (12, 40))
    trend = [[words.period_name(each), *_figures(each)] for each in report.trend]
    _sheet(book, words("trend_sheet"), [words("period"), *figures], trend, (12,))
    days = [[datetime.combine(each.first, time()), *_figures(each)] for each in report.days]
    _sheet(book, words("days_sheet"), [words("day"), *figures], days, (12,))
    missed = [
        [causes.name(each.reason, words.language), each.visits, each.share, causes.advice(each.reason, words.language)]
        for each in (report.causes.causes if report.causes else ())
    ]
    headings = [words(key) for key in ("reason", "visits", "share", "advice")]
    _sheet(book, words("causes_sheet"), headings, missed, (40, 12, 12, 100))
    _sheet(book, words("method_sheet"), [words("method"), ""], [list(pair) for pair in words.method()], (28, 110))
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _summary(book: Any, report: Report, words: Words) -> None:
    lines = [[words.title, ""], [words("about"), ""], [words.subtitle, ""], [words.made_at, ""]]
    if report.simulated:
        lines.insert(0, [words("simulated"), ""])
    whole = report.whole
    if whole is not None:
        lines += [[words("rates.r1"), words.percentage(whole.r1.pct)], *(list(pair) for pair in words.facts(whole))]
        for name in RATES:
            each = getattr(whole, name)
            both = f"{words.number(each.numerator)} / {words.number(each.denominator)}"
            lines.append([words(f"rates.{name}"), f"{words.percentage(each.pct)} ({both})"])
        silent = "; ".join(f"{each.code} {each.name}" for each in report.silent)
        lines.append([words("silent"), silent or words("nobody")])
    _sheet(book, words("summary_sheet"), lines[0], lines[1:], (60, 90))


def _figures(each: Reading) -> list[Any]:
    return [
        each.visits,
        each.r1.numerator,
        each.not_looked_up,
        each.r1.pct,
        each.target,
        each.portal,
        each.portal_gap_pct,
        *(getattr(each, name).pct for name in RATES[1:]),
    ]


def _sheet(book: Any, name: str, headings: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[int]) -> None:
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for number in range(len(headings)):
        wide = widths[number] if number < len(widths) else 15
        sheet.column_dimensions[get_column_letter(number + 1)].width = wide
    sheet.append([_cell(sheet, words, bold=True) for words in headings])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, "" if isinstance(value, str) else value)
    if isinstance(value, str):
        cell.value = value.translate(_UNSTORABLE)
        cell.data_type = "s"  # else a leading "=" would make it a formula
        cell.alignment = _WRAPPED
    elif isinstance(value, datetime):
        cell.number_format = "DD/MM/YYYY"
    elif isinstance(value, float):
        cell.number_format = "0.00"
    if bold:
        cell.font = _BOLD
    return cell
