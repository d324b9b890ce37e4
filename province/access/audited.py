"""Puts every request of a known caller into the audit, whatever its route is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from province.access.audit import AuditTrail, Record, plain_parameters
from province.access.caller import Caller
from province.observe import log

FLUSH_SECONDS: Final = 1.0
_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Audited:
    """ASGI middleware: a record for each request whose caller the gate knew (`request.state.caller`).

    A route may tell how many rows it gave in `request.state.rows`. A change is on disk before its answer goes out; a
    fetch is within a second (a killed hub may lose that second), so that the feed waits for no disk.
    """

    def __init__(self, app: ASGIApp, trail: AuditTrail) -> None:
        """`trail` takes the records; `flush_or_wait`, called every FLUSH_SECONDS, writes them."""
        self._app = app
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        answered = False

        async def send_recorded(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                await self._record(scope, state, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_recorded)
        finally:
            if not answered:
                await self._record(scope, state, 500)

    async def _record(self, scope: Scope, state: Mapping[str, Any], status: int) -> None:
        caller: Caller | None = state.get("caller")
        if caller is None:
            return
        kind = "account" if caller.signed_in else "key"
        route = getattr(scope.get("route"), "path", "other")
        given = _query(scope) | scope.get("path_params", {})
        moment = datetime.now(UTC)
        self._trail.add(
            Record(
                moment, caller.name, kind, scope["method"], route, plain_parameters(given), status, state.get("rows")
            )
        )
        if scope["method"] in _CHANGES:
            await run_in_threadpool(flush_or_wait, self._trail)


def flush_or_wait(trail: AuditTrail) -> None:
    """Write what waits; when the database cannot, say so in the log and keep it waiting."""
    try:
        trail.flush()
    except sa.exc.SQLAlchemyError as error:
        log.error("the audit could not be written; it waits", extra={"fields": {"exception": type(error).__name__}})


def _query(scope: Scope) -> dict[str, str]:
    try:
        return dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=20, errors="replace"))
    except ValueError:
        return {"?": "?"}
