"""The simulated health-insurance gateway: login, card lookup, and the controls under `/_sim` (insurance-gateway.md 8).

In memory and deterministic; strict where the real gateway is. Only invented people (`simulators.vss_people`). Serve it
with `simulators.serve`: the modes `hang` and `reset` reach for the socket.
"""

import asyncio
import itertools
import json
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.serve import connection_of
from simulators.vss_answers import Answer, about, bare, check_entry, earlier_checks, refused_token
from simulators.vss_lookup import KEY_KINDS, Register, judge, own_code
from simulators.vss_modes import Effect, ForcedMode, ForcedModes, ModeRequest, json_response, raw_response
from simulators.vss_people import people_of, qr_payload
from simulators.vss_settings import Settings
from simulators.vss_tokens import Tokens, accounts_of, password_matches

__all__ = ["LOOKUP_PATH", "TOKEN_PATH", "Gateway", "Settings", "create_app"]

TOKEN_PATH = "/api/token/take"
LOOKUP_PATH = "/api/egw/KQNhanLichSuKCB2024"
RETIRED_PATHS = tuple(f"/api/egw/KQNhanLichSuKCB{year}" for year in ("595", "2018", "2019"))

VIETNAM = timezone(timedelta(hours=7))
_KEPT_CALLS = 10_000
_KEPT_CHECKS = 50


@dataclass
class Call:
    """One call as `/_sim/calls` shows it: no name, no birth date, of the card only the last three characters."""

    endpoint: str
    time: str
    status: int | None = None
    result_code: str | None = None
    query_kind: str | None = None
    card: str | None = None
    mode: str | None = None


@dataclass(frozen=True)
class _Reply:
    answer: Answer | None
    status: int = 200


