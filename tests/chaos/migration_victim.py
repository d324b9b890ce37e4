"""``migration_victim.py DATA K``: opens a new store and kills itself after the K-th statement that changes the schema.

K 0: kills itself after all of them, just before the commit.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kiosk.store import Store, read_or_make_key


def _kill_after(limit: int) -> None:
    done = 0

    @sa.event.listens_for(sa.Engine, "after_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal done
        done += statement.lstrip().upper().startswith(("CREATE", "ALTER", "DROP"))
        if done == limit:
            os.kill(os.getpid(), signal.SIGKILL)

    @sa.event.listens_for(sa.Engine, "commit")
    def before_commit(connection: Any) -> None:
        if limit == 0 and done:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    data = Path(sys.argv[1])
    _kill_after(int(sys.argv[2]))
    Store(data, read_or_make_key(data)).close()
