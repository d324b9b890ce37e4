"""The reading devices of the daemon: what their threads tell is brought to the station on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from kiosk.bootstrap import Parts
from kiosk.chip_station import ChipStation
from kiosk.config import Config
from kiosk.errors import KioskError, ReaderUnavailable
from kiosk.ports import CardConnection
from kiosk.readers.card_readers import CardReader, card_reader
from kiosk.readers.serial_scanner import SerialScanner
from kiosk.readers.state import ReaderState

log = logging.getLogger(__name__)


class Devices:
    """Scanner and card reader of the local station; made on the running event loop."""

    def __init__(self, config: Config, parts: Parts) -> None:
        """Build what the configuration names; nothing is opened yet."""
        self._config = config
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._taking: set[asyncio.Task[None]] = set()
        self._scanner = self._make_scanner()
        self._cards = self._make_card_reader()

    @property
    def scanner_gone(self) -> bool:
        """Whether a scanner is configured and cannot be used now."""
        return self._scanner is not None and not self._scanner.state.attached

    def start(self) -> None:
        """Open the devices; one that cannot be used on this machine is gone, and the kiosk serves without it."""
        for reader in self._readers:
            try:
                reader.start()
            except ReaderUnavailable as exc:
                log.error("a reader cannot be started: %s", exc, extra={"code": exc.code})

    async def stop(self) -> None:
        """Let go of the devices."""
        for reader in self._readers:
            await asyncio.to_thread(reader.stop)

    @property
    def _readers(self) -> list[SerialScanner | CardReader]:
        return [reader for reader in (self._scanner, self._cards) if reader is not None]

    def _make_scanner(self) -> SerialScanner | None:
        table = self._config.scanner
        if not table.port:
            return None

        def changed(state: ReaderState) -> None:
            self._tell(self._scanner_changed, state.attached)

        self._scanner_changed(False)
        return SerialScanner(table.port, table.baud, lambda raw: self._tell(self._scanned, raw), changed)

    def _make_card_reader(self) -> CardReader | None:
        station = self._parts.station
        if not isinstance(station, ChipStation):
            return None
        slot = station.slot

        def laid(card: CardConnection) -> None:
            slot.laid(card)
            self._take(station.card_laid())

        def removed() -> None:
            slot.removed()
            self._take(station.card_removed())

        def changed(attached: bool) -> None:
            slot.reader_changed(attached)
            self._parts.metrics.reader("card", attached)
            self._parts.health.cards.note(attached, "unplugged")
            station.card_reader_changed(attached)

        table = self._config.card
        changed(table.adapter == "pushed")
        if table.adapter == "pushed":
            return None
        return card_reader(
            table.adapter,
            table.reader,
            lambda card: self._tell(laid, card),
            lambda: self._tell(removed),
            lambda state: self._tell(changed, state.attached),
        )

    def _scanned(self, raw: bytes) -> None:
        self._take(self._parts.station.scan(raw))

    def _scanner_changed(self, attached: bool) -> None:
        self._parts.metrics.reader("scanner", attached)
        self._parts.health.reader.note(attached, "unplugged")
        self._parts.station.reader_changed(attached)

    def _tell(self, told: Callable[..., None], *what: object) -> None:
        """Call *told* on the loop; a reader's last words after the loop has ended concern nobody."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(told, *what)

    def _take(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(_taken(work))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)


async def _taken(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except KioskError as exc:
        log.info("document not taken", extra={"code": exc.code})
    except Exception:
        log.exception("a document could not be taken")
