"""The process that talks to pcscd: ``python -m kiosk.readers.pcsc_child``, started and killed by `PcscProcess`.

Three threads: the main one reads the pipe and ends the process when the kiosk is gone, even while a card hangs; one
serves requests; one waits for readers and cards to come and go. Only this file imports pyscard. Every failure is told
as its PC/SC code, never by the text of a message (components.md 1). No APDU is ever logged.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from smartcard import scard

from kiosk.readers.pcsc_pipe import Frame, Kind, Readers, Slot, Unframer
from kiosk.readers.pipe import PipeError

_PNP = "\\\\?PnP?\\Notification"
"""The reader that never has a card and whose state changes when readers come and go (pcsc-lite, Windows)."""

_WAIT_MS = 60_000
_RETRY_S = 0.2
_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_PCI = {scard.SCARD_PROTOCOL_T0: scard.SCARD_PCI_T0, scard.SCARD_PROTOCOL_T1: scard.SCARD_PCI_T1}
_HOLD_IS_GONE = (
    scard.SCARD_E_INVALID_HANDLE,
    scard.SCARD_E_NO_SERVICE,
    scard.SCARD_E_SERVICE_STOPPED,
    scard.SCARD_E_READER_UNAVAILABLE,
    scard.SCARD_E_UNKNOWN_READER,
)


class _Failed(Exception):
    """A PC/SC call ended with *code*."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code:08X}")
        self.code = code


