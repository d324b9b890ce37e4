"""The hub's HTTP application: its routes are in `province.web` (interfaces.md 5 and 6)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from province.access import audit
from province.access.audited import FLUSH_SECONDS, Audited, flush_or_wait
from province.access.gate import Gate
from province.findings.running import refresh_findings
from province.guards import ApiError, Backlogs, RateLimit
from province.hub_key import HubKey
from province.ingest import EnvelopeError, prune_heartbeats
from province.observe import Metrics, Observed, log
from province.openapi import describe_truly
from province.pages.frame import failure
from province.parts import Parts
from province.store import Store
from province.unit_sums import catch_up
from province.web import (
    access,
    audit_sample,
    causes,
    display,
    federation,
    feed,
    findings,
    fleet,
    insurer,
    months,
    operation,
    pages,
    pages_causes,
    pages_findings,
    pages_fleet,
    pages_method,
    pages_months,
    pages_quarantine,
    pages_uploads,
    reports,
    stations,
    uploads,
)

_PRUNE_SECONDS: Final = 6 * 3600
_FINDINGS_SECONDS: Final = 60
_UNITS_SECONDS: Final = 3
_UNITS_AT_ONCE: Final = 100
_ROOMS: Final = (
    operation,
    access,
    stations,
    federation,
    feed,
    causes,
    findings,
    audit_sample,
    fleet,
    months,
    insurer,
    uploads,
    reports,
    display,
    pages,
    pages_months,
    pages_causes,
    pages_uploads,
    pages_findings,
    pages_fleet,
    pages_quarantine,
    pages_method,
)


def create_app(
    store: Store,
    *,
    demo: bool = False,
    public: bool = False,
    rate_limit: RateLimit | None = None,
    key: HubKey | None = None,
    key_limit: RateLimit | None = None,
) -> FastAPI:
    """The application on an open, migrated store; with `demo` the API key `demo` may read (loopback only).

    `public`: anybody may look at pages, also when there are accounts. `rate_limit` is of station keys, `key_limit` of
    API keys.
    `key`: what the hub signs with; one for the life of the application when it is not given.
    """
    key = key or HubKey.make()
    key.make_known(store)
    metrics = Metrics()
    gate = Gate(store, demo=demo, public=public, key_limit=key_limit)
    parts = Parts(store, key, gate, metrics, rate_limit or RateLimit(), Backlogs(), demo)
    trail = audit.AuditTrail(store)
    app = FastAPI(title="Province hub", docs_url=None, redoc_url=None, lifespan=_lifespan(store, trail))
    app.add_middleware(Audited, trail=trail)
    app.add_middleware(Observed, metrics=metrics)
    _add_error_answers(app)
    for room in _ROOMS:
        room.add_routes(app, parts)
    describe_truly(app)
    return app


def _lifespan(store: Store, trail: audit.AuditTrail) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    def prune() -> None:
        try:
            prune_heartbeats(store, datetime.now(UTC))
            audit.prune(store, datetime.now(UTC))
        except sa.exc.SQLAlchemyError:
            log.exception("old records could not be deleted; trying again later")

    def look_for_findings() -> None:
        try:
            refresh_findings(store, datetime.now(UTC))
        except Exception as error:
            # A fault in a rule must end nothing else, and what it says may quote rows: its name is enough.
            log.error("findings could not be made; trying again", extra={"fields": {"exception": type(error).__name__}})

    def add_up_units() -> None:
        try:
            catch_up(store, at_most=_UNITS_AT_ONCE)
        except sa.exc.SQLAlchemyError:
            log.exception("sums of units could not be made; trying again")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = asyncio.Event()
        works = (
            (_PRUNE_SECONDS, prune),
            (FLUSH_SECONDS, partial(flush_or_wait, trail)),
            (_FINDINGS_SECONDS, look_for_findings),
            (_UNITS_SECONDS, add_up_units),
        )
        tasks = [asyncio.create_task(_repeat(seconds, work, stop)) for seconds, work in works]
        try:
            yield
        finally:
            # A cancelled task would leave its thread at work on a store that is being closed.
            stop.set()
            await asyncio.gather(*tasks)
            await run_in_threadpool(flush_or_wait, trail)

    return lifespan


async def _repeat(seconds: float, work: Callable[[], None], stop: asyncio.Event) -> None:
    while not stop.is_set():
        await run_in_threadpool(work)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> Response:
        return failure(request, error)

    @app.exception_handler(HTTPException)
    async def no_such_thing(request: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "malformed")
        return failure(request, ApiError(error.status_code, code, headers=dict(error.headers or {})))

    @app.exception_handler(EnvelopeError)
    async def envelope_error(_request: Request, error: EnvelopeError) -> Response:
        return ApiError(error.status, error.code).response()

    @app.exception_handler(RequestValidationError)
    async def bad_parameters(request: Request, error: RequestValidationError) -> Response:
        words = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
        return failure(request, ApiError(422, "bad_parameters", words))

    @app.exception_handler(sa.exc.DataError)
    async def not_for_the_database(request: Request, _error: sa.exc.DataError) -> Response:
        return failure(request, ApiError(422, "bad_parameters", "a text or number that cannot be kept"))

    @app.exception_handler(sa.exc.DBAPIError)
    async def database_down(request: Request, error: sa.exc.DBAPIError) -> Response:
        log.error("database failed", extra={"fields": {"exception": type(error).__name__}})
        return failure(request, ApiError(503, "database_unavailable", headers={"Retry-After": "5"}))
