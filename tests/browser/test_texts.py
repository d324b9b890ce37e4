"""The words: every code that the rest of the program gives has a sentence, and none speaks of what is not said."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from kiosk.insurance.vss_codes import Reason
from kiosk.model import EligibilityClass, MatchKind, Method
from kiosk.web.pages import texts

STAFF_REASONS = [
    "identity_incomplete",
    "called_by_patient",
    "no_menu",
    "internal_error",
    "hospital_patient_ambiguous",
    "hospital_patient_differs",
    "hospital_rejected",
    "hospital_outcome_unknown",
    "receipt_unusable",
    "coverage_to_enter",
    "turned_not_insured",
    "turned_needs_staff",
    "manual_entry",
    "needs_staff",
]
DOCUMENT_ERRORS = [
    "EMPTY",
    "UNKNOWN_FORMAT",
    "URL_PAYLOAD",
    "OPAQUE_TOKEN",
    "TRUNCATED",
    "BAD_ID_NUMBER",
    "BAD_DATE",
    "BAD_CHECK_DIGIT",
    "NAME_DAMAGED",
    "NOT_FOR_SELF_SERVICE",
]


def sentences(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from sentences(child)


@pytest.mark.parametrize("code", [*Reason, *STAFF_REASONS])
def test_staff_read_what_is_wrong_and_what_to_do(code: str) -> None:
    assert texts()["staff"]["reason"][code].endswith(".")


@pytest.mark.parametrize("code", DOCUMENT_ERRORS)
def test_every_unreadable_code_has_advice(code: str) -> None:
    advice = texts()["patient"]["unreadable"][code]
    assert advice["title"] and advice["text"].endswith(".")


def test_the_closed_lists_of_the_model_have_words() -> None:
    staff, patient = texts()["staff"], texts()["patient"]
    assert set(EligibilityClass) <= set(staff["class"])
    assert set(Method) <= set(staff["method"])
    assert set(MatchKind) <= set(staff["match"])
    assert set(patient["answer"]) == {"insured", "not_insured", "cannot_say", "needs_staff"}


def test_nothing_that_patients_read_promises_a_payment_or_guesses_their_age() -> None:
    forbidden = re.compile(r"chi trả|thanh toán|miễn phí|được hưởng|\b(bác|cô|chú|anh|chị|em)\b", re.IGNORECASE)
    assert [words for words in sentences(texts()["patient"]) if forbidden.search(words)] == []


def test_patients_read_short_sentences() -> None:
    privacy = texts()["patient"]["idle"]["privacy"]
    parts = [part for words in sentences(texts()["patient"]) for part in re.split(r"[.?] ", words)]
    assert [part for part in parts if len(part) > 90 and part not in privacy] == []
