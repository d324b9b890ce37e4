"""A private pcscd with virtual readers, and a tiny card to put into them; for every test that needs real PC/SC.

The daemon gets its socket by the systemd protocol, so several run side by side (one per test process) and beside one
that belongs to the machine; clients find it through ``PCSCLITE_CSOCK_NAME``. Needs root, as pcscd does.
vpcd: the card is the TCP client, every message a 16-bit length and a body (components.md 1).
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from smartcard import scard

_DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
READERS = ("Virtual PCD 00 00", "Virtual PCD 00 01")


@dataclass
class PcscdInfo:
    """``socket_env``: for the environment of clients; ``vpcd_ports``: one for each of ``READERS``."""

    socket_env: dict[str, str]
    vpcd_ports: tuple[int, ...]
    _folder: Path
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start the daemon and wait until it is ready."""
        address = Path(self.socket_env["PCSCLITE_CSOCK_NAME"])
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(address))
            listening.listen(16)
            # The process id in LISTEN_PID must be the daemon's own: the shell has it and becomes the daemon.
            command = f'LISTEN_PID=$$ exec /usr/sbin/pcscd --foreground --config "{self._folder}/conf" 3<&0'
            environment = {**os.environ, "LISTEN_FDS": "1"}
            process = subprocess.Popen(
                ["/bin/sh", "-c", command], env=environment, stdin=listening, stdout=subprocess.DEVNULL
            )
        self._processes.append(process)
        until(lambda: set(self.vpcd_ports) <= _listening_ports(process.pid), "pcscd did not open its readers")

    def stop(self) -> None:
        """End the daemon; clients are told that there is no service."""
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._processes.clear()

    def wait_until_empty(self, slot: int) -> None:
        """Wait until pcscd has noticed that a card was taken out: it looks every 0.4 s, and takes a card that is laid
        down before for the old one, which it cannot switch on.
        """
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        try:
            until(lambda: _events(context, READERS[slot]) % 2 == 0, "pcscd did not notice that the card is gone")
        finally:
            scard.SCardReleaseContext(context)

    def restart(self) -> None:
        """A new daemon at the same address with the same readers, without any card."""
        self.stop()
        self.start()


_FOLDER = Path(tempfile.gettempdir()) / f"pcscd-{os.getpid()}"
_running: list[PcscdInfo] = []


@contextlib.contextmanager
def running_pcscd() -> Iterator[PcscdInfo]:
    """The daemon of this test process, with two readers; the one that runs already, if it does.

    Always at the same address: the client library keeps the first one that it is told for the life of a process.
    """
    if _running:
        yield _running[0]
        return
    folder = _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    port = _two_free_ports()
    (folder / "conf").mkdir(parents=True)
    (folder / "conf" / "vpcd").write_text(
        f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{port}\nLIBPATH {_DRIVER}\nCHANNELID {port}\n'
    )
    info = PcscdInfo({"PCSCLITE_CSOCK_NAME": str(folder / "pcscd.comm")}, (port, port + 1), folder)
    try:
        info.start()
        _running.append(info)
        yield info
    finally:
        _running.clear()
        info.stop()
        shutil.rmtree(folder)


class EchoCard:
    """A card that answers each command with the command itself and 9000; it knows nothing of chips.

    *answer* takes the place of the echo; None from it means no answer at all, ever.
    """

    ATR = bytes.fromhex("3B80800101")

    def __init__(
        self, port: int, atr: bytes = ATR, answer: Callable[[bytes], bytes | None] = lambda apdu: apdu + b"\x90\x00"
    ) -> None:
        """Put the card into the reader that listens on *port*."""
        self.resets = 0
        self._atr = atr
        self._answer = answer
        self._line = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._line.settimeout(None)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Take the card out."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._line.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while (message := self._message()) is not None:
                reply = self._reply(message)
                if reply is not None:
                    self._line.sendall(len(reply).to_bytes(2, "big") + reply)

    def _message(self) -> bytes | None:
        head = self._exactly(2)
        return None if head is None else self._exactly(int.from_bytes(head, "big"))

    def _reply(self, message: bytes) -> bytes | None:
        if len(message) > 1:
            return self._answer(message)
        self.resets += message in (b"\x01", b"\x02")
        return self._atr if message == b"\x04" else None

    def _exactly(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            piece = self._line.recv(size - len(data))
            if not piece:
                return None
            # vpcd writes length and body apart with Nagle on: without this each APDU takes 44 ms.
            self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            data += piece
        return data


def until(true: Callable[[], bool], complaint: str, within: float = 10) -> None:
    """Wait for *true* with a deadline."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.005)


def _remember_address() -> None:
    """Let this process's client library learn the address before any test can tell it another one."""
    before = os.environ.get("PCSCLITE_CSOCK_NAME")
    os.environ["PCSCLITE_CSOCK_NAME"] = str(_FOLDER / "pcscd.comm")
    scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)  # nobody is there yet
    if before is None:
        del os.environ["PCSCLITE_CSOCK_NAME"]
    else:
        os.environ["PCSCLITE_CSOCK_NAME"] = before


_remember_address()


def _events(context: object, reader: str) -> int:
    _, ((_, state, _),) = scard.SCardGetStatusChange(context, 0, [(reader, scard.SCARD_STATE_UNAWARE)])
    return state >> 16  # insertions and removals: even is empty


def _listening_ports(pid: int) -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {each.laddr.port for each in psutil.Process(pid).net_connections("tcp") if each.status == "LISTEN"}
    return set()


def _two_free_ports() -> int:
    # A driver with two slots takes its port and the next one.
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("0.0.0.0", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("0.0.0.0", port + 1))
                return port
    raise OSError("no two free ports side by side")
