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
from kiosk.preview import Preview
from kiosk.readers.camera import Camera
from kiosk.readers.camera_pipe import CameraSettings, Seen
from kiosk.readers.card_readers import CardReader, card_reader
from kiosk.readers.keyboard_scanner import KeyboardScanner
from kiosk.readers.serial_scanner import SerialScanner

log = logging.getLogger(__name__)


class Devices:
    """Readers of codes and the card reader of the local station; made on the running event loop."""

    def __init__(self, config: Config, parts: Parts) -> None:
        """Build what the configuration names; nothing is opened yet."""
        self._config = config
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._taking: set[asyncio.Task[None]] = set()
        self._codes: dict[str, bool] = {}
        self.preview = Preview() if config.camera.device and config.camera.preview else None
        """What the camera sees, for the screen; None without a camera or where it is not wanted."""
        self._camera = self._make_camera()
        self._scanner = self._make_scanner()
        self._keyboard = self._make_keyboard()
        self._cards = self._make_card_reader()

    @property
    def codes_unreadable(self) -> list[str]:
        """The readers of codes that are configured, if none of them can be used now; else nothing."""
        return [] if any(self._codes.values()) else list(self._codes)

    def start(self) -> None:
        """Open the devices; one that cannot be used on this machine is gone, and the kiosk serves without it."""
        for reader in (self._scanner, self._keyboard, self._cards):
            if reader is None:
                continue
            try:
                reader.start()
            except ReaderUnavailable as exc:
                log.error("a reader cannot be started: %s", exc, extra={"code": exc.code})

    def start_camera(self) -> None:
        """Start the process that looks: its libraries take a second to load, so only once the daemon answers."""
        if self._camera is not None:
            self._camera.start()

    async def stop(self) -> None:
        """Let go of the devices."""
        if self.preview is not None:
            self.preview.close()
        for reader in (self._camera, self._scanner, self._keyboard, self._cards):
            if reader is not None:
                await asyncio.to_thread(reader.stop)

    def _make_scanner(self) -> SerialScanner | None:
        table = self._config.scanner
        if not table.port:
            return None
        self._code_reader_changed("scanner", False)
        return SerialScanner(
            table.port,
            table.baud,
            lambda raw: self._tell(self._scanned, raw),
            lambda state: self._tell(self._code_reader_changed, "scanner", state.attached),
        )

    def _make_keyboard(self) -> KeyboardScanner | None:
        table = self._config.keyboard
        if not table.device:
            return None
        self._code_reader_changed("keyboard", False)
        return KeyboardScanner(
            table.device,
            lambda raw: self._tell(self._typed, raw),
            lambda state: self._tell(self._code_reader_changed, "keyboard", state.attached),
        )

    def _make_camera(self) -> Camera | None:
        table = self._config.camera
        if not table.device:
            return None
        station, preview = self._parts.station, self.preview

        def changed(attached: bool) -> None:
            self._code_reader_changed("camera", attached)
            if preview is not None:
                station.camera_changed(attached)
                if not attached:
                    preview.close()

        def seen(code: Seen) -> None:
            self._take(self._seen(camera, code))

        camera = Camera(
            CameraSettings(**table.model_dump(exclude={"preview"})),
            lambda code: self._tell(seen, code),
            lambda state: self._tell(changed, state.attached),
            lambda jpeg: self._tell(preview.put, jpeg) if preview is not None else None,
            lambda: self._tell(station.unclear, "TWO_PEOPLE"),
        )
        changed(False)
        if preview is not None:
            preview.connect(camera.want_preview)
        return camera

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

    def _scanned(self, raw: bytes, *, typed: bool = False) -> None:
        self._parts.health.scanner.note_scan(raw)
        self._take(self._parts.station.scan(raw, typed=typed))

    def _typed(self, raw: bytes) -> None:
        self._scanned(raw, typed=True)

    async def _seen(self, camera: Camera, code: Seen) -> None:
        station = self._parts.station
        if not code.document and not station.waiting:  # a poster behind somebody must not take their ticket away
            camera.refused(code.payload)
            return
        try:
            await station.scan(code.payload, carrier=code.carrier)
        except KioskError:
            camera.refused(code.payload)
            raise

    def _code_reader_changed(self, name: str, attached: bool) -> None:
        self._codes[name] = attached
        self._parts.metrics.reader(name, attached)
        self._parts.health.readers[name].note(attached, "unplugged")
        scanner = any(works for reader, works in self._codes.items() if reader != "camera")
        self._parts.station.reader_changed(any(self._codes.values()), scanner=scanner)

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
