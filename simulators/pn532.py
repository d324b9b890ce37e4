"""A simulated PN532 reader on a serial line: a pseudo-terminal behind a stable path, and a place for a simulated chip.

Source: identity-documents.md 8.3; NXP UM0701-02 7.2 and 7.3 (commands, status codes), 8.3 (wake-up).
"""

import contextlib
import os
import secrets
import select
import threading
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from simulators.chip_card import VirtualCard
from simulators.chip_quirks import CardRemoved
from simulators.pn532_frames import ACK, CHIP, ERROR, HOST, MAX_DATA, Kind, encode, take

_WRITE_DEADLINE_S: Final = 1.0
_FIRMWARE: Final = bytes.fromhex("32010607")
_FOR_EVER: Final = 0xFF
_TARGET: Final = 1
_MORE: Final = 0x40
_TYPE_A, _TYPE_B = 0x00, 0x03
_MOST_ANSWER: Final = MAX_DATA - 3
_OK: Final = b"\x00"
_TIMEOUT: Final = b"\x01"
_NO_FIELD: Final = b"\x0a"
_NOT_NOW: Final = b"\x27"


class _SyntaxError(Exception):
    """A command the chip does not know, or with parameters that cannot be."""


class _NoAnswerYet(Exception):
    """The answer comes when a card does."""


