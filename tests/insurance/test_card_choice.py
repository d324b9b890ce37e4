"""Card choice and holder comparison (insurance-gateway.md 3.1, 5.1)."""

import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kiosk.documents.text import same_name
from kiosk.insurance.benefits import level_on
from kiosk.insurance.card_choice import choose_card, covers, decide, holder_difference
from kiosk.insurance.vss_answer import Answer, Card
from kiosk.insurance.vss_codes import RESULT_CODES, Reason
from kiosk.model import EligibilityClass, KeyKind, LookupKey, PartialDate, Sex

DAY = date(2026, 11, 2)
BHXH = "9900000001"
KEY = LookupKey("099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)
RANK = {"1": 3, "2": 3, "5": 3, "3": 2, "4": 1}

days = st.integers(-400, 400).map(lambda offset: DAY + timedelta(days=offset))
heads = st.sampled_from(["DN499", "GD499", "HT399", "HN299", "TE199", "QN599", "CN399", "LH499"])
cards = st.builds(
    Card,
    number=st.one_of(heads.map(lambda head: head + BHXH), heads.map(lambda head: head + "099190000001")),
    valid_from=st.none() | days,
    valid_to=st.none() | days,
    registered_facility=st.none() | st.just("99001"),
)
valid_cards = st.builds(
    lambda head, before, after: card(head, -before, after),
    heads,
    st.integers(0, 400),
    st.none() | st.integers(0, 400),
)
answers = st.builds(
    Answer,
    code=st.sampled_from(["000", "003", "004"]),
    card=st.none() | cards,
    new_card=st.none() | cards,
    numbers=st.just(frozenset({BHXH})),
    name=st.just("TRẦN THỊ MẪU"),
    birth_date=st.just(PartialDate(1990, 9, 2)),
    sex=st.just(Sex.FEMALE),
)


def card(head: str, start: int, end: int | None, facility: str = "99001") -> Card:
    until = None if end is None else DAY + timedelta(days=end)
    return Card(head + BHXH, DAY + timedelta(days=start), until, facility)


def answer(code: str = "000", old: Card | None = None, new: Card | None = None) -> Answer:
    numbers = frozenset(each.number for each in (old, new) if each)
    return Answer(code, old, new, numbers, "TRẦN THỊ MẪU", PartialDate(1990, 9, 2), Sex.FEMALE)


def equal(one: Card, other: Card) -> bool:
    return (one.number, one.valid_from, one.valid_to) == (other.number, other.valid_from, other.valid_to)


@given(answers)
def test_the_chosen_card_is_one_of_the_two_and_covers_the_day(found: Answer) -> None:
    chosen = choose_card(found, DAY)
    assert chosen is None or (chosen in (found.card, found.new_card) and covers(chosen, DAY))


@given(answers)
def test_a_card_is_chosen_whenever_one_covers_the_day(found: Answer) -> None:
    assume(found.code != "003")
    candidates = [each for each in (found.card, found.new_card) if each and covers(each, DAY)]
    assert (choose_card(found, DAY) is not None) == bool(candidates)


@given(valid_cards, valid_cards)
def test_the_higher_benefit_wins_and_the_new_card_a_tie(old: Card, new: Card) -> None:
    assume(not equal(old, new))
    old_rank, new_rank = (RANK[level_on(each.number, DAY) or ""] for each in (old, new))
    assert choose_card(answer("004", old, new), DAY) == (old if old_rank > new_rank else new)


@given(answers)
def test_insured_always_comes_with_a_card_valid_on_the_day(found: Answer) -> None:
    decision = decide(found, KEY, DAY)
    if decision.status.insured:
        assert decision.coverage is not None
        assert decision.coverage.valid_from is not None and decision.coverage.valid_from <= DAY
        assert decision.coverage.valid_to is None or decision.coverage.valid_to >= DAY
    else:
        assert decision.coverage is None


@given(answers, st.sampled_from(["name", "birth_date", "sex"]))
def test_another_holder_is_never_insured_nor_shown(found: Answer, which: str) -> None:
    other = {"name": "LÊ BÉ THỬ", "birth_date": PartialDate(1991), "sex": Sex.MALE}[which]
    decision = decide(replace(found, **{which: other}), KEY, DAY)
    assert decision.status is EligibilityClass.NEEDS_STAFF
    assert decision.coverage is None


@pytest.mark.parametrize(
    ("found", "status", "reason", "head"),
    [
        (answer("000", card("DN499", -200, 165), card("DN499", -200, 165)), "insured", "valid", "DN499"),
        (answer("000", card("DN499", -200, 165)), "insured", "valid", "DN499"),
        (answer("000", card("DN499", 0, 0)), "insured", "valid", "DN499"),
        (answer("000", card("DN499", -1, None)), "insured", "valid", "DN499"),
        (answer("000", card("DN499", 1, None)), "needs_staff", "not_valid_on_day", None),
        (answer("000", card("DN499", -9, -1)), "needs_staff", "not_valid_on_day", None),
        (answer("000", None, card("DN499", -9, 9)), "insured_new_card", "new_card", "DN499"),
        (answer("000"), "needs_staff", "no_card_data", None),
        (answer("003", card("GD499", -400, -10), card("GD499", -9, 356)), "insured_new_card", "new_card", "GD499"),
        (answer("003", card("GD499", -400, -2), card("GD499", 5, 370)), "needs_staff", "not_valid_on_day", None),
        (answer("003", card("TE199", -400, 10), card("GD499", -9, 356)), "insured_new_card", "new_card", "GD499"),
        (answer("003", card("TE199", -400, 10), None), "needs_staff", "not_valid_on_day", None),
        (answer("003", card("GD499", -9, 356), card("GD499", -9, 356)), "insured_new_card", "new_card", "GD499"),
        (answer("004", card("DN499", -360, 5), card("DN499", 6, 371)), "insured", "valid", "DN499"),
        (answer("004", card("GD499", -200, 30), card("HT399", -1, 364)), "insured_new_card", "new_card", "HT399"),
        (answer("004", card("HT399", -200, 30), card("GD499", -1, 364)), "insured", "valid", "HT399"),
        (answer("004", card("GD499", -200, 30), card("DN499", -1, 364)), "insured_new_card", "new_card", "DN499"),
        (answer("004", card("HT399", -200, 30), card("CN399", -1, 364)), "insured_new_card", "new_card", "CN399"),
        (answer("010", card("GD499", -400, -35)), "not_insured", "expired", "GD499"),
        (answer("001", card("QN599", -500, 500)), "needs_staff", "defence_card", "QN599"),
        (answer("001", card("QN599", -500, -1)), "needs_staff", "defence_card", None),
        (answer("002", Card("CA599" + BHXH)), "needs_staff", "police_card", None),
        (answer("110", card("GD499", -90, 275)), "not_insured", "withdrawn", None),
        (answer("121", card("GD499", -90, 275)), "needs_staff", "moved_province", None),
        (answer("777", card("GD499", -90, 275)), "needs_staff", "unknown_code", None),
    ],
)
def test_section_3_1(found: Answer, status: str, reason: str, head: str | None) -> None:
    decision = decide(found, KEY, DAY)
    assert (decision.status, decision.reason) == (status, reason)
    assert (decision.coverage.number[:5] if decision.coverage else None) == head


def test_the_coverage_carries_the_chosen_card() -> None:
    found = replace(
        answer("004", card("GD499", -200, 30), card("HT399", -1, 364, "99050")),
        five_years_on=date(2025, 6, 1),
        living_area="K3",
    )
    coverage = decide(found, KEY, DAY).coverage
    assert coverage is not None
    assert (coverage.number, coverage.key_kind, coverage.registered_facility) == (
        "HT399" + BHXH,
        KeyKind.BHYT_15,
        "99050",
    )
    assert (coverage.valid_from, coverage.valid_to) == (date(2026, 11, 1), date(2027, 11, 1))
    assert (coverage.benefit_level, coverage.living_area, coverage.five_years_on) == ("3", "K3", date(2025, 6, 1))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "Lê Bé Thử", "birth_date": PartialDate(2023, 1, 1)}, Reason.WRONG_PERSON),
        ({"name": "Trần Thị Mậu Nữa"}, Reason.NAME_DIFFERS),
        ({"name": "Mẫu Thị Trần"}, Reason.NAME_DIFFERS),
        ({"birth_date": PartialDate(1990, 9, 3)}, Reason.BIRTH_DIFFERS),
        ({"birth_date": PartialDate(1991)}, Reason.BIRTH_DIFFERS),
        ({"sex": Sex.MALE}, Reason.SEX_DIFFERS),
        ({"numbers": frozenset({"DN499099190000009"})}, Reason.WRONG_PERSON),
        ({"bad_dates": True}, Reason.BAD_DATES),
        ({"name": None}, Reason.HOLDER_MISSING),
        ({"birth_date": None}, Reason.HOLDER_MISSING),
    ],
)
def test_a_difference_goes_to_staff(changes: dict[str, object], reason: Reason) -> None:
    decision = decide(replace(answer("000", card("DN499", -9, 9)), **changes), KEY, DAY)
    assert (decision.status, decision.reason, decision.coverage) == (EligibilityClass.NEEDS_STAFF, reason, None)


