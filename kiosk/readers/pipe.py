"""The framing of the pipes between the kiosk and its child processes; what the frames mean is another module's.

A frame is four bytes of length (big-endian, of what follows), one byte of kind, and a body. Neither side takes more
bytes of body than both agreed on; anything else ends the pipe. Source: architecture.md 4.
"""

from __future__ import annotations

_LENGTH = 4


class PipeError(Exception):
    """The other side sent what no frame may be; the pipe has to be given up."""


def pack(kind: int, body: bytes, most: int) -> bytes:
    """The bytes of one frame on the pipe. PipeError when *body* is longer than *most* bytes."""
    if len(body) > most:
        raise PipeError("a body that is too long")
    return (1 + len(body)).to_bytes(_LENGTH, "big") + bytes((kind,)) + body


class Unpacker:
    """Collects bytes from the pipe and gives whole frames as kind and body."""

    def __init__(self, most: int) -> None:
        """Start empty; *most*: bytes of body that are taken."""
        self._most = most
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take in *data*, in pieces of any size; the frames it completed, oldest first. PipeError for nonsense."""
        self._partial += data
        frames = []
        while len(self._partial) >= _LENGTH:
            length = int.from_bytes(self._partial[:_LENGTH], "big")
            if not 1 <= length <= 1 + self._most:
                raise PipeError("a length that no frame has")
            end = _LENGTH + length
            if len(self._partial) < end:
                break
            frames.append((self._partial[_LENGTH], bytes(self._partial[_LENGTH + 1 : end])))
            del self._partial[:end]
        return frames
