"""Forced modes of the simulated gateway: how it misbehaves when told to (insurance-gateway.md 8.4)."""

import json
import re
from datetime import datetime
from enum import Enum
from typing import Any, Literal, Self

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.vss_answers import DATE_FIELDS

NORMAL = "normal"
_JSON = "application/json; charset=utf-8"
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class Effect(Enum):
    """At which point of a call a mode steps in."""

    NONE = "the normal answer, perhaps late"
    SOCKET = "no answer at all"
    RAW = "a fixed answer that ignores the question"
    CODE = "another result than the true one"
    SHAPE = "the true answer, deformed on the wire"


_ANY_ENDPOINT = {
    NORMAL: Effect.NONE,
    "slow": Effect.NONE,
    "hang": Effect.SOCKET,
    "reset": Effect.SOCKET,
    "http_500_html": Effect.RAW,
    "http_502_html": Effect.RAW,
    "http_200_empty": Effect.RAW,
    "null_json": Effect.RAW,
    "array_json": Effect.RAW,
    "maintenance": Effect.RAW,
    "always_401": Effect.CODE,
    "bad_json": Effect.SHAPE,
    "bom_json": Effect.SHAPE,
    "no_code": Effect.SHAPE,
    "code_int": Effect.SHAPE,
}
_LOOKUP_ONLY = {
    "expired_token": Effect.CODE,
    "ip_changed": Effect.CODE,
    "officer_054": Effect.CODE,
    "officer_055": Effect.CODE,
    "wrong_person": Effect.CODE,
    "null_fields": Effect.CODE,
    "string_dates_iso": Effect.SHAPE,
}
MODES = _ANY_ENDPOINT | _LOOKUP_ONLY
"""Every mode but `code:<xxx>`, which answers any result code of three characters."""

_CODES = {
    "always_401": "401",
    "expired_token": "401",
    "ip_changed": "401",
    "officer_054": "054",
    "officer_055": "055",
    "wrong_person": "000",
    "null_fields": "000",
}
_CODE_MODE = re.compile(r"code:([0-9A-Za-z]{3})")
_ENDPOINTS = ("lookup", "token")


class ModeRequest(BaseModel):
    """Body of `POST /_sim/mode`.

    `times` null: until replaced or reset. The delay comes before whatever the mode does. `normal` ends a mode.
    """

    model_config = ConfigDict(extra="forbid")

    endpoint: Literal["lookup", "token", "*"]
    mode: str
    times: int | None = Field(default=None, ge=1)
    delay_ms: int = Field(default=0, ge=0, le=600_000)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.mode not in MODES and not _CODE_MODE.fullmatch(self.mode):
            raise ValueError(f"unknown mode; one of {', '.join(MODES)}, code:<xxx>")
        if self.endpoint == "token" and self.mode in _LOOKUP_ONLY:
            raise ValueError(f"{self.mode} works on lookup only")
        if self.mode == "slow" and self.delay_ms == 0:
            raise ValueError("slow needs delay_ms")
        return self


class ForcedMode:
    """One mode in force. `code` is the result code of a CODE mode, else empty.

    `logins_before`: how many logins there had been when it was set (`ip_changed` ends with the next).
    """

    def __init__(self, request: ModeRequest, logins_before: int) -> None:
        self.name = request.mode
        self.delay_s = request.delay_ms / 1000
        self.logins_before = logins_before
        self.left = request.times
        found = _CODE_MODE.fullmatch(request.mode)
        self.code = found.group(1) if found else _CODES.get(request.mode, "")
        self.effect = Effect.CODE if found else MODES[request.mode]


class ForcedModes:
    """The mode in force per endpoint (`lookup`, `token`); one set for `*` counts its `times` over both."""

    def __init__(self) -> None:
        self._in_force: dict[str, ForcedMode] = {}

    def set(self, request: ModeRequest, logins_before: int) -> None:
        """Put a mode in force in the place of the former one; `normal` only ends that."""
        mode = ForcedMode(request, logins_before)
        for endpoint in _ENDPOINTS if request.endpoint == "*" else (request.endpoint,):
            self._in_force.pop(endpoint, None)
            if mode.name != NORMAL and (endpoint == "lookup" or mode.name not in _LOOKUP_ONLY):
                self._in_force[endpoint] = mode

    def clear(self) -> None:
        """End all modes."""
        self._in_force.clear()

    def peek(self, endpoint: str) -> ForcedMode | None:
        """The mode that the next call of `endpoint` would meet."""
        return self._in_force.get(endpoint)

    def use(self, mode: ForcedMode) -> None:
        """Count one call that met `mode`; after the last one it is no longer in force."""
        if mode.left is None:
            return
        mode.left -= 1
        if mode.left == 0:
            self._in_force = {at: other for at, other in self._in_force.items() if other is not mode}


def raw_response(name: str) -> Response:
    """The fixed answer of a RAW mode."""
    match name:
        case "http_500_html":
            return Response(_PAGE.format("500 Internal Server Error"), 500, media_type="text/html")
        case "http_502_html":
            return Response(_PAGE.format("502 Bad Gateway"), 502, media_type="text/html")
        case "maintenance":
            return Response(_PAGE.format("Bảo trì"), 503, {"Retry-After": "600"}, media_type="text/html")
        case "http_200_empty":
            return Response(b"", 200)
        case "null_json":
            return Response(b"null", 200, media_type=_JSON)
        case "array_json":
            return Response(b"[]", 200, media_type=_JSON)
    raise ValueError(name)


def json_response(answer: dict[str, Any], status: int = 200, shape: str | None = None) -> Response:
    """`answer` as JSON, deformed as the SHAPE mode `shape` says."""
    match shape:
        case "no_code":
            answer = {name: value for name, value in answer.items() if name != "maKetQua"}
        case "code_int":
            code = str(answer["maKetQua"])
            answer = answer | {"maKetQua": int(code) if code.isdecimal() else code}
        case "string_dates_iso":
            answer = answer | {name: _iso(answer[name]) for name in DATE_FIELDS if answer.get(name)}
    body = json.dumps(answer, ensure_ascii=False).encode()
    match shape:
        case "bad_json":
            body = body[: len(body) // 2]
        case "bom_json":
            body = b"\xef\xbb\xbf" + body
    return Response(body, status, media_type=_JSON)


def _iso(day: str) -> str:
    if len(day) != len("dd/mm/yyyy"):
        return day
    return datetime.strptime(day, "%d/%m/%Y").date().isoformat()  # noqa: DTZ007 - a calendar day has no zone
