"""Thresholds of the rules: each with its reason, and with values by date and facility where the province sets others.

All are whole numbers. A day is judged by the limits of that day, so that a new one rewrites nothing that was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa

from province.findings.finding import FindingRefused
from province.findings_tables import finding_limit
from province.months.rules import MonthRefused, kept_text, refuse_unknown
from province.upsert import insert_or_update

EVERYWHERE: Final = "*"
_LARGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """The value that holds unless the province says otherwise, and why it is that one."""

    value: int
    why: str


LIMITS: Final[Mapping[str, Limit]] = {
    "same_person_checkins": Limit(5, "a person is sent on to two or three clinics a day, hardly to five"),
    "same_person_excess_pct": Limit(20, "repeats are some percent of a day, not every fifth check-in"),
    "same_person_excess_least": Limit(20, "below twenty repeats a day a share says nothing"),
    "person_missing_least": Limit(10, "a station always knows whose number it asked for; a few may be old versions"),
    "opens_hour": Limit(5, "queues begin before six; from this hour on nothing is outside opening hours"),
    "closes_hour": Limit(19, "the last patients are registered before; until this hour nothing is outside"),
    "outside_hours_least": Limit(20, "emergencies at night are single; twenty in one hour at one station are not"),
    "too_fast_self": Limit(40, "in five minutes at a kiosk: 7.5 s each, with a chip read and a confirmation in it"),
    "too_fast_desk": Limit(200, "in five minutes behind one station's desks: ten desks with 15 s each"),
    "chip_bare_least": Limit(3, "a station always notes verdict and issuer of a chip; one or two may be a fault"),
    "typed_to_chip_pct": Limit(30, "points by which typed numbers fall and chips rise from one week to the next"),
    "typed_to_chip_least": Limit(50, "below fifty lookups a week shares jump by chance"),
    "issuer_alone_least": Limit(20, "document signers sign cards of the whole country; some rare one may show up"),
    "issuer_alone_others": Limit(200, "chips that other stations must have read for being alone to mean anything"),
    "verdict_mix_pct": Limit(30, "points away from the province; cards are the same everywhere, readers nearly so"),
    "verdict_mix_least": Limit(50, "chips of a month at the facility, below that shares jump by chance"),
    "visits_shrunk_pct": Limit(5, "corrections of a day's visits are small"),
    "visits_shrunk_least": Limit(3, "one or two cancelled visits are daily business"),
    "visits_below_pct": Limit(10, "some who check in leave again before they are registered"),
    "visits_below_least": Limit(5, "the same, at a small station"),
    "portal_gap_pct": Limit(5, "the portal counts a few visits more or less at the turn of a day"),
    "portal_gap_least": Limit(20, "the same, at a small station"),
    "origin_changed_days": Limit(3, "a day or two without the hospital system's figure is a fault of the line"),
    "silent_expected_visits": Limit(12, "no visit at all by chance where twelve are usual: six in a million"),
    "missing_working_days": Limit(3, "a kiosk may wait for its repair over a weekend and a day"),
    "gap_hours": Limit(24, "what was only overtaken on its way arrives within a day"),
    "gap_alarm_events": Limit(50, "a small station's day; so many missing can move a rate that is published"),
    "clock_suspect_pct": Limit(10, "single late or early events do not move days; every tenth may"),
    "clock_suspect_least": Limit(20, "below twenty events a share says nothing"),
}
"""Name -> default and reason."""


@dataclass(frozen=True, slots=True)
class Setting:
    """From *valid_from* on the limit *name* is *value* at the facility, or everywhere (`*`)."""

    name: str
    facility: str
    valid_from: date
    value: int
    reason: str


class Limits:
    """The limits as they stand."""

    def __init__(self, settings: tuple[Setting, ...] = ()) -> None:
        """*settings*: what the province set, in any order."""
        self.settings = settings
        self._of: dict[tuple[str, str], list[Setting]] = {}
        for each in sorted(settings, key=lambda each: each.valid_from):
            self._of.setdefault((each.name, each.facility), []).append(each)

    def of(self, name: str, facility: str, day: date) -> int:
        """The value on the day: the facility's own, else everybody's, else the default. KeyError: no such limit."""
        for place in (facility, EVERYWHERE):
            begun = [each.value for each in self._of.get((name, place), ()) if each.valid_from <= day]
            if begun:
                return begun[-1]
        return LIMITS[name].value

    def least(self, name: str) -> int:
        """The smallest value that holds anywhere at any time: what a query may leave out without looking closer."""
        return min([LIMITS[name].value, *(each.value for each in self.settings if each.name == name)])


def read_limits(connection: sa.Connection) -> Limits:
    """The limits in the database."""
    rows = connection.execute(sa.select(finding_limit).order_by(finding_limit.c.name, finding_limit.c.valid_from))
    return Limits(tuple(Setting(row.name, row.facility, row.valid_from, row.value, row.reason) for row in rows))


def set_limit(connection: sa.Connection, setting: Setting) -> None:
    """Keep a limit from a day on. Raises FindingRefused: `unknown_limit`, `unknown_facility`, `bad_number`,
    `reason_needed` or `bad_text`.
    """
    if setting.name not in LIMITS:
        raise FindingRefused("unknown_limit", ", ".join(LIMITS))
    if not 0 <= setting.value <= _LARGEST:
        raise FindingRefused("bad_number", f"0 to {_LARGEST}")
    try:
        reason = kept_text(setting.reason)
        if setting.facility != EVERYWHERE:
            refuse_unknown(connection, setting.facility)
    except MonthRefused as error:
        raise FindingRefused(error.code, error.detail) from None
    if not reason:
        raise FindingRefused("reason_needed")
    row = {"name": setting.name, "facility": setting.facility, "valid_from": setting.valid_from}
    insert_or_update(connection, finding_limit, [row | {"value": setting.value, "reason": reason}], ("value", "reason"))
