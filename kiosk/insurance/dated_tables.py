"""Rules that change by decree, as tables that ship with the package: each row holds from one day to another.

Columns ``valid_from`` and ``valid_to`` are ISO dates, both days included; an empty one is open.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources

Row = Mapping[str, str]


@cache
def rows(name: str) -> tuple[Row, ...]:
    """The rows of ``kiosk/data/<name>`` in their order, each by column."""
    text = resources.files("kiosk.data").joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def holds(row: Row, day: date) -> bool:
    """Whether *row* is in force on *day*."""
    start, end = row["valid_from"], row["valid_to"]
    return (not start or date.fromisoformat(start) <= day) and (not end or day <= date.fromisoformat(end))
