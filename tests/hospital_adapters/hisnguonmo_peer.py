"""The hisnguonmo adapter beside its simulator over real HTTP."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx

from hospital_adapters.hisnguonmo import HisnguonmoAdapter, create
from kiosk.hospital_model import Encounter, MatchKind, Service
from kiosk.model import Coverage, Identity, KeyKind, PartialDate, Sex, local_day
from kiosk.ports import AdapterContext
from simulators.his_hisnguonmo import Settings as SimSettings
from simulators.his_hisnguonmo import create_app
from simulators.serve import RunningServer
from tests.hospital_adapters.c06_peer import FAMILY, PEOPLE

PASSWORD = "sim-hisnguonmo-secret"
HASTY = {"connect": 1, "get": 0.5, "post": 0.5}
"""Time-outs for tests in which the other side never answers."""

FEE = Service("P101/KB01/02", "KB01", "Khám Nội", "KNOI", "Khoa Nội", "02", False)
INSURED = Service("P101/KB01/01", "KB01", "Khám Nội", "KNOI", "Khoa Nội", "01", True)
HEART = Service("P103/KB02/01", "KB02", "Khám Tim mạch", "KNOI", "Khoa Nội", "01", True)
SURGERY = Service("P201/KB03/02", "KB03", "Khám Ngoại", "KNGO", "Khoa Ngoại", "02", False)
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))


def today() -> date:
    return local_day(datetime.now(UTC))


def adapter_for(url: str, **settings: Any) -> HisnguonmoAdapter:
    """An adapter as the entry point makes it."""
    wanted = {"url": url, "user": "kiosk", "password_file": "his-password", "request_room": "KIOSK01"}
    return create(wanted | settings, AdapterContext("99001", lambda name: {"his-password": PASSWORD + "\n"}[name]))


class HisnguonmoPeer:
    """RemotePeer of the contract: simulator, adapter and the simulator's own routes."""

    garbage = (
        "reset_before",
        "reset_after",
        "http_500_before",
        "http_500_after",
        "http_502_html",
        "http_503",
        "http_401",
        "refuse",
        "exception_before",
        "exception_after",
        "truncated",
        "trailing_comma",
        "bom",
        "html_200",
        "empty_200",
        "null_body",
        "null_data",
        "array_data",
        "no_success",
        "success_text",
        "wrong_person",
        "no_number",
        "null_fields",
        "extra_fields",
    )
    secrets = ("0991900", "VĂN THỬ", PASSWORD, "TRẦN THỊ MẪU", "param=", "DN4999")
    register = "ExamRegisterKiosk"

    def __init__(self, sim: SimSettings | None = None, **settings: Any) -> None:
        self._app = create_app(sim or SimSettings())
        self._server: RunningServer | None = RunningServer(self._app).start()
        self.url = self._server.url
        self.adapter = adapter_for(self.url, **settings)
        self._people: dict[str, Identity] = {}
        # Making a trust store takes longer than most tests; here it has nothing to trust.
        self._client = httpx.AsyncClient(base_url=self.url + "/_sim/", trust_env=False, verify=False)

    async def __aenter__(self) -> "HisnguonmoPeer":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.adapter.close()
        await self._client.aclose()
        await self.go_away()

    def encounter(self, serial: int, service: Service = FEE) -> Encounter:
        name = f"{FAMILY[serial % 10].title()} Văn Thử {chr(ord('A') + serial // 10)}"
        person = Identity(f"0991900{serial + 50000:05d}", None, name, PartialDate(1990, 9, 2), Sex.MALE)
        return self.visit(person, f"0198c0de-0000-7000-8000-{serial:012d}", service)

    def visit(self, person: Identity, checkin_id: str = "01JGZ5T3Q8W4", service: Service = FEE) -> Encounter:
        card = CARD if service.insured else None
        self._people[checkin_id] = person
        return Encounter(checkin_id, "99001", datetime.now(UTC), person, service, coverage=card)

    async def known(self, number: int, service: Service = INSURED, **changes: Any) -> Encounter:
        """A visit of one of the ten, looked up as the check-in does."""
        match = await self.adapter.find_patient(PEOPLE[number])
        encounter = self.visit(PEOPLE[number], f"person-{number}", service)
        return replace(encounter, patient=match if match.kind is MatchKind.ONE else None, **changes)

    async def registered(self, checkin_id: str) -> int:
        """The system keeps no id of ours: visits of the same person count."""
        person = self._people[checkin_id]
        masked = "*" * 9 + (person.personal_id or "")[-3:]
        return sum(row["CCCD_NUMBER"] == masked for row in await self.visits())

    async def visits(self) -> list[dict[str, Any]]:
        """What callers registered."""
        return [row for row in (await self.sim("registrations"))["registrations"] if not row["seeded"]]

    async def calls(self, endpoint: str) -> list[dict[str, Any]]:
        return [call for call in (await self.sim("calls"))["calls"] if call["endpoint"] == endpoint]

    async def sim(self, route: str, **body: Any) -> dict[str, Any]:
        answer = await (self._client.post(route, json=body) if body else self._client.get(route))
        return answer.raise_for_status().json()

    async def mode(self, endpoint: str, mode: str | None, times: int | None = 1) -> None:
        await self.sim("mode", endpoint=endpoint, mode=mode, times=times)

    async def go_away(self) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)
            self._server = None

    async def come_back(self) -> None:
        self._server = RunningServer(self._app, port=int(self.url.rpartition(":")[2])).start()

    async def refuse_next(self) -> None:
        await self.mode(self.register, "refuse")

    async def lose_next_answer(self) -> None:
        await self.mode(self.register, "reset_after")

    async def answer_next_with(self, garbage: str) -> None:
        await self.mode("*", garbage, times=2)


class PartnerPeer(HisnguonmoPeer):
    """The same with the partners' call: it registers only people whom the system knows."""

    register = "RegisterKiosk"

    def __init__(self, sim: SimSettings | None = None, **settings: Any) -> None:
        super().__init__(sim, mode="partner", **settings)

    async def __aenter__(self) -> "PartnerPeer":
        for serial in (*range(1, 7), *range(8, 40)):
            person = self.encounter(serial).identity
            family, _, given = (person.full_name or "").upper().rpartition(" ")
            row = {"citizen": person.personal_id, "last_name": family, "first_name": given}
            await self.sim("patients", **row, dob=19900902000000, sex=2)
        return self
