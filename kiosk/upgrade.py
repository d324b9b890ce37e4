"""Brings an older store to this code's schema in a process of its own, so that the daemon never loads the tools for it.

They take 10 MB, which a process that has imported them keeps, and one start in a hundred needs them.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import signal
from pathlib import Path
from typing import Final

from kiosk import migrations
from kiosk.errors import StoreError
from kiosk.store import Store, make_engine, translated

_PR_SET_PDEATHSIG: Final = 1


def upgrade_apart(data: Path, key: bytes) -> None:
    """Upgrade the store in the folder *data*, or make it, in a forked process; nothing, if its schema is the newest.

    Call before the first thread starts: a fork takes along what others hold. What goes wrong is not told here: the
    caller opens the store next, which meets the same and raises its StoreError.
    """
    with contextlib.suppress(StoreError):
        if not _is_newest(data, key):
            child = multiprocessing.get_context("fork").Process(target=_open_once, args=(data, key))
            child.start()
            child.join()


def _is_newest(data: Path, key: bytes) -> bool:
    path = data / "kiosk.db"
    if not path.exists():
        return False
    engine = make_engine(path, key, read_only=True)
    try:
        with translated(), engine.begin() as connection:
            return migrations.is_newest(connection)
    finally:
        engine.dispose()


def _open_once(data: Path, key: bytes) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # the store's lock must not outlive the daemon
    with contextlib.suppress(StoreError):
        Store(data, key).close()