class Gateway:
    """State and behaviour behind the routes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.people = people_of(settings.facility)
        self.tokens = Tokens(settings.token_ttl_s, bound=settings.bind_ip)
        self.modes = ForcedModes()
        self.calls: deque[Call] = deque(maxlen=_KEPT_CALLS)
        self._accounts = accounts_of(settings.facility)
        self._register = Register(self.people)
        self._asked: Counter[int] = Counter()
        self._checks: defaultdict[int, deque[Answer]] = defaultdict(lambda: deque(maxlen=_KEPT_CHECKS))
        self._released = asyncio.Event()

    def now(self) -> datetime:
        """The simulated moment: the real time of day on the simulated day, UTC+7."""
        now = datetime.now(VIETNAM)
        return datetime.combine(self.settings.today, now.timetz()) if self.settings.today else now

    def reset(self) -> None:
        """Back to the start: no modes, no calls, no history; held calls are let go. Tokens stay."""
        self.modes.clear()
        self.calls.clear()
        self._asked.clear()
        self._checks.clear()
        self._released.set()
        self._released = asyncio.Event()

    def note(self, endpoint: str, key: str | None = None, mode: ForcedMode | None = None) -> Call:
        """Add a call to the list as it arrives; `key` is what came in maThe."""
        kind = KEY_KINDS.get(len(key)) if key else None
        tail = key[-3:].encode("ascii", "replace").decode() if key else None
        call = Call(endpoint, self.now().isoformat(timespec="milliseconds"), query_kind=kind)
        call.card = f"***{tail}" if tail else None
        call.mode = mode.name if mode else None
        self.calls.append(call)
        return call

    async def handle(self, request: Request, endpoint: Literal["token", "lookup"]) -> Response:
        """Answer one call of the gateway, as well or badly as the mode in force says."""
        fields = await _body_fields(request)
        mode = self._mode_met(request, endpoint)
        call = self.note(endpoint, fields.get("maThe", "").strip(), mode)
        if mode is not None:
            released = self._released
            if mode.delay_s:
                await connection_of(request).hold(request, mode.delay_s, released)
            if mode.effect is Effect.SOCKET:
                if mode.name == "hang":
                    await connection_of(request).hold(request, None, released)
                connection_of(request).reset()
                return Response()
            if mode.effect is Effect.RAW:
                response = raw_response(mode.name)
                call.status = response.status_code
                return response
        reply = self._login(request, fields, mode) if endpoint == "token" else self._lookup(request, fields, mode)
        call.status = reply.status
        call.result_code = reply.answer["maKetQua"] if reply.answer else None
        if reply.answer is None:
            return Response(status_code=reply.status)
        return json_response(reply.answer, reply.status, mode.name if mode else None)

    def _mode_met(self, request: Request, endpoint: str) -> ForcedMode | None:
        mode = self.modes.peek(endpoint)
        if mode is None:
            return None
        if mode.name == "ip_changed":
            login = self.tokens.login_number(request.query_params, self._address(request))
            if login is not None and login > mode.logins_before:
                return None
        self.modes.use(mode)
        return mode

    def _login(self, request: Request, fields: Mapping[str, str], mode: ForcedMode | None) -> _Reply:
        account = fields.get("username", "")
        code = mode.code if mode else ""
        if not code:
            known = account in self._accounts and password_matches(fields.get("password", ""))
            code = self._accounts[account] if known else "401"
            if code == "200":
                return _Reply({"maKetQua": code, "APIKey": self.tokens.take(account, self._address(request))})
        return _Reply({"maKetQua": code, "APIKey": None})

    def _lookup(self, request: Request, fields: Mapping[str, str], mode: ForcedMode | None) -> _Reply:
        key = fields.get("maThe", "").strip()
        if mode is not None and mode.effect is Effect.CODE:
            return self._forced_lookup(request, key, mode)
        if self.tokens.login_number(request.query_params, self._address(request)) is None:
            return self._refused()
        now = self.now()
        judged = judge(fields, self._register, now.date(), eight_digit_dates=self.settings.eight_digit_dates)
        person = judged.person
        if person is None:
            return _Reply(bare(judged.code))
        if judged.code:
            return _Reply(about(person, judged.code, now.date()))
        code = own_code(person, key, self._asked[person.number])
        checks = [*earlier_checks(person, self.settings.facility, now), *self._checks[person.number]]
        self._asked[person.number] += 1
        self._checks[person.number].append(check_entry(request.query_params["username"], now, code))
        return _Reply(about(person, code, now.date(), checks))

    def _forced_lookup(self, request: Request, key: str, mode: ForcedMode) -> _Reply:
        today = self.now().date()
        asked = self._register.find(key).person if len(key) in KEY_KINDS else None
        match mode.name:
            case "expired_token":
                self.tokens.drop(request.query_params.get("id_token", ""))
                return self._refused()
            case "always_401" | "ip_changed":
                return self._refused()
            case "null_fields":
                return _Reply(bare("000") | {"ghiChu": None})
            case "wrong_person":
                first, third = self.people[0], self.people[2]
                return _Reply(about(first if asked is third else third, "000", today))
        return _Reply(about(asked, mode.code, today) if asked else bare(mode.code))

    def _refused(self) -> _Reply:
        shape = self.settings.refusal_shape
        return _Reply(None if shape == "http_empty" else refused_token(), 200 if shape == "body" else 401)

    def _address(self, request: Request) -> str:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")[0].strip()
        if forwarded and self.settings.trust_forwarded_for:
            return forwarded
        return request.client.host if request.client else ""


async def _body_fields(request: Request) -> dict[str, str]:
    """Text fields of a form or JSON body; what is neither, or not text, is as good as missing."""
    body = await request.body()
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
        content = json.loads(body) if kind == "application/json" else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: value for name, value in content.items() if isinstance(value, str)}


class _RequestIds:
    """Puts `X-Sim-Request-Id` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Sim-Request-Id"] = f"sim-{next(self._numbers)}"
            await send(message)

        await self._app(scope, receive, send_numbered)


def create_app(settings: Settings) -> FastAPI:
    """The gateway as an ASGI application; state lives as long as the application object."""
    gateway = Gateway(settings)
    app = FastAPI(title="Simulated insurance gateway", openapi_url=None)
    app.add_middleware(_RequestIds)

    @app.post(TOKEN_PATH)
    async def take_token(request: Request) -> Response:
        return await gateway.handle(request, "token")

    @app.post(LOOKUP_PATH)
    async def lookup(request: Request) -> Response:
        return await gateway.handle(request, "lookup")

    async def retired() -> Response:
        gateway.note("retired").status = 404
        return Response(status_code=404)

    for path in RETIRED_PATHS:
        app.add_api_route(path, retired, methods=["GET", "POST"])

    @app.get("/_sim/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "today": gateway.now().date(), "facility": settings.facility}

    @app.get("/_sim/people")
    async def people() -> list[dict[str, Any]]:
        today = gateway.now().date()
        return [
            asdict(person)
            | {"birth_date": person.birth_date(today), "card": person.card, "qr": qr_payload(person, today)}
            for person in gateway.people
        ]

    @app.get("/_sim/calls")
    async def calls() -> list[dict[str, Any]]:
        return [asdict(call) for call in gateway.calls]

    @app.post("/_sim/mode")
    async def mode(wanted: ModeRequest) -> ModeRequest:
        gateway.modes.set(wanted, gateway.tokens.logins)
        return wanted

    @app.post("/_sim/reset", status_code=204)
    async def reset() -> None:
        gateway.reset()

    @app.post("/_sim/expire-tokens")
    async def expire_tokens() -> dict[str, int]:
        return {"expired": gateway.tokens.drop_all()}

    return app
