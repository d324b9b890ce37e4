"""What a spreadsheet program makes of our files: text stays text, numbers are numbers, nothing is ever a formula."""

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from province.facilities import read_registry
from province.feed import LOOKUP_RATE_COLUMNS, to_csv
from province.feed_xlsx import to_xlsx
from province.pages.texts import Language
from province.periods import Period, PeriodType
from province.rates import lookup_rate
from province.reports.content import Kind
from province.reports.making import make
from province.simulate.plan import Plan
from province.simulate.writing import simulate
from province.units import Level
from province.uploads.kinds import UploadKind
from province.uploads.templates import template_csv, template_rows, template_xlsx

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
NASTY = [
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "＝1",
    "\t=1",
    "00123",
    "1990-01-01",
    "1e5",
    "TRUE",
    "#N/A",
    "Trạm «Vị Thủy»",
]
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
Cell = tuple[str, str]
"""Type and content as LibreOffice understood them: `("string", "=1+1")`, `("float", "12.5")`."""


class Sheets:
    """The sheets of files that LibreOffice opened, in few starts of it."""

    def __init__(self, folder: Path, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        out = folder / "out"
        # A person is asked for these when the file is opened: comma, quotes, UTF-8.
        for ending, how in ((".csv", ["--infilter=CSV:44,34,76,1"]), (".xlsx", [])):
            given = [str(folder / name) for name in files if name.endswith(ending)]
            words = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", *how]
            words += ["--convert-to", "fods", "--outdir", str(out), *given]
            subprocess.run(words, check=True, capture_output=True, timeout=300)
        self._trees = {name: ElementTree.parse(out / f"{Path(name).stem}.fods").getroot() for name in files}

    def formulas(self, name: str) -> list[str]:
        """What is computed; a cell that is true or false is kept as such a formula by LibreOffice itself."""
        found = [cell.get(f"{_TABLE}formula") for cell in self._trees[name].iter()]
        return [each for each in found if each not in (None, "of:=TRUE()", "of:=FALSE()")]

    def rows(self, name: str) -> list[list[Cell]]:
        """The lines of the first sheet with anything in them."""
        sheet = next(self._trees[name].iter(f"{_TABLE}table"))
        found = []
        for row in sheet.iter(f"{_TABLE}table-row"):
            cells: list[Cell] = []
            for cell in row.iter(f"{_TABLE}table-cell"):
                kind = cell.get(f"{_OFFICE}value-type", "")
                words = "\n".join("".join(each.itertext()) for each in cell.iter(f"{_TEXT}p"))
                told = cell.get(f"{_OFFICE}value") if kind == "float" else words
                repeated = min(int(cell.get(f"{_TABLE}number-columns-repeated", "1")), 100)
                cells += [(kind, told or "")] * repeated
            if any(kind for kind, _ in cells):
                found.append(cells)
        return found


@pytest.fixture
def kind() -> str:
    """The database is no matter here."""
    return "sqlite"


def test_spreadsheets_open_all_our_files_as_they_are_meant(store, tmp_path) -> None:
    simulate(store, Plan({"93002": "district_medical_centre"}, MARCH, 7, {}, 0.3), sums_only=True)
    with store.read() as connection:
        (row, *_) = lookup_rate(connection, MARCH.start, MARCH.end, Level.FACILITY, PeriodType.TOTAL)
        report = make(
            connection, Kind.MONTHLY, "2026-03", "xlsx", datetime(2026, 4, 2, tzinfo=UTC), Language.VIETNAMESE
        )
        template = template_rows(read_registry(connection), MARCH.start, MARCH.start, None)
    rows = [row | {"unit_name": name, "r1_pct": 98.5} for name in NASTY]
    template = [(code, NASTY[number % len(NASTY)], day) for number, (code, _, day) in enumerate(template)]
    opened = Sheets(
        tmp_path,
        {
            "feed-x.xlsx": to_xlsx(rows, LOOKUP_RATE_COLUMNS),
            "feed-c.csv": to_csv(rows, LOOKUP_RATE_COLUMNS),
            "report.xlsx": report,
            "template-x.xlsx": template_xlsx(UploadKind.VISIT_COUNT, template),
            "template-c.csv": template_csv(UploadKind.VISIT_COUNT, template),
        },
    )
    for name in ("feed-x.xlsx", "feed-c.csv", "report.xlsx", "template-x.xlsx", "template-c.csv"):
        assert opened.formulas(name) == [], name
    columns = list(LOOKUP_RATE_COLUMNS)
    heading, *lines = opened.rows("feed-x.xlsx")
    assert [text for kind, text in heading if kind] == list(LOOKUP_RATE_COLUMNS.values())
    assert [line[columns.index("unit_name")] for line in lines] == [("string", name.lstrip("\t")) for name in NASTY]
    for line in lines:
        assert line[columns.index("unit_code")] == ("string", str(row["unit_code"]))
        assert line[columns.index("visits_bhyt")] == ("float", str(row["visits_bhyt"]))
        assert line[columns.index("r1_pct")] == ("float", "98.5")
    shown = [line[columns.index("unit_name")][1] for line in opened.rows("feed-c.csv")[1:]]
    assert shown[:5] == [f"'{name}" for name in NASTY[:5]] and shown[-1] == NASTY[-1]
    assert opened.rows("report.xlsx")[0][0] == ("string", "SỐ LIỆU MÔ PHỎNG – KHÔNG DÙNG ĐỂ BÁO CÁO")
    for line, (code, name, _) in zip(opened.rows("template-x.xlsx")[1:], template, strict=True):
        assert line[:2] == [("string", code), ("string", name.lstrip("\t"))] and line[2][0] == "date"
