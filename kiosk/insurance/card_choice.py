"""From the gateway's answer to the patient's: which card counts today, and whether it is this person's.

Pure functions (insurance-gateway.md 3, 3.1, 5.1): no clock, no network, no logging.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from kiosk.documents.personal_id import sex_of
from kiosk.documents.text import same_name
from kiosk.insurance.benefits import level_on, percent_on
from kiosk.insurance.notices import notices_of_answer
from kiosk.insurance.vss_answer import Answer, Card
from kiosk.insurance.vss_call import normal_number
from kiosk.insurance.vss_codes import Reason, rule_for
from kiosk.model import Coverage, EligibilityClass, Holder, KeyKind, LookupKey, Sex


@dataclass(frozen=True, slots=True)
class Decision:
    """What the patient is told and why; ``coverage`` goes on the visit, or shows staff what the gateway holds.

    ``notices``: codes of kiosk.insurance.notices that only the whole answer tells.
    """

    status: EligibilityClass
    reason: Reason
    coverage: Coverage | None = None
    notices: tuple[str, ...] = ()


def covers(card: Card, day: date) -> bool:
    """True when *day* lies in the validity of *card*, ends included. No end: open. No start: never valid."""
    return card.valid_from is not None and card.valid_from <= day and (card.valid_to is None or day <= card.valid_to)


def choose_card(answer: Answer, day: date) -> Card | None:
    """The card that counts on *day* by the five steps of section 3.1, or None when none does.

    Code 003 says that the old card is dead, so only the new one can count, whatever dates the old one carries.
    """
    old, new = answer.card, answer.new_card
    if old and new and _same(old, new):
        new = None
    elif answer.code == "003":
        old = None
    old = old if old and covers(old, day) else None
    new = new if new and covers(new, day) else None
    if old is None or new is None:
        return old or new
    return old if _rank(old, day) > _rank(new, day) else new


def holder_difference(answer: Answer, key: LookupKey) -> Reason | None:
    """Why the answer's holder is not the person of *key*, or None when nothing contradicts it (section 3.1, end).

    Compared are numbers of the same kind, the name by its letters, the birth date at the precision both know, and the
    sex (where the document gave none: the one a citizen number states). What the answer does not say is not a
    difference.
    """
    name_differs = answer.name is not None and not same_name(answer.name, key.full_name)
    birth_differs = answer.birth_date is not None and not answer.birth_date.agrees_with(key.birth_date)
    if _other_number(answer, key) or (name_differs and birth_differs):
        return Reason.WRONG_PERSON
    if name_differs:
        return Reason.NAME_DIFFERS
    if birth_differs:
        return Reason.BIRTH_DIFFERS
    sex = key.sex or _stated_sex(key)
    if answer.sex is not None and sex is not None and answer.sex is not sex:
        return Reason.SEX_DIFFERS
    return None


def held_of(answer: Answer, key: LookupKey) -> Holder | None:
    """The holder as the register has them, None where the answer names nobody or another number than this person's."""
    found = Holder(answer.name, answer.birth_date, answer.sex, answer.address)
    return None if found == Holder() or _other_number(answer, key) else found


def decide(answer: Answer, key: LookupKey, visit_day: date) -> Decision:
    """The patient's answer for a visit on *visit_day* (Vietnam's calendar day); never raises for any ``Answer``.

    Only a confirmed holder gets ``insured``, and no coverage of a person who is not the one of *key* is returned.
    """
    decision = _decide(answer, key, visit_day)
    about_another = not rule_for(answer.code).has_holder or decision.reason is Reason.WRONG_PERSON
    return decision if about_another else replace(decision, notices=notices_of_answer(answer, key, visit_day))


def _decide(answer: Answer, key: LookupKey, visit_day: date) -> Decision:
    rule = rule_for(answer.code)
    if not rule.has_holder:
        return Decision(rule.status, rule.reason)
    if difference := holder_difference(answer, key):
        return Decision(EligibilityClass.NEEDS_STAFF, difference)
    if answer.bad_dates:
        return Decision(EligibilityClass.NEEDS_STAFF, Reason.BAD_DATES)
    chosen = choose_card(answer, visit_day)
    known_holder = answer.name is not None and answer.birth_date is not None
    if not rule.status.insured:
        shown = answer.card if rule.reason is Reason.EXPIRED else chosen if _staff_prefill(rule.reason) else None
        return Decision(rule.status, rule.reason, _coverage(answer, shown, visit_day) if known_holder else None)
    if answer.card is None and answer.new_card is None:
        return Decision(EligibilityClass.NEEDS_STAFF, Reason.NO_CARD_DATA)
    if not known_holder:
        return Decision(EligibilityClass.NEEDS_STAFF, Reason.HOLDER_MISSING)
    if chosen is None:
        return Decision(EligibilityClass.NEEDS_STAFF, Reason.NOT_VALID_ON_DAY)
    coverage = _coverage(answer, chosen, visit_day)
    another = answer.card is None or not _same(chosen, answer.card) or _other_card(chosen, key)
    if rule.reason is Reason.NEW_CARD or another:
        return Decision(EligibilityClass.INSURED_NEW_CARD, Reason.NEW_CARD, coverage)
    return Decision(EligibilityClass.INSURED, Reason.VALID, coverage)


def _staff_prefill(reason: Reason) -> bool:
    return reason in (Reason.DEFENCE_CARD, Reason.POLICE_CARD)


def _same(one: Card, other: Card) -> bool:
    return (one.number, one.valid_from, one.valid_to) == (other.number, other.valid_from, other.valid_to)


def _other_card(chosen: Card, key: LookupKey) -> bool:
    """Whether a whole card number was read or typed, and *chosen* is another."""
    kinds = (KeyKind.BHYT_15, KeyKind.BHYT_17)
    return all(normal_number(number)[0] in kinds for number in (chosen.number, key.number)) and (
        normal_number(key.number)[1] != chosen.number
    )


def _rank(card: Card, day: date) -> int:
    return percent_on(level_on(card.number, day) or "", day) or 0


def _tail(number: str) -> str:
    """The number of the person in *number*: 10 digits of the register or 12 of the citizen; "" for no number."""
    try:
        kind, normal = normal_number(number)
    except ValueError:
        return ""
    return normal[5:] if kind in (KeyKind.BHYT_15, KeyKind.BHYT_17) else normal


def _other_number(answer: Answer, key: LookupKey) -> bool:
    """Whether the answer names numbers of a kind of which this person has one, and none of them is the person's."""
    known = {tail for number in (key.number, *key.other_numbers) if (tail := _tail(number))}
    lengths = {len(tail) for tail in known}
    comparable = {tail for tail in map(_tail, answer.numbers) if len(tail) in lengths}
    return bool(comparable) and not comparable & known


def _stated_sex(key: LookupKey) -> Sex | None:
    kind, number = normal_number(key.number)
    return sex_of(number) if kind is KeyKind.PERSONAL_12 else None


def _coverage(answer: Answer, card: Card | None, day: date) -> Coverage | None:
    if card is None:
        return None
    return Coverage(
        number=card.number,
        key_kind=normal_number(card.number)[0],
        registered_facility=card.registered_facility,
        valid_from=card.valid_from,
        valid_to=card.valid_to,
        five_years_on=answer.five_years_on,
        benefit_level=level_on(card.number, day),
        living_area=answer.living_area,
    )
