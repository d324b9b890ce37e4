"""Forced modes of the C06 simulator: what `POST /_sim/mode` can make one endpoint do (his-kiosk-c06.md section 11).

Before anything is processed, nothing stored: `hang_before`, `reset_before`, `http_500_before`, `http_502_html`,
`http_503` (Retry-After 5), `bad_signature`, `c999`, `c404`, `unknown_code`.
After normal processing, the registration stored: `hang_after`, `reset_after`, `http_500_after` and every mode that
spoils the answer: `truncated`, `trailing_comma`, `bom`, `html_200`, `empty_200`, `null_data`, `array_data`, `no_code`,
`code_int`, `wrong_person`, `no_stt`, `null_fields`, `extra_fields`. `duplicate` registers with the number that the
service gave out last. `slow` waits, then answers normally. A hang ends when the client goes away, at `/_sim/reset` or
when the server stops; a reset is a TCP RST.
"""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request, Response

from simulators.his_c06_wire import SexCode
from simulators.serve import connection_of

BEFORE = frozenset(
    {
        "hang_before",
        "reset_before",
        "http_500_before",
        "http_502_html",
        "http_503",
        "bad_signature",
        "c999",
        "c404",
        "unknown_code",
    }
)
AFTER = frozenset(
    {
        "slow",
        "duplicate",
        "hang_after",
        "reset_after",
        "http_500_after",
        "truncated",
        "trailing_comma",
        "bom",
        "html_200",
        "empty_200",
        "null_data",
        "array_data",
        "no_code",
        "code_int",
        "wrong_person",
        "no_stt",
        "null_fields",
        "extra_fields",
    }
)
MODES = BEFORE | AFTER
_SLOW_MS = 3000
_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"

# What survives `null_fields` on each endpoint: the fields section 3 calls required, and ids.
_KEPT = {
    "benhnhan": {"MA_BN"},
    "bhyt": {"HO_TEN", "DIA_CHI", "NGAY_SINH", "GIOI_TINH", "GT_THE_TU", "GT_THE_DEN", "PHAN_TUYEN"},
    "dangky-kcb": {"MA_BN", "MA_LK"},
    "khoa/dichvu-cotontai": {"ID_DICH_VU", "CO_TON_TAI"},
    "dichvu-lichkham": {"ID", "NGAY", "THOI_GIAN_TU", "THOI_GIAN_DEN"},
}
_KEPT_IN_CATALOGUES = {
    f"{kind}_{what}" for kind in ("ID", "MA", "TEN") for what in ("LOAI_KHAM", "KHOA", "DICH_VU", "PHONG_KHAM")
}
_OTHER_PEOPLE: tuple[dict[str, Any], ...] = (
    {
        "ID_BN": "102",
        "MA_BN": "BN000002",
        "HO_TEN": "PHẠM VĂN THÍ DỤ",
        "HO_BN": "PHẠM VĂN THÍ",
        "TEN_BN": "DỤ",
        "NGAY_SINH": date(1975, 3, 15),
        "SO_GTTT": "099075000003",
        "MA_THE_BHYT": "HN2999900000003",
    },
    {
        "ID_BN": "101",
        "MA_BN": "BN000001",
        "HO_TEN": "TRẦN THỊ MẪU",
        "HO_BN": "TRẦN THỊ",
        "TEN_BN": "MẪU",
        "NGAY_SINH": date(1990, 9, 2),
        "SO_GTTT": "099190000001",
        "MA_THE_BHYT": "DN4999900000001",
    },
)


@dataclass
class ForcedMode:
    """One mode set for one endpoint; `times` None means until reset."""

    mode: str
    times: int | None
    delay_ms: int


class ForcedModes:
    """The modes that wait for their calls, one per endpoint; `*` stands for every endpoint without its own."""

    def __init__(self) -> None:
        self._waiting: dict[str, ForcedMode] = {}
        self._released = asyncio.Event()

    def set(self, endpoint: str, mode: str | None, times: int | None, delay_ms: int | None) -> None:
        """Replace the mode of `endpoint`; `mode` None takes it away."""
        if mode is None:
            self._waiting.pop(endpoint, None)
        else:
            self._waiting[endpoint] = ForcedMode(
                mode, times, _SLOW_MS if mode == "slow" and not delay_ms else delay_ms or 0
            )

    def take(self, endpoint: str) -> ForcedMode | None:
        """The mode for one call of `endpoint`, counted down; None when the call goes its normal way."""
        name = endpoint if endpoint in self._waiting else "*"
        found = self._waiting.get(name)
        if found is not None and found.times is not None:
            found.times -= 1
            if found.times <= 0:
                del self._waiting[name]
        return found

    def waiting(self) -> list[dict[str, Any]]:
        """What is set, for `GET /_sim/mode`."""
        return [{"endpoint": name, **vars(mode)} for name, mode in self._waiting.items()]

    def reset(self) -> None:
        """Forget all modes and let go of every held request."""
        self._waiting.clear()
        self._released.set()
        self._released = asyncio.Event()

    async def pause(self, request: Request, delay_ms: int) -> None:
        """Wait `delay_ms`, or until the client goes away or a reset."""
        if delay_ms:
            await connection_of(request).hold(request, delay_ms / 1000, self._released)

    async def hang(self, request: Request) -> None:
        """Never answer: hold the connection until the client goes away, a reset or the server's end."""
        connection = connection_of(request)
        if await connection.hold(request, None, self._released):
            connection.reset()


