"""A facility's sums as JSON, field by field, so that a field added later is kept as well."""

import hashlib
import json
from collections import Counter
from dataclasses import fields
from datetime import date
from typing import Any

import sqlalchemy as sa

from province.measures import Measures, add_rest, from_row
from province.rollup_table import Grain, rollup


def to_document(sums: Measures) -> dict[str, Any]:
    """The sums as JSON values: sets as sorted lists, counters as objects without zeros."""
    return {each.name: _plain(getattr(sums, each.name)) for each in fields(Measures)}


def from_document(document: dict[str, Any]) -> Measures:
    """The sums that `to_document` wrote; a field it did not know yet has its default."""
    sums = Measures()
    for each in fields(Measures):
        if each.name in document:
            value, empty = document[each.name], getattr(sums, each.name)
            # an empty one of the same kind takes the value: sets and counters are no JSON values
            setattr(sums, each.name, type(empty)(value) if isinstance(empty, set | Counter) else value)
    return sums


def canonical(document: object) -> bytes:
    """JSON with sorted keys and no blanks, in UTF-8: the same bytes for the same content."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(document: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(document).hexdigest()


def published(connection: sa.Connection, month: date, code: str | None = None) -> dict[str, Measures]:
    """The sums of the month by facility code (of all, or of one): as published, once it is closed."""
    query = sa.select(rollup).where(rollup.c.grain == Grain.MONTH, rollup.c.start == month)
    if code is not None:
        query = query.where(rollup.c.facility == code)
    found = {}
    for row in connection.execute(query).mappings():
        found[row["facility"]] = from_row(row)
        add_rest(found[row["facility"]], row["rest"])
    return found


def _plain(value: object) -> object:
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, Counter):
        return {word: count for word, count in value.items() if count}
    return value
