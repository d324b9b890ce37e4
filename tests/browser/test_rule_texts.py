"""Every code of the rules has words, and none of them promises anything."""

import re

import pytest

from kiosk.differences import Source
from kiosk.insurance.dated_tables import rows
from kiosk.model import Certainty
from kiosk.web.pages import texts

NOTICES = [
    "level_read_as_2",
    "card_ends_today",
    "card_ends_soon",
    "five_years_reached",
    "five_years_on",
    "registered_elsewhere",
    "new_card_from",
    "name_order",
]


@pytest.mark.parametrize("code", NOTICES)
def test_every_notice_has_a_sentence(code: str) -> None:
    assert texts()["staff"]["notice"][code].endswith(".")


def test_the_closed_lists_of_the_rules_have_words() -> None:
    rules = texts()["staff"]["rules"]
    assert {row["code"] for row in rows("benefit-exceptions.csv")} <= set(rules["rise"])
    assert set(Certainty) <= set(rules["certainty"])


def test_differences_have_words() -> None:
    staff = texts()["staff"]
    person = {"full_name", "birth_date", "sex", "address"}
    card = {"card_number", "valid_from", "valid_to", "registered_facility"}
    assert person | card <= set(staff["differences"]["field"])
    assert set(Source) <= set(staff["differences"]["source"])
    assert {"differences_seen", "fields_accepted"} <= set(staff["audit"])
    assert staff["reason"]["fields_to_enter"].endswith(".") and staff["error"]["NOT_DIFFERENT"].endswith(".")


def test_level_and_route_are_called_provisional() -> None:
    staff, patient = texts()["staff"]["rules"], texts()["patient"]["answer"]["insured"]
    assert all("tạm tính" in words for words in (staff["level"], staff["route"], patient["level"]))
    promises = re.compile(r"được hưởng|sẽ được|miễn phí|chi trả 100", re.IGNORECASE)
    told = [*staff.values(), *staff["rise"].values(), *texts()["staff"]["notice"].values()]
    assert [words for words in told if isinstance(words, str) and promises.search(words)] == []