class SimulatedPn532:
    """A PN532 that can be plugged and unplugged, and onto which a card is laid; a context manager.

    *link* becomes a symbolic link to the port (FileExistsError when something else is there). As the real chip, it
    sleeps until it is woken (55), wants SAMConfiguration before it uses the field, and searches for a target for ever
    unless RFConfiguration sets another limit. It takes as long for a command as the card's quirks say.
    """

    def __init__(self, link: Path) -> None:
        """Plug the reader in. OSError when no pseudo-terminal can be had or the folder cannot be written."""
        self.link = link
        self._lock = threading.RLock()
        self._moved = threading.Event()
        self._card: VirtualCard | None = None
        self._returns: tuple[float, VirtualCard] | None = None
        self._placement = 0
        self._master: int | None = None
        self._thread: threading.Thread | None = None
        self.plug()

    @property
    def plugged(self) -> bool:
        """True while the port exists."""
        return self._master is not None

    @property
    def card(self) -> VirtualCard | None:
        """The card that lies on the reader."""
        return self._card

    def plug(self) -> None:
        """Make the port and point the link at it; nothing when it is there already."""
        with self._lock:
            if self.plugged:
                return
            if self.link.exists() and not self.link.is_symlink():
                raise FileExistsError(f"{self.link} is in the way")
            # The own end of the slave stays open, or the port would hang up whenever the kiosk closes it.
            self._master, self._slave = os.openpty()
            self._wake_out, self._wake_in = os.pipe()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            try:
                self._point_link_at(os.ttyname(self._slave))
            except OSError:
                self._close()
                raise
            self._power_on()
            self._moved.clear()
            self._thread = threading.Thread(target=self._run, args=(self._master,), name="PN532", daemon=True)
            self._thread.start()

    def unplug(self) -> None:
        """Take the port away, as pulling the cable does; nothing when it is gone already. The card stays."""
        with self._lock:
            if self._master is None or self._thread is None:
                return
            thread, self._thread = self._thread, None
            self._moved.set()
            os.write(self._wake_in, b"x")
        thread.join()
        with self._lock:
            with contextlib.suppress(OSError):
                if self.link.readlink() == Path(os.ttyname(self._slave)):
                    self.link.unlink()
            self._close()

    def lay(self, card: VirtualCard) -> None:
        """Lay *card* on the reader, in the place of one that lies there."""
        self.take_away()
        with self._lock:
            card.lay_down()
            self._place(card)
            self._moved.clear()
            self._wake()

    def take_away(self) -> None:
        """Take the card away, in the middle of a command if there is one."""
        with self._lock:
            self._returns = None
            self._moved.set()
            self._place(None)

    def _place(self, card: VirtualCard | None) -> None:
        self._card = card
        self._placement += 1

    def _wake(self) -> None:
        if self._master is not None:
            os.write(self._wake_in, b"x")

    def _close(self) -> None:
        for descriptor in (self._master, self._slave, self._wake_in, self._wake_out):
            if descriptor is not None:
                os.close(descriptor)
        self._master = None

    def _point_link_at(self, port: str) -> None:
        fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(port)
        fresh.replace(self.link)

    def _power_on(self) -> None:
        self._asleep = True
        self._configured = False
        self._field = True
        self._retries = _FOR_EVER
        self._buffer = bytearray()
        self._last = ERROR
        self._waiting: bytes | None = None
        self._release()

    def _release(self) -> None:
        self._target: int | None = None
        self._chained = b""
        self._rest = b""

    def _run(self, master: int) -> None:
        while True:
            with self._lock:
                if self._thread is None:
                    return
                returns = self._returns
            wait = None if returns is None else max(0.0, returns[0] - time.monotonic())
            ready, _, _ = select.select([master, self._wake_out], [], [], wait)
            if self._wake_out in ready:
                os.read(self._wake_out, 64)
            self._bring_back()
            if master in ready:
                with contextlib.suppress(BlockingIOError):
                    self._buffer += os.read(master, 4096)
            while received := take(self._buffer):
                self._hear(master, received.kind, received.data)
            if self._waiting is not None and self._card is not None:
                self._reply(master, self._waiting)

    def _bring_back(self) -> None:
        with self._lock:
            if self._returns is not None and time.monotonic() >= self._returns[0]:
                card, self._returns = self._returns[1], None
                card.lay_down()
                self._place(card)

    def _hear(self, master: int, kind: Kind, data: bytes) -> None:
        if kind is Kind.WAKE_UP:
            self._asleep = False
        elif self._asleep or kind is Kind.DAMAGED:
            pass  # no acknowledgement: the host sends again
        elif kind is Kind.ACK:
            self._waiting = None
        elif kind is Kind.NACK:
            _write(master, self._last)
        else:
            self._waiting = None
            _write(master, ACK)
            self._reply(master, data)

    def _reply(self, master: int, command: bytes) -> None:
        try:
            answer = encode(bytes((CHIP, command[1] + 1)) + self._execute(command)) if len(command) > 1 else ERROR
        except _SyntaxError:
            answer = ERROR
        except _NoAnswerYet:
            self._waiting = command
            return
        self._waiting = None
        self._last = answer
        _write(master, answer)

    def _execute(self, command: bytes) -> bytes:
        """The answer's data behind its code."""
        identifier, code, parameters = command[0], command[1], command[2:]
        if identifier != HOST:
            raise _SyntaxError
        if code in (0x40, 0x4A) and not self._configured:
            raise _SyntaxError
        match code:
            case 0x00:
                return self._diagnose(parameters)
            case 0x02:
                return _FIRMWARE
            case 0x12:
                return b""
            case 0x14:
                self._configured = parameters[:1] == b"\x01"
                return b""
            case 0x16:
                self._asleep, self._configured = True, False
                self._release()
                return _OK
            case 0x32:
                return self._configure_field(parameters)
            case 0x40:
                return self._exchange(parameters)
            case 0x44 | 0x52:
                self._release()
                return _OK
            case 0x4A:
                return self._list_targets(parameters)
        raise _SyntaxError

    def _diagnose(self, parameters: bytes) -> bytes:
        """Test 00 gives everything back; test 06 asks an ISO 14443-4 card whether it is still there."""
        match parameters[:1]:
            case b"\x00":
                return parameters
            case b"\x06":
                return _OK if self._present() else _TIMEOUT
        raise _SyntaxError

    def _configure_field(self, parameters: bytes) -> bytes:
        match parameters[:1]:
            case b"\x01" if len(parameters) == 2:
                self._field = bool(parameters[1] & 1)
            case b"\x05" if len(parameters) == 4:
                self._retries = parameters[3]
            case b"":
                raise _SyntaxError
        return b""

    def _present(self) -> bool:
        return self._card is not None and self._target == self._placement

    def _list_targets(self, parameters: bytes) -> bytes:
        if len(parameters) < 2 or parameters[0] not in (1, 2):
            raise _SyntaxError
        baud = parameters[1]
        if baud > 4 or (baud == _TYPE_B and len(parameters) < 3):
            raise _SyntaxError
        self._release()
        self._field = True
        with self._lock:
            card = self._card
            if card is not None and baud == (_TYPE_B if card.quirks.type_b else _TYPE_A):
                with contextlib.suppress(CardRemoved):
                    card.reset()
                    self._target = self._placement
                    return bytes((1, _TARGET)) + (_type_b(card) if card.quirks.type_b else _type_a(card))
        if self._retries == _FOR_EVER:
            raise _NoAnswerYet
        return b"\x00"

    def _exchange(self, parameters: bytes) -> bytes:
        if not parameters:
            raise _SyntaxError
        target, data = parameters[0], parameters[1:]
        if not self._field:
            return _NO_FIELD
        if target & 0x3F != _TARGET or self._target is None:
            return _NOT_NOW
        if not self._present():
            return _TIMEOUT
        if target & _MORE:
            self._chained += data
            return _OK
        if not data and not self._chained and self._rest:
            return self._part()
        command, self._chained = self._chained + data, b""
        answer = self._transmit(command)
        if answer is None:
            return _TIMEOUT
        self._rest = answer
        return self._part()

    def _part(self) -> bytes:
        part, self._rest = self._rest[:_MOST_ANSWER], self._rest[_MOST_ANSWER:]
        return bytes((_MORE if self._rest else 0,)) + part

    def _transmit(self, command: bytes) -> bytes | None:
        """The card's answer; None when it goes away meanwhile."""
        with self._lock:
            card = self._card
            if card is None:
                return None
            try:
                answer = card.transmit(command)
            except CardRemoved as removed:
                self._place(None)
                if removed.back_after_ms is not None:
                    self._returns = (time.monotonic() + removed.back_after_ms / 1e3, card)
                return None
        self._moved.wait(card.quirks.air_time_s(len(command), len(answer)))
        return answer if self._present() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()


def _type_a(card: VirtualCard) -> bytes:
    """SENS_RES, SEL_RES with the bit of ISO 14443-4, a random identifier as passports give, and the ATS."""
    return bytes.fromhex("000820 04 08") + secrets.token_bytes(3) + card.ats


def _type_b(card: VirtualCard) -> bytes:
    """ATQB with a random pseudo-identifier, and the ATTRIB answer."""
    application, protocol = bytes.fromhex("E1F35E11"), bytes.fromhex("778171")
    return b"\x50" + secrets.token_bytes(4) + application + protocol + b"\x01\x00"


def _write(master: int, data: bytes) -> None:
    """Send *data*; what a line that nobody reads cannot take is lost, as on a real one."""
    deadline = time.monotonic() + _WRITE_DEADLINE_S
    while data and time.monotonic() < deadline:
        select.select([], [master], [], max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(master, data) :]
