"""Which object code (MA_DOITUONG_KCB) a visit would have as far as a reception can tell (insurance-gateway.md 5.4).

Settings of the facility and the card of the patient settle few of the 27 cases; referrals, appointments, diagnoses and
admission are for staff. The code is set after the visit ends, so everything here is provisional.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kiosk.insurance.dated_tables import holds, rows
from kiosk.model import Certainty, Coverage, RouteHint

Level = Literal["initial", "basic", "specialised"]
Former = Literal["", "commune", "district", "province", "central"]

_LOWER_SCORE, _UPPER_SCORE = 50, 70


@dataclass(frozen=True, slots=True)
class RouteProfile:
    """What a facility is since the day ``since``: its level, its points, its tier before 2025 ("": none).

    ``accepted``: codes of places of registration that count as this facility. ``primary``: a commune station or
    another place of code 1.2.
    """

    since: date
    level: Level
    accepted: frozenset[str] = frozenset()
    score: float | None = None
    former: Former = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class ObjectCode:
    """One row of QD 3276: ``words`` in Vietnamese ("": not known), ``rate`` in per cent of the card's level.

    ``rate`` None: depends on the case. ``certainty`` None: the code is gone and must not be used any more.
    """

    code: str
    words: str
    rate: int | None
    certainty: Certainty | None


def object_code(code: str, day: date) -> ObjectCode | None:
    """What *code* means on *day*, those of older lists included, which still come with older data; None if unknown."""
    found = [row for row in rows("object-codes.csv") if row["code"] == code]
    row = next((row for row in found if holds(row, day)), found[-1] if found and not found[-1]["certainty"] else None)
    if row is None:
        return None
    rate = int(row["rate"]) if row["rate"] else None
    return ObjectCode(code, row["words"], rate, Certainty(row["certainty"]) if row["certainty"] else None)


def profile_on(profiles: Iterable[RouteProfile], day: date) -> RouteProfile | None:
    """The profile in force on *day*: the newest that has begun."""
    return max((each for each in profiles if each.since <= day), key=lambda each: each.since, default=None)


def is_registered_here(coverage: Coverage, profile: RouteProfile | None, facility: str) -> bool | None:
    """Whether the card names this *facility* or one that counts as it; None where the card names none."""
    place = coverage.registered_facility
    if place is None:
        return None
    return place == facility or (profile is not None and place in profile.accepted)


def route_hint(
    coverage: Coverage, profiles: Iterable[RouteProfile], day: date, facility: str, *, insured: bool = True
) -> RouteHint | None:
    """The provisional code of an outpatient who comes to *facility* on *day* by themselves; first match wins.

    None without a profile, for a card that is not valid (not *insured*), and where no row can be told from here.
    """
    profile = profile_on(profiles, day)
    if profile is None or not insured:
        return None
    code = _code(profile, registered_here=is_registered_here(coverage, profile, facility))
    found = object_code(code, day) if code else None
    if found is None or found.certainty is None:
        return None
    return RouteHint(found.code, found.certainty, found.rate)


def _code(profile: RouteProfile, *, registered_here: bool | None) -> str | None:
    if profile.primary:
        return "1.2"
    if registered_here is None:
        return None
    if registered_here:
        return "1.1"
    if profile.level == "initial":
        return "1.11"
    return _basic(profile) if profile.level == "basic" else _specialised(profile)


def _basic(profile: RouteProfile) -> str | None:
    score, once_higher = profile.score, profile.former in ("province", "central")
    if (score is None or score < _LOWER_SCORE) and not once_higher:
        return "1.12"
    if score is not None and _LOWER_SCORE <= score < _UPPER_SCORE:
        return "1.13"
    if once_higher:
        return "1.14"
    return "3.3" if profile.former == "district" else None


def _specialised(profile: RouteProfile) -> str | None:
    return {"province": "1.18", "central": "3.1", "district": "3.3"}.get(profile.former)
