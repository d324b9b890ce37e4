"""Numbers reported as read from a chip: without a verdict, without or with a lonely issuer, or instead of typed ones.

`issuer` is the digest of the document signer's certificate on the card (interfaces.md 5); one signer signs the cards of
the whole country for months, so that every station meets all of them.
"""

import re
from collections import defaultdict
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import CHIP_VERDICTS, Method
from province.findings.finding import Finding, Kind, Severity
from province.findings.limits import Limits
from province.findings.sql import evidence, lookups_of, month_of, share
from province.periods import Period

_DIGEST: Final = re.compile(r"[0-9a-f]{16}")
_A_WEEK: Final = timedelta(days=7)
_SUNDAY: Final = timedelta(days=6)


def bare_chips(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Stations that report chips without a verdict, or with a good verdict and without an issuer, in a month."""
    seen = lookups_of(connection, span)
    by_chip = seen.c.method == Method.CHIP_CCCD
    no_verdict = sa.func.coalesce(seen.c.chip_verdict, "") == ""
    no_issuer = sa.and_(seen.c.chip_verdict.in_(sorted(CHIP_VERDICTS)), sa.func.coalesce(seen.c.issuer, "") == "")
    found = []
    for kind, bare in ((Kind.CHIP_WITHOUT_VERDICT, no_verdict), (Kind.CHIP_WITHOUT_ISSUER, no_issuer)):
        query = (
            sa.select(
                seen.c.facility,
                seen.c.station,
                sa.func.min(sa.case((bare, seen.c.day))).label("first"),
                sa.func.max(sa.case((bare, seen.c.day))).label("last"),
                sa.func.sum(sa.case((bare, 1), else_=0)).label("bare"),
                sa.func.count().label("chips"),
            )
            .where(by_chip)
            .group_by(seen.c.facility, seen.c.station)
            .having(sa.func.sum(sa.case((bare, 1), else_=0)) >= max(1, limits.least("chip_bare_least")))
        )
        for row in connection.execute(query).all():
            if row.bare >= limits.of("chip_bare_least", row.facility, row.last):
                mine = seen.c.facility == row.facility, seen.c.station == row.station
                ids = evidence(connection, seen.c.event_id, *mine, by_chip, bare)
                found.append(_of_month(kind, row, span, ids, {"bare": row.bare, "chips": row.chips}))
    return found


def _of_month(kind: Kind, row: Any, span: Period, ids: tuple[str, ...], numbers: dict[str, int | str]) -> Finding:
    severity = Severity.ALARM if 5 * int(numbers["bare"]) >= int(numbers["chips"]) else Severity.WARN
    place = kind, row.facility, row.station, row.first, row.last
    return Finding(*place, severity, month_of(span.start), numbers, ids)


def issuer_alone(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Issuers of which one station alone reports many cards, while others read many chips of other issuers."""
    seen = lookups_of(connection, span)
    query = (
        sa.select(
            seen.c.issuer,
            seen.c.facility,
            seen.c.station,
            sa.func.min(seen.c.day).label("first"),
            sa.func.max(seen.c.day).label("last"),
            sa.func.count().label("cards"),
        )
        .where(seen.c.method == Method.CHIP_CCCD, sa.func.coalesce(seen.c.issuer, "") != "")
        .group_by(seen.c.issuer, seen.c.facility, seen.c.station)
    )
    by_issuer: dict[str, list[Any]] = defaultdict(list)
    of_station: dict[tuple[str, str], int] = defaultdict(int)
    for row in connection.execute(query):
        by_issuer[row.issuer].append(row)
        of_station[row.facility, row.station] += row.cards
    whole = sum(of_station.values())
    found = []
    for issuer, (row, *others) in sorted(by_issuer.items()):
        elsewhere = whole - of_station[row.facility, row.station]
        limit = {name: limits.of(f"issuer_alone_{name}", row.facility, row.last) for name in ("least", "others")}
        if others or row.cards < limit["least"] or elsewhere < limit["others"]:
            continue
        mine = seen.c.facility == row.facility, seen.c.station == row.station, seen.c.issuer == issuer
        ids = evidence(connection, seen.c.event_id, *mine)
        named = issuer if _DIGEST.fullmatch(issuer) else "?"  # anything else may be what must not be shown
        numbers: dict[str, int | str] = {"cards": row.cards, "elsewhere": elsewhere, "issuer": named}
        place = Kind.ISSUER_ALONE, row.facility, row.station, row.first, row.last
        found.append(Finding(*place, Severity.ALARM, f"{month_of(span.start)} {issuer}", numbers, ids))
    return found


def verdict_mix(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Facilities whose verdicts on chips are shared out quite unlike those of all others together, in a month."""
    seen = lookups_of(connection, span)
    known = [*sorted(CHIP_VERDICTS), "forged", "suspected_copy"]
    verdict = sa.case((seen.c.chip_verdict.in_(known), seen.c.chip_verdict), else_="other").label("verdict")
    query = (
        sa.select(
            seen.c.facility,
            verdict,
            sa.func.min(seen.c.day).label("first"),
            sa.func.max(seen.c.day).label("last"),
            sa.func.count().label("chips"),
        )
        .where(seen.c.method == Method.CHIP_CCCD)
        .group_by(seen.c.facility, verdict)
    )
    rows: dict[str, dict[str, Any]] = defaultdict(dict)
    of_all: dict[str, int] = defaultdict(int)
    for row in connection.execute(query):
        rows[row.facility][row.verdict] = row
        of_all[row.verdict] += row.chips
    found = []
    for facility, mine in sorted(rows.items()):
        chips = {name: mine[name].chips if name in mine else 0 for name in of_all}
        others = {name: number - chips[name] for name, number in of_all.items()}
        own, rest = sum(chips.values()), sum(others.values())
        away = {name: share(chips[name], own) - share(others[name], rest) for name in of_all}
        worst = max(sorted(away), key=lambda name: abs(away[name]))
        last = max(row.last for row in mine.values())
        least = limits.of("verdict_mix_least", facility, last)
        if own < least or rest < 4 * least or abs(away[worst]) < limits.of("verdict_mix_pct", facility, last):
            continue
        numbers: dict[str, int | str] = {"verdict": worst, "chips": own}
        numbers |= {"pct": share(chips[worst], own), "others_pct": share(others[worst], rest)}
        ids = evidence(connection, seen.c.event_id, seen.c.facility == facility, verdict == worst)
        place = Kind.VERDICT_MIX, facility, "", min(row.first for row in mine.values()), last
        found.append(Finding(*place, Severity.WARN, month_of(span.start), numbers, ids))
    return found


def typed_to_chip(connection: sa.Connection, span: Period, limits: Limits) -> list[Finding]:
    """Stations at which typed numbers fall and chips rise by many points from one ISO week to the next.

    Weeks whose Sunday is in the span, each with the one before.
    """
    monday = span.start - timedelta(days=span.start.weekday())
    weeks = [monday + n * _A_WEEK for n in range(-1, (span.end - monday).days // 7 + 1)]
    weeks = [start for start in weeks if start + _SUNDAY <= span.end]
    seen = lookups_of(connection, Period(weeks[0], weeks[-1] + _SUNDAY))
    week = sa.case(*((seen.c.day >= start, number) for number, start in reversed(list(enumerate(weeks))))).label("week")

    def number_of(method: Method) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((seen.c.method == method, 1), else_=0))

    query = sa.select(
        seen.c.facility,
        seen.c.station,
        week,
        sa.func.count().label("lookups"),
        number_of(Method.CHIP_CCCD).label("chips"),
        number_of(Method.MANUAL_ID).label("typed"),
    ).group_by(seen.c.facility, seen.c.station, week)
    rows = {(row.facility, row.station, row.week): row for row in connection.execute(query)}
    found = []
    for (facility, station, number), row in sorted(rows.items()):
        start = weeks[number]
        before = rows.get((facility, station, number - 1))
        numbers = _jump(before, row, limits, start) if before is not None else None
        if numbers is None:
            continue
        mine = seen.c.facility == facility, seen.c.station == station, week == number
        ids = evidence(connection, seen.c.event_id, *mine, seen.c.method == Method.CHIP_CCCD)
        place = Kind.TYPED_TO_CHIP, facility, station, start, start + _SUNDAY
        found.append(Finding(*place, Severity.NOTE, start.isoformat(), numbers, ids))
    return found


def _jump(before: Any, after: Any, limits: Limits, day: date) -> dict[str, int | str] | None:
    points = limits.of("typed_to_chip_pct", after.facility, day)
    least = limits.of("typed_to_chip_least", after.facility, day)
    typed = share(before.typed, before.lookups), share(after.typed, after.lookups)
    chips = share(before.chips, before.lookups), share(after.chips, after.lookups)
    if min(before.lookups, after.lookups) < least or min(typed[0] - typed[1], chips[1] - chips[0]) < points:
        return None
    return {"typed_before": typed[0], "typed": typed[1], "chips_before": chips[0], "chips": chips[1]}
