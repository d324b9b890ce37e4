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
    """*answer* about *key*, taken down to ``needs_staff`` where it claims more than it shows.

    Insured needs a card that is valid on *visit_day*, a holder who fits as far as told, and no result code of the
    insurer that says otherwise.
    """
    if not answer.status.insured:
        return answer
    if answer.result_code is not None and not rule_for(answer.result_code).status.insured:
        return _to_staff(answer, Reason.UNKNOWN_CODE)
    if answer.coverage is None or not answer.coverage.number:
        return _to_staff(answer, Reason.NO_CARD_DATA)
    if not _covers(answer.coverage, visit_day):
        return _to_staff(answer, Reason.NOT_VALID_ON_DAY)
    if answer.held is not None and (reason := _difference(answer.held, key)):
        return _to_staff(answer, reason)
    return answer


def _to_staff(answer: Eligibility, reason: Reason) -> Eligibility:
    return replace(answer, status=EligibilityClass.NEEDS_STAFF, reason=reason, notices=(), route=None)


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
