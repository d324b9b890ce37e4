"""However the gateway answers, one lookup puts a bounded number of calls and ends in one class."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.insurance.fixed_officer import FixedOfficer
from kiosk.insurance.vss_codes import RESULT_CODES
from kiosk.insurance.vss_fallback import MAX_FALLBACKS
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_question import MAX_CALLS
from kiosk.insurance.vss_settings import VssSettings
from kiosk.model import Eligibility, KeyKind, LookupKey, Officer, PartialDate
from simulators.serve import serve_in_thread

CITIZEN, CARD = "099165000015", "DN4999900000015"
MOST_CALLS = MAX_CALLS * (MAX_FALLBACKS + 1)
_LIKELY = st.sampled_from(["050", "051", "052", "061", "070", "121", "100", "401", "500", "054"])
_CODES = st.lists(_LIKELY | st.sampled_from(sorted(RESULT_CODES)) | st.just("777"), min_size=1, max_size=8)


class Insurer:
    """Answers with one code after the other, over and over."""

    def __init__(self) -> None:
        self.codes: Iterator[str] = itertools.cycle(["000"])
        self.said: list[str] = []

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/api/token/take")
        async def take() -> dict[str, Any]:
            return {"maKetQua": "200", "APIKey": {"access_token": "a", "id_token": "i", "expires_in": 600}}

        @app.post("/api/egw/KQNhanLichSuKCB2024")
        async def look_up() -> dict[str, str]:
            self.said.append(next(self.codes))
            return {"maKetQua": self.said[-1], "maThe": CARD, "hoTen": "Đỗ Thị Mẫu", "ngaySinh": "05/1965"}

        return app


@pytest.fixture(scope="module")
def insurer() -> Iterator[tuple[Insurer, str]]:
    served = Insurer()
    with serve_in_thread(served.app()) as server:
        yield served, server.url


def test_the_bound_is_what_is_written() -> None:
    assert MOST_CALLS == 9


@pytest.mark.parametrize("number", [CITIZEN, CARD])
def test_calls_are_bounded_and_all_kept(
    insurer: tuple[Insurer, str], settings_for: Callable[..., VssSettings], number: str
) -> None:
    server, url = insurer
    kind = KeyKind.PERSONAL_12 if number == CITIZEN else KeyKind.BHYT_15
    key = LookupKey(number, kind, "Đỗ Thị Mẫu", PartialDate(1965, 5), None, (CITIZEN, CARD))
    configured = settings_for(url, retry_pause=0.0, per_second=100_000.0)

    async def ask() -> Eligibility:
        gateway = VssGateway(configured, FixedOfficer(Officer("first", "Nguyễn Thử", "099085000001")))
        try:
            return await gateway.lookup(key, date(2026, 11, 2))
        finally:
            await gateway.close()

    @settings(max_examples=60)
    @given(_CODES)
    def check(codes: list[str]) -> None:
        server.codes, server.said = itertools.cycle(codes), []
        found = asyncio.run(ask())
        parts = (*found.earlier, found)
        trail = [call for part in parts for call in part.trail]
        assert 1 <= len(server.said) <= MOST_CALLS
        assert len({call.request_id for call in trail}) == len(trail) == len(server.said)
        assert len({part.asked_at for part in parts}) == len(parts) <= MAX_FALLBACKS + 1
        assert found.result_code in server.said
        if found.status.unanswered:
            assert all(part.status.unanswered for part in parts)

    check()
