"""What staff and patient should know of a card beside whether it is valid: stable codes, pure functions.

A code is lower case; where a date or a number belongs to it, that follows after a colon: ``five_years_on:2027-01-31``,
``level:80``. Everything is provisional (insurance-gateway.md 5). Codes:

``level:N``: the fund pays N per cent at this card's level. ``level_read_as_2``: the card still prints a lower one.
``card_ends_today``, ``card_ends_soon``: the last day is today, or within ``SOON``, and no other card is known.
``five_years_reached``, ``five_years_on:DATE``: five continuous years (5.2). ``registered_elsewhere``: the card names
another facility.
``new_card_from:DATE``: another card begins later. ``name_order``: the register has the words of the name in another
order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from kiosk.documents.text import fold
from kiosk.insurance.benefits import level_on, percent_on, printed_level
from kiosk.insurance.routes import RouteProfile, is_registered_here, profile_on, route_hint
from kiosk.insurance.vss_answer import Answer
from kiosk.model import Coverage, Eligibility, LookupKey, RouteHint

SOON = timedelta(days=30)
"""How long before its last day a card is about to end."""

_NEW_CARD = "new_card_from"
_ENDS = ("card_ends_today", "card_ends_soon")

Insight = tuple[tuple[str, ...], RouteHint | None]


def insights(coverage: Coverage, day: date, profiles: Sequence[RouteProfile], facility: str) -> Insight:
    """Notices and route of an insured person's *coverage* for a visit to *facility* on *day* (Vietnam's calendar)."""
    found = notices_of(coverage, day, registered_here=_registered_here(coverage, day, profiles, facility))
    return found, route_hint(coverage, profiles, day, facility)


def with_insights(answer: Eligibility, day: date, profiles: Sequence[RouteProfile], facility: str) -> Eligibility:
    """*answer* with what follows from its card, whichever gateway gave it; as it is unless it says insured."""
    if not answer.status.insured or answer.coverage is None:
        return answer
    notices, route = insights(answer.coverage, day, profiles, facility)
    if any(parts_of(notice)[0] == _NEW_CARD for notice in answer.notices):  # nobody needs to renew then
        notices = tuple(notice for notice in notices if notice not in _ENDS)
    return replace(answer, notices=tuple(dict.fromkeys((*answer.notices, *notices))), route=route)


def notices_of(
    coverage: Coverage, day: date, *, registered_here: bool | None = None, soon: timedelta = SOON
) -> tuple[str, ...]:
    """Codes for a card that counts on *day*. *registered_here*: None when the card names no facility."""
    found = [*_level(coverage, day), *_end(coverage, day, soon), *_five_years(coverage, day)]
    if registered_here is False:
        found.append("registered_elsewhere")
    return tuple(found)


def notices_of_answer(answer: Answer, key: LookupKey, day: date) -> tuple[str, ...]:
    """Codes that only the whole *answer* tells; what it says of other people is for the caller to leave out."""
    new = answer.new_card
    starts = new.valid_from if new is not None and (answer.card is None or new != answer.card) else None
    found = [f"{_NEW_CARD}:{starts}"] if starts is not None and starts > day else []
    if answer.name is not None and words_in_other_order(answer.name, key.full_name):
        found.append("name_order")
    return tuple(found)


def words_in_other_order(one: str, other: str) -> bool:
    """Whether two names have the same words, accents and case apart, and not in the same order."""
    these, those = fold(one).split(), fold(other).split()
    return these != those and sorted(these) == sorted(those)


def parts_of(notice: str) -> tuple[str, str | None]:
    """A notice's code and what follows the colon, None when nothing does."""
    code, colon, value = notice.partition(":")
    return code, value if colon else None


def _registered_here(coverage: Coverage, day: date, profiles: Iterable[RouteProfile], facility: str) -> bool | None:
    return is_registered_here(coverage, profile_on(profiles, day), facility)


def _level(coverage: Coverage, day: date) -> list[str]:
    level, printed = level_on(coverage.number, day), printed_level(coverage.number)
    percent = percent_on(level, day) if level is not None else None
    if percent is None:
        return []
    return [f"level:{percent}", *([f"level_read_as_{level}"] if level != printed else [])]


def _end(coverage: Coverage, day: date, soon: timedelta) -> list[str]:
    end = coverage.valid_to
    if end is None or not day <= end <= day + soon:
        return []
    return ["card_ends_today" if end == day else "card_ends_soon"]


def _five_years(coverage: Coverage, day: date) -> list[str]:
    reached = coverage.five_years_on
    if reached is None:
        return []
    return ["five_years_reached" if reached <= day else f"five_years_on:{reached}"]
