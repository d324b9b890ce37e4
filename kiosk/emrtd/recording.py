"""What went over the wire: recorded to be run again, and traced in a form that may be shown to anyone.

A ``Recorder`` keeps everything, and so the person and the key: its lines are for the holder of the card only. A
``Trace`` keeps headers, lengths and times.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from kiosk.emrtd.errors import ChipLost, DataError
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.session import AccessKey, Connection, Random

_FORMAT: Final = 1
_PROTECTED: Final = 0x0C
_READ: Final = 0xB0
_GET_RESPONSE: Final = 0xC0


class RecordingError(Exception):
    """A log that cannot be read, or a read that does not go the way of its log; no error of a chip.

    The message says where, with headers and lengths only.
    """


class Recorder:
    """A connection, and as ``rng`` a source of random bytes, that write down what goes through them.

    ``lines``: JSON, one object each; ``replay`` takes them. They hold the key and everything the chip gave.
    """

    def __init__(self, connection: Connection, rng: Random, key: AccessKey) -> None:
        """Record what *connection* and *rng* give to a read with *key*."""
        self._connection = connection
        self._rng = rng
        self.lines: list[str] = []
        self._write(apdu_log=_FORMAT, card_type=connection.card_type, key=_key_json(key))

    @property
    def card_type(self) -> str:
        """That of the connection."""
        return self._connection.card_type

    def transmit(self, apdu: bytes) -> bytes:
        """Carry one command; ChipLost from below."""
        try:
            answer = self._connection.transmit(apdu)
        except ChipLost:
            self._write(command=apdu.hex(), lost=True)
            raise
        self._write(command=apdu.hex(), answer=answer.hex())
        return answer

    def reset(self) -> None:
        """Activate the chip afresh; ChipLost from below."""
        try:
            self._connection.reset()
        except ChipLost:
            self._write(reset="lost")
            raise
        self._write(reset="done")

    def rng(self, size: int) -> bytes:
        """*size* random bytes."""
        drawn = self._rng(size)
        self._write(random=drawn.hex())
        return drawn

    def _write(self, **fields: object) -> None:
        self.lines.append(json.dumps(fields))


def replay(lines: Iterable[str]) -> tuple[Connection, Random, AccessKey]:
    """Connection, random bytes and key of a recorded read: ``read_chip`` with them does the same again.

    *lines*: as ``Recorder`` wrote them. The read must ask for the same, so ``photo`` and what was learnt of the card
    type (``memory``) must be as they were; time does not matter. RecordingError: the log cannot be read; later, from
    the connection and the random bytes: the read goes another way than the log.
    """
    parsed = [_parse(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not parsed or parsed[0].get("apdu_log") != _FORMAT:
        raise RecordingError("line 1: no log of this format")
    head = parsed[0]
    if not isinstance(head.get("card_type"), str):
        raise RecordingError("line 1: no card type")
    player = _Player(head["card_type"], parsed[1:])
    return player, player.rng, _key_of(head.get("key"))


class _Player:
    """Gives back what a log holds, as long as it is asked for in the same order."""

    def __init__(self, card_type: str, steps: list[dict[str, Any]]) -> None:
        self.card_type = card_type
        self._steps = iter(steps)
        self._commands = 0

    def transmit(self, apdu: bytes) -> bytes:
        self._commands += 1
        step = self._next("command", f"command {_shape(apdu)}")
        recorded = _bytes(step["command"])
        if recorded != apdu:
            raise RecordingError(f"command {self._commands} differs: {_shape(apdu)}, in the log {_shape(recorded)}")
        if step.get("lost") is True:
            raise ChipLost("the card was lost here")
        return _bytes(step.get("answer"))

    def reset(self) -> None:
        if self._next("reset", "reset")["reset"] == "lost":
            raise ChipLost("the card was lost here")

    def rng(self, size: int) -> bytes:
        drawn = _bytes(self._next("random", f"{size} random bytes")["random"])
        if len(drawn) != size:
            raise RecordingError(f"near command {self._commands}: {size} random bytes, in the log {len(drawn)}")
        return drawn

    def _next(self, kind: str, wanted: str) -> dict[str, Any]:
        step = next(self._steps, None)
        if step is None:
            raise RecordingError(f"near command {self._commands}: {wanted}, but the log ends")
        if kind not in step:
            raise RecordingError(f"near command {self._commands}: {wanted}, in the log {next(iter(step), 'nothing')}")
        return step


class Exchange(NamedTuple):
    """One command from outside. ``header``: CLA INS P1 P2, empty for a reset. ``sent``, ``received``: bytes of command
    and answer, the status word not counted; ``sw`` None: the card was lost."""

    header: bytes
    sent: int
    received: int
    sw: int | None
    milliseconds: float

    def __str__(self) -> str:
        """One line, such as ``0CB08200 20 -> 240 9000 17.2 ms``."""
        name = self.header.hex().upper() or "reset"
        sw = "lost" if self.sw is None else f"{self.sw:04X}"
        return f"{name} {self.sent} -> {self.received} {sw} {self.milliseconds:.1f} ms"


class Trace:
    """A connection that keeps headers, lengths, status words and times of what goes through it, and no content.

    ``exchanges``: in order. ``card_access``: the last file that was read without any protection, b"" if none was;
    ``read_chip`` reads no other than EF.CardAccess so, which is the same for every holder of a make of card.
    """

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.monotonic) -> None:
        """*clock* gives seconds."""
        self._connection = connection
        self._clock = clock
        self.exchanges: list[Exchange] = []
        self.card_access = b""

    @property
    def card_type(self) -> str:
        """That of the connection."""
        return self._connection.card_type

    def transmit(self, apdu: bytes) -> bytes:
        """Carry one command; ChipLost from below."""
        begun = self._clock()
        try:
            answer = self._connection.transmit(apdu)
        except ChipLost:
            self._keep(apdu[:4], len(apdu), 0, None, begun)
            raise
        sw = int.from_bytes(answer[-2:], "big") if len(answer) >= 2 else None
        self._keep(apdu[:4], len(apdu), max(len(answer) - 2, 0), sw, begun)
        if not apdu[0] & _PROTECTED and apdu[1] in (_READ, _GET_RESPONSE):
            starts = apdu[1] == _READ and (apdu[2] & 0x80 or apdu[2:4] == b"\0\0")
            self.card_access = (b"" if starts else self.card_access) + answer[:-2]
        return answer

    def reset(self) -> None:
        """Activate the chip afresh; ChipLost from below."""
        begun = self._clock()
        try:
            self._connection.reset()
        except ChipLost:
            self._keep(b"", 0, 0, None, begun)
            raise
        self._keep(b"", 0, 0, 0x9000, begun)

    def _keep(self, header: bytes, sent: int, received: int, sw: int | None, begun: float) -> None:
        self.exchanges.append(Exchange(header, sent, received, sw, (self._clock() - begun) * 1000))


def _shape(apdu: bytes) -> str:
    return f"{apdu[:4].hex().upper()} of {len(apdu)} bytes"


def _key_json(key: AccessKey) -> dict[str, object]:
    mrz = key.mrz
    zone = None if mrz is None else [mrz.document_number, mrz.birth, mrz.expiry]
    return {"can": key.can, "mrz": zone}


def _key_of(found: object) -> AccessKey:
    can, zone = (found.get("can"), found.get("mrz")) if isinstance(found, dict) else (None, None)
    if zone is not None and not (isinstance(zone, list) and [type(part) for part in zone] == [str] * 3):
        raise RecordingError("line 1: an MRZ that is none")
    if (can is None and zone is None) or not isinstance(can, str | None):
        raise RecordingError("line 1: no key")
    try:
        return AccessKey(can=can, mrz=None if zone is None else MrzKey(*zone))
    except DataError as error:
        raise RecordingError(f"line 1: {error}") from None


def _parse(number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RecordingError(f"line {number}: no JSON object")
    return found


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise RecordingError("a value of the log that is not hexadecimal")
