"""A simulated QR scanner: a pseudo-terminal behind a stable path, as udev's ``/dev/serial/by-id/...`` links are.

Source: identity-documents.md 1.5, components.md 3. The kiosk opens the link like a real port; taps write what a
scanner would: the bytes of the code and its suffix, in packets.
"""

import contextlib
import os
import select
import threading
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

_PACKET = 64
_BETWEEN_PACKETS_S = 0.002
_WRITE_DEADLINE_S = 1.0


class SimulatedScanner:
    """A scanner that can be tapped, unplugged and plugged in again; a context manager.

    *link* becomes a symbolic link to the port (FileExistsError when something else is there); *suffix* follows each
    tap; *packet* is the number of bytes written at once, as USB does.
    """

    def __init__(self, link: Path, *, suffix: bytes = b"\r", packet: int = _PACKET) -> None:
        """Plug the scanner in. OSError when no pseudo-terminal can be had or the folder cannot be written."""
        self.link = link
        self._suffix = suffix
        self._packet = packet
        self._master: int | None = None
        self._slave: int | None = None
        self._lock = threading.RLock()
        self.plug()

    @property
    def plugged(self) -> bool:
        """True while the port exists."""
        return self._master is not None

    def plug(self) -> None:
        """Make the port and point the link at it; nothing when it is there already."""
        with self._lock:
            if self.plugged:
                return
            if self.link.exists() and not self.link.is_symlink():
                raise FileExistsError(f"{self.link} is in the way")
            master, slave = os.openpty()
            # The own end stays open, or the port would hang up whenever the kiosk closes it.
            self._master, self._slave = master, slave
            tty.setraw(slave)
            os.set_blocking(master, False)
            try:
                self._point_link_at(os.ttyname(slave))
            except OSError:
                self.unplug()
                raise

    def unplug(self) -> None:
        """Take the port away, as pulling the cable does; nothing when it is gone already."""
        with self._lock:
            if self._master is None or self._slave is None:
                return
            with contextlib.suppress(OSError):
                if self.link.readlink() == Path(os.ttyname(self._slave)):
                    self.link.unlink()
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = None

    def tap(self, payload: bytes) -> None:
        """Send *payload* and the suffix in packets.

        What nobody has open is lost when the port is next opened, as with a real device. ConnectionError when the
        scanner is unplugged; TimeoutError when nobody has read for so long that the line is full.
        """
        self.send(payload + self._suffix)

    def send(self, data: bytes) -> None:
        """Send *data* as it is, without suffix; errors as in `tap`."""
        with self._lock:
            if self._master is None:
                raise ConnectionError("the scanner is unplugged")
            for start in range(0, len(data), self._packet):
                if start:
                    time.sleep(_BETWEEN_PACKETS_S)
                _write(self._master, data[start : start + self._packet])

    def _point_link_at(self, port: str) -> None:
        fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(port)
        fresh.replace(self.link)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()


def _write(master: int, packet: bytes) -> None:
    deadline = time.monotonic() + _WRITE_DEADLINE_S
    while packet:
        select.select([], [master], [], max(0.0, deadline - time.monotonic()))
        try:
            packet = packet[os.write(master, packet) :]
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise TimeoutError("nobody reads the scanner's port") from error
