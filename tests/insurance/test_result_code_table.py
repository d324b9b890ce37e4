"""All result codes x kinds of key x dates, against a table typed from insurance-gateway.md 3 (first match wins).

Columns of the table: the class of the answer, which other question may follow, and how many calls reach the gateway.
"""

import csv
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request

from kiosk.insurance.vss_gateway import VssGateway
from kiosk.model import KeyKind, LookupKey, Officer, PartialDate
from simulators.serve import serve_in_thread

TABLE = Path(__file__).parent.parent / "vectors" / "vss_result_codes.csv"
DAY = date(2026, 11, 2)
CITIZEN, BHXH, CARD, LONG = "099165000015", "9900000015", "DN4999900000015", "DN499099165000015"
NUMBERS = {
    KeyKind.PERSONAL_12: CITIZEN,
    KeyKind.BHXH_10: BHXH,
    KeyKind.BHYT_15: CARD,
    KeyKind.BHYT_17: LONG,
}
DATES = {
    "current": ("01/01/2026", "31/12/2026"),
    "open": ("01/01/2026", None),
    "expired": ("01/01/2025", "01/11/2026"),
    "future": ("03/11/2026", "31/12/2027"),
    "missing": (None, None),
}
ROWS = list(csv.DictReader(TABLE.read_text("utf-8").splitlines()))
CODES = list(dict.fromkeys(row["code"] for row in ROWS))


def expected(code: str, kind: KeyKind, dates: str) -> dict[str, str]:
    return next(
        row
        for row in ROWS
        if row["code"] == code and row["key_kind"] in ("*", kind.value) and row["dates"] in ("*", dates)
    )


class Insurer:
    """Answers every lookup with one code, about the person who was asked for."""

    def __init__(self) -> None:
        self.code, self.dates = "000", "current"
        self.asked: list[dict[str, Any]] = []

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/api/token/take")
        async def take() -> dict[str, Any]:
            return {"maKetQua": "200", "APIKey": {"access_token": "a", "id_token": "i", "expires_in": 600}}

        @app.post("/api/egw/KQNhanLichSuKCB2024")
        async def look_up(request: Request) -> dict[str, Any]:
            self.asked.append(json.loads(await request.body()))
            start, end = DATES[self.dates]
            number = self.asked[-1]["maThe"]
            card = number if number in (CARD, LONG) else CARD if number == BHXH else LONG
            old = ("01/01/2024", "31/12/2024") if self.code == "003" else (start, end)
            new = {"maTheMoi": card, "gtTheTuMoi": start, "gtTheDenMoi": end} if self.code == "003" else {}
            return {
                "maKetQua": self.code,
                "maThe": card,
                "hoTen": "Đỗ Thị Mẫu",
                "ngaySinh": "15/05/1965",
                "gioiTinh": "Nữ",
                "gtTheTu": old[0],
                "gtTheDen": old[1],
                **new,
            }

        return app


class AnyOfficer:
    """An officer whom no refusal stops: each row of the table is a case of its own."""

    def current(self) -> Officer:
        return Officer("first", "Nguyễn Cán Bộ Thử", "099085000001")

    def refused(self, officer: Officer, code: str) -> None:
        pass

    def accepted(self, officer: Officer) -> None:
        pass


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Insurer, str]]:
    insurer = Insurer()
    with serve_in_thread(insurer.app()) as server:
        yield insurer, server.url


@pytest.fixture
async def gateway(served: tuple[Insurer, str], settings_for: Callable[..., Any]) -> AsyncIterator[VssGateway]:
    unhurried = {"connect_timeout": 5.0, "read_timeout": 5.0, "total_timeout": 20.0}
    settings = settings_for(served[1], dedup_seconds=0.0, retry_pause=0.0, per_second=100_000.0, **unhurried)
    opened = VssGateway(settings, AnyOfficer())
    yield opened
    await opened.close()


def test_the_table_has_every_documented_code() -> None:
    documented = "000 001 002 003 004 010 050 051 052 053 054 055 060 061 070 080 090 100 101 110 120 121 122 123 124"
    assert {*documented.split(), "130", "205", "401", "403", "500"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
async def test_every_code_by_every_key_with_every_dates(
    served: tuple[Insurer, str], gateway: VssGateway, code: str
) -> None:
    insurer = served[0]
    for kind, number in NUMBERS.items():
        others = tuple(other for other in NUMBERS.values() if other not in (number, BHXH))
        key = LookupKey(number, kind, "Đỗ Thị Mẫu", PartialDate(1965, 5, 15), None, others)
        for dates in DATES:
            row = expected(code, kind, dates)
            insurer.code, insurer.dates = code, dates
            insurer.asked.clear()
            found = await gateway.lookup(key, DAY)
            place = f"{code} {kind} {dates}"
            assert found.status == row["class"], place
            assert found.result_code == code, place
            assert len(insurer.asked) == int(row["calls"]), place
            assert _fallback(insurer.asked, code) == row["fallback"], place
            assert (found.coverage is not None) or not found.status.insured, place
            calls = [call for each in (*found.earlier, found) for call in each.trail]
            assert len(calls) == len(insurer.asked), place


def _fallback(asked: list[dict[str, Any]], code: str) -> str:
    first, last = asked[0], asked[-1]
    if last["maThe"] != first["maThe"]:
        if code in ("052", "053"):
            assert first["maThe"].endswith(last["maThe"])
            return "tail"
        return "citizen_number" if last["maThe"] == CITIZEN else "card_number"
    return "no_accents" if last["hoTen"] != first["hoTen"] else "none"