def refused(mode: str) -> Response | None:
    """The plain HTTP answer of a mode that needs nothing processed; None for the other modes."""
    match mode:
        case "http_500_before" | "http_500_after":
            return Response(b'{"Message":"An error has occurred."}', 500, media_type="application/json")
        case "http_502_html":
            return Response(_HTML.format("502 Bad Gateway"), 502, media_type="text/html")
        case "http_503":
            return Response(_HTML.format("503 Service Unavailable"), 503, {"Retry-After": "5"}, media_type="text/html")
        case "html_200":
            return Response(_HTML.format("Hệ thống đang bảo trì"), 200, media_type="text/html")
        case "empty_200":
            return Response(b"", 200, media_type="application/json")
    return None


def distorted(mode: str, endpoint: str, answer: dict[str, Any]) -> dict[str, Any]:
    """`answer` (an envelope not yet written out) as `mode` spoils it; unchanged for modes that act elsewhere."""
    data = answer["data"]
    match mode:
        case "null_data":
            return answer | {"data": None}
        case "array_data":
            return answer | {"data": [data]}
        case "no_code":
            return {key: value for key, value in answer.items() if key != "code"}
        case "code_int":
            return answer | {"code": int(answer["code"])}
        case "no_stt":
            return answer | {"data": _without(data, "STT_LK")}
        case "wrong_person":
            return answer | {"data": _of_somebody_else(data)}
        case "null_fields":
            return answer | {"data": _only(data, _KEPT.get(endpoint, _KEPT_IN_CATALOGUES))}
        case "extra_fields":
            return {"PHIEN_BAN": "9.9", **answer, "data": _with_extras(data)}
    return answer


def distorted_bytes(mode: str, body: bytes) -> bytes:
    """The answer's bytes as `mode` spoils them; unchanged for modes that act elsewhere."""
    match mode:
        case "truncated":
            return body[: len(body) // 2]
        case "trailing_comma":
            return body[:-1] + b",}"
        case "bom":
            return b"\xef\xbb\xbf" + body
    return body


def _without(data: Any, name: str) -> Any:
    if isinstance(data, dict):
        return {key: _without(value, name) for key, value in data.items() if key != name}
    return [_without(item, name) for item in data] if isinstance(data, list) else data


def _only(data: Any, kept: set[str]) -> Any:
    if isinstance(data, dict):
        return {
            key: _only(value, kept) if isinstance(value, dict | list) else value if key in kept else None
            for key, value in data.items()
        }
    return [_only(item, kept) for item in data] if isinstance(data, list) else data


def _with_extras(data: Any) -> Any:
    if isinstance(data, dict):
        extended = {key: _with_extras(value) for key, value in data.items()}
        return {"TRUONG_LA": "x", **extended, "THONG_TIN_LA": {"MA": 1, "DANH_SACH": [None, True]}}
    return [_with_extras(item) for item in data] if isinstance(data, list) else data


def _of_somebody_else(data: Any) -> Any:
    if isinstance(data, list):
        return [_of_somebody_else(item) for item in data]
    if not isinstance(data, dict):
        return data
    if not {"MA_BN", "HO_TEN"} & data.keys():
        return {key: _of_somebody_else(value) for key, value in data.items()}
    other = next(
        person
        for person in _OTHER_PEOPLE
        if person["MA_BN"] != data.get("MA_BN") and person["HO_TEN"] != data.get("HO_TEN")
    )
    flipped: dict[str, Any] = {}
    if isinstance(sex := data.get("GIOI_TINH"), SexCode):
        flipped["GIOI_TINH"] = SexCode("M" if other["MA_BN"] == "BN000002" else "F", sex.insurance)
    return data | {key: value for key, value in (other | flipped).items() if key in data}
