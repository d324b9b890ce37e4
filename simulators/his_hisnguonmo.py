"""A hospital system that speaks the kiosk calls of hisnguonmo, to develop, train and test against.

It is the server of his-kiosk-c06.md 10.1: sign-in for a token, catalogues with internal numbers, the look-up
`GetInformationForKiosk`, and the two registrations `ExamRegisterKiosk` (its own kiosk's) and `RegisterKiosk` (the
partners'). People are invented and those of the C06 simulator. Nothing outlives it.

What it checks strictly:

- headers `TokenCode` (given here, not expired) and `ApplicationCode`: else HTTP 401; the account at sign-in by
  `Authorization: Basic` over application, user and password;
- the envelope {CommonParam, ApiData}, base64 in `param` of a GET, `application/json` in a POST: else HTTP 400 or 415;
- exactly one filter of known form in a look-up;
- of `ExamRegisterKiosk`: whole numbers of the catalogues, the reception room, that the room offers the service, a price
  for the patient type, times of 14 digits, sex 1 or 2, name and birth of a new person, card and facility of an insured
  one; of `RegisterKiosk` the same by code, a known patient, times dd/MM/yyyy HH:mm:ss;
- the daily limit of each room, also of a service that another brings along: then nothing of the visit stays.

As the original it has no key and looks for no earlier visit: the same body twice is two visits. Times are the
server's. Unknown keys are noted in `/_sim/calls`, never refused. Forced modes: `his_hisnguonmo_modes`; looking inside:
`his_hisnguonmo_inspect`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response

from simulators import his_hisnguonmo_answers as answers
from simulators import his_hisnguonmo_orders as orders
from simulators.his_c06_modes import ForcedMode, refused
from simulators.his_hisnguonmo_inspect import introspection
from simulators.his_hisnguonmo_modes import BEFORE, distorted, distorted_bytes
from simulators.his_hisnguonmo_server import Server
from simulators.his_hisnguonmo_settings import Settings
from simulators.his_hisnguonmo_wire import NoEnvelope, Refusal, encoded, from_query, packed, unpacked
from simulators.serve import connection_of

__all__ = ["Settings", "create_app"]

LOGIN = "api/Token/Login"
LOOK_UP = "api/HisPatient/GetInformationForKiosk"
OWN = "api/HisServiceReq/ExamRegisterKiosk"
PARTNER = "api/HisServiceReq/RegisterKiosk"

_Work = Callable[[Server, Mapping[str, Any]], Any]


def create_app(settings: Settings) -> FastAPI:
    """The simulator as a FastAPI application, to be served by `simulators.serve` (its faults need the socket)."""
    app = FastAPI(title="hisnguonmo simulator", docs_url=None, redoc_url=None)
    server = Server(settings)
    app.add_api_route(f"/{LOGIN}", _login(server), methods=["GET"])
    names = ["Login"]
    for path, work in _CALLS.items():
        method = "POST" if path in (OWN, PARTNER) else "GET"
        name = _name(path)
        app.add_api_route(f"/{path}", _call(server, name, work), methods=[method], name=name)
        names.append(name)
    app.include_router(introspection(server, names), prefix="/_sim")
    return app


def _look_up(server: Server, wanted: Mapping[str, Any]) -> Any:
    return answers.look_up(server.tables, server.clock, server.settings, wanted)


def _register_own(server: Server, body: Mapping[str, Any]) -> Any:
    return answers.registered(server.tables.register(orders.own(body, server.tables)))


def _register_partner(server: Server, body: Mapping[str, Any]) -> Any:
    return answers.registered(server.tables.register(orders.partner(body, server.tables)))


def _rows(rows: answers.Rows) -> _Work:
    return lambda server, wanted: rows()


_CALLS: dict[str, _Work] = {
    LOOK_UP: _look_up,
    OWN: _register_own,
    PARTNER: _register_partner,
    **{path: _rows(rows) for path, rows in answers.CATALOGUES.items()},
}


def _name(path: str) -> str:
    """The last part of a path, with the table for catalogues, whose last parts are alike."""
    table, last = path.split("/")[-2:]
    return table if last.startswith("Get") and path in answers.CATALOGUES else last


def _login(server: Server) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        note = _noted(server, "Login", b"")
        if not server.knows(request.headers.get("authorization")):
            note |= {"token": "refused", "http": 200 if server.settings.login_error == "body" else 401}
            refusal = packed(None, Refusal("Tên đăng nhập hoặc mật khẩu không đúng", "DangNhapKhongThanhCong"))
            return Response(encoded(refusal), note["http"], media_type="application/json")
        token = server.tokens.give(server.settings.token_ttl)
        note |= {"token": "given", "http": 200, "success": True}
        data = {"TokenCode": token, "ValidAddress": "127.0.0.1", "User": {"LoginName": server.settings.user}}
        return Response(encoded(packed(data)), 200, media_type="application/json")

    return call


def _call(server: Server, name: str, work: _Work) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        content = await request.body() if request.method == "POST" else request.url.query.encode()
        note = _noted(server, name, content)
        forced = server.modes.take(name) or ForcedMode("", None, 0)
        note["mode"] = forced.mode or None
        await server.modes.pause(request, forced.delay_ms)
        if forced.mode in BEFORE:
            return await _broken(server, request, forced.mode, note)
        if (status := _unacceptable(server, request, note)) is not None:
            note["http"] = status
            return Response(status_code=status)
        try:
            wanted = unpacked(content) if request.method == "POST" else from_query(request.query_params.get("param"))
        except NoEnvelope:
            note["http"] = 400
            return Response(status_code=400)
        if request.method == "POST":
            note["unknown_keys"] = orders.unknown_fields(wanted, name)
        try:
            answer = packed(work(server, wanted))
        except Refusal as refusal:
            answer = packed(None, refusal)
        return await _ended(server, request, forced.mode, answer, note)

    return call


def _noted(server: Server, name: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()[:16]
    earlier = sum(call["endpoint"] == name and call["body_hash"] == digest for call in server.calls)
    note: dict[str, Any] = {
        "at": server.clock.now().isoformat(timespec="milliseconds"),
        "endpoint": name,
        "attempt": earlier + 1,
        "body_hash": digest,
        "token": None,
        "unknown_keys": [],
        "mode": None,
        "http": None,
        "success": None,
    }
    server.calls.append(note)
    return note


def _unacceptable(server: Server, request: Request, note: dict[str, Any]) -> int | None:
    known = server.tokens.holds(request.headers.get("tokencode"))
    right = request.headers.get("applicationcode") == server.settings.application
    note["token"] = "ok" if known and right else "refused"
    if not known or not right:
        return 401
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return 415 if request.method == "POST" and kind != "application/json" else None


async def _broken(server: Server, request: Request, mode: str, note: dict[str, Any]) -> Response:
    match mode:
        case "hang_before":
            await server.modes.hang(request)
            return Response()
        case "reset_before":
            connection_of(request).reset()
            return Response()
        case "http_401":
            server.tokens.forget()
            note["http"] = 401
            return Response(status_code=401)
    if (plain := refused(mode)) is not None:
        note["http"] = plain.status_code
        return plain
    answer = packed(None, Refusal("Hệ thống từ chối", broken=mode == "exception_before"))
    note |= {"http": 200, "success": False}
    return Response(encoded(answer), 200, media_type="application/json")


async def _ended(server: Server, request: Request, mode: str, answer: dict[str, Any], note: dict[str, Any]) -> Response:
    if mode == "hang_after":
        await server.modes.hang(request)
        return Response()
    if mode == "reset_after":
        connection_of(request).reset()
        return Response()
    if (plain := refused(mode)) is not None:
        note["http"] = plain.status_code
        return plain
    note |= {"http": 200, "success": answer["Success"]}
    body = distorted_bytes(mode, encoded(distorted(mode, answer)))
    return Response(body, 200, media_type="application/json")
