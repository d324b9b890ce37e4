"""Cuts the byte stream of a scanner into scans; pure, it knows no device and no clock.

Source: identity-documents.md 1.5 (suffixes) and 8.2 (caps), components.md 3 (half a line must not stick to the next).
A scan ends at CR or LF, at the idle gap, or behind the ``|$`` that closes an insurance card's QR once something other
than a line end follows it. The three lines of a card's machine-readable zone (section 6) are one scan.
"""

from kiosk.documents.mrz import LINE_LENGTH, LINES, starts_zone

MAX_FRAME = 2048
"""Bytes; a longer run without an end is rubbish and is discarded to the next idle gap."""

_CR, _LF, _PIPE = b"\r\n|"
_BLANK = 0x20


class Framer:
    """Collects bytes; `feed` and `idle` give whole frames without their line ends, never one of mere blanks."""

    def __init__(self) -> None:
        """Start empty."""
        self._partial = bytearray()
        self._zone: list[bytes] = []
        self._discarding = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take in *data*, in pieces of any size; returns the frames it completed, oldest first."""
        frames: list[bytes] = []
        for byte in data:
            if self._discarding:
                break
            if byte in (_CR, _LF):
                frames += self._end_line()
                continue
            if self._partial.endswith(b"|$") and byte != _PIPE:
                frames += self._take_zone() + self._take()
            self._partial.append(byte)
            if len(self._partial) > MAX_FRAME:
                self._partial.clear()
                self._discarding = True
        return frames

    def idle(self) -> list[bytes]:
        """The line has been silent for the idle gap: what was collected is a frame; discarding ends here."""
        self._discarding = False
        return self._end_line() + self._take_zone()

    def reset(self) -> None:
        """Forget a partial frame: its rest will never come (the device was unplugged)."""
        self._partial.clear()
        self._zone.clear()
        self._discarding = False

    def _end_line(self) -> list[bytes]:
        line = bytes(self._partial).strip()
        if len(line) == LINE_LENGTH and (self._zone or starts_zone(line)):
            self._partial.clear()
            self._zone.append(line)
            return self._take_zone() if len(self._zone) == LINES else []
        scan = self._take()
        return self._take_zone() + scan if scan else []  # an empty line is CR LF between two lines of a zone

    def _take_zone(self) -> list[bytes]:
        frame = b"\r".join(self._zone)
        self._zone.clear()
        return [frame] if frame else []

    def _take(self) -> list[bytes]:
        frame = bytes(self._partial)
        self._partial.clear()
        return [frame] if any(byte > _BLANK for byte in frame) else []
