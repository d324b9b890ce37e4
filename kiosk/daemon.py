"""The daemon: one event loop with the web servers, the outbox worker, the readers and the heartbeat."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
import signal
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from kiosk import __version__, audit_anchor, events, facility_key, notify, outbox_table, pending, records, retention
from kiosk.bootstrap import Parts, build, own_token, upgrade_store, utc_now
from kiosk.chip_station import ChipStation
from kiosk.config import Config, read_secret
from kiosk.day_figures_job import DayFiguresJob
from kiosk.devices import Devices
from kiosk.errors import ConfigError, KioskError, ProvinceUnavailable, StoreError
from kiosk.model import local_day
from kiosk.portraits import Portraits
from kiosk.warmup import WarmUp
from kiosk.web import eligibility
from kiosk.web.admin import admin_app
from kiosk.web.app import local_app, staff_app
from kiosk.web.guards import Guards
from kiosk.web.own_screen import COOKIE
from kiosk.web.pushed import pushed_api
from kiosk.web.server import ADMIN_SOCKET, Server, address_of, bind, bind_socket, certificate, make_server
from kiosk.web.staff_accounts import StaffAccounts
from kiosk.web.staff_calls import calls_view
from kiosk.web.staff_duty import duty_view

log = logging.getLogger(__name__)

_GRACE = 25.0
_PROBE_SECONDS = 1.0
_MIN_FREE_MB = 50
_KEY_LENGTH = 24


class Daemon:
    """Runs the wired parts until a signal."""

    def __init__(self, config: Config, beside: Path) -> None:
        """Wire everything; ConfigError or StoreError refuse the start."""
        self._config = config
        self._beside = beside
        self.parts: Parts = build(config, beside)
        self._stop = asyncio.Event()
        self._beat = time.monotonic()
        data = config.station.data
        self._token = own_token(data / "screen-token")
        self._chip_token = own_token(data / "chip-token") if config.card.adapter == "pushed" else None
        self._accounts = StaffAccounts(self.parts.store, utc_now, own_token(data / "staff-setup-code"))
        self._devices = Devices(config, self.parts)
        self._warm_up = WarmUp(
            self.parts.gateway,
            self.parts.hospital,
            self._officer_ready,
            config.station.data,
            utc_now,
            self.parts.checkins.policy.hours,
            self.parts.province.enrolled if config.province.url else None,
        )

        self._day_figures = DayFiguresJob(self.parts.checkins, wanted=config.hospital.figures)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; deliveries under way may end, at most for the grace period."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        parts = self.parts
        if self._config.demo:
            await self._accounts.add("demo", "demo")
            await self._accounts.write("demo", None, "demo", {"seen_at": utc_now(), "disabled": False})
        servers = self._servers()
        delivering = asyncio.create_task(parts.outbox.run(), name="outbox")
        serving = [asyncio.create_task(server.serve([sock]), name="server") for server, sock in servers]
        minding = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("probe", self._mind_store()),
                ("heartbeat", self._heartbeats()),
                ("retention", self._forget_people()),
                ("audit-anchors", audit_anchor.close_days_for_ever(parts.store, self._config.station.data, utc_now)),
                ("warm-up", self._warm_up.run()),
                ("day-figures", self._day_figures.run()),
                *([("printer", parts.printing.mind())] if parts.printing is not None else []),
            )
        ]
        watchdog = asyncio.create_task(notify.keep_alive(self._alive))
        self._devices.start()
        # a server has a flag, no event
        while not all(server.started for server, _ in servers) and not any(  # noqa: ASYNC110
            task.done() for task in serving
        ):
            await asyncio.sleep(0.01)
        notify.notify("READY=1")
        log.info("ready")
        self._devices.start_camera()
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([stopping, delivering, *serving, *minding], return_when=asyncio.FIRST_COMPLETED)
        failed = not self._stop.is_set()
        for ended in (delivering, *serving, *minding):
            if ended.done() and (error := ended.exception()):
                log.error("%s ended by itself", ended.get_name(), exc_info=error)
        notify.notify("STOPPING=1")
        parts.outbox.stop()
        await self._devices.stop()
        for server, _ in servers:
            server.should_exit = True
        _, unfinished = await asyncio.wait([delivering, *serving], timeout=_GRACE)
        for task in [*unfinished, *minding, watchdog, stopping]:
            task.cancel()
        await asyncio.gather(*unfinished, *minding, watchdog, stopping, return_exceptions=True)
        await parts.close()
        log.info("stopped")
        if failed:
            raise KioskError("a part of the daemon ended by itself")

    # -- what it serves ----------------------------------------------------------------------------------------

    def _servers(self) -> list[tuple[Server, socket.socket]]:
        parts, config = self.parts, self._config
        screen_secret = secrets.token_urlsafe(32)
        host, port = address_of(config.station.listen)
        local = local_app(
            station=parts.station,
            facility=config.station.facility,
            screen_secret=screen_secret,
            token=self._token,
            checkins=parts.checkins,
            accounts=self._accounts if config.demo else None,
            status=self._status,
            ready=self._not_ready,
            metrics=self._metrics,
            typed=parts.health.scanner.note_scan,
            pushed=self._pushed(),
            portraits=self._portraits(),
            preview=self._devices.preview,
            duty=parts.duty,
            questions=self._questions(),
            desks=parts.desks,
            printing=parts.printing,
            calls=parts.calls,
        )
        guarded = Guards(
            local,
            hosts=[f"{name}:{port}" for name in {host, "127.0.0.1", "localhost", "[::1]"}],
            secure=False,
            token=self._token,
            page_cookie=(COOKIE, screen_secret),
            chip_token=self._chip_token,
            bearer_paths=(eligibility.PATH,),
        )
        servers = [(make_server(guarded), bind(host, port))]
        if config.staff.listen:
            host, port = address_of(config.staff.listen)
            app = staff_app(
                facility=config.station.facility,
                checkins=parts.checkins,
                accounts=self._accounts,
                status=self._status,
                portraits=self._portraits(),
                duty=parts.duty,
                questions=self._questions(),
                desks=parts.desks,
                printing=parts.printing,
                calls=parts.calls,
            )
            names = [f"{name}:{port}" for name in config.staff.hosts] + (
                list(config.staff.hosts) if port == 443 else []
            )
            staff = Guards(
                app,
                hosts=names,
                secure=True,
                token=secrets.token_urlsafe(32),
                bearer_paths=(eligibility.PATH,),
            )
            tls = certificate(config.staff.cert_file, config.staff.key_file, self._beside, "staff")
            servers.append((make_server(staff, **tls), bind(host, port)))
        admin = admin_app(
            store=parts.store,
            clock=utc_now,
            outbox=parts.outbox,
            gateway=parts.gateway,
            hospital_settings=config.hospital.own,
            province=parts.province,
            checkins=parts.checkins,
            accounts=self._accounts,
            duty=parts.duty,
        )
        servers.append((make_server(admin), bind_socket(config.station.data / ADMIN_SOCKET)))
        return servers

    def _portraits(self) -> Portraits | None:
        station = self.parts.station
        return station.portraits if isinstance(station, ChipStation) else None

    def _officer_ready(self) -> bool:
        if self.parts.duty is None:
            return True
        view = self.parts.duty.view
        return view.officer is not None and view.refused is None

    def _questions(self) -> APIRouter | None:
        """What hospital and cashier may ask, if they have a key."""
        name = self._config.eligibility.key_file
        if not name:
            return None
        key = read_secret(name, self._beside)
        if len(key) < _KEY_LENGTH:
            raise ConfigError(f"eligibility.key_file: expected a key of at least {_KEY_LENGTH} characters")
        return eligibility.eligibility_api(self.parts.checkins, key)

    def _pushed(self) -> APIRouter | None:
        station = self.parts.station
        if self._chip_token is None or not isinstance(station, ChipStation):
            return None
        return pushed_api(station, self._chip_token, self.parts.anchors, utc_now)

    # -- what it minds -----------------------------------------------------------------------------------------

    async def _mind_store(self) -> None:
        """Try the store once a second while it takes nothing, and every half minute while it does."""
        while True:
            healthy = await self._store_works()
            if healthy:
                for station in self.parts.stations:
                    station.recover()
            self._beat = time.monotonic()
            pause = _PROBE_SECONDS if not healthy else 30.0
            while pause > 0 and (healthy is not self._out_of_order()):
                await asyncio.sleep(min(pause, _PROBE_SECONDS))
                self._beat = time.monotonic()
                pause -= _PROBE_SECONDS

    async def _store_works(self) -> bool:
        now = utc_now().isoformat()
        try:
            await self.parts.store.run(lambda c: records.put_setting(c, "probe", now))
        except StoreError as exc:
            self.parts.health.store.note(False, exc.code)
            for station in self.parts.stations:
                station.break_down("store")
            return False
        self.parts.health.store.note(True, None)
        return True

    def _out_of_order(self) -> bool:
        return any(station.phase == "out_of_order" for station in self.parts.stations)

    def _alive(self) -> bool:
        return time.monotonic() - self._beat < 20

    async def _forget_people(self) -> None:
        """At the start and then every six hours: people whose visits are delivered and old are forgotten."""
        keep = self._config.policy.keep_days
        days = {
            "evidence_days": self._config.card.evidence_days,
            "answers_days": self._config.insurance.answers_days,
        }
        while True:
            with contextlib.suppress(StoreError):
                if gone := await self.parts.store.run(lambda c: retention.purge(c, local_day(utc_now()), keep, **days)):
                    log.info("people forgotten", extra={"rows": gone})
            await asyncio.sleep(6 * 3600)

    async def _heartbeats(self) -> None:
        """Tell the province that this station lives; what does not arrive is not kept."""
        table = self._config.province
        while table.url:
            with contextlib.suppress(ProvinceUnavailable, StoreError):
                await self.parts.province.heartbeat(await self._heartbeat())
            await asyncio.sleep(table.heartbeat_seconds)
        await asyncio.Event().wait()

    async def _heartbeat(self) -> dict[str, object]:
        depth = await self.parts.store.read(outbox_table.depth)
        epoch = await self.parts.store.read(lambda c: records.get_setting(c, "epoch"))
        now = utc_now()
        known = [(name, part.ok) for name, part in self.parts.health.readers.items()]
        known.append(("card", self.parts.health.cards.ok))
        return events.heartbeat(
            event_id=events.new_event_id(),
            epoch=epoch,
            happened_at=now,
            version=__version__,
            readers={name: "ok" if ok else "gone" for name, ok in known if ok is not None},
            outbox_waiting=sum(rows for _, _, rows, _ in depth),
            oldest_waiting_s=max((max(0, int((now - oldest).total_seconds())) for *_, oldest in depth), default=None),
            clock_offset_ms=None,
            disk_free_mb=self._free_mb(),
        )

    def _free_mb(self) -> int:
        return shutil.disk_usage(self._config.station.data).free // (1024 * 1024)

    async def _not_ready(self) -> list[str]:
        """Why no patient can be served, if so."""
        reasons = []
        if self.parts.station.phase == "out_of_order" or not self.parts.health.store.ok:
            reasons.append("store")
        return reasons + self._devices.codes_unreadable

    async def _metrics(self) -> bytes:
        depth = await self.parts.store.read(outbox_table.depth)
        count, oldest = await self.parts.store.read(pending.waiting)
        now = datetime.now(UTC)
        self.parts.metrics.outbox(depth, now)
        self.parts.metrics.lookups_pending(count, oldest, now)
        if (ready := self._warm_up.standing()) is not None:
            self.parts.metrics.warm_up(ready.problems)
        if self.parts.duty is not None:
            self.parts.metrics.officer(refused=self.parts.duty.view.refused is not None)
        return self.parts.metrics.render()

    async def _key_from(self) -> str | None:
        """Whose facility key is used at a station of a relay: ``relay``, or ``own``; None elsewhere."""
        if self._config.insurance.adapter != "relay":
            return None
        return await self.parts.store.read(facility_key.key_from)

    async def _status(self) -> dict[str, Any]:
        """The state of everything around, for the staff screen."""
        parts = self.parts
        depth = await parts.store.read(outbox_table.depth)
        unanswered, since = await parts.store.read(pending.waiting)
        capabilities = parts.hospital.capabilities
        return {
            "facility": self._config.station.facility,
            "station": self._config.station.id,
            "facility_key": await self._key_from(),
            "gateway": parts.health.gateway.view(),
            "warm_up": (
                {"at": ready.at.isoformat(), "problems": list(ready.problems)}
                if (ready := self._warm_up.standing()) is not None
                else None
            ),
            "duty": duty_view(parts.duty) if parts.duty is not None else None,
            "hospital": parts.health.hospital.view(),
            "store": parts.health.store.view(),
            "reader_ok": parts.health.codes_ok,
            "scanner_fault": parts.health.scanner.fault,
            "card_reader_ok": parts.health.cards.ok,
            "calls": calls_view(parts.calls.open()),
            "printer": parts.health.printer.view() if parts.printing is not None else None,
            "disk_low": self._free_mb() < _MIN_FREE_MB,
            "province": {
                "enrolled": await parts.province.enrolled(),
                "waiting": sum(rows for to, _, rows, _ in depth if to == outbox_table.PROVINCE),
            },
            "outbox": [
                {"destination": to, "state": state, "rows": rows, "oldest": oldest.isoformat()}
                for to, state, rows, oldest in depth
            ],
            "pending": {"visits": unanswered, "since": since.isoformat() if since else None},
            "capabilities": {
                "menu": capabilities.menu,
                "find_patient": capabilities.find_patient,
                "history": capabilities.history,
                "amend": capabilities.amend,
                "cancel": capabilities.cancel,
            },
        }


async def _run(config: Config, beside: Path) -> None:
    await Daemon(config, beside).run()


def run(config: Config, beside: Path) -> None:
    """Run the daemon to its end; KioskError refuses the start."""
    upgrade_store(config, beside)
    asyncio.run(_run(config, beside))
