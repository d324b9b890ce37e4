"""The hub's HTTP surface (interfaces.md 5 and 6)."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from kiosk.events import MAX_BYTES, VIETNAM, parse_day, parse_signature, verify_batch
from province import dashboard
from province.enrolment import EnrolmentError, StationKey, enrol, find_key, may_read
from province.facilities import list_facilities
from province.feed import LOOKUP_RATE_COLUMNS, WHY_NOT_COLUMNS, to_csv
from province.guards import ApiError, RateLimit, read_body
from province.ingest import EnvelopeError, open_envelope, prune_heartbeats, take_batch
from province.observe import Metrics, Observed, log
from province.periods import PeriodType
from province.rates import Level, Row, lookup_rate, why_not_by_chip
from province.store import Store

DEMO_API_KEY: Final = "demo"
_ENROL_BYTES: Final = 4096
_PRUNE_SECONDS: Final = 6 * 3600

FirstDay = Annotated[str, Query(alias="from", description="first day, YYYY-MM-DD, UTC+7")]
LastDay = Annotated[str, Query(alias="to", description="last day, inclusive")]
Format = Annotated[str, Query(alias="format", description="json or csv")]
Authorization = Annotated[str | None, Header()]
RowsQuery = Callable[[sa.Connection, date, date, Level, PeriodType], list[Row]]


def create_app(store: Store, *, demo: bool = False, rate_limit: RateLimit | None = None) -> FastAPI:
    """The application on an open, migrated store; with `demo` the API key `demo` may read (loopback only)."""
    limit = rate_limit or RateLimit()
    metrics = Metrics()
    app = FastAPI(title="Province hub", docs_url=None, redoc_url=None, lifespan=_lifespan(store))
    app.add_middleware(Observed, metrics=metrics)
    _add_error_answers(app)
    _add_operation_routes(app, store, metrics)
    _add_station_routes(app, store, metrics, limit)
    _add_reader_routes(app, store, demo)
    return app


def _lifespan(store: Store) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    async def prune_for_ever() -> None:
        while True:
            try:
                await run_in_threadpool(prune_heartbeats, store, datetime.now(UTC))
            except sa.exc.SQLAlchemyError:
                log.exception("old heartbeats could not be deleted; trying again later")
            await asyncio.sleep(_PRUNE_SECONDS)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        pruning = asyncio.create_task(prune_for_ever())
        try:
            yield
        finally:
            pruning.cancel()

    return lifespan


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> Response:
        return error.response()

    @app.exception_handler(EnvelopeError)
    async def envelope_error(_request: Request, error: EnvelopeError) -> Response:
        return ApiError(error.status, error.code).response()

    @app.exception_handler(RequestValidationError)
    async def bad_parameters(_request: Request, error: RequestValidationError) -> Response:
        words = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
        return ApiError(422, "bad_parameters", words).response()

    @app.exception_handler(sa.exc.DBAPIError)
    async def database_down(_request: Request, error: sa.exc.DBAPIError) -> Response:
        log.error("database failed", extra={"fields": {"exception": type(error).__name__}})
        return ApiError(503, "database_unavailable", headers={"Retry-After": "5"}).response()


def _add_operation_routes(app: FastAPI, store: Store, metrics: Metrics) -> None:
    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        """Able to serve: database reachable, migrations done; 503 with the reason otherwise."""
        problem = store.problem()
        reasons = [problem] if problem else []
        return JSONResponse({"status": "not_ready" if reasons else "ok", "reasons": reasons}, 503 if reasons else 200)

    @app.get("/metrics")
    def prometheus() -> Response:
        """Prometheus text format."""
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_station_routes(app: FastAPI, store: Store, metrics: Metrics, limit: RateLimit) -> None:
    def take(header: str | None, body: bytes) -> dict[str, object]:
        key = _sender(store, header, body)
        limit.check(key.key_id)
        outcome = take_batch(store, key, open_envelope(body, key), datetime.now(UTC))
        counts = {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "rejected": len(outcome.rejected)}
        metrics.events(**counts)
        log.info("batch", extra={"fields": {"facility": key.facility, "station": key.station, **counts}})
        return asdict(outcome)

    @app.post("/api/v1/events")
    async def events(request: Request, signature: Annotated[str | None, Header()] = None) -> dict[str, object]:
        """A signed batch of events, kept exactly once (interfaces.md 5)."""
        return await run_in_threadpool(take, signature, await read_body(request, MAX_BYTES))

    @app.post("/api/v1/enrol", status_code=201)
    async def join(request: Request) -> dict[str, str]:
        """Exchange an enrolment code and a public key for a key id (interfaces.md 5)."""
        body = await read_body(request, _ENROL_BYTES)
        try:
            asked = json.loads(body)
            code, public_key = asked["code"], asked["public_key"]
        except (ValueError, RecursionError, TypeError, KeyError):
            raise ApiError(422, "malformed", "code and public_key are needed") from None
        if not isinstance(code, str) or not isinstance(public_key, str):
            raise ApiError(422, "malformed", "code and public_key must be text")
        try:
            return await run_in_threadpool(enrol, store, code, public_key)
        except EnrolmentError as error:
            raise ApiError(403 if error.code == "code_not_valid" else 422, error.code) from None


def _sender(store: Store, header: str | None, body: bytes) -> StationKey:
    parsed = parse_signature(header)
    if parsed is None:
        raise ApiError(401, "bad_signature_header")
    with store.read() as connection:
        key = find_key(connection, parsed.key_id)
    if key is None:
        raise ApiError(401, "unknown_key")
    if not verify_batch(key.public_key, parsed.signature, body):
        raise ApiError(401, "wrong_signature")
    return key


def _add_reader_routes(app: FastAPI, store: Store, demo: bool) -> None:
    def authorise(connection: sa.Connection, authorization: str | None) -> None:
        scheme, _, key = (authorization or "").partition(" ")
        known = demo and hmac.compare_digest(key.encode(), DEMO_API_KEY.encode())
        if scheme.lower() != "bearer" or not (known or may_read(connection, key)):
            raise ApiError(401, "bad_api_key", headers={"WWW-Authenticate": "Bearer"})

    def answer(
        query: RowsQuery,
        columns: dict[str, str],
        name: str,
        authorization: str | None,
        days: tuple[str, str],
        level: Level,
        period: PeriodType,
        wanted: str,
    ) -> Response:
        with store.read() as connection:
            authorise(connection, authorization)
            if wanted not in ("json", "csv"):
                raise ApiError(422, "format_not_offered", "format: json or csv")
            first, last = parse_day(days[0]), parse_day(days[1])
            if first is None or last is None:
                raise ApiError(422, "bad_parameters", "from, to: a day as YYYY-MM-DD")
            try:
                rows = query(connection, first, last, level, period)
            except ValueError as error:
                raise ApiError(422, "bad_parameters", str(error)) from None
        if wanted == "json":
            return JSONResponse({"rows": rows})
        file = f'attachment; filename="{name}-{first}-{last}.csv"'
        return Response(
            to_csv(rows, columns), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": file}
        )

    @app.get("/api/v1/kpi/lookup-rate")
    def lookup_rate_feed(
        first: FirstDay,
        last: LastDay,
        level: Level = Level.PROVINCE,
        period: PeriodType = PeriodType.TOTAL,
        wanted: Format = "json",
        authorization: Authorization = None,
    ) -> Response:
        """The lookup rate and what it is made of (interfaces.md 6)."""
        days = (first, last)
        return answer(lookup_rate, LOOKUP_RATE_COLUMNS, "lookup-rate", authorization, days, level, period, wanted)

    @app.get("/api/v1/kpi/why-not-by-chip")
    def why_not_by_chip_feed(
        first: FirstDay,
        last: LastDay,
        level: Level = Level.PROVINCE,
        period: PeriodType = PeriodType.TOTAL,
        wanted: Format = "json",
        authorization: Authorization = None,
    ) -> Response:
        """Why insured visits were not read by chip (interfaces.md 6)."""
        days = (first, last)
        return answer(why_not_by_chip, WHY_NOT_COLUMNS, "why-not-by-chip", authorization, days, level, period, wanted)

    @app.get("/api/v1/facilities")
    def facilities(authorization: Authorization = None) -> JSONResponse:
        """The registry with validity dates, and when each facility was last heard."""
        with store.read() as connection:
            authorise(connection, authorization)
            return JSONResponse(list_facilities(connection))

    @app.get("/", response_class=HTMLResponse)
    def dashboard_page(month: str | None = None) -> HTMLResponse:
        """The dashboard of one month (`YYYY-MM`), by default the current one."""
        now = datetime.now(VIETNAM)
        try:
            wanted = dashboard.Month.parse(month) if month else dashboard.Month(now.year, now.month)
        except ValueError:
            raise ApiError(422, "bad_parameters", "month: YYYY-MM") from None
        with store.read() as connection:
            return HTMLResponse(dashboard.render(connection, wanted, now))

    @app.get("/static/dashboard.css")
    def stylesheet() -> Response:
        """The dashboard's only other file."""
        return Response(dashboard.STYLESHEET, media_type="text/css; charset=utf-8")
