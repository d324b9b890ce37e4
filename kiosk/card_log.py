"""The file of ``kioskctl read-card --apdu-log``, and running it again.

The lines of ``emrtd.recording``, and one more at the end: how the read was asked for. The file holds the person and the
key of the card.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from kiosk.emrtd.chip import Connection, read_chip
from kiosk.emrtd.errors import DataError, EmrtdError
from kiosk.emrtd.recording import RecordingError, replay
from kiosk.emrtd.results import ChipRead
from kiosk.emrtd.trust import TrustAnchors

MAX_LOG: Final = 8 * 1024 * 1024
"""Bytes of a log that is looked at; one with a large portrait in short reads has about 200,000."""

_ASKED: Final = "read_card"


class LogDiffers(Exception):
    """The protocol code of today goes another way than the log; the message says at which command."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a read was asked for. ``now``: aware, when it began; ``seconds`` that it took, None when it failed."""

    photo: bool
    now: datetime
    seconds: float | None


def log_text(lines: Iterable[str], asked: Asked) -> str:
    """The text of a log: the *lines* of a ``Recorder``, and how the read was *asked* for."""
    last = {_ASKED: {"photo": asked.photo, "now": asked.now.isoformat(), "seconds": asked.seconds}}
    return "".join(f"{line}\n" for line in (*lines, json.dumps(last)))


def replay_log(text: str, anchors: TrustAnchors | None) -> ChipRead:
    """The read of a log, done again by the same protocol code, judged by *anchors* as of the time of the log.

    RecordingError: *text* is no log. LogDiffers. Otherwise it ends as ``read_chip`` does, in a read or an EmrtdError.
    """
    *lines, last = [line for line in text.splitlines() if line.strip()] or [""]
    asked = _asked(last)
    try:
        connection, rng, key = replay(lines)
    except DataError as exc:
        raise RecordingError(f"line 1: {exc}") from None
    counted = _Counted(connection)
    recorded = sum('"command"' in line for line in lines)
    try:
        read = read_chip(
            counted, key, anchors=anchors, now=asked.now, photo=asked.photo, rng=rng, pause=lambda seconds: None
        )
    except RecordingError as exc:
        raise LogDiffers(str(exc)) from None
    except EmrtdError:
        counted.expect(recorded)
        raise
    counted.expect(recorded)
    return read if asked.seconds is None else replace(read, seconds=asked.seconds)


class _Counted:
    """Counts the commands."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._commands = 0

    @property
    def card_type(self) -> str:
        return self._connection.card_type

    def transmit(self, apdu: bytes) -> bytes:
        self._commands += 1
        return self._connection.transmit(apdu)

    def reset(self) -> None:
        self._connection.reset()

    def expect(self, commands: int) -> None:
        """LogDiffers when there were fewer than these *commands*."""
        if self._commands < commands:
            raise LogDiffers(f"the read ends after command {self._commands}, in the log after {commands}")


def _asked(line: str) -> Asked:
    try:
        said: Any = json.loads(line)[_ASKED]
        photo, seconds, now = said["photo"], said["seconds"], datetime.fromisoformat(said["now"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise RecordingError("no log of kioskctl read-card: its last line is missing") from None
    if not isinstance(photo, bool) or not isinstance(seconds, float | int | None) or now.tzinfo is None:
        raise RecordingError("no log of kioskctl read-card: its last line is damaged")
    return Asked(photo, now, seconds)
