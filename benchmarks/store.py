"""How much the store costs: check-in transactions a second against raw commits of plain SQLite in the same minute.

Prints one JSON document. Ratios travel between machines, seconds do not.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from kiosk import events, journal, outbox_table, records
from kiosk.model import Identity, PartialDate
from kiosk.store import Store, read_or_make_key

ROUNDS, EACH = 5, 200


def raw_commits(folder: Path) -> Callable[[], None]:
    """One row of the same size in plain SQLite, WAL and synchronous=FULL."""
    plain = sqlite3.connect(folder / "raw.db", isolation_level=None)
    plain.execute("PRAGMA journal_mode=WAL")
    plain.execute("PRAGMA synchronous=FULL")
    plain.execute("CREATE TABLE IF NOT EXISTS visit (id INTEGER PRIMARY KEY, body TEXT)")

    def commit() -> None:
        plain.execute("BEGIN IMMEDIATE")
        plain.execute("INSERT INTO visit (body) VALUES (?)", ("x" * 1200,))
        plain.execute("COMMIT")

    return commit


def check_ins(folder: Path) -> Callable[[], None]:
    """A check-in as it is accepted: the row, its delivery, its event with its own delivery."""
    store = Store(folder, read_or_make_key(folder))
    ledger = journal.Journal(store.run_now(journal.prepare))

    def commit() -> None:
        now = datetime.now(UTC)
        checkin_id = events.new_event_id()

        def work(connection: object) -> None:
            records.insert(
                connection,
                checkin_id=checkin_id,
                station="kiosk-1",
                happened_at=now,
                person_key="0" * 64,
                document_kind="CCCD_QR",
                method="QR_CCCD",
                lane="self",
                carrier="unknown",
                holder_check="none",
                warnings=(),
                identity=Identity("099190000001", None, "Trần Thị Mẫu", PartialDate(1990, 9, 2)),
                key_kind="PERSONAL_12",
                key_number="099190000001",
            )
            outbox_table.enqueue(connection, outbox_table.HOSPITAL, "push", checkin_id, now)
            ledger.visit(connection, records.get(connection, checkin_id), bhyt=True, now=now)

        store.run_now(work)

    return commit


def rate(commit: Callable[[], None]) -> float:
    """Commits a second over one round."""
    started = time.perf_counter()
    for _ in range(EACH):
        commit()
    return EACH / (time.perf_counter() - started)


def main() -> None:
    """Alternate the two, so that a drifting machine hurts both."""
    with tempfile.TemporaryDirectory() as name:
        raw, ours = raw_commits(Path(name)), check_ins(Path(name))
        rate(raw), rate(ours)
        pairs = [(rate(raw), rate(ours)) for _ in range(ROUNDS)]
    print(
        json.dumps(
            {
                "raw_commits_per_s": round(statistics.median(raw for raw, _ in pairs)),
                "check_ins_per_s": round(statistics.median(ours for _, ours in pairs)),
                "ratio": round(statistics.median(ours / raw for raw, ours in pairs), 3),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
