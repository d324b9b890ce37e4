"""Files to fill in: a line for each facility and day asked for."""

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from province.facilities import Registry
from province.feed import plain_text
from province.uploads.kinds import UploadKind
from province.uploads.table_file import MAX_ROWS

Row = tuple[str, str, date]
"""Code and name of a facility, and a day."""


def template_rows(registry: Registry, first: date, last: date, only: str | None) -> list[Row]:
    """A row per active facility (with *only* this one) and day from *first* to *last*.

    Raises ValueError for a range that is empty, an unknown facility, and more rows than a file may have.
    """
    if first > last or (last - first).days > MAX_ROWS:
        raise ValueError("from, to: not a range that fits into a file")
    if only is not None and only not in registry.facilities:
        raise ValueError("facility: not in the registry")
    units = [unit for unit in registry.facilities.values() if only is None or unit.code == only]
    if len(units) * ((last - first).days + 1) > MAX_ROWS:
        raise ValueError(f"at most {MAX_ROWS} rows")
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [(unit.code, unit.version_at(day, day).name, day) for unit in units for day in days if unit.active(day, day)]


def template_csv(kind: UploadKind, rows: Iterable[Row]) -> bytes:
    """The template for any spreadsheet program: UTF-8 with a mark, semicolons, days as dd/mm/yyyy."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(kind.headings)
    blank = [""] * len(kind.counts)
    writer.writerows([code, plain_text(name), day.strftime("%d/%m/%Y"), *blank] for code, name, day in rows)
    return text.getvalue().encode("utf-8-sig")


def template_xlsx(kind: UploadKind, rows: Iterable[Row]) -> bytes:
    """The same as a workbook: codes and names are text cells whatever they look like, days are dates."""
    from openpyxl import Workbook  # noqa: PLC0415  (only who asks for it pays for it)
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Số liệu ngày")
    sheet.freeze_panes = "A2"
    for number, words in enumerate(kind.headings, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = 40 if number == 2 else max(12, len(words) + 2)
    headings = [WriteOnlyCell(sheet, words) for words in kind.headings]
    for cell in headings:
        cell.font = Font(bold=True)
    sheet.append(headings)
    for code, name, day in rows:
        texts = [WriteOnlyCell(sheet, each) for each in (code, name)]
        for cell in texts:
            cell.data_type = "s"  # else a leading "=" would make it a formula
        shown = WriteOnlyCell(sheet, datetime.combine(day, time()))
        shown.number_format = "DD/MM/YYYY"
        sheet.append([*texts, shown])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
