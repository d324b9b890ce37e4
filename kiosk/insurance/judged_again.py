"""What somebody else judged, judged once more before a patient is told: never insured on another's word alone.

Pure. For answers of the hospital system and of a relay: the insurer's own are judged by ``card_choice``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from kiosk.documents.text import same_name
from kiosk.insurance.vss_codes import Reason, rule_for
from kiosk.model import Coverage, Eligibility, EligibilityClass, Holder, LookupKey


def judged_again(answer: Eligibility, key: LookupKey, visit_day: date) -> Eligibility:
    """*answer* about *key*, taken down where it claims more than it shows.

    Nothing is said about somebody whose name, birth date or sex is another's. Insured needs a card that is valid on
    *visit_day*, and no result code of the insurer that says otherwise.
    """
    if answer.held is not None and (reason := _difference(answer.held, key)):
        return _to_staff(answer, reason)
    if answer.status.insured:
        answer = by_code(answer)
    if not answer.status.insured:
        return answer
    if answer.coverage is None or not answer.coverage.number:
        return _to_staff(answer, Reason.NO_CARD_DATA)
    if not _covers(answer.coverage, visit_day):
        return replace(_to_staff(answer, Reason.NOT_VALID_ON_DAY), coverage=answer.coverage)
    return answer


def by_code(answer: Eligibility) -> Eligibility:
    """*answer* as the insurer's own code means it, where it has one that is not insured (insurance-gateway.md 3)."""
    if answer.result_code is None:
        return answer
    rule = rule_for(answer.result_code)
    if rule.status.insured:
        return answer
    shown = answer.coverage if rule.reason is Reason.EXPIRED else None
    return replace(answer, status=rule.status, reason=rule.reason, coverage=shown, notices=(), route=None)


def _to_staff(answer: Eligibility, reason: Reason) -> Eligibility:
    held = None if reason is Reason.WRONG_PERSON else answer.held
    status = EligibilityClass.NEEDS_STAFF
    return replace(answer, status=status, reason=reason, coverage=None, held=held, notices=(), route=None)


def _covers(card: Coverage, day: date) -> bool:
    return card.valid_from is not None and card.valid_from <= day and (card.valid_to is None or day <= card.valid_to)


def _difference(held: Holder, key: LookupKey) -> Reason | None:
    name_differs = held.full_name is not None and not same_name(held.full_name, key.full_name)
    birth_differs = held.birth_date is not None and not held.birth_date.agrees_with(key.birth_date)
    if name_differs and birth_differs:
        return Reason.WRONG_PERSON
    if name_differs:
        return Reason.NAME_DIFFERS
    if birth_differs:
        return Reason.BIRTH_DIFFERS
    if held.sex is not None and key.sex is not None and held.sex is not key.sex:
        return Reason.SEX_DIFFERS
    return None
