"""Builds the apps of the listeners: the kiosk's own on loopback, and staff on other machines through TLS."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from kiosk import __version__
from kiosk.calls import Calls
from kiosk.checkin import CheckIns
from kiosk.day_figures import FigureRefused
from kiosk.desk_station import DeskStation
from kiosk.duty import Duty
from kiosk.eligibility_questions import NoSuchVisit
from kiosk.errors import ConfigError, KioskError, StoreError
from kiosk.portraits import Portraits
from kiosk.preview import Preview
from kiosk.printing import Printing
from kiosk.pushed_chip import PushedChipRefused
from kiosk.staffwork import StaffRefusal
from kiosk.station_model import NotAtThatPhase, ScanRefused, StationBusy
from kiosk.stations import Station
from kiosk.web import camera, desk, pages, patient, staff
from kiosk.web.staff_accounts import AccountRefusal, StaffAccounts

log = logging.getLogger(__name__)

StatusReport = Callable[[], Awaitable[dict[str, Any]]]


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": code}, status_code=status, headers=headers)


def status_of(exc: KioskError) -> int:
    """The HTTP status of one of our errors."""
    match exc:
        case StationBusy() | NotAtThatPhase():
            return 409
        case ScanRefused() | PushedChipRefused():
            return 413 if exc.code == "TOO_LARGE" else 422
        case AccountRefusal():
            return exc.status
        case StaffRefusal() if exc.code == "NO_SUCH_CHECK_IN":
            return 404
        case StaffRefusal() if exc.code in staff.UNPROCESSABLE:
            return 422
        case StaffRefusal():
            return 409
        case FigureRefused():
            return 422
        case NoSuchVisit():
            return 404
        case StoreError():
            return 503
        case ConfigError():
            return 422
        case _:
            return 502


def base_app(title: str) -> FastAPI:
    """An app that turns our errors into ``{"error": CODE}`` and never repeats what was sent to it."""
    app = FastAPI(title=title, version=__version__, docs_url=None, redoc_url=None)

    @app.exception_handler(KioskError)
    async def ours(_: Request, exc: Exception) -> Response:
        if not isinstance(exc, KioskError):
            return _error(500, "INTERNAL")
        wait = "300" if exc.code == "TOO_MANY" else "10" if isinstance(exc, StoreError) else None
        return _error(status_of(exc), exc.code, {"Retry-After": wait} if wait else None)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, exc: Exception) -> Response:
        errors = exc.errors() if isinstance(exc, RequestValidationError) else []
        # the place of an unknown key is that key, as it was sent
        fields = [".".join(str(part) for part in e["loc"]) for e in errors if e["type"] != "extra_forbidden"]
        return JSONResponse({"error": "BAD_REQUEST", "fields": fields}, status_code=422)

    @app.exception_handler(AnyHTTPException)
    async def http(_: Request, exc: Exception) -> Response:
        if not isinstance(exc, AnyHTTPException):
            return _error(500, "INTERNAL")
        code = str(exc.detail).upper().replace(" ", "_")  # the framework's own are phrases such as "Not Found"
        return _error(exc.status_code, code, dict(exc.headers or {}))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, exc: Exception) -> Response:
        log.error("a request failed", extra={"kind": type(exc).__name__})
        return _error(500, "INTERNAL")

    return app


def add_probes(
    app: FastAPI, ready: Callable[[], Awaitable[list[str]]], metrics: Callable[[], Awaitable[bytes]]
) -> None:
    """``/healthz``, ``/readyz`` with reasons, ``/metrics``."""

    @app.get("/healthz", tags=["probes"])
    async def healthz() -> dict[str, str]:
        """The process runs."""
        return {"status": "ok", "version": __version__}

    @app.get("/readyz", tags=["probes"])
    async def readyz() -> JSONResponse:
        """Able to serve a patient; 503 with reasons if not."""
        reasons = await ready()
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200)

    @app.get("/metrics", tags=["probes"], response_class=PlainTextResponse)
    async def exposition() -> Response:
        """Prometheus text format."""
        return Response(await metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def local_app(
    *,
    station: Station,
    facility: str,
    screen_secret: str,
    token: str,
    checkins: CheckIns,
    accounts: StaffAccounts | None,
    status: StatusReport,
    ready: Callable[[], Awaitable[list[str]]],
    metrics: Callable[[], Awaitable[bytes]],
    typed: Callable[[bytes], None],
    pushed: APIRouter | None = None,
    portraits: Portraits | None = None,
    preview: Preview | None = None,
    duty: Duty | None = None,
    questions: APIRouter | None = None,
    desks: Sequence[DeskStation] = (),
    printing: Printing | None = None,
    calls: Calls | None = None,
) -> FastAPI:
    """The loopback listener: the patient's screen; with *accounts* (demo only) the counter's and the staff's too.

    *typed* gets each scan that a scanner typed into the page. *pushed*: the routes of reader programs, where they are
    configured. *preview*: what the camera sees, likewise. *questions*: those of hospital and cashier, likewise.
    """
    app = base_app("Kiosk")
    add_probes(app, ready, metrics)
    if accounts is not None:  # before the kiosk's own station, whose routes take any name
        app.include_router(desk.desk_api(desks, facility, staff.signed_in(accounts)))
        app.include_router(pages.desk_router())
    app.include_router(patient.patient_api(station, facility, screen_secret, token, typed))
    app.include_router(camera.camera_api(preview, station.id, screen_secret, token))
    app.include_router(pages.patient_router())
    if pushed is not None:
        app.include_router(pushed)
    if questions is not None:
        app.include_router(questions)
    if accounts is not None:
        work = staff.staff_api(
            checkins, accounts, status, secure=False, portraits=portraits, duty=duty, printing=printing, calls=calls
        )
        app.include_router(work)
        app.include_router(pages.staff_router())
    pages.mount_static(app)
    return app


def staff_app(
    *,
    facility: str,
    desks: Sequence[DeskStation],
    checkins: CheckIns,
    accounts: StaffAccounts,
    status: StatusReport,
    portraits: Portraits | None = None,
    duty: Duty | None = None,
    questions: APIRouter | None = None,
    printing: Printing | None = None,
    calls: Calls | None = None,
) -> FastAPI:
    """The TLS listener: counter and staff screen, and the questions of hospital and cashier."""
    app = base_app("Kiosk staff")
    app.include_router(desk.desk_api(desks, facility, staff.signed_in(accounts)))
    app.include_router(pages.desk_router())
    work = staff.staff_api(
        checkins, accounts, status, secure=True, portraits=portraits, duty=duty, printing=printing, calls=calls
    )
    app.include_router(work)
    if questions is not None:
        app.include_router(questions)
    app.include_router(pages.staff_router())
    pages.mount_static(app)
    return app
