"""The process that looks through the camera: ``python -m kiosk.readers.camera_child SETTINGS``, started by `Camera`.

Two threads: the main one looks; one reads the pipe and ends the process when the kiosk is gone, even while a driver
hangs. No picture and no payload ever leaves but through the pipe: the process can write no file, and nobody listens to
its standard error. Source: architecture.md 4.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import closing
from pathlib import Path
from typing import Final

import cv2

from kiosk.readers.camera_look import Look
from kiosk.readers.camera_pipe import CameraSettings, Decoder, Kind, Trouble, encode
from kiosk.readers.camera_sources import SourceLost, open_source
from kiosk.readers.confined import confine
from kiosk.readers.pipe import PipeError

MEMORY: Final = 2 * 1024**3
"""Bytes of address space, most of it libraries; pictures use some tens of megabytes."""

_REOPEN_S: Final = 0.5


class _Pipe:
    """Standard input and output, the latter out of reach of anything that prints. Also the kiosk's wishes."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self._refused: list[bytes] = []
        self.preview = False

    def tell(self, kind: Kind, body: bytes = b"") -> None:
        data = encode(kind, body)
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError:
            os._exit(0)  # the kiosk is gone

    def refused(self) -> list[bytes]:
        with self._lock:
            refused, self._refused = self._refused, []
        return refused

    def listen(self) -> None:
        """Take in what the kiosk says; its end, or nonsense, is the end of this process."""
        decoder = Decoder()
        try:
            while data := os.read(0, 65_536):
                for kind, body in decoder.feed(data):
                    self._heard(kind, body)
        except PipeError:
            os._exit(1)
        finally:
            os._exit(0)

    def _heard(self, kind: Kind, body: bytes) -> None:
        if kind is Kind.PREVIEW:
            self.preview = body == b"\x01"
        elif kind is Kind.REFUSED:
            with self._lock:
                self._refused.append(body)


def _run(settings: CameraSettings, pipe: _Pipe) -> None:
    look = Look(settings, pipe.tell, pipe)
    ignored: set[str] = set()

    def ignore(name: str) -> None:
        if name not in ignored:
            ignored.add(name)
            pipe.tell(Kind.IGNORED, name.encode())

    while True:
        try:
            with closing(open_source(settings, ignore)) as source:
                look.through(source)
        except SourceLost as lost:
            pipe.tell(Kind.LOST, lost.trouble.encode())
            if lost.trouble is Trouble.FROZEN:
                return  # what keeps the driver from going on may be in this process
        time.sleep(_REOPEN_S)


def main() -> None:
    """Look until the pipe ends, or the camera is frozen."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the kiosk, which then closes the pipe
    pipe = _Pipe()
    confine(MEMORY)
    cv2.setNumThreads(1)  # the second core is the kiosk's and the browser's
    threading.Thread(target=pipe.listen, daemon=True).start()
    try:
        _run(CameraSettings.decode(sys.argv[1]), pipe)
    except BaseException as error:
        # Its text might quote a code; what it was and where is enough. The kiosk starts another child.
        where = traceback.extract_tb(error.__traceback__)[-1]
        pipe.tell(Kind.FAILED, f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}".encode())
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
