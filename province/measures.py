"""The sums that the rates are made of, for one facility or several together (definitions: interfaces.md 6)."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from province.rollup_table import (
    ADDED,
    COUNTER_COLUMNS,
    COUNTERS,
    FLAGS,
    LARGEST,
    ORIGINS,
    SUMS,
    column_of,
    origin_column,
)

Row = dict[str, Any]


@dataclass(slots=True)
class Measures:
    """The sums of one facility, or of several, in one period; `add` puts two together.

    ``origins``: who counted the visits. ``visits_portal``: None where the portal's own figure is not known.
    ``visits_beside_portal``: the visits of just those days for which it is known.
    ``by_method``: counted lookups of our stations. ``not_by_chip``: insured visits by the reason why no chip lookup
    succeeded. ``classes``: visits of classes that a rule may leave out, as `CLASS.visits`, `CLASS.looked_up`,
    `CLASS.by_document` and `CLASS.by_chip`.
    """

    visits: int = 0
    origins: set[str] = field(default_factory=set)
    visits_portal: int | None = None
    visits_beside_portal: int = 0
    counted: int = 0
    success: int = 0
    not_eligible: int = 0
    fail_not_found: int = 0
    fail_mismatch: int = 0
    fail_technical: int = 0
    fail_other: int = 0
    not_counted: int = 0
    other_key: int = 0
    not_sent: int = 0
    persons: int = 0
    by_method: Counter[str] = field(default_factory=Counter)
    not_by_chip: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    desk_lookups: int = 0
    desk_looked_up: int = 0
    desk_success: int = 0
    visits_looked_up: int = 0
    visits_by_document: int = 0
    visits_by_chip: int = 0
    reported: bool = False
    revision: int = 1

    def add(self, other: "Measures") -> None:
        """Add another unit's or day's sums to these."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.origins |= other.origins
        for name in COUNTERS:
            _count(getattr(self, name), getattr(other, name))
        if other.visits_portal is not None:
            self.visits_portal = (self.visits_portal or 0) + other.visits_portal
        self.visits_beside_portal += other.visits_beside_portal
        self.reported = self.reported or other.reported
        self.revision = max(self.revision, other.revision)


_KNOWN: Final = {counter: frozenset(words) for counter, words in COUNTERS.items()}


def to_row(sums: Measures) -> Row:
    """The columns of `rollup` that hold these sums."""
    row: Row = {name: getattr(sums, name) for name in SUMS}
    row |= {origin_column(origin): int(origin in sums.origins) for origin in ORIGINS}
    row |= {"visits_portal": sums.visits_portal or 0, "has_portal": int(sums.visits_portal is not None)}
    row |= {"visits_beside_portal": sums.visits_beside_portal}
    row |= {"reported": int(sums.reported), "revision": sums.revision}
    rest: dict[str, dict[str, int]] = {}
    for counter in COUNTERS:
        counts: Counter[str] = getattr(sums, counter)
        row |= {column_of(counter, word): counts[word] for word in COUNTERS[counter]}
        if unknown := {word: count for word, count in counts.items() if word not in _KNOWN[counter] and count}:
            rest[counter] = unknown
    return row | {"rest": json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None}


def from_row(row: Any) -> Measures:
    """The sums in a row (a mapping) with the columns of `rollup`, or with sums over them and the `rest` left out."""
    sums = Measures()
    for name in SUMS:
        setattr(sums, name, int(row[name]))
    sums.origins = {origin for origin in ORIGINS if row[origin_column(origin)]}
    sums.visits_portal = int(row["visits_portal"]) if row["has_portal"] else None
    sums.visits_beside_portal = int(row["visits_beside_portal"])
    sums.reported, sums.revision = bool(row["reported"]), int(row["revision"])
    for column, (counter, word) in COUNTER_COLUMNS.items():
        if count := row[column]:
            getattr(sums, counter)[word] = int(count)
    return sums


@dataclass(frozen=True)
class Reader:
    """Reads rows that have the sums over the columns ``added``, then the largest of the columns ``largest``, by place:
    thousands of rows are read for one answer.
    """

    counters: tuple[str, ...]
    added: tuple[str, ...]
    largest: tuple[str, ...] = LARGEST

    @classmethod
    @cache
    def of(cls, counters: tuple[str, ...] | None = None) -> "Reader":
        """With these counters of `Measures`, or with all."""
        wanted = tuple(COUNTERS) if counters is None else counters
        words = (column_of(counter, word) for counter in wanted for word in COUNTERS[counter])
        return cls(wanted, (*SUMS, "visits_portal", "visits_beside_portal", *words))

    def read(self, values: Sequence[Any]) -> Measures:
        """The sums in a row that begins with the first of ``added``."""
        sums = Measures()
        for name, value in zip(SUMS, values, strict=False):
            setattr(sums, name, value)
        place = len(SUMS) + 2
        portal, sums.visits_beside_portal = values[place - 2 : place]
        for counter in self.counters:
            words = COUNTERS[counter]
            counted: Counter[str] = getattr(sums, counter)
            for word, count in zip(words, values[place : place + len(words)], strict=True):
                if count:
                    counted[word] = count
            place += len(words)
        flags = values[place:]
        sums.origins = {origin for origin, flag in zip(ORIGINS, flags, strict=False) if flag}
        has_portal, reported, sums.revision = flags[len(ORIGINS) :]
        sums.visits_portal, sums.reported = portal if has_portal else None, bool(reported)
        return sums


def add_rest(sums: Measures, rest: str | None, counters: Collection[str] | None = None) -> None:
    """Add the counts of words without a column, as `to_row` wrote them; of these *counters* alone if given."""
    for counter, words in json.loads(rest or "{}").items():
        if counters is None or counter in counters:
            _count(getattr(sums, counter), words)


def differences(published: Measures, live: Measures) -> dict[str, int]:
    """Live less published, of every number that differs; counters as `counter.word`."""
    before, after = to_row(published), to_row(live)
    names = [name for name in ADDED if name not in FLAGS and before[name] != after[name]]
    changed = {_readable(name): after[name] - before[name] for name in names}
    for counter in COUNTERS:
        old, new = getattr(published, counter), getattr(live, counter)
        unknown = (set(old) | set(new)) - _KNOWN[counter]
        changed |= {f"{counter}.{word}": new[word] - old[word] for word in unknown if new[word] != old[word]}
    return dict(sorted(changed.items()))


def _count(counted: Counter[str], more: Mapping[str, int]) -> None:
    for word, count in more.items():
        counted[word] = counted.get(word, 0) + count


def _readable(column: str) -> str:
    counter, word = COUNTER_COLUMNS.get(column, ("", column))
    return f"{counter}.{word}" if counter else word
