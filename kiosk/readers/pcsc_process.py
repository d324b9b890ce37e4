"""The PC/SC child as the kiosk sees it: started, asked with a time limit, killed when it does not answer.

A hung ``SCardTransmit`` cannot be cancelled, only its process killed (architecture.md 4). Nothing leaves but ChipLost
and ReaderUnavailable. No APDU is ever logged.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable

from kiosk.emrtd.errors import ChipLost
from kiosk.errors import ReaderUnavailable
from kiosk.readers.pcsc_pipe import Frame, Kind, Readers, Unframer
from kiosk.readers.pipe import PipeError

_LOG = logging.getLogger(__name__)
_END_S = 1.0


class PcscProcess:
    """One child process; once it ended it stays ended.

    *on_readers* gets what readers there are, at once and whenever it changes, *on_end* is called when the child is
    gone for whatever reason; both run on a thread of this object and must hand over.
    """

    def __init__(self, on_readers: Callable[[Readers], None], on_end: Callable[[], None]) -> None:
        """Start the child. ReaderUnavailable: pyscard is not installed, or no process can be had."""
        if importlib.util.find_spec("smartcard") is None:
            raise ReaderUnavailable('PC/SC readers need pyscard: install the extra "pcsc"')
        self._on_readers = on_readers
        self._on_end = on_end
        self._ended = False
        self._replies: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._one_call = threading.Lock()
        command = [sys.executable, "-m", "kiosk.readers.pcsc_child"]
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own module, no shell
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            raise ReaderUnavailable(f"the PC/SC child cannot be started: {type(error).__name__}") from error
        assert self._child.stdin is not None  # noqa: S101 - for the type checker
        assert self._child.stdout is not None  # noqa: S101 - likewise
        self._requests, self._answers = self._child.stdin, self._child.stdout
        self._thread = threading.Thread(target=self._read, name="pcsc-pipe", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def call(self, kind: Kind, body: bytes, within: float) -> bytes:
        """Ask the child one thing and give the body of its answer; one caller at a time, others wait.

        ChipLost when the card did not answer, the child is gone, or *within* seconds have passed: then it is killed.
        """
        with self._one_call:
            if self._ended:
                raise ChipLost("the PC/SC child is gone")
            try:
                self._write(Frame(kind, body).encode())
                reply = self._replies.get(timeout=within)
            except (OSError, PipeError) as error:
                raise ChipLost("the PC/SC child took no request") from error
            except queue.Empty:
                _LOG.error("the PC/SC child did not answer %s within %.1f s and is killed", kind.name, within)
                self._ended = True
                self._child.kill()
                raise ChipLost("the reader did not answer in time") from None
        if reply is None:
            raise ChipLost("the PC/SC child is gone")
        if reply.kind is Kind.LOST:
            _LOG.info("%s ended with PC/SC code %s", kind.name, reply.body.hex().upper())
            raise ChipLost("the card did not answer")
        return reply.body

    def stop(self) -> None:
        """End the child, by force if it hangs, and give back everything it held."""
        self._ended = True
        self._requests.close()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _write(self, data: bytes) -> None:
        while data:
            data = data[self._requests.write(data) or 0 :]

    def _read(self) -> None:
        unframer = Unframer()
        try:
            while data := os.read(self._answers.fileno(), 65_536):
                for frame in unframer.feed(data):
                    self._take(frame)
        except PipeError as error:
            _LOG.error("the PC/SC child talks nonsense and is killed: %s", error)
            self._child.kill()
        self._ended = True
        self._answers.close()
        self._replies.put(None)
        self._on_end()

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.READERS:
            self._on_readers(Readers.decode(frame.body))
        else:
            self._replies.put(frame)
