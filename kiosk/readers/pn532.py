"""Citizen cards on a PN532 module at a serial port (HSU).

Source: identity-documents.md 8.3. The chip's frames hold 265 bytes: answers of short APDUs pass whole, longer ones in
parts; reads of at most A0 bytes are what the modules do reliably, and the reader of files finds that size by itself.
Only this file imports pyserial for card readers; none of its errors leave.
"""

from __future__ import annotations

import logging
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import serial

from kiosk.emrtd.errors import ChipLost
from kiosk.ports import CardConnection
from kiosk.readers.placement import Lying, Placements
from kiosk.readers.pn532_chip import LineDead, Pn532Chip, Refused
from kiosk.readers.pn532_frames import Target
from kiosk.readers.state import Presence, ReaderState

_LOG = logging.getLogger(__name__)
_BAUD = 115_200
_READ_TIMEOUT_S = 0.05
_JOIN_S = 3.0
_LOOK_EVERY_S = 0.1
_UNDISTURBED_S = 0.5
# SerialException is an OSError; termios.error is not; pyserial turns a refused port into a ValueError.
_LINE_ERRORS = (LineDead, OSError, termios.error, ValueError)


class Pn532Reader:
    """Watches one PN532 on a daemon thread of its own and gives a connection for each card laid down.

    *port* is a stable path (``/dev/serial/by-id/...``), locked exclusively. *on_card* gets the connection, *on_removed*
    tells that its card is gone (see `placement` for a card that slips), *on_state* each change of presence, the first
    finding included; all run on the thread and must hand over quickly. *call_timeout*: seconds for one APDU; *settle*:
    seconds for a card that slipped to be back; *reopen_every*: seconds between attempts at a missing device.

    A missing device is no error: it is waited for.
    """

    def __init__(
        self,
        port: str,
        on_card: Callable[[CardConnection], None],
        on_removed: Callable[[], None],
        on_state: Callable[[ReaderState], None],
        call_timeout: float = 5.0,
        settle: float = 2.0,
        reopen_every: float = 0.5,
    ) -> None:
        """Nothing is opened before `start`."""
        self._port = port
        self._on_state = on_state
        self._call_timeout = call_timeout
        self._reopen_every = reopen_every
        self._chip: Pn532Chip | None = None
        self._target: Target | None = None
        self._count = 0
        self._there = False
        self._last_exchange = 0.0
        self._one_user = threading.Lock()
        self._look = threading.Event()
        self._stopping = threading.Event()
        self._reported: Presence | None = None
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))
        self._placements = Placements(lambda _: _Activated(self), on_card, on_removed, self._look.set, settle)
        self._thread = threading.Thread(target=self._run, name="pn532-reader", daemon=True)

    @property
    def state(self) -> ReaderState:
        """The device's presence now; gone before `start` and after `stop`."""
        return self._state

    def start(self) -> None:
        """Start the thread, once; it opens the port and keeps reopening it until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end the thread; no callback runs afterwards. Waits at most three seconds."""
        self._stopping.set()
        self._placements.stop()
        self._look.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._state = ReaderState(Presence.GONE, datetime.now(UTC))

    def exchange(self, apdu: bytes) -> bytes:
        """Carry one APDU to the card that is active. ChipLost, and nothing else."""
        with self._one_user:
            try:
                chip, target = self._active()
                return chip.exchange(target, apdu)
            except (Refused, *_LINE_ERRORS) as error:
                self._target = None
                raise ChipLost(f"PN532: {type(error).__name__}") from error
            finally:
                self._last_exchange = time.monotonic()

    def activate(self) -> str:
        """Take the card's power, give it back and activate it; its type. ChipLost, and nothing else."""
        with self._one_user:
            try:
                if self._chip is None:
                    raise ChipLost("the reader is gone")
                self._chip.release()
                self._target = self._chip.find()
            except (Refused, *_LINE_ERRORS) as error:
                raise ChipLost(f"PN532: {type(error).__name__}") from error
            finally:
                self._last_exchange = time.monotonic()
            if self._target is None:
                raise ChipLost("no card answers")
            return self._target.card_type

    def release(self) -> None:
        """Take the card's power."""
        with self._one_user, suppress(Refused, *_LINE_ERRORS):
            self._target = None
            if self._chip is not None:
                self._chip.release()

    def _active(self) -> tuple[Pn532Chip, Target]:
        if self._chip is None or self._target is None:
            raise ChipLost("no card is active")
        return self._chip, self._target

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except (Refused, *_LINE_ERRORS) as error:
                self._placements.gone()
                self._report(Presence.GONE, error)
                self._placements.run_due()
                self._stopping.wait(self._reopen_every)

    def _serve(self) -> None:
        device = serial.Serial(baudrate=_BAUD, timeout=_READ_TIMEOUT_S, write_timeout=1.0, exclusive=True)
        device.port = self._port
        try:
            device.open()
            chip = Pn532Chip(device, self._call_timeout)
            chip.begin()
            self._chip, self._target, self._there = chip, None, False
            self._report(Presence.ATTACHED)
            while not self._stopping.is_set():
                self._watch(chip)
                self._placements.run_due()
                self._look.wait(_LOOK_EVERY_S)
                self._look.clear()
        finally:
            with self._one_user:
                self._chip = self._target = None
                device.close()

    def _watch(self, chip: Pn532Chip) -> None:
        with self._one_user:
            if self._placements.quiet and time.monotonic() - self._last_exchange < _UNDISTURBED_S:
                return
            if self._target is not None and not self._still_there(chip):
                self._target, self._there = None, False
            if self._target is None:
                self._target = chip.find()
            target = self._target
        if target is not None and not self._there:
            self._count += 1
        self._there = target is not None
        self._placements.see(Lying(self._port, self._count, target.card_type) if target else None)

    def _still_there(self, chip: Pn532Chip) -> bool:
        try:
            return chip.present()
        except Refused:
            return self._placements.quiet  # a module without that test: a card in use is found missing by its user

    def _report(self, presence: Presence, error: BaseException | None = None) -> None:
        if presence is self._reported:
            return
        self._reported = presence
        self._state = ReaderState(presence, datetime.now(UTC))
        if error is None:
            _LOG.info("PN532 on %s attached", self._port)
        else:
            _LOG.warning("PN532 on %s gone: %s %s", self._port, type(error).__name__, getattr(error, "errno", None))
        self._placements.later(partial(self._on_state, self._state))


class _Activated:
    """The card on the reader, as `placement` wants it."""

    def __init__(self, reader: Pn532Reader) -> None:
        self.exchange, self.activate, self.release = reader.exchange, reader.activate, reader.release