@pytest.mark.parametrize("code", sorted(code for code, row in RESULT_CODES.items() if row.has_holder))
def test_no_refusal_is_passed_on_that_speaks_of_someone_else(code: str) -> None:
    decision = decide(replace(answer(code, card("DN499", -9, 9)), name="Lê Bé Thử"), KEY, DAY)
    assert (decision.status, decision.reason) == (EligibilityClass.NEEDS_STAFF, Reason.NAME_DIFFERS)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": unicodedata.normalize("NFD", "  trần   thị mẫu ")},
        {"name": "TRAN THI MAU"},
        {"birth_date": PartialDate(1990)},
        {"birth_date": PartialDate(1990, 9)},
        {"sex": None},
        {"numbers": frozenset()},
        {"numbers": frozenset({"DN499099190000001", "DN499099190000009"})},
    ],
)
def test_what_does_not_contradict_is_accepted(changes: dict[str, object]) -> None:
    decision = decide(replace(answer("000", card("DN499", -9, 9)), **changes), KEY, DAY)
    assert decision.status is EligibilityClass.INSURED


def test_a_name_with_a_converted_d_is_the_same() -> None:
    found = replace(answer("000", card("DN499", -9, 9)), name="ÐẶNG  VĂN ðỨC")
    assert decide(found, replace(KEY, full_name="Đặng Văn Đức"), DAY).status is EligibilityClass.INSURED


