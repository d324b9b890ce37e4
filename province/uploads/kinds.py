"""The kinds of files, and their columns (interfaces.md 5: `visit_count`, `desk_lookups`)."""

from enum import StrEnum
from typing import Final

from kiosk.events import Kind, Origin


class UploadKind(StrEnum):
    """What a file tells: all insured visits, lookups at desks, or both as the insurer's portal counted them."""

    VISIT_COUNT = "visit_count"
    DESK_LOOKUPS = "desk_lookups"
    PORTAL_FILE = "portal_file"

    @property
    def origin(self) -> Origin:
        """The origin of its figures."""
        return Origin.PORTAL_FILE if self is UploadKind.PORTAL_FILE else Origin.MANUAL

    @property
    def parts(self) -> tuple[Kind, ...]:
        """The kinds of events that one line becomes; a part may be left blank as a whole."""
        return _PARTS[self]

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings of the file's columns, in order."""
        return (*LABELS, *(HEADING[name] for name in self.counts))

    @property
    def counts(self) -> tuple[str, ...]:
        """The names of the numbers, in the order of their columns."""
        return tuple(name for part in self.parts for name in COUNTS[part])

    def column(self, name: str) -> int:
        """Where a number stands, from 1."""
        return len(LABELS) + 1 + self.counts.index(name)


LABELS: Final = ("Mã cơ sở", "Tên cơ sở", "Ngày")
"""The first columns of every file; the name is for people only and not read."""
FACILITY_COLUMN: Final = 1
DAY_COLUMN: Final = 3
COUNTS: Final = {
    Kind.VISIT_COUNT: ("bhyt_visits",),
    Kind.DESK_LOOKUPS: ("lookups", "visits_looked_up", "visits_success"),
}
HEADING: Final = {
    "bhyt_visits": "Số lượt khám BHYT",
    "lookups": "Số lần tra cứu tại quầy",
    "visits_looked_up": "Số lượt đã tra cứu",
    "visits_success": "Số lượt tra cứu được",
}
_PARTS: Final = {
    UploadKind.VISIT_COUNT: (Kind.VISIT_COUNT,),
    UploadKind.DESK_LOOKUPS: (Kind.DESK_LOOKUPS,),
    UploadKind.PORTAL_FILE: (Kind.VISIT_COUNT, Kind.DESK_LOOKUPS),
}
