"""The words: every code that the rest of the program gives has a sentence, and none speaks of what is not said."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

import pytest

from hospital_adapters.handover_settings import FieldName
from kiosk import pushed_chip, token_step
from kiosk.documents import cccd_qr, chip_person, personal_id
from kiosk.documents.chip_mismatch import Mismatch
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.results import Access, Checks, CheckState, Verdict
from kiosk.errors import TokenVerifierUnavailable
from kiosk.events import NotByChip
from kiosk.hand_over_content import LISTED
from kiosk.hospital_model import MatchKind
from kiosk.insurance.vss_codes import Reason
from kiosk.model import Carrier, CarrierSource, DocumentKind, EligibilityClass, Method
from kiosk.staffwork import DESK
from kiosk.web.pages import OTHER_LANGUAGES, texts

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
    "fields_to_enter",
    "hand_over",
    "turned_not_insured",
    "turned_needs_staff",
    "manual_entry",
    "needs_staff",
    "chip_forged",
    "chip_suspected_copy",
    "chip_mismatch",
    "chip_other_person",
    "chip_provider_refused",
    "chip_failed",
    "holder_differs",
]
CHIP_WARNINGS = [
    chip_person.CARD_EXPIRED,
    chip_person.DG1_UNREADABLE,
    chip_person.DG13_UNREADABLE,
    chip_person.DG13_DAMAGED,
    chip_person.MRZ_CHECK,
    cccd_qr.NO_DIACRITICS,
    cccd_qr.YEAR_ONLY,
    personal_id.UNKNOWN_PREFIX,
    personal_id.FOREIGN_PREFIX,
    personal_id.SEX_MISMATCH,
    personal_id.YEAR_MISMATCH,
    pushed_chip.CHALLENGE_NOT_OURS,
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
    "INCOMPLETE",
    "VSSID_ALONE",
    "MRZ_ALONE",
    "NUMBER_ALONE",
    "BHYT_NUMBER_ALONE",
    "TEST_CODE",
    "TEST_CODE_DAMAGED",
    "TWO_PEOPLE",
    token_step.REFUSED,
    TokenVerifierUnavailable.code,
]


def sentences(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from sentences(child)


def named(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each sentence under its key, a list's under key and place."""
    if isinstance(node, str):
        yield path, node
    else:
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from named(child, f"{path}/{key}")


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_every_word_of_the_patients_screen_is_there_in_each_language_with_its_blanks(language: str) -> None:
    own, other = dict(named(texts()["patient"])), dict(named(texts(language)["patient"]))
    assert [key for key in own if not other.get(key)] == []
    blanks = re.compile(r"\{\w+\}")
    assert [key for key, words in own.items() if set(blanks.findall(words)) != set(blanks.findall(other[key]))] == []


def test_khmer_is_written_in_khmer() -> None:
    words = dict(named(texts("km")["patient"]))
    assert [key for key, each in words.items() if not re.search(r"[\u1780-\u17ff]", each)] == []


def test_no_patient_reads_of_errors() -> None:
    told = [words for language in ("vi", *OTHER_LANGUAGES) for words in sentences(texts(language)["patient"])]
    assert [words for words in told if re.search(r"\blỗi\b|\berror|\bfail|\binvalid|កំហុស", words, re.IGNORECASE)] == []


@pytest.mark.parametrize("code", [*Reason, *STAFF_REASONS])
def test_staff_read_what_is_wrong_and_what_to_do(code: str) -> None:
    assert texts()["staff"]["reason"][code].endswith(".")


@pytest.mark.parametrize("code", DOCUMENT_ERRORS)
def test_every_unreadable_code_has_advice(code: str) -> None:
    advice = texts()["patient"]["unreadable"][code]
    assert advice["title"] and advice["text"].endswith(":" if "steps" in advice else ".")


def test_the_closed_lists_of_the_model_have_words() -> None:
    staff, patient = texts()["staff"], texts()["patient"]
    assert set(EligibilityClass) <= set(staff["class"])
    assert set(Method) <= set(staff["method"])
    assert set(DocumentKind) <= set(staff["document"])
    seen = {f"{carrier}_{source}" for carrier in (Carrier.CARD, Carrier.PHONE) for source in CarrierSource}
    assert seen - set(staff["carrier"]) == {"card_asked", "card_none"}, "these two never come"
    assert DESK in staff["station"]
    assert set(MatchKind) <= set(staff["match"])
    assert set(patient["answer"]) == {"insured", "not_insured", "cannot_say", "needs_staff"}


def test_every_field_that_a_clerk_types_has_a_name() -> None:
    known = texts()["staff"]["hand_over"]
    assert set(get_args(FieldName)) <= set(known["field"])
    assert set(LISTED) == set(known["kind"])
    refusals = {"BEING_ENTERED", "NOTHING_TO_ENTER", "CHANGED", "HAND_OVER_FAILED", "NOT_ENTERED", "HAND_OVER_FIRST"}
    assert refusals <= set(texts()["staff"]["error"])


@pytest.mark.parametrize("code", [*Finding, *Mismatch, *CHIP_WARNINGS])
def test_staff_read_what_a_chip_showed(code: str) -> None:
    assert texts()["staff"]["chip"]["finding"][code].endswith(".")


def test_the_closed_lists_of_chips_have_words() -> None:
    staff = texts()["staff"]
    assert set(Verdict) <= set(staff["verdict"])
    assert set(CheckState) <= set(staff["chip"]["state"])
    assert set(Access) <= set(staff["chip"]["access"])
    assert set(chip_person.Source) <= set(staff["chip"]["source"])
    assert {field.name for field in fields(Checks)} == set(staff["chip"]["check"])
    assert set(NotByChip) <= set(staff["not_by_chip"])


def test_no_words_accuse_the_person() -> None:
    staff = texts()["staff"]
    told = [words for part in ("reason", "verdict", "chip", "portrait") for words in sentences(staff[part])]
    assert [words for words in told if re.search(r"giả mạo|thẻ giả|gian lận|lừa", words)] == []


def test_nothing_about_the_card_tells_patients_of_faults() -> None:
    patient = texts()["patient"]
    views = (patient["place_card"], patient["need_number"], patient["reading_chip"], patient["confirm"])
    assert [words for view in views for words in sentences(view) if re.search(r"lỗi|hỏng|giả|sai", words)] == []


def test_nothing_that_patients_read_promises_a_payment_or_guesses_their_age() -> None:
    forbidden = re.compile(r"chi trả|thanh toán|miễn phí|được hưởng|\b(bác|cô|chú|anh|chị|em)\b", re.IGNORECASE)
    assert [words for words in sentences(texts()["patient"]) if forbidden.search(words)] == []


def test_patients_read_short_sentences() -> None:
    privacy = texts()["patient"]["idle"]["privacy"]
    parts = [part for words in sentences(texts()["patient"]) for part in re.split(r"[.?] ", words)]
    assert [part for part in parts if len(part) > 90 and part not in privacy] == []
