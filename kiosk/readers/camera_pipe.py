"""The pipe between the kiosk and its camera child: the settings it starts with, the kinds of frames, their bodies.

Framed as in `kiosk.readers.pipe`. Nothing is answered; both sides tell. Kinds::

    kiosk to child   PREVIEW   one byte: 1 while somebody looks, else 0
                     REFUSED   payload                  nobody took it: tell it again later, if it is still held there
    child to kiosk   BEAT      -                        the child's loop goes round
                     OPENED    -                        the source gives pictures
                     LOST      a `Trouble`              it gives none
                     SEEN      two bytes, payload       a code that was not there before: see `Seen`
                     MIXED     -                        documents of different people in one picture; neither is told
                     DISPUTED  -                        decoders disagreed about a code; it is not told
                     IGNORED   a setting's name         the camera does not know this setting
                     FAILED    class and line           the child ends because of an error of its own
                     JPEG      a picture                what the camera sees, small, only while somebody looks

Source: architecture.md 4, components.md 2.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from typing import Final

from kiosk.model import Carrier
from kiosk.readers.pipe import PipeError, Unpacker, pack

MAX_BODY: Final = 256 * 1024
"""Bytes; a preview is the longest body and has about a tenth of that."""

MAX_PAYLOAD: Final = 2953
"""Bytes in the largest QR code there is (ISO/IEC 18004, version 40-L)."""

_CARRIERS: Final = tuple(Carrier)


class Kind(IntEnum):
    """What a frame is."""

    PREVIEW = 1
    REFUSED = 2
    BEAT = 16
    OPENED = 17
    LOST = 18
    SEEN = 19
    MIXED = 20
    DISPUTED = 21
    IGNORED = 22
    FAILED = 23
    JPEG = 24


class Trouble(StrEnum):
    """Why a camera gives no pictures; the last three are found by the kiosk, not told by the child."""

    NO_DEVICE = "NO_DEVICE"
    NO_PICTURES = "NO_PICTURES"
    FROZEN = "FROZEN"
    HUNG = "HUNG"
    CRASHED = "CRASHED"
    NO_PROCESS = "NO_PROCESS"


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What the child needs to know; the fields are those of ``[camera]`` (interfaces, section 7).

    ``frozen_after``: seconds in which a camera's pictures must change.
    """

    device: str
    width: int = 1280
    height: int = 720
    fps: float = 15
    exposure: float | str = "auto"
    focus: float | str = "auto"
    rotate: int = 0
    mirror: bool = True
    frozen_after: float = 6.0

    def encode(self) -> str:
        """JSON for the child's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> CameraSettings:
        """Read what `encode` wrote; ValueError or TypeError for anything else."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Seen:
    """A code that came before the camera: its exact bytes, and what it stood on as far as the picture tells.

    ``document``: it names a person; else it may be a poster on the wall.
    """

    payload: bytes
    carrier: Carrier
    document: bool = True

    def encode(self) -> bytes:
        """The body of a SEEN frame."""
        return bytes((_CARRIERS.index(self.carrier), self.document)) + self.payload

    @classmethod
    def decode(cls, body: bytes) -> Seen:
        """Read the body of a SEEN frame. PipeError when it is anything else."""
        if not 2 <= len(body) <= 2 + MAX_PAYLOAD or body[0] >= len(_CARRIERS) or body[1] > 1:
            raise PipeError("a code without its fields")
        return cls(body[2:], _CARRIERS[body[0]], bool(body[1]))


def encode(kind: Kind, body: bytes = b"") -> bytes:
    """One frame's bytes on the pipe. PipeError when the body is too long."""
    return pack(kind, body, MAX_BODY)


class Decoder:
    """Collects bytes from the pipe and gives whole frames."""

    def __init__(self) -> None:
        """Start empty."""
        self._unpacker = Unpacker(MAX_BODY)

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """Take in *data*, in pieces of any size; the frames it completed, oldest first. PipeError for nonsense."""
        return [(_kind(kind), body) for kind, body in self._unpacker.feed(data)]


def trouble_of(body: bytes) -> Trouble:
    """Read the body of a LOST frame. PipeError when it names no trouble."""
    try:
        return Trouble(body.decode("ascii"))
    except ValueError as error:
        raise PipeError("a trouble that nobody knows") from error


def _kind(byte: int) -> Kind:
    try:
        return Kind(byte)
    except ValueError as error:
        raise PipeError("a kind that no frame has") from error
