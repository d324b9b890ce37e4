"""Rows of the feed as a workbook (interfaces.md 6): the columns of the CSV, text as text, numbers as numbers."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from province.rates import Row

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SIMULATED: Final = "Trong số liệu này có ngày được mô phỏng, không phải số liệu thật; không dùng để báo cáo."
_HEADING: Final = Font(bold=True)
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_UNSTORABLE: Final = {code: None for code in range(32) if chr(code) not in "\t\n"}


def to_xlsx(rows: Sequence[Row], columns: Mapping[str, str]) -> bytes:
    """A workbook with the sheets `Số liệu` (Vietnamese headings, one column per entry of *columns*) and `Cách tính`.

    None is an empty cell, a mapping is JSON in its one cell, a percentage is a number with two decimals. Text is a text
    cell whatever it looks like: nothing in it is ever a formula. Raises KeyError for a row without a column's field.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Số liệu")
    sheet.freeze_panes = "A2"
    for number, (name, words) in enumerate(columns.items(), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = 34 if name == "unit_name" else max(12, len(words))
    sheet.append([_heading(sheet, words) for words in columns.values()])
    for row in rows:
        sheet.append([_cell(sheet, row[name]) for name in columns])
    _add_notes(book.create_sheet("Cách tính"), rows)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _heading(sheet: Any, words: str) -> Cell:
    cell: Cell = WriteOnlyCell(sheet, words)
    cell.font, cell.alignment = _HEADING, _WRAPPED
    return cell


def _cell(sheet: Any, value: Any) -> Cell:
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, str):
        cell: Cell = WriteOnlyCell(sheet, "")
        cell.value = value.translate(_UNSTORABLE)
        cell.data_type = "s"  # else a leading "=" would make it a formula
        return cell
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, float):
        cell.number_format = "0.00"
    return cell


def _add_notes(sheet: Any, rows: Sequence[Row]) -> None:
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 26, 110
    if any(row.get("simulated") for row in rows):
        sheet.append([_heading(sheet, "SỐ LIỆU MÔ PHỎNG"), _wrapped(sheet, _SIMULATED)])
    text = resources.files("province").joinpath("texts/method.vi.txt").read_text("utf-8")
    for line in text.splitlines():
        term, _, meaning = line.partition(": ")
        sheet.append([_heading(sheet, term), _wrapped(sheet, meaning)])
    for name, words in (("generated_at", "Lập lúc"), ("registry_version", "Phiên bản danh mục")):
        if rows and name in rows[0]:
            sheet.append([_heading(sheet, words), _wrapped(sheet, str(rows[0][name]))])


def _wrapped(sheet: Any, words: str) -> Cell:
    cell: Cell = WriteOnlyCell(sheet, words)
    cell.alignment = _WRAPPED
    return cell
