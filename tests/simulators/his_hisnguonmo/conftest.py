"""A hisnguonmo client of its own making, so that the simulator is not judged by the adapter's code."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from simulators.his_hisnguonmo import Settings, create_app
from simulators.serve import serve_in_thread

OWN = "api/HisServiceReq/ExamRegisterKiosk"
PARTNER = "api/HisServiceReq/RegisterKiosk"
FIND = "api/HisPatient/GetInformationForKiosk"


class HisnguonmoClient:
    """Signs in and asks as a kiosk does; `sim` speaks to the introspection."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.token = ""

    def login(self, pair: str = "HIS:kiosk:sim-hisnguonmo-secret") -> httpx.Response:
        coded = base64.b64encode(pair.encode()).decode()
        answer = self.http.get("api/Token/Login", headers={"Authorization": f"Basic {coded}"})
        data = answer.json()["Data"]
        self.token = data["TokenCode"] if data else self.token
        return answer

    @property
    def headers(self) -> dict[str, str]:
        return {"TokenCode": self.token, "ApplicationCode": "HIS"}

    def get(self, path: str, data: Any) -> Any:
        param = base64.b64encode(json.dumps({"CommonParam": {}, "ApiData": data}).encode()).decode()
        return self.http.get(path, params={"param": param}, headers=self.headers).raise_for_status().json()

    def post(self, path: str, data: Any, **options: Any) -> httpx.Response:
        return self.http.post(path, json={"CommonParam": {}, "ApiData": data}, headers=self.headers, **options)

    def register(self, data: Any, path: str = OWN) -> Any:
        return self.post(path, data).raise_for_status().json()

    def find(self, **filters: str) -> Any:
        return self.get(FIND, filters)

    def mode(self, endpoint: str, mode: str | None, times: int | None = 1, delay_ms: int | None = None) -> None:
        wanted = {"endpoint": endpoint, "mode": mode, "times": times, "delay_ms": delay_ms}
        self.http.post("/_sim/mode", json=wanted).raise_for_status()

    def sim(self, path: str, content: Any = None) -> Any:
        answer = self.http.get(f"/_sim/{path}") if content is None else self.http.post(f"/_sim/{path}", json=content)
        return answer.raise_for_status().json()

    def new_visits(self) -> list[dict[str, Any]]:
        return [row for row in self.sim("registrations")["registrations"] if not row["seeded"]]


@pytest.fixture(scope="session")
def _hisnguonmo_http() -> Iterator[httpx.Client]:
    with serve_in_thread(create_app(Settings())) as server, httpx.Client(base_url=server.url, timeout=10) as http:
        yield http


@pytest.fixture
def hisnguonmo(_hisnguonmo_http: httpx.Client) -> Callable[..., HisnguonmoClient]:
    """A client of the simulator, put back to its start, given these switches and signed in."""

    def start(**switches: Any) -> HisnguonmoClient:
        client = HisnguonmoClient(_hisnguonmo_http)
        client.sim("reset", {})
        client.sim("config", switches)
        client.login()
        return client

    return start


@pytest.fixture
def own_body() -> Callable[..., dict[str, Any]]:
    """A whole `ExamRegisterKiosk` body of a new paying person in P101; keywords replace fields of the person."""

    def body(service: int = 5001, room: int = 101, kind: int = 42, **person: Any) -> dict[str, Any]:
        who = {
            "PatientId": None,
            "LastName": "CAO VĂN",
            "FirstName": "MỚI",
            "Dob": 20000102000000,
            "IsHasNotDayDob": 0,
            "GenderId": 2,
            "CccdNumber": "099200000555",
        }
        return {
            "CardSDO": who | person,
            "PatientTypeId": kind,
            "ServiceId": service,
            "RoomId": room,
            "RequestRoomId": 9002,
            "IsPriority": False,
            "IsNotRequireFee": False,
        }

    return body


@pytest.fixture
def partner_body() -> Callable[..., dict[str, Any]]:
    """A whole `RegisterKiosk` body of person 1 as insured in P101; keywords replace fields."""

    def body(**fields: Any) -> dict[str, Any]:
        wanted = {
            "PatientCode": "0000000001",
            "PatientTypeCode": "01",
            "ServiceCode": "KB01",
            "RoomCode": "P101",
            "RequestRoomCode": "KIOSK01",
            "IsPriority": False,
            "IsJoin5Year": False,
            "IsPaid6Month": False,
            "HeinCardNumber": "DN4999900000001",
            "HeinCardFromTime": "01/01/2026 00:00:00",
            "HeinCardToTime": "31/12/2026 00:00:00",
            "HeinOrgCode": "99001",
        }
        return wanted | fields

    return body