def _call(function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What the call gave besides its code; _Failed when that was not success."""
    try:
        result = function(*arguments)
    except SystemError as error:  # pyscard, for a context that died with pcscd
        raise _Failed(scard.SCARD_E_INVALID_HANDLE) from error
    code, *rest = result if isinstance(result, (list, tuple)) else (result,)
    if code != scard.SCARD_S_SUCCESS:
        raise _Failed(code)
    return rest


class _OneCard:
    """The one card that is held, exclusively; its context lives no longer than the hold."""

    def __init__(self) -> None:
        self._context: Any = None
        self._handle: Any = None
        self._pci: Any = None

    def open(self, reader: str) -> None:
        self.close()
        (self._context,) = _call(scard.SCardEstablishContext, scard.SCARD_SCOPE_SYSTEM)
        try:
            self._handle, protocol = _call(
                scard.SCardConnect, self._context, reader, scard.SCARD_SHARE_EXCLUSIVE, _PROTOCOLS
            )
        except _Failed:
            self.close()
            raise
        self._pci = _PCI[protocol]

    def activate(self, reader: str) -> None:
        if self._handle is not None:
            try:
                self._power_cycle()
                return
            except _Failed as failed:
                # A hold outlives its card, and only through it pcscd tries a card that came back between two looks.
                if failed.code not in _HOLD_IS_GONE:
                    raise
        self.open(reader)
        self._power_cycle()

    def atr(self) -> bytes:
        _, _, _, atr = _call(scard.SCardStatus, self._handle)
        return bytes(atr)

    def transmit(self, apdu: bytes) -> bytes:
        if self._handle is None:
            raise _Failed(scard.SCARD_E_INVALID_HANDLE)
        (answer,) = _call(scard.SCardTransmit, self._handle, self._pci, list(apdu))
        if len(answer) < 2:
            raise _Failed(scard.SCARD_F_COMM_ERROR)
        return bytes(answer)

    def close(self) -> None:
        # Whether pcscd still knows the card or the context does not matter any more.
        if self._handle is not None:
            scard.SCardDisconnect(self._handle, scard.SCARD_UNPOWER_CARD)
        if self._context is not None:
            scard.SCardReleaseContext(self._context)
        self._handle = self._context = None

    def _power_cycle(self) -> None:
        (protocol,) = _call(
            scard.SCardReconnect, self._handle, scard.SCARD_SHARE_EXCLUSIVE, _PROTOCOLS, scard.SCARD_UNPOWER_CARD
        )
        self._pci = _PCI[protocol]


def _reply(card: _OneCard, request: Frame) -> Frame:
    try:
        match request.kind:
            case Kind.OPEN:
                card.open(request.body.decode())
                return Frame(Kind.DONE, card.atr())
            case Kind.ACTIVATE:
                card.activate(request.body.decode())
                return Frame(Kind.DONE, card.atr())
            case Kind.TRANSMIT:
                return Frame(Kind.DONE, card.transmit(request.body))
            case Kind.CLOSE:
                card.close()
                return Frame(Kind.DONE)
            case _:
                raise PipeError("a kind that is no request")
    except _Failed as failed:
        return Frame(Kind.LOST, failed.code.to_bytes(4, "big"))


def _watch(tell: Callable[[Readers], None]) -> None:
    """Tell what readers there are, at once and whenever it changes, for ever; pcscd may come and go meanwhile."""
    told = None
    for readers in _snapshots():
        if readers != told:
            told = readers
            tell(readers)


def _snapshots() -> Iterator[Readers]:
    while True:
        try:
            (context,) = _call(scard.SCardEstablishContext, scard.SCARD_SCOPE_SYSTEM)
        except _Failed as failed:
            yield Readers(failed.code, ())
            time.sleep(_RETRY_S)
            continue
        try:
            yield from _of_one_context(context)
        except _Failed as failed:
            yield Readers(failed.code, ())
            scard.SCardReleaseContext(context)
            time.sleep(_RETRY_S)


def _of_one_context(context: Any) -> Iterator[Readers]:
    known: dict[str, int] = {}
    while True:
        names = _names(context)
        ask = [(_PNP, scard.SCARD_STATE_UNAWARE)]
        ask += [(name, known.get(name, scard.SCARD_STATE_UNAWARE)) for name in names]
        try:
            (states,) = _call(scard.SCardGetStatusChange, context, _WAIT_MS, ask)
        except _Failed as failed:
            if failed.code in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_UNKNOWN_READER):  # the latter: just unplugged
                continue
            raise
        known = {name: state & ~scard.SCARD_STATE_CHANGED for name, state, _ in states if name != _PNP}
        yield Readers(0, tuple(_slot(*state) for state in states if state[0] != _PNP))


def _names(context: Any) -> list[str]:
    try:
        (names,) = _call(scard.SCardListReaders, context, [])
    except _Failed as failed:
        if failed.code == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        raise
    return list(names)


def _slot(name: str, state: int, atr: list[int]) -> Slot:
    present = bool(state & scard.SCARD_STATE_PRESENT)
    mute = bool(state & scard.SCARD_STATE_MUTE)
    # The upper half counts insertions and removals (pcsc-lite), the lower half are the flags.
    return Slot(name, present, bytes(atr).hex() if present and not mute else "", (state >> 16) & 0xFFFF)


class _Pipe:
    """Standard input and output, the latter out of reach of anything that prints."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._one_frame = threading.Lock()

    def send(self, frame: Frame) -> None:
        data = frame.encode()
        try:
            with self._one_frame:
                while data:
                    data = data[os.write(self._out, data) :]
        except OSError:
            os._exit(0)  # the kiosk is gone; other threads may hang in pcscd

    def requests(self) -> Iterator[Frame]:
        unframer = Unframer()
        while data := os.read(0, 65_536):
            yield from unframer.feed(data)


def main() -> None:
    """Serve until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the kiosk, which then closes the pipe
    pipe = _Pipe()
    requests: queue.SimpleQueue[Frame] = queue.SimpleQueue()

    def serve() -> None:
        card = _OneCard()
        while True:
            pipe.send(_reply(card, requests.get()))

    def watch() -> None:
        _watch(lambda readers: pipe.send(Frame(Kind.READERS, readers.encode())))

    for work in (serve, watch):
        threading.Thread(target=_or_die, args=(work,), daemon=True).start()
    try:
        for frame in pipe.requests():
            requests.put(frame)
    finally:
        os._exit(0)


def _or_die(work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as error:
        # Half a child is worse than none: the kiosk starts another one.
        sys.stderr.write(f"pcsc child: {type(error).__name__}\n")
        os._exit(1)


if __name__ == "__main__":
    main()
