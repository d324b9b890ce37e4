"""The feed as a workbook."""

import io
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from province.facilities import load_registry
from province.feed import LOOKUP_RATE_COLUMNS
from province.feed_xlsx import MEDIA_TYPE, to_xlsx

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_the_workbook_has_the_figures_of_the_feed(hub) -> None:
    station = hub.station("93002")
    station.send(station.count(date(2026, 3, 2), 12))
    answer = hub.get("/api/v1/kpi/lookup-rate", **MARCH, level="facility", format="xlsx")
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    assert answer.headers["content-disposition"].endswith('-2026-03-31.xlsx"')
    book = opened(answer.content)
    assert book.sheetnames == ["Số liệu", "Cách tính"]
    heading, *lines = book["Số liệu"].iter_rows(values_only=True)
    assert list(heading) == list(LOOKUP_RATE_COLUMNS.values()) and len(lines) == 95
    rows = hub.rows(MARCH["from"], MARCH["to"], level="facility")
    for name in ("unit_code", "unit_name", "visits_bhyt", "r1_pct", "target_pct"):
        place = list(LOOKUP_RATE_COLUMNS).index(name)
        assert [line[place] for line in lines] == [row[name] for row in rows]
    notes = dict(book["Cách tính"].iter_rows(values_only=True))
    assert notes["r2"] == "S / L." and notes["Phiên bản danh mục"] == rows[0]["registry_version"]


def test_causes_come_as_a_workbook_too(hub) -> None:
    answer = hub.get("/api/v1/kpi/why-not-by-chip", **MARCH, format="xlsx")
    assert opened(answer.content)["Số liệu"].max_row == 1


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "1990-01-01", "00123", "#N/A", "TRUE"])
def test_text_stays_text_whatever_it_looks_like(hub, name: str) -> None:
    facilities = "ma_cskcb,name_vi,tier,type,district_code,district_name,commune_code,commune_name,province_code\n"
    versions = "ma_cskcb,version,valid_from,valid_to,name_vi,province_code,province_name,commune_code,commune_name\n"
    load_registry(hub.store, facilities, versions + f"93002,1,,,{name},92,Cần Thơ,1,Xã Thử\n")
    content = hub.get("/api/v1/kpi/lookup-rate", **MARCH, level="facility", format="xlsx").content
    column = list(LOOKUP_RATE_COLUMNS).index("unit_name") + 1
    cells = [row[0] for row in opened(content)["Số liệu"].iter_rows(min_col=column, max_col=column)]
    assert [(cell.value, cell.data_type) for cell in cells if cell.value == name] == [(name, "s")]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53), st.booleans(), st.text(max_size=30)), min_size=1))
def test_any_value_comes_back(values: list[object]) -> None:
    columns = {str(number): f"c{number}" for number in range(len(values))}
    book = opened(to_xlsx([dict(zip(columns, values, strict=True))], columns))
    line = list(book["Số liệu"].iter_rows(min_row=2, max_col=len(values), values_only=True))
    found = line[0] if line else (None,) * len(values)
    for before, after in zip(values, found, strict=True):
        if isinstance(before, str):
            kept = "".join(sign for sign in before if ord(sign) > 31 or sign in "\t\n")
            assert (after or "") == kept
        else:
            assert after == before
