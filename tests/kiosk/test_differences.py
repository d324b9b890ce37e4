"""Old against new: what differs between document, insurer and hospital."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.differences import Difference, Source, differences, taken_over
from kiosk.documents.text import same_name
from kiosk.hospital_model import MatchKind, PatientMatch
from kiosk.model import Coverage, Eligibility, EligibilityClass, Holder, Identity, KeyKind, PartialDate, Sex

OURS = Identity("099190000001", None, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE, "Ấp Thử, Xã Mẫu")
SAME = Holder("TRẦN THỊ MẪU", PartialDate(1990, 9, 2), Sex.FEMALE, "ấp thử,  xã mẫu")
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))

names = st.sampled_from(["Trần Thị Mẫu", "TRAN THI MAU", "Trần Thị Mậu", "Mẫu Thị Trần", "Lê Bé Thử"])
births = st.builds(PartialDate, st.integers(1940, 2020), st.none() | st.integers(1, 12))
holders = st.builds(
    Holder, st.none() | names, st.none() | births, st.none() | st.sampled_from(Sex), st.none() | st.text(max_size=20)
)


def answered(held: Holder | None, coverage: Coverage | None = None, reason: str = "valid") -> Eligibility:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    return Eligibility(EligibilityClass.INSURED, reason, now, coverage=coverage, held=held)


def known(held: Holder) -> PatientMatch:
    person = Identity("099190000001", None, held.full_name, held.birth_date, held.sex, held.address)
    return PatientMatch(MatchKind.ONE, person=person)


def of_gateway(**changes: Any) -> list[tuple[str, str | None, str, bool]]:
    found = differences(OURS, None, answered(replace(SAME, **changes)), None)
    assert {each.source for each in found} <= {Source.GATEWAY}
    return [(each.name, each.ours, each.theirs, each.acceptable) for each in found]


def of_hospital(ours: Identity, **changes: Any) -> list[tuple[str, str | None, str, bool]]:
    found = differences(ours, None, None, known(replace(SAME, **changes)))
    assert {each.source for each in found} <= {Source.HOSPITAL}
    return [(each.name, each.ours, each.theirs, each.acceptable) for each in found]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"full_name": "TRAN THI MAU"}, []),
        ({"full_name": "Trần Thị Mậu"}, [("full_name", "Trần Thị Mẫu", "Trần Thị Mậu", True)]),
        ({"full_name": "Mẫu  Thị Trần"}, [("full_name", "Trần Thị Mẫu", "Mẫu Thị Trần", True)]),
        ({"birth_date": PartialDate(1990)}, []),
        ({"birth_date": PartialDate(1990, 9, 3)}, [("birth_date", "1990-09-02", "1990-09-03", True)]),
        ({"sex": Sex.MALE}, [("sex", "F", "M", True)]),
        ({"sex": None, "address": None, "full_name": None, "birth_date": None}, []),
        ({"address": "Phường Mới"}, [("address", "Ấp Thử, Xã Mẫu", "Phường Mới", True)]),
    ],
)
def test_what_the_register_has_otherwise(changes: dict[str, Any], found: list[Any]) -> None:
    assert of_gateway(**changes) == found


def test_what_the_document_left_out_is_news_from_either() -> None:
    bare = Identity("099190000001", full_name="TRAN THI MAU", birth_date=PartialDate(1990))
    news = ["full_name", "birth_date", "sex", "address"]
    assert [each.name for each in differences(bare, None, answered(SAME), None) if each.acceptable] == news
    assert [each[0] for each in of_hospital(bare) if each[3]] == news[1:]


def test_the_hospital_never_contradicts_a_document() -> None:
    changes = {"full_name": "Lê Bé Thử", "birth_date": PartialDate(1991), "sex": Sex.MALE, "address": "Nơi khác"}
    found = of_hospital(OURS, **changes)
    assert [(field, acceptable) for field, _, _, acceptable in found] == [
        ("full_name", False),
        ("birth_date", False),
        ("sex", False),
        ("address", False),
    ]


@pytest.mark.parametrize("reason", ["wrong_person", "name_refused"])
def test_nothing_is_told_of_somebody_else(reason: str) -> None:
    other = Holder("LÊ BÉ THỬ", PartialDate(2020), Sex.MALE, "Nơi khác")
    newer = replace(CARD, number="HT3999900000009")
    assert differences(OURS, CARD, answered(other, newer, reason), None) == ()


def test_a_card_differs_in_what_was_read_of_it() -> None:
    newer = Coverage("HT3999900000001", KeyKind.BHYT_15, "99050", date(2026, 1, 1), date(2027, 6, 30))
    found = differences(OURS, CARD, answered(None, newer), None)
    assert [(each.id, each.ours, each.theirs, each.acceptable) for each in found] == [
        ("gateway.card_number", "DN4999900000001", "HT3999900000001", False),
        ("gateway.valid_to", "2026-12-31", "2027-06-30", False),
        ("gateway.registered_facility", "99001", "99050", False),
    ]
    number_alone = Coverage("9900000001", KeyKind.BHXH_10)
    assert differences(OURS, number_alone, answered(None, newer), None) == ()
    assert differences(OURS, None, answered(None, newer), None) == ()


@given(holders, holders)
def test_accepting_all_of_the_register_leaves_nothing_and_the_same_number(ours: Holder, theirs: Holder) -> None:
    person = Identity("099190000001", "123456789", ours.full_name, ours.birth_date, ours.sex, ours.address)
    accepted = person
    for each in differences(person, None, answered(theirs), None):
        assert each.acceptable
        accepted = taken_over(accepted, each, theirs)
    assert differences(accepted, None, answered(theirs), None) == ()
    assert (accepted.personal_id, accepted.old_id) == (person.personal_id, person.old_id)


@given(holders, holders)
def test_the_hospital_can_only_add(ours: Holder, theirs: Holder) -> None:
    person = Identity("099190000001", None, ours.full_name, ours.birth_date, ours.sex, ours.address)
    for each in differences(person, None, None, known(theirs)):
        if each.acceptable:
            after = taken_over(person, each, theirs)
            assert same_name(after.full_name or "", person.full_name or "")
            assert person.sex in (None, after.sex) and (not person.address or person.address == after.address)
            assert person.birth_date is None or (after.birth_date and after.birth_date.agrees_with(person.birth_date))


def test_a_difference_has_one_name() -> None:
    assert Difference("sex", Source.GATEWAY, None, "F", acceptable=True).id == "gateway.sex"
