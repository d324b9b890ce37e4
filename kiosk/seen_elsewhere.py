"""The same person at another station a moment ago: staff are told, nobody is refused.

It may be somebody who was sent on, a number used by two, or a picture of a code that is passed around; only people can
tell. Kept in ``checkin.seen_at`` as ``STATION TIME`` (a station's id has no blank; ISO 8601 with offset).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from kiosk.tables import checkin

WITHIN: Final = timedelta(minutes=5)


def seen_elsewhere(connection: sa.Connection, person_key: str, station: str, now: datetime) -> str | None:
    """Where and when the person last stood at another station than *station*, not more than five minutes ago."""
    row = connection.execute(
        sa.select(checkin.c.station, checkin.c.happened_at)
        .where(
            checkin.c.person_key == person_key,
            checkin.c.station != station,
            checkin.c.happened_at >= now - WITHIN,
            checkin.c.happened_at <= now,
        )
        .order_by(checkin.c.happened_at.desc())
        .limit(1)
    ).first()
    return None if row is None else f"{row.station} {row.happened_at.isoformat()}"


def seen_at_view(seen_at: str | None) -> dict[str, str] | None:
    """What is kept, as staff's page gets it: ``station`` and ``at``."""
    if seen_at is None:
        return None
    station, _, at = seen_at.partition(" ")
    return {"station": station, "at": at}
