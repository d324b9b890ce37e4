"""The sums that the feed reads: one row per facility and day, month or year (faults-threats-speed.md 8).

The rows of grain `month` are what is published: they stop at the closing of the month, and what comes later goes into a
row of grain `live` beside them. Rows of grain `day` always follow the ledger; those of grain `year` are sums of months.
Where a facility's successor begins within a month, `fixed` are the facility's days as they stood at the closing.

Counters of open word lists have a column per known word, so that they can be summed by the database; words that are
unknown today are in `rest`, as JSON.
"""

from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from kiosk.events import Method, NotByChip, Origin
from province.tables import UtcDateTime, metadata


class Grain(StrEnum):
    """How much time one row stands for."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    LIVE = "live"
    FIXED = "fixed"


STATIONS: Final = "stations"
UNNAMED_METHOD: Final = "UNKNOWN"
UNEXPLAINED: Final = "UNEXPLAINED"
DESK_LOOKED_UP: Final = "AT_DESK_LOOKED_UP"
DESK_NOT_LOOKED_UP: Final = "AT_DESK_NOT_LOOKED_UP"

SUMS: Final = (
    *("counted", "success", "not_eligible", "not_counted", "other_key", "not_sent"),
    *("fail_not_found", "fail_mismatch", "fail_technical", "fail_other", "persons"),
    *("visits", "visits_looked_up", "visits_by_document", "visits_by_chip"),
    *("desk_lookups", "desk_looked_up", "desk_success"),
)
"""Whole numbers that add up over days and facilities; each is a field of `Measures`."""

ORIGINS: Final = (*(str(origin) for origin in Origin), STATIONS)

CLASSES: Final = ("CHILD", "EMERGENCY", "ARMED_FORCES", "RECOVERY")
"""Classes of visits that a rule may leave out of the rates (health-data-standards.md 3.2)."""

PARTS_OF_CLASS: Final = ("visits", "looked_up", "by_document", "by_chip")

COUNTERS: Final = {
    "by_method": (*(str(method) for method in Method), UNNAMED_METHOD),
    "not_by_chip": (*(str(reason) for reason in NotByChip), UNEXPLAINED, DESK_LOOKED_UP, DESK_NOT_LOOKED_UP),
    "classes": tuple(f"{name}.{part}" for name in CLASSES for part in PARTS_OF_CLASS),
}
"""Field of `Measures` -> the words that have a column of their own."""


def column_of(counter: str, word: str) -> str:
    """The column that holds the count of *word*."""
    return f"{counter}_{word.lower().replace('.', '_')}"


def origin_column(origin: str) -> str:
    """The column that says whether a day's visits were counted by *origin*."""
    return f"origin_{origin}"


COUNTER_COLUMNS: Final = {
    column_of(counter, word): (counter, word) for counter, words in COUNTERS.items() for word in words
}
FLAGS: Final = (*(origin_column(origin) for origin in ORIGINS), "has_portal", "reported")
"""0 or 1; the largest counts."""

ADDED: Final = (*SUMS, "visits_portal", "visits_beside_portal", *COUNTER_COLUMNS)
LARGEST: Final = (*FLAGS, "revision")

rollup = sa.Table(
    "rollup",
    metadata,
    sa.Column("facility", sa.String(64), primary_key=True),
    sa.Column("grain", sa.String(8), primary_key=True),
    sa.Column("start", sa.Date, primary_key=True),
    sa.Column("last", sa.Date, nullable=False),
    sa.Column("province", sa.String(64), nullable=False),
    sa.Column("area", sa.String(64), nullable=False),
    sa.Column("active", sa.Integer, nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in (*ADDED, *LARGEST)),
    sa.Column("rest", sa.Text),
    sa.Index("rollup_start", "grain", "start"),
)

closed_month = sa.Table(
    "closed_month",
    metadata,
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("closed_at", UtcDateTime, nullable=False),
)
