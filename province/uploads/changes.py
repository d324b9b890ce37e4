"""What a file would change: each figure beside what is known, and which of them counts then."""

from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.events import MAX_COUNT, Kind
from province.uploads.kinds import UploadKind
from province.uploads.known import Known, KnownFigures
from province.uploads.problems import Problem, UploadRefused
from province.uploads.reading import Figure


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that is new or other than before. ``before``: what the same origin told last, None: nothing.

    ``counted_instead``: the more trusted origin whose figure goes on to count for this day; None: this one does.
    """

    figure: Figure
    origin: str
    revision: int
    before: Known | None
    counted_instead: str | None

    def as_json(self) -> dict[str, object]:
        """`{"row", "facility", "day", "kind", "origin", "old", "old_by", "new", "revision", "counted_instead"}`."""
        return {
            "row": self.figure.row,
            "facility": self.figure.facility,
            "day": self.figure.day.isoformat(),
            "kind": str(self.figure.kind),
            "origin": self.origin,
            "old": self.before.counts if self.before else None,
            "old_by": self.before.station if self.before else None,
            "new": dict(self.figure.counts),
            "revision": self.revision,
            "counted_instead": self.counted_instead,
        }


def changes_of(figures: Sequence[Figure], kind: UploadKind, known: KnownFigures) -> list[Change]:
    """The figures that say something new, in the order of the file; the same again is no change.

    Raises UploadRefused with LOOKED_UP_OVER_VISITS (more visits looked up than there are of the same origin on that
    day, in the file or known) or REVISIONS_SPENT.
    """
    origin = str(kind.origin)
    told = {(figure.facility, figure.day, figure.kind): figure for figure in figures}
    problems = []
    changes = []
    for place, figure in told.items():
        before = known.newest(place, origin)
        revision = before.revision + 1 if before else 1
        if before is not None and before.counts == figure.counts:
            continue
        if revision > MAX_COUNT:
            problems.append(Problem(figure.row, 0, "REVISIONS_SPENT"))
        changes.append(Change(figure, origin, revision, before, known.above(place, origin)))

    def number(figure: Figure, part: Kind, name: str) -> int | None:
        place = figure.facility, figure.day, part
        if place in told:
            return told[place].counts[name]
        before = known.newest(place, origin)
        return before.counts[name] if before else None

    for change in changes:
        figure = change.figure
        visits = number(figure, Kind.VISIT_COUNT, "bhyt_visits")
        looked_up = number(figure, Kind.DESK_LOOKUPS, "visits_looked_up")
        if visits is not None and looked_up is not None and looked_up > visits:
            name = "bhyt_visits" if figure.kind is Kind.VISIT_COUNT else "visits_looked_up"
            column = kind.column(name)
            problems.append(Problem(figure.row, column, "LOOKED_UP_OVER_VISITS", kind.headings[column - 1]))
    if problems:
        raise UploadRefused(problems)
    return changes
