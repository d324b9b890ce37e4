"""The insurer's own monthly figures handed in as a file, and the comparison handed out as one."""

import csv
import io
import json
from datetime import date

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from province.cli import main
from province.months.insurer import InsurerFigure
from province.months.insurer_file import COLUMNS, read_insurer_file
from province.uploads.problems import UploadRefused

CODES = frozenset({"93002", "93003", "01001"})
PATH = "/api/v1/months/2026-03/insurer"


def as_csv(*rows: list[object], delimiter: str = ";") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([COLUMNS.values(), *rows])
    return text.getvalue().encode("utf-8-sig")


def problems(content: bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(UploadRefused) as refused:
        read_insurer_file(content, CODES)
    assert all(each.words and each.code not in each.words for each in refused.value.problems)
    return [(each.row, each.column, each.code) for each in refused.value.problems]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_line_without_numbers_says_nothing(delimiter: str) -> None:
    content = as_csv(
        ["93002", "Trạm", 12, "11"], [], ["93003", "=x", "", ""], ["01001", "", "0", 0], delimiter=delimiter
    )
    assert read_insurer_file(content, CODES) == {"93002": InsurerFigure(12, 11), "01001": InsurerFigure(0, 0)}


def test_every_fault_is_named_with_its_cell() -> None:
    assert problems(as_csv(["93002", "", 1, ""])) == [(2, 4, "NUMBER_MISSING")]
    assert problems(as_csv(["93002", "", "1.234", "-1"])) == [(2, 3, "NOT_A_COUNT"), (2, 4, "NOT_A_COUNT")]
    assert problems(as_csv(["", "", 1, 1], ["99999", "", 1, 1])) == [
        (2, 1, "FACILITY_MISSING"),
        (3, 1, "UNKNOWN_FACILITY"),
    ]
    assert problems(as_csv(["93002", "", 1, 1], ["93002", "", 1, 1])) == [(3, 1, "FACILITY_TWICE")]
    assert problems(as_csv(["93002", "", 1, 1, 5])) == [(2, 0, "TOO_MANY_CELLS")]
    assert problems(as_csv(["93002", "", "", ""])) == [(0, 0, "NO_FIGURES")]
    assert problems(b"") == problems(b"a;b\n") == [(1, 0, "WRONG_HEADINGS")]
    assert problems(b"\xff") == [(0, 0, "NOT_A_TABLE")]


@given(st.binary(max_size=300) | st.text().map(lambda text: as_csv([text, text, text, text])))
def test_any_bytes_are_figures_or_a_refusal(content: bytes) -> None:
    try:
        assert set(read_insurer_file(content, CODES)) <= CODES
    except UploadRefused as refused:
        assert refused.problems


def test_a_file_over_http_from_the_template_to_the_comparison(hub) -> None:
    analyst, viewer = hub.person("analyst"), hub.person("viewer")
    made = hub.http.get(f"{PATH}/template", headers=analyst)
    book = load_workbook(io.BytesIO(made.content))
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(COLUMNS.values()) and sheet.max_row == 96
    row = next(number for number in range(2, 97) if sheet.cell(number, 1).value == "93002")
    sheet.cell(row, 3, 604), sheet.cell(row, 4, 600)
    filled = io.BytesIO()
    book.save(filled)
    assert hub.http.put(f"{PATH}/file", content=filled.getvalue(), headers=viewer).status_code == 403
    taken = hub.http.put(f"{PATH}/file", content=filled.getvalue(), headers=analyst)
    assert (taken.status_code, taken.json()) == (200, {"changed": 1, "facilities": 1})
    assert hub.http.put(f"{PATH}/file", content=filled.getvalue(), headers=analyst).json()["changed"] == 0
    (found,) = hub.get("/api/v1/months/2026-03/parallel-run").json()["rows"]
    assert (found["unit_code"], found["visits_theirs"], found["lookups_theirs"]) == ("93002", 604, 600)
    refused = hub.http.put(f"{PATH}/file", content=as_csv(["93002", "", "x", 1]), headers=analyst)
    assert (refused.status_code, refused.json()["error"]) == (422, "bad_upload")
    assert refused.json()["problems"][0]["row"] == 2
    assert hub.http.put("/api/v1/months/2199-01/insurer/file", content=filled.getvalue(), headers=analyst).json()[
        "error"
    ] == ("month_not_over")
    assert hub.http.get(f"{PATH}/template?format=pdf", headers=analyst).json()["error"] == "format_not_offered"


def test_a_file_at_the_command_line(store, database_url, tmp_path) -> None:
    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--database", database_url, "--data", str(tmp_path), "insurer", *words])
        assert result.exit_code == code, result.output
        return result.output

    template = tmp_path / "t.csv"
    run("template", "2026-03", "--format", "csv", str(template))
    assert len(template.read_text("utf-8-sig").splitlines()) == 96
    file = tmp_path / "f.csv"
    file.write_bytes(as_csv(["93002", "", 604, 600]))
    assert json.loads(run("enter", "2026-03", str(file), "--by", "Phòng BHYT")) == {"facilities": 1, "changed": 1}
    assert json.loads(run("compare", "2026-03"))["rows"][0]["visits_theirs"] == 604
    run("compare", "2026-03", "--format", "xlsx", str(tmp_path / "c.xlsx"))
    assert load_workbook(tmp_path / "c.xlsx").worksheets[0].max_row == 2
    file.write_bytes(as_csv(["93002", "", 604, 1], ["x", "", 1, 1]))
    assert "UNKNOWN_FACILITY: Dòng 3, cột 1 (Mã cơ sở)" in run("enter", "2026-03", str(file), "--by", "x", code=1)
    assert date.fromisoformat(json.loads(run("compare", "2026-03"))["month"] + "-01") == date(2026, 3, 1)
