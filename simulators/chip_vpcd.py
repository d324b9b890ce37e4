"""A simulated chip in a virtual PC/SC reader: the card's side of vpcd's protocol over TCP.

Source: components.md 1 (every message is a 16-bit big-endian length and a body; one-byte bodies are control codes).
vpcd writes length and body apart with Nagle's algorithm on, so each receive is acknowledged at once, or every command
would take 44 ms.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Final, Self

from simulators.chip_card import VirtualCard
from simulators.chip_quirks import CardRemoved

DEFAULT_PORT: Final = 35963
_POWER_OFF, _POWER_ON, _RESET, _SEND_ATR = 0, 1, 2, 4
_CONNECT_TIMEOUT_S: Final = 2.0
_RECONNECT_S: Final = 0.1


class VpcdCard:
    """A card that can be inserted into vpcd at *host*:*port* and removed again; a context manager that inserts it.

    The card is the TCP client: while it is inserted it connects, and connects again whenever pcscd has gone away. It
    takes as long for a command as its quirks say.
    """

    def __init__(self, card: VirtualCard, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> None:
        self.card = card
        self._address = (host, port)
        self._changed = threading.Condition()
        self._inserted = False
        self._serving = False
        self._closed = False
        self._leave = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="vpcd card", daemon=True)
        self._thread.start()

    @property
    def inserted(self) -> bool:
        """True while the card is in the reader, as far as the card knows."""
        return self._inserted

    @property
    def connected(self) -> bool:
        """True while vpcd has the card."""
        return self._socket is not None

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until vpcd has the card; False when it has not after *timeout_s*."""
        with self._changed:
            return self._changed.wait_for(lambda: self._socket is not None, timeout_s)

    def insert(self) -> None:
        """Put the card into the reader; nothing when it is there. RuntimeError after `close`."""
        with self._changed:
            if self._closed:
                raise RuntimeError("this card has been closed")
            if self._inserted:
                return
            self._changed.wait_for(lambda: not self._serving)
            self.card.lay_down()
            self._leave.clear()
            self._inserted = True
            self._changed.notify_all()

    def remove(self) -> None:
        """Take the card out, in the middle of a command if there is one; returns when it is out."""
        with self._changed:
            self._inserted = False
            self._leave.set()
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._serving)

    def close(self) -> None:
        """Take the card out and end its thread. Repeatable."""
        self.remove()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._serving = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._inserted or self._closed)
                if self._closed:
                    return
                self._serving = True
            try:
                self._serve()
            except CardRemoved as removed:
                if removed.back_after_ms is not None and not self._leave.wait(removed.back_after_ms / 1e3):
                    self.card.lay_down()
            except OSError:
                self._leave.wait(_RECONNECT_S)

    def _serve(self) -> None:
        with socket.create_connection(self._address, _CONNECT_TIMEOUT_S) as sock:
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                with self._changed:
                    self._socket = sock
                    self._changed.notify_all()
                while not self._leave.is_set():
                    self._answer(sock, _message(sock))
            except CardRemoved as removed:
                with self._changed:  # before the line closes: whoever sees that may insert the card at once
                    self._inserted = removed.back_after_ms is not None and self._inserted
                raise
            finally:
                with self._changed:
                    self._socket = None

    def _answer(self, sock: socket.socket, message: bytes) -> None:
        if len(message) > 1:
            answer = self.card.transmit(message)
            if self._leave.wait(self.card.quirks.air_time_s(len(message), len(answer))):
                return
        elif message == bytes((_SEND_ATR,)):
            answer = self.card.atr
        else:
            if message in (bytes((_POWER_ON,)), bytes((_RESET,))):
                self.card.reset()
            return
        sock.sendall(len(answer).to_bytes(2, "big") + answer)

    def __enter__(self) -> Self:
        self.insert()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _message(sock: socket.socket) -> bytes:
    return _receive(sock, int.from_bytes(_receive(sock, 2), "big"))


def _receive(sock: socket.socket, size: int) -> bytes:
    """Exactly *size* bytes. ConnectionError when the other side ends before."""
    received = b""
    while len(received) < size:
        part = sock.recv(size - len(received))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not part:
            raise ConnectionError("vpcd has gone")
        received += part
    return received
