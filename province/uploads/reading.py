"""From the lines of a file to figures of facilities and days, or to what is wrong in which cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from kiosk.events import Kind
from province.facilities import Registry
from province.uploads.cells import to_code, to_count, to_day, to_words
from province.uploads.kinds import COUNTS, DAY_COLUMN, FACILITY_COLUMN, LABELS, UploadKind
from province.uploads.problems import Problem, UploadRefused
from province.uploads.table_file import is_blank, read_table

_OLDEST: Final = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Figure:
    """What a line says of one kind: ``kind`` VISIT_COUNT or DESK_LOOKUPS, ``counts`` by their names in the event."""

    row: int
    facility: str
    day: date
    kind: Kind
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """What lines are checked against: the registry, today (UTC+7), and the only facility of who uploads (None: all)."""

    registry: Registry
    today: date
    only: str | None = None


def read_figures(content: bytes, kind: UploadKind, rules: Rules) -> list[Figure]:
    """The figures in a file, in the order of its lines; a line whose numbers are all blank says nothing.

    Raises UploadRefused when anything in it is wrong.
    """
    return _Reader(kind, rules).read(read_table(content, len(kind.headings)))


class _Reader:
    def __init__(self, kind: UploadKind, rules: Rules) -> None:
        self._kind = kind
        self._rules = rules
        self._problems: list[Problem] = []

    def read(self, lines: Sequence[tuple[int, list[Any]]]) -> list[Figure]:
        wanted = [to_words(text) for text in self._kind.headings]
        headings = [to_words(cell) for cell in lines[0][1]] if lines else []
        if headings[: len(wanted)] != wanted or any(headings[len(wanted) :]):
            raise UploadRefused([Problem(lines[0][0] if lines else 1, 0, "WRONG_HEADINGS")])
        figures: list[Figure] = []
        seen: set[tuple[str, date]] = set()
        for row, found in lines[1:]:
            cells = [*found, *[None] * (len(wanted) + 1)][: len(wanted) + 1]
            if not is_blank(cells[-1]):
                self._note(row, 0, "TOO_MANY_CELLS")
            # A line of the template that nobody has counted yet says nothing, but it too must be one's own.
            facility, day = self._facility(row, cells[FACILITY_COLUMN - 1]), self._day(row, cells[DAY_COLUMN - 1])
            if facility is None or day is None:
                continue
            if not self._rules.registry.facilities[facility].active(day, day):
                self._note(row, DAY_COLUMN, "FACILITY_NOT_ACTIVE")
            if (facility, day) in seen:
                self._note(row, FACILITY_COLUMN, "ROW_TWICE")
            seen.add((facility, day))
            figures += self._figures(row, facility, day, cells[len(LABELS) : -1])
        if self._problems:
            raise UploadRefused(self._problems)
        if not figures:
            raise UploadRefused([Problem(0, 0, "NO_FIGURES")])
        return figures

    def _note(self, row: int, column: int, code: str) -> None:
        self._problems.append(Problem(row, column, code, self._kind.headings[column - 1] if column else ""))

    def _facility(self, row: int, cell: Any) -> str | None:
        code = to_code(cell)
        problem = None
        if is_blank(cell):
            problem = "FACILITY_MISSING"
        elif self._rules.only is not None and code != self._rules.only:
            problem = "NOT_YOUR_FACILITY"
        elif code not in self._rules.registry.facilities:
            problem = "UNKNOWN_FACILITY"
        if problem is not None:
            self._note(row, FACILITY_COLUMN, problem)
            return None
        return code

    def _day(self, row: int, cell: Any) -> date | None:
        day = to_day(cell)
        problem = None
        if day is None:
            problem = "DAY_MISSING" if is_blank(cell) else "NOT_A_DAY"
        elif day > self._rules.today:
            problem = "DAY_IN_FUTURE"
        elif day < self._rules.today - _OLDEST:
            problem = "DAY_TOO_OLD"
        if problem is not None:
            self._note(row, DAY_COLUMN, problem)
            return None
        return day

    def _figures(self, row: int, facility: str, day: date, cells: Sequence[Any]) -> list[Figure]:
        told = dict(zip(self._kind.counts, cells, strict=True))
        figures = []
        for part in self._kind.parts:
            counts: dict[str, int] = {}
            blank = [name for name in COUNTS[part] if is_blank(told[name])]
            if len(blank) == len(COUNTS[part]):
                continue
            for name in COUNTS[part]:
                count = to_count(told[name])
                if count is not None:
                    counts[name] = count
                else:
                    self._note(row, self._kind.column(name), "INCOMPLETE" if name in blank else "NOT_A_COUNT")
            if len(counts) == len(COUNTS[part]):
                self._check(row, counts)
                figures.append(Figure(row, facility, day, part, counts))
        return figures

    def _check(self, row: int, counts: Mapping[str, int]) -> None:
        if "lookups" not in counts:
            return
        if counts["visits_looked_up"] > counts["lookups"]:
            self._note(row, self._kind.column("visits_looked_up"), "LOOKED_UP_OVER_LOOKUPS")
        if counts["visits_success"] > counts["visits_looked_up"]:
            self._note(row, self._kind.column("visits_success"), "SUCCESS_OVER_LOOKED_UP")
