"""A C06 client of its own making, so that the simulator is not judged by its own signing code."""

import hashlib
import hmac
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from simulators.his_c06 import Settings, create_app
from simulators.serve import serve_in_thread

SIGNED = {
    "loai-kham": (),
    "khoa": (),
    "dichvu": ("MA_KHOA",),
    "khoa/dichvu-cotontai": ("MA_KHOA", "THOI_GIAN_BAT_DAU", "THOI_GIAN_KET_THUC"),
    "dichvu-lichkham": ("MA_DICH_VU", "THOI_GIAN_BAT_DAU", "THOI_GIAN_KET_THUC"),
    "benhnhan": ("SO_GTTT", "LOAI_GTTT"),
    "bhyt": ("SO_GTTT", "LOAI_GTTT"),
    "lichsu-dangky": ("SO_GTTT", "NGAY"),
    "CheckStatusPayment": ("SO_PHIEU", "MA_HO_SO"),
}


class C06Client:
    """Signs and sends as a kiosk does; `sim` speaks to the introspection."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.merchant, self.secret = "KIOSK-TEST", "sim-c06-secret"

    def headers(self, values: list[str], timestamp_ms: int | None = None) -> dict[str, str]:
        stamp = str(int(time.time() * 1000) if timestamp_ms is None else timestamp_ms)
        message = "|".join([self.merchant, stamp, *values])
        signature = hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        return {"x-merchant-id": self.merchant, "x-timestamp": stamp, "x-sign": signature}

    def raw(self, name: str, **fields: str) -> httpx.Response:
        values = [fields.get(field, "") for field in SIGNED.get(name, ())]
        query = urllib.parse.urlencode(fields, quote_via=urllib.parse.quote)
        return self.http.get(f"/{name}?{query}", headers=self.headers(values))

    def get(self, name: str, **fields: str) -> Any:
        return self.raw(name, **fields).json()

    def post(self, body: dict[str, Any], **options: Any) -> httpx.Response:
        patient = body.get("THONG_TIN_BN") or body.get("THONG_TIN_BENH_NHAN") or {}
        return self.http.post("/dangky-kcb", json=body, headers=self.headers([patient.get("MA_BN") or ""]), **options)

    def register(self, body: dict[str, Any]) -> Any:
        return self.post(body).json()

    def mode(self, endpoint: str, mode: str | None, times: int | None = 1, delay_ms: int | None = None) -> None:
        wanted = {"endpoint": endpoint, "mode": mode, "times": times, "delay_ms": delay_ms}
        self.http.post("/_sim/mode", json=wanted).raise_for_status()

    def sim(self, path: str, content: Any = None) -> Any:
        answer = self.http.get(f"/_sim/{path}") if content is None else self.http.post(f"/_sim/{path}", json=content)
        return answer.raise_for_status().json()

    def new_visits(self) -> list[dict[str, Any]]:
        return [row for row in self.sim("registrations")["registrations"] if not row["seeded"]]


@pytest.fixture(scope="session")
def _his_c06_http() -> Iterator[httpx.Client]:
    with serve_in_thread(create_app(Settings())) as server, httpx.Client(base_url=server.url, timeout=10) as http:
        yield http


@pytest.fixture
def his_c06(_his_c06_http: httpx.Client) -> Callable[..., C06Client]:
    """A client of the simulator, put back to its start and then given these switches."""

    def start(**switches: Any) -> C06Client:
        client = C06Client(_his_c06_http)
        client.sim("reset", {})
        client.sim("config", switches)
        return client

    return start


@pytest.fixture
def c06_body() -> Callable[..., dict[str, Any]]:
    """A whole `/dangky-kcb` body of person 1 at 502; keywords replace fields of the patient block."""

    def body(
        service: str = "502", department: str = "11", du_phong: str | None = None, **patient: Any
    ) -> dict[str, Any]:
        block = {
            "ID_BN": "101",
            "MA_BN": "BN000001",
            "HO_TEN": "TRẦN THỊ MẪU",
            "HO_BN": "TRẦN THỊ",
            "TEN_BN": "MẪU",
            "MATINH_CUTRU": "92",
            "MAHUYEN_CU_TRU": "",
            "MAXA_CU_TRU": "31459",
            "MA_DANTOC": "01",
            "MA_QUOCTICH": "VN",
            "MA_NGHE_NGHIEP": "00000",
            "DIA_CHI": "Ấp Thử 1, xã Mẫu",
            "NGAY_SINH": "1990-09-02",
            "GIOI_TINH": 2,
            "SO_GTTT": "099190000001",
            "NGAY_VAO": "2026-01-05 07:12:31",
        }
        wanted = {"ID_KHOA": department, "ID_DICH_VU": service, "DU_PHONG": du_phong}
        return {"THONG_TIN_BN": block | patient, "THONG_TIN_DICH_VU": wanted, "DU_PHONG": du_phong}

    return body


@pytest.fixture
def c06_newcomer() -> dict[str, Any]:
    """Fields of the patient block for somebody whom the HIS does not know."""
    return {
        "ID_BN": None,
        "MA_BN": "",
        "HO_TEN": "CAO VĂN MỚI",
        "HO_BN": "CAO VĂN",
        "TEN_BN": "MỚI",
        "NGAY_SINH": "2000-01-02",
        "GIOI_TINH": 1,
        "SO_GTTT": "099200000555",
    }
