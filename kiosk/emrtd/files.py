"""Reading elementary files with as few commands as the chip allows.

Short file ids instead of SELECT, no separate read of the header, and the largest read that works: it is found once per
type of card and remembered. Source: ISO 7816-4 7.2.2 and 7.2.3 (READ BINARY, odd instruction code for offsets of 32 KiB
and more), faults-threats-speed.md 6.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from kiosk.emrtd import tlv
from kiosk.emrtd.apdu import EXTENDED_LE, SHORT_LE, Channel, Command, Response
from kiosk.emrtd.errors import AccessDenied, ApduError, ChannelBroken, DataError
from kiosk.emrtd.lds import LdsFile

LADDER: Final = (EXTENDED_LE, SHORT_LE, 231, 223, 192, 160, 128, 112)
"""Bytes asked for in one read, best first; chips and readers are known that stop at each of them."""

_READ: Final = 0xB0
_READ_ODD: Final = 0xB1
_SELECT: Final = 0xA4
_ODD_FROM: Final = 0x8000
_HEADER: Final = 6
_SHORT: Final = 112
_LONG: Final = 257
_MOST_SELECTIONS: Final = 4
_MOST_READS: Final = 4096  # for one file: more than a portrait of the largest size takes in the smallest reads
_LARGEST: Final = 64 * 1024
_LARGEST_PORTRAIT: Final = 256 * 1024
_ENDED: Final = (0x6282, 0x6B00)
_TOO_MUCH: Final = (0x6700, 0x6F00, 0x6A86, 0x6B00)
_DENIED: Final = (0x6982, 0x6985)
_NO_CURRENT_FILE: Final = 0x6986
_NO_SHORT_ID: Final = (0x6A81, 0x6A82, 0x6A86, 0x6B00, _NO_CURRENT_FILE)


class SizeMemory(Protocol):
    """Where the read size that works is kept, by type of card (hex of its answer to reset)."""

    def get(self, card_type: str) -> int | None:
        """The size that worked last, or None."""
        ...

    def put(self, card_type: str, size: int) -> None:
        """Remember a size."""
        ...


@dataclass(slots=True)
class ReadSize:
    """The rung of the ladder in use. ``proven``: an answer came with it that says more than "the file is short"."""

    size: int
    proven: bool = False

    @classmethod
    def known(cls, size: int | None) -> ReadSize:
        """Start at a remembered *size*, else at the top."""
        return cls(size, proven=True) if size in LADDER else cls(LADDER[0])

    def step_down(self) -> bool:
        """Take the next lower rung; False when there is none."""
        below = [rung for rung in LADDER if rung < self.size]
        if not below:
            return False
        self.size, self.proven = below[0], False
        return True

    def worked(self, received: int) -> None:
        """An answer of *received* bytes came."""
        if received >= (_LONG if self.size > SHORT_LE else _SHORT):
            self.proven = True


@dataclass(slots=True)
class Progress:
    """What has been read of one file; survives a lost channel. ``total``: bytes of the whole file, once known."""

    data: bytearray = field(default_factory=bytearray)
    total: int | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.total is not None and len(self.data) >= self.total


@dataclass(slots=True)
class FileReader:
    """Reads files through one channel. ``short_ids``: whether the chip takes short file ids, as far as known."""

    size: ReadSize
    short_ids: bool = True
    _short_id_worked: bool = False

    def read(self, channel: Channel, file: LdsFile, progress: Progress, *, selected: bool = False) -> bytes | None:
        """The whole *file*, tag included, or None when the chip has none (6A82).

        *progress* is filled as far as it went, and continued from. *selected*: the file is the current one already.
        AccessDenied (6982, 6985), ApduError for another refusal, DataError for a file that ends early, is larger than
        64 KiB (a portrait: 256 KiB), or comes in thousands of crumbs.
        """
        largest = _LARGEST_PORTRAIT if file.name == "DG2" else _LARGEST
        if not selected and (progress.data or not self.short_ids):
            if not self._select(channel, file):
                return None
            selected = True
        head, selections, reads = EXTENDED_LE, 0, 0
        while not progress.complete:
            at = len(progress.data)
            wanted = min(self.size.size, head if progress.total is None else progress.total - at)
            try:
                response = _read_at(channel, at, wanted, self.size.size, None if selected else file.sfi)
            except ChannelBroken as error:
                if not selected and not self._short_id_worked and error.sw in _NO_SHORT_ID:
                    self.short_ids = False
                raise
            if response.sw == _NO_CURRENT_FILE or (not selected and response.sw in _NO_SHORT_ID):
                selections += 1  # 6986 comes also from chips that forget their file over a refusal
                if selections > _MOST_SELECTIONS:
                    raise ApduError(response.sw, f"READ BINARY of {file.name}")
                if not self._select(channel, file):
                    return None
                self.short_ids, selected = self.short_ids and selected, True
                continue
            if at == 0 and head > _HEADER and self._beyond_the_end(response):
                head = _HEADER
                continue
            if self._refused(response, file, at):
                continue
            self._short_id_worked = self._short_id_worked or not selected
            selected = True
            self.size.worked(len(response.data))
            progress.data += response.data
            reads += 1
            if reads > _MOST_READS:
                raise DataError(f"{file.name} comes in too many parts")
            if progress.total is None and len(progress.data) >= 2:
                progress.total = _total(progress.data)
                if progress.total is not None and progress.total > largest:
                    raise DataError(f"{file.name} claims {progress.total} bytes")
        return bytes(progress.data[: progress.total])

    def _beyond_the_end(self, response: Response) -> bool:
        """Whether a chip may mean that the file is shorter than what was asked for: then its head says how short."""
        return response.sw == 0x6B00 or (response.sw == 0x6700 and self.size.size == LADDER[-1])

    def _refused(self, response: Response, file: LdsFile, at: int) -> bool:
        """Whether the same must be asked again with fewer bytes; raises when that would not help."""
        if response.data and (response.ok or response.sw in _ENDED):
            return False
        doing = f"READ BINARY of {file.name}"
        if response.sw in _DENIED:
            raise AccessDenied(response.sw, doing)
        if at and response.sw in _ENDED:
            raise DataError(f"{file.name} ends early")
        if response.ok or response.sw == 0x6282 or response.sw in _TOO_MUCH or response.sw >> 8 == 0x6C:
            if self.size.step_down():
                return True
            if response.ok:
                raise DataError(f"{file.name} gives no bytes")
        raise ApduError(response.sw, doing)

    @staticmethod
    def _select(channel: Channel, file: LdsFile) -> bool:
        response = channel.send(Command(_SELECT, 0x02, 0x0C, file.fid.to_bytes(2, "big")))
        if response.sw == 0x6A82:
            return False
        if response.sw in _DENIED:
            raise AccessDenied(response.sw, f"SELECT of {file.name}")
        if not response.ok:
            raise ApduError(response.sw, f"SELECT of {file.name}")
        return True


def _total(data: bytearray) -> int | None:
    try:
        return tlv.total_length(bytes(data[:_HEADER]))
    except DataError:
        if len(data) >= _HEADER:
            raise
        return None  # a header in parts


def _read_at(channel: Channel, at: int, wanted: int, most: int, sfi: int | None) -> Response:
    if sfi is not None:
        return channel.send(Command(_READ, 0x80 | sfi, 0, le=wanted))
    if at < _ODD_FROM:
        return channel.send(Command(_READ, at >> 8, at & 0xFF, le=wanted))
    offset = at.to_bytes((at.bit_length() + 7) // 8, "big")
    le = min(len(tlv.encode(0x53, bytes(wanted))), most)  # the object around the data counts
    response = channel.send(Command(_READ_ODD, data=tlv.encode(0x54, offset), le=le))
    return Response(tlv.expect(response.data, 0x53) if response.data else b"", response.sw)
