"""The cells of a CSV or XLSX file, within limits that keep a hostile file from filling memory."""

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from province.uploads.problems import Problem, UploadRefused

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_ROWS: Final = 5000
_MAX_SHEET_ROWS: Final = 2 * MAX_ROWS  # blank ones among them
_MAX_UNPACKED: Final = 16 * 1024 * 1024
_MAX_PARTS: Final = 200
_XLSX_MAGIC: Final = b"PK\x03\x04"

Line = tuple[int, list[Any]]
"""The number of a line, from 1 and as a spreadsheet or an editor counts, and its cells."""


def read_table(content: bytes, width: int) -> list[Line]:
    """The lines of a file, the headings first.

    In: a CSV (UTF-8 with or without BOM; comma, semicolon or tab) or XLSX (its first sheet, as computed when saved);
    the number of columns. Out: of each line at most `width` + 1 cells, so that one too many is seen. Raises
    UploadRefused with TOO_LARGE, TOO_MANY_ROWS or NOT_A_TABLE.
    """
    if len(content) > MAX_BYTES:
        raise UploadRefused([Problem(0, 0, "TOO_LARGE")])
    lines: list[Line] = []
    for number, cells in _xlsx(content, width) if content.startswith(_XLSX_MAGIC) else _csv(content):
        if len(lines) > MAX_ROWS:
            raise UploadRefused([Problem(number, 0, "TOO_MANY_ROWS")])
        lines.append((number, cells[: width + 1]))
    return lines


def is_blank(cell: Any) -> bool:
    """Whether nobody wrote anything into a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _csv(content: bytes) -> Iterator[Line]:
    try:
        text = content.decode("utf-8-sig")
        first = text.split("\n", 1)[0]
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
        number = 1
        for cells in reader:
            if not all(map(is_blank, cells)):
                yield number, cells
            number = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error):
        raise UploadRefused([Problem(0, 0, "NOT_A_TABLE")]) from None


def _xlsx(content: bytes, width: int) -> Iterator[Line]:
    from openpyxl import load_workbook  # noqa: PLC0415  (only who uploads a workbook pays for it)

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED:
                raise UploadRefused([Problem(0, 0, "TOO_LARGE")])
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # a file may lie about them
            found = []
            for number, row in enumerate(sheet.iter_rows(max_col=width + 1, values_only=True), start=1):
                if number > _MAX_SHEET_ROWS:
                    raise UploadRefused([Problem(number, 0, "TOO_MANY_ROWS")])
                if not all(map(is_blank, row)):
                    found.append((number, list(row)))
        finally:
            book.close()
    except UploadRefused:
        raise
    except Exception:  # the library raises whatever a broken workbook makes it stumble over
        raise UploadRefused([Problem(0, 0, "NOT_A_TABLE")]) from None
    yield from found
