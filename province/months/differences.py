"""Why a figure of ours is not the insurer's: each difference is divided among causes that the data can show.

A cause explains at most as much as what is known of it; what no cause explains is `UNEXPLAINED` and is said so. Causes
are asked in the order in which the evidence is the surest: what came late, then what was measured, then what can only
be bounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from province.measures import Measures
from province.months.insurer import InsurerFigure


class Cause(StrEnum):
    """Why two figures of one month differ."""

    FACILITY_MISSING_HERE = "FACILITY_MISSING_HERE"
    FACILITY_MISSING_THERE = "FACILITY_MISSING_THERE"
    LATE_DATA = "LATE_DATA"
    DENOMINATORS_DIFFER = "DENOMINATORS_DIFFER"
    CLASSES_LEFT_OUT = "CLASSES_LEFT_OUT"
    REPEATED_LOOKUPS = "REPEATED_LOOKUPS"
    OTHER_KEY_LOOKUPS = "OTHER_KEY_LOOKUPS"
    THEIR_OUTAGE = "THEIR_OUTAGE"
    FAILED_LOOKUPS = "FAILED_LOOKUPS"
    ATTEMPTS_NOT_SENT = "ATTEMPTS_NOT_SENT"
    DESK_LOOKUPS_MISSING = "DESK_LOOKUPS_MISSING"
    SILENT_DAYS = "SILENT_DAYS"
    UNEXPLAINED = "UNEXPLAINED"


CAUSE_TEXTS: Final = {
    Cause.FACILITY_MISSING_HERE: "Cơ sở chưa gửi số liệu nào của tháng về tỉnh",
    Cause.FACILITY_MISSING_THERE: "Bảng của cơ quan BHXH không có cơ sở này",
    Cause.LATE_DATA: "Số liệu đến sau khi tỉnh chốt tháng",
    Cause.DENOMINATORS_DIFFER: "Số lượt khám trên Cổng khác số của bệnh viện",
    Cause.CLASSES_LEFT_OUT: "Đối tượng được loại trừ theo quy định (trẻ em, cấp cứu, ...)",
    Cause.REPEATED_LOOKUPS: "Một lượt khám được tra cứu nhiều lần",
    Cause.OTHER_KEY_LOOKUPS: "Tra cứu bằng mã thẻ, không bằng số căn cước",
    Cause.THEIR_OUTAGE: "Cổng BHXH báo lỗi: lần tra cứu không được Cổng ghi nhận",
    Cause.FAILED_LOOKUPS: "Lần tra cứu không thành công, cơ quan BHXH không tính",
    Cause.ATTEMPTS_NOT_SENT: "Lần gọi Cổng bị đứt: Cổng có thể đã nhận mà kiosk không biết",
    Cause.DESK_LOOKUPS_MISSING: "Cơ sở chưa báo số lượt tra cứu tại quầy",
    Cause.SILENT_DAYS: "Có ngày làm việc cơ sở không gửi số liệu",
    Cause.UNEXPLAINED: "Chưa rõ nguyên nhân",
}


@dataclass(frozen=True, slots=True)
class Quiet:
    """What the days of one facility in the month say.

    ``silent_days``: working days without any data. ``most_visits``, ``most_lookups``: of its fullest day.
    ``desk_unreported``: insured visits that nobody looked up, on days without a figure of the desks.
    """

    silent_days: int = 0
    most_visits: int = 0
    most_lookups: int = 0
    desk_unreported: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a difference: so many, because of this. ``amount`` has the sign of the difference."""

    cause: Cause
    amount: int


def explain_visits(
    published: Measures | None, live: Measures | None, theirs: InsurerFigure | None, quiet: Quiet
) -> list[Part]:
    """The difference of insured visits, theirs less ours as published, in parts that add up to it."""
    ours = published.visits if published else 0
    if theirs is None:
        return _all(Cause.FACILITY_MISSING_THERE, -ours)
    if published is None or not _told(published):
        return _all(Cause.FACILITY_MISSING_HERE, theirs.visits - ours)
    late = (live or published).visits - ours
    portal = 0 if published.visits_portal is None else published.visits_portal - published.visits_beside_portal
    left_out = sum(count for name, count in published.classes.items() if name.endswith(".visits"))
    more = [
        (Cause.LATE_DATA, late),
        (Cause.DENOMINATORS_DIFFER, portal),
        (Cause.SILENT_DAYS, quiet.silent_days * quiet.most_visits),
    ]
    fewer = [(Cause.LATE_DATA, -late), (Cause.DENOMINATORS_DIFFER, -portal), (Cause.CLASSES_LEFT_OUT, left_out)]
    return _divide(theirs.visits - ours, more, fewer)


def explain_lookups(
    published: Measures | None, live: Measures | None, theirs: InsurerFigure | None, quiet: Quiet
) -> list[Part]:
    """The difference of counted lookups, theirs less ours (`lookups_total`) as published, in parts that add up."""
    ours = _lookups(published) if published else 0
    if theirs is None:
        return _all(Cause.FACILITY_MISSING_THERE, -ours)
    if published is None or not _told(published):
        return _all(Cause.FACILITY_MISSING_HERE, theirs.lookups - ours)
    late = _lookups(live or published) - ours
    distinct = published.visits_looked_up + published.desk_looked_up
    failed = ours - published.success - published.desk_success - published.fail_technical
    more = [
        (Cause.LATE_DATA, late),
        (Cause.OTHER_KEY_LOOKUPS, published.other_key),
        (Cause.ATTEMPTS_NOT_SENT, published.not_sent),
        (Cause.DESK_LOOKUPS_MISSING, quiet.desk_unreported),
        (Cause.SILENT_DAYS, quiet.silent_days * quiet.most_lookups),
    ]
    fewer = [
        (Cause.LATE_DATA, -late),
        (Cause.REPEATED_LOOKUPS, ours - distinct),
        (Cause.THEIR_OUTAGE, published.fail_technical),
        (Cause.FAILED_LOOKUPS, failed),
    ]
    return _divide(theirs.lookups - ours, more, fewer)


def _lookups(sums: Measures) -> int:
    return sums.counted + sums.desk_lookups


def _told(sums: Measures) -> bool:
    return sums.reported or bool(sums.origins)


def _all(cause: Cause, amount: int) -> list[Part]:
    return [Part(cause, amount)] if amount else []


def _divide(difference: int, more: Sequence[tuple[Cause, int]], fewer: Sequence[tuple[Cause, int]]) -> list[Part]:
    sign, causes = (1, more) if difference > 0 else (-1, fewer)
    rest = abs(difference)
    parts = []
    for cause, most in causes:
        if amount := min(rest, max(most, 0)):
            parts.append(Part(cause, sign * amount))
            rest -= amount
    return [*parts, Part(Cause.UNEXPLAINED, sign * rest)] if rest else parts
