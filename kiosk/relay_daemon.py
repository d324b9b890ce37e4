"""A facility's relay: one process that owns account, token and pace, and the register of the day for all stations."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from kiosk import journal, notify, visit_register
from kiosk.config import secret_path
from kiosk.errors import KioskError, StoreError
from kiosk.insurance import relay_wire
from kiosk.insurance.vss_question import utc_now
from kiosk.insurance_parts import duty_of, vss_gateway
from kiosk.model import Eligibility, local_day
from kiosk.ports import Clock
from kiosk.relay_config import RelayConfig
from kiosk.store import Store, read_or_make_key
from kiosk.upgrade import upgrade_apart
from kiosk.web.guards import Guards
from kiosk.web.relay import relay_app
from kiosk.web.relay_admin import relay_admin_app
from kiosk.web.server import ADMIN_SOCKET, Server, address_of, bind, bind_socket, certificate, make_server

log = logging.getLogger(__name__)

_GRACE: Final = 20.0
_FORGET_SECONDS: Final = 3600.0
_PROBE_SECONDS: Final = 5.0


class _Metrics:
    """What the relay counts; nothing of persons or stations."""

    def __init__(self) -> None:
        """Start at zero."""
        self._registry = CollectorRegistry()
        self._lookups = Counter("kiosk_relay_lookups", "Answers given, by class.", ["status"], registry=self._registry)
        self._visits = Gauge("kiosk_relay_visits_today", "People with a visit today.", registry=self._registry)
        self._up = Gauge("kiosk_relay_gateway_up", "The newest answer said something.", registry=self._registry)

    def answered(self, answer: Eligibility) -> None:
        """Count one answer."""
        self._lookups.labels(answer.status.value).inc()
        if answer.attempts:
            self._up.set(not answer.status.unanswered)

    def render(self, visits: int) -> bytes:
        """The exposition."""
        self._visits.set(visits)
        return generate_latest(self._registry)


class RelayDaemon:
    """Runs the relay until a signal."""

    def __init__(self, config: RelayConfig, beside: Path, clock: Clock = utc_now) -> None:
        """Wire everything; ConfigError or StoreError refuse the start."""
        self._config = config
        self._clock = clock
        table = config.relay
        self._host, self._port = address_of(table.listen)
        self._tls = certificate(table.cert_file, table.key_file, beside, "relay") if table.cert_file else {}
        self._store = Store(table.data, _store_key(config, beside))
        self._stop = asyncio.Event()
        self._beat = time.monotonic()
        self._store_ok = True
        self._metrics = _Metrics()
        try:
            self._facility_key = self._store.run_now(journal.prepare)
            self._duty = duty_of(config.insurance, beside, self._store, clock)
            self._gateway = vss_gateway(config.insurance, table.facility, beside, self._duty, clock)
        except BaseException:
            self._store.close()
            raise

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; questions under way may end, for a while."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        servers = self._servers()
        serving = [asyncio.create_task(server.serve([sock]), name="server") for server, sock in servers]
        minding = [_task(self._mind_store, "probe"), _task(self._forget, "retention")]
        watchdog = asyncio.create_task(notify.keep_alive(self._alive))
        # a server has a flag, no event
        while not all(server.started for server, _ in servers) and not any(  # noqa: ASYNC110
            task.done() for task in serving
        ):
            await asyncio.sleep(0.01)
        notify.notify("READY=1")
        log.info("ready")
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([stopping, *serving, *minding], return_when=asyncio.FIRST_COMPLETED)
        failed = not self._stop.is_set()
        notify.notify("STOPPING=1")
        for server, _ in servers:
            server.should_exit = True
        await asyncio.wait(serving, timeout=_GRACE)
        for task in (*serving, *minding, watchdog, stopping):
            task.cancel()
        await asyncio.gather(*serving, *minding, watchdog, stopping, return_exceptions=True)
        await self._gateway.close()
        self._store.close()
        log.info("stopped")
        if failed:
            raise KioskError("a part of the relay ended by itself")

    def _servers(self) -> list[tuple[Server, socket.socket]]:
        app = relay_app(
            gateway=self._gateway,
            store=self._store,
            facility_key=self._facility_key,
            keys={station.id: station.key_sha256 for station in self._config.station},
            clock=self._clock,
            ready=self._not_ready,
            metrics=self._exposition,
            observe=self._metrics.answered,
        )
        names = {*self._config.relay.hosts, self._host, "127.0.0.1", "localhost", "[::1]"}
        hosts = [f"{name}:{self._port}" for name in names] + (list(names) if self._port == 443 else [])
        guarded = Guards(
            app,
            hosts=hosts,
            secure=bool(self._tls),
            token=secrets.token_urlsafe(32),
            bearer_paths=relay_wire.PATHS,
        )
        admin = relay_admin_app(self._gateway, self._duty)
        return [
            (make_server(guarded, **self._tls), bind(self._host, self._port)),
            (make_server(admin), bind_socket(self._config.relay.data / ADMIN_SOCKET)),
        ]

    async def _not_ready(self) -> list[str]:
        return [] if self._store_ok else ["store"]

    async def _exposition(self) -> bytes:
        today = str(local_day(self._clock()))
        return self._metrics.render(await self._store.read(lambda c: visit_register.count(c, today)))

    async def _mind_store(self) -> None:
        while True:
            try:
                await self._store.run(lambda c: None)
                self._store_ok = True
            except StoreError:
                self._store_ok = False
            self._beat = time.monotonic()
            await asyncio.sleep(_PROBE_SECONDS)

    async def _forget(self) -> None:
        while True:
            with contextlib.suppress(StoreError):
                if gone := await self._store.run(lambda c: visit_register.forget(c, local_day(self._clock()))):
                    log.info("people forgotten", extra={"rows": gone})
            await asyncio.sleep(_FORGET_SECONDS)

    def _alive(self) -> bool:
        return time.monotonic() - self._beat < 20


def _task(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
    return asyncio.create_task(work(), name=name)


def _store_key(config: RelayConfig, beside: Path) -> bytes:
    credential = config.relay.store_key_file
    return read_or_make_key(config.relay.data, secret_path(credential, beside) if credential else None)


async def _run(config: RelayConfig, beside: Path) -> None:
    await RelayDaemon(config, beside).run()


def run(config: RelayConfig, beside: Path) -> None:
    """Run the relay to its end; KioskError refuses the start."""
    config.relay.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade_apart(config.relay.data, _store_key(config, beside))
    asyncio.run(_run(config, beside))
