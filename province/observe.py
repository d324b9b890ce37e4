"""What the hub tells about itself: log lines, metrics and the headers of every answer.

Log lines are JSON with named fields only; a request is logged by its route, never with its query string.
"""

import json
import logging
import time
from datetime import UTC, datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("province")

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser's own forms come with `Origin: null`
}


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, message, and the fields given as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with control characters escaped; of an exception only its type, since its text may quote data."""
        fields = dict(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0]:
            fields["exception"] = record.exc_info[0].__name__
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": moment, "level": record.levelname, "message": record.getMessage()} | fields)


def log_to_stderr() -> None:
    """Send all log lines of the process to stderr as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


class Metrics:
    """The hub's own Prometheus metrics."""

    def __init__(self) -> None:
        """A registry of its own, so that several hubs can live in one process."""
        self._registry = CollectorRegistry()
        self._events = Counter("province_events", "Events by outcome", ["outcome"], registry=self._registry)
        self._requests = Histogram(
            "province_request_seconds", "Time to answer", ["route", "status"], registry=self._registry
        )

    def events(self, *, accepted: int, duplicates: int, rejected: int) -> None:
        """Count the events of one batch."""
        for outcome, number in (("accepted", accepted), ("duplicate", duplicates), ("rejected", rejected)):
            self._events.labels(outcome).inc(number)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, str(status)).observe(seconds)

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)


class Observed:
    """ASGI middleware: security headers on every answer, one log line and one measurement per request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """`metrics` takes the measurements."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            seconds = time.monotonic() - started
            # The route's template, not the path: a stranger's path must neither fill the log nor make new metrics.
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.request(route, status, seconds)
            fields = {"method": scope["method"], "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            log.info("request", extra={"fields": fields})