def test_a_card_asked_by_its_number_must_come_back() -> None:
    asked = replace(KEY, number="dn4 99 9900000009", kind=KeyKind.BHYT_15)
    assert decide(answer("000", card("DN499", -9, 9)), asked, DAY).reason is Reason.WRONG_PERSON
    assert decide(answer("000", card("DN499", -9, 9)), replace(asked, number=BHXH), DAY).reason is Reason.VALID


def test_without_a_sex_on_the_document_the_citizen_number_speaks() -> None:
    found = replace(answer("000", card("DN499", -9, 9)), sex=Sex.MALE)
    assert decide(found, replace(KEY, sex=None), DAY).reason is Reason.SEX_DIFFERS
    assert decide(found, replace(KEY, sex=None, number=BHXH), DAY).reason is Reason.VALID
    assert decide(found, replace(KEY, sex=Sex.MALE), DAY).reason is Reason.VALID


people = st.builds(
    lambda name, birth, sex, number: (name, birth, sex, number),
    st.sampled_from(["Trần Thị Mẫu", "TRAN THI MAU", "Mẫu Thị Trần", "Lê Bé Thử", "Nguyễn Văn Đức"]),
    st.builds(PartialDate, st.integers(1988, 1991), st.none() | st.integers(1, 2)),
    st.sampled_from(Sex),
    st.sampled_from(["9900000001", "9900000002", "099190000001", "099190000002", "DN4999900000001"]),
)


def key_of(person: tuple[str, PartialDate, Sex, str], *others: str) -> LookupKey:
    name, birth, sex, number = person
    kinds = {10: KeyKind.BHXH_10, 12: KeyKind.PERSONAL_12, 15: KeyKind.BHYT_15}
    return LookupKey(number, kinds[len(number)], name, birth, sex, others)


def answer_of(person: tuple[str, PartialDate, Sex, str]) -> Answer:
    name, birth, sex, number = person
    return Answer("000", card("DN499", -9, 9), None, frozenset({number}), name, birth, sex)


@given(people, people)
def test_comparing_is_symmetric(one: Any, other: Any) -> None:
    assert holder_difference(answer_of(one), key_of(other)) == holder_difference(answer_of(other), key_of(one))


@given(people)
def test_everybody_is_the_person_they_are_without_accents_and_by_less_of_the_birth_date(one: Any) -> None:
    name, birth, sex, number = one
    assert holder_difference(answer_of(one), key_of(one)) is None
    plain = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    assert holder_difference(answer_of(one), key_of((plain, PartialDate(birth.year), sex, number))) is None


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(people, people)
def test_another_number_of_the_same_kind_is_never_the_same_person(one: Any, other: Any) -> None:
    tails = [person[3][-10:] if len(person[3]) == 15 else person[3] for person in (one, other)]
    assume(len(tails[0]) == len(tails[1]) and tails[0] != tails[1])
    assert holder_difference(answer_of(one), key_of(other)) is Reason.WRONG_PERSON


@given(people, people)
def test_one_of_a_persons_numbers_is_enough(one: Any, other: Any) -> None:
    found = holder_difference(answer_of(one), key_of((*one[:3], other[3]), one[3]))
    assert found is None


@given(people, people)
def test_the_worst_difference_is_named(one: Any, other: Any) -> None:
    found = holder_difference(answer_of((*one[:3], "9900000001")), key_of((*other[:3], "9900000001")))
    name, birth, sex = not same_name(one[0], other[0]), not one[1].agrees_with(other[1]), one[2] is not other[2]
    if name and birth:
        assert found is Reason.WRONG_PERSON
    elif name or birth:
        assert found is (Reason.NAME_DIFFERS if name else Reason.BIRTH_DIFFERS)
    else:
        assert found is (Reason.SEX_DIFFERS if sex else None)
