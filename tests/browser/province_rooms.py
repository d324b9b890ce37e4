"""A hub in which every page beside the overview has something to show."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from province.findings.finding import Finding, Kind, Severity
from province.findings.keeping import keep
from province.findings.running import STANDING
from province.gaps import note_numbers
from province.months.closing import close
from province.months.insurer import InsurerFigure, enter
from province.months.objections import object_to
from province.quarantine import put_away
from province.tables import station, station_key
from tests.browser.province_hub import Province, province

DAY = date(2026, 3, 2)
NOW = datetime(2026, 4, 20, 2, tzinfo=UTC)
EVENT = "0192aaaa-0000-7000-8000-000000000001"
CAUSES = "/causes?from=2026-03-01&to=2026-03-31"


@contextmanager
def filled(folder: Path) -> Iterator[Province]:
    """A closed month, one with an objection and the insurer's figures, a finding, two stations, gaps and refusals."""
    numbers = {"before": 100, "after": 60, "origin": "manual"}
    finding = Finding(Kind.VISITS_SHRUNK, "93002", "", DAY, DAY, Severity.ALARM, "a", numbers, ("e1", "e2"))
    heartbeat = '{"version": "0.1.0", "readers": {"scanner": "ok", "card": "fault"}, "disk_free_mb": 150}'
    with province(folder) as running:
        close(running.store, running.key, date(2026, 2, 1), "lan", "chưa có kiosk")
        with running.store.write() as connection:
            keep(connection, [finding], DAY, STANDING, NOW)
            enter(connection, date(2026, 3, 1), {"93002": InsurerFigure(104, 90)}, "lan")
            object_to(connection, "93002", date(2026, 3, 1), "mai", "r1_pct", "OTHER", "thiếu một quầy")
            note_numbers(connection, "93002", "kiosk-1", {"0192-epoch": [1, 2, 6, 7]}, NOW)
            put_away(connection, "93002", "kiosk-1", [(None, "unknown_kind"), (EVENT, "bad_method")], NOW)
            for name in ("kiosk-1", "kiosk-2"):
                key = {"key_id": name, "public_key": b"0" * 32, "created_at": NOW}
                connection.execute(sa.insert(station_key).values(key | {"facility": "93002", "station": name}))
            seen = {"heard_at": NOW, "heartbeat_at": NOW, "heartbeat": heartbeat, "clock_suspect": False}
            connection.execute(sa.insert(station).values(seen | {"facility": "93002", "station": "kiosk-1"}))
        yield running
