"""A simulated receipt printer on a TCP port, as network printers listen on 9100: ESC/POS raster pictures and status.

Source: components.md 8 and Epson's ESC/POS description of ``GS v 0``, ``GS V`` and ``DLE EOT``. What was printed until
a cut is kept as one PNG. It has no fonts: text is counted, not drawn.
"""

import io
import socket
import socketserver
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, get_args

from PIL import Image, ImageChops

Fault = Literal["none", "paper_low", "paper_out", "cover_open", "broken", "silent", "slow"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_STATUS = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}
_CHANGED: dict[Fault, dict[int, int]] = {
    "paper_low": {4: 0x0C},
    "paper_out": {1: 0x08, 2: 0x20, 4: 0x60},
    "cover_open": {1: 0x08, 2: 0x04},
    "broken": {1: 0x08, 2: 0x40, 3: 0x08},
}
_WIDEST = 576
_TALLEST = 20_000
_SLOW_S = 0.6


class Paper:
    """What comes out: pictures one below the other until a cut."""

    def __init__(self) -> None:
        """Blank paper."""
        self._strips: list[Image.Image] = []
        self.letters = 0

    def add(self, strip: Image.Image) -> None:
        """One raster picture more; ValueError when it is wider than the paper or there is no end to it."""
        if strip.width > _WIDEST or sum(one.height for one in self._strips) + strip.height > _TALLEST:
            raise ValueError("more than fits on the paper")
        self._strips.append(strip)

    def cut(self) -> Image.Image | None:
        """The ticket that was printed, None when the paper is blank."""
        strips, self._strips = self._strips, []
        if not strips:
            return None
        ticket = Image.new("1", (max(one.width for one in strips), sum(one.height for one in strips)), 1)
        at = 0
        for strip in strips:
            ticket.paste(strip, (0, at))
            at += strip.height
        return ticket


def take_command(data: bytes, paper: Paper) -> tuple[int, Image.Image | int | None]:
    """How many bytes of *data* the first command takes (0: it is not whole), and a cut ticket or a status asked for.

    ValueError for what no printer of this kind understands.
    """
    match data[:1], data[1:2]:
        case ((b"\x10" | b"\x1b" | b"\x1d"), b""):
            return 0, None
        case b"\x10", b"\x04":
            return (3, data[2]) if len(data) >= 3 else (0, None)
        case b"\x1d", b"v":
            return _raster(data, paper)
        case b"\x1d", b"V":
            length = 4 if data[2:3] in (b"A", b"B") else 3
            return (length, paper.cut()) if len(data) >= length else (0, None)
        case b"\x1b", b"@":
            return 2, None
        case b"\x1b", (b"d" | b"J" | b"a" | b"t" | b"!" | b"R" | b"3"):
            return (3, None) if len(data) >= 3 else (0, None)
        case ((b"\x10" | b"\x1b" | b"\x1d"), other):
            raise ValueError(f"unknown command {data[:1].hex()} {other.hex()}")
    paper.letters += data[0] > 0x20
    return 1, None


def _raster(data: bytes, paper: Paper) -> tuple[int, None]:
    if len(data) < 8:
        return 0, None
    columns, rows = int.from_bytes(data[4:6], "little"), int.from_bytes(data[6:8], "little")
    length = 8 + columns * rows
    if len(data) < length:
        return 0, None
    black = Image.frombytes("1", (columns * 8, rows), data[8:length])
    paper.add(ImageChops.invert(black))
    return length, None


class SimulatedPrinter:
    """A printer that can run out of paper; a context manager. *folder*: where each ticket is kept as a PNG, or None."""

    def __init__(self, folder: Path | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen at once; OSError when the port is taken."""
        self._folder = folder
        self._fault: Fault = "none"
        self.tickets: list[Image.Image] = []
        """What was printed, oldest first."""
        printer = self

        class _Line(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                printer._serve(self.request)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer((host, port), _Line)
        self._server.daemon_threads = True
        self.address = f"{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def fault(self) -> Fault:
        """What is wrong with it."""
        return self._fault

    def become(self, fault: str) -> None:
        """Let it have *fault*, or ``none``; ValueError for another word."""
        for known in FAULTS:
            if known == fault:
                self._fault = known
                return
        raise ValueError(f"expected one of {', '.join(FAULTS)}")

    def close(self) -> None:
        """Switch it off."""
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, line: socket.socket) -> None:
        paper, data = Paper(), b""
        while chunk := line.recv(65_536):
            data += chunk
            while data:
                try:
                    taken, found = take_command(data, paper)
                except ValueError:
                    return
                if not taken:
                    break
                data = data[taken:]
                if isinstance(found, Image.Image):
                    self._came_out(found)
                elif found is not None:
                    self._answer(line, found)

    def _answer(self, line: socket.socket, asked: int) -> None:
        if self._fault == "silent":
            return
        if self._fault == "slow":
            time.sleep(_SLOW_S)
        line.sendall(bytes([_STATUS.get(asked, 0x12) | _CHANGED.get(self._fault, {}).get(asked, 0)]))

    def _came_out(self, ticket: Image.Image) -> None:
        if self._fault in ("paper_out", "cover_open", "broken", "silent"):
            return
        self.tickets.append(ticket)
        if self._folder is not None:
            kept = io.BytesIO()
            ticket.save(kept, "PNG")
            (self._folder / f"ticket-{len(self.tickets):04d}.png").write_bytes(kept.getvalue())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
