"""Further questions after an answer: which, how often, and whose answer stands (insurance-gateway.md 3)."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.insurance.vss_call import LookupCall
from kiosk.insurance.vss_codes import RESULT_CODES, Reason
from kiosk.insurance.vss_fallback import MAX_FALLBACKS, next_call, without_accents
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.insurance.vss_question import MAX_CALLS
from kiosk.model import EligibilityClass as Class
from kiosk.model import KeyKind, LookupKey, PartialDate
from simulators.vss_people import PEOPLE

Open = Callable[..., VssGateway]
KeyOf = Callable[..., LookupKey]

CITIZEN, BHXH, CARD, LONG = "099165000015", "9900000015", "DN4999900000015", "DN499099165000015"
ASKED = LookupCall(CITIZEN, "ĐỖ THỊ MẪU", "15/05/1965")


@pytest.mark.parametrize(
    ("asked", "code", "others", "number"),
    [
        (CITIZEN, "050", (CARD,), CARD),
        (CITIZEN, "050", ("bad", "DN4 99 9900000015"), CARD),
        (CITIZEN, "050", (BHXH,), BHXH),
        (CITIZEN, "051", (CARD,), CARD),
        (CITIZEN, "050", (), None),
        (CITIZEN, "050", (CITIZEN,), None),
        (CARD, "050", (CITIZEN,), None),
        (CARD, "051", (CITIZEN,), None),
        (CARD, "052", (), BHXH),
        (CARD, "053", (CITIZEN,), BHXH),
        (LONG, "053", (), CITIZEN),
        (CITIZEN, "053", (CARD,), None),
        *[(each, code, (CITIZEN,), CITIZEN) for each in (CARD, BHXH) for code in ("120", "121", "122", "123")],
        (CARD, "121", (BHXH,), None),
        (CITIZEN, "121", (CARD,), None),
        (CARD, "124", (CITIZEN,), None),
    ],
)
def test_another_number(asked: str, code: str, others: tuple[str, ...], number: str | None) -> None:
    call = LookupCall(asked, ASKED.name, ASKED.birth)
    expected = None if number is None else LookupCall(number, ASKED.name, ASKED.birth)
    assert next_call(call, code, others, [call]) == expected


def test_the_name_without_accents_once() -> None:
    plain = next_call(ASKED, "061", (), [ASKED])
    assert plain == LookupCall(CITIZEN, "DO THI MAU", "15/05/1965")
    assert next_call(plain, "061", (), [ASKED, plain]) is None


def test_the_year_alone_only_where_the_day_is_unknown() -> None:
    assert next_call(ASKED, "070", (), [ASKED]) is None
    month = LookupCall(CITIZEN, ASKED.name, "05/1965")
    assert next_call(month, "070", (), [month]) == LookupCall(CITIZEN, ASKED.name, "1965")
    year = LookupCall(CITIZEN, ASKED.name, "1965")
    assert next_call(year, "070", (), [year]) is None


def test_two_further_questions_are_the_end() -> None:
    asked = [LookupCall(CITIZEN, ASKED.name, "05/1965")]
    for code in ("050", "053"):
        following = next_call(asked[-1], code, (CARD,), asked)
        assert following is not None
        asked.append(following)
    assert [call.number for call in asked] == [CITIZEN, CARD, BHXH]
    assert next_call(asked[-1], "061", (CARD,), asked) is None


def test_what_was_asked_is_not_asked_again() -> None:
    first = LookupCall(CITIZEN, ASKED.name, ASKED.birth)
    by_card = next_call(first, "050", (CARD, CITIZEN), [first])
    assert by_card == LookupCall(CARD, ASKED.name, ASKED.birth)
    assert next_call(by_card, "121", (CARD, CITIZEN), [first, by_card]) is None


@given(
    st.lists(st.sampled_from(sorted(RESULT_CODES)), min_size=12, max_size=12), st.sampled_from([CITIZEN, CARD, LONG])
)
def test_never_more_than_the_bound_and_never_the_same_twice(codes: list[str], number: str) -> None:
    asked = [LookupCall(number, ASKED.name, "05/1965")]
    for code in codes:
        following = next_call(asked[-1], code, (CITIZEN, CARD, BHXH), asked)
        if following is None:
            break
        asked.append(following)
    assert len(asked) == len(set(asked)) <= MAX_FALLBACKS + 1


@given(st.text(alphabet="ĂÂĐÊÔƠƯ ÁÀẢÃẠẮẰẲẴẶẤẦẨẪẬÉÈẺẼẸẾỀỂỄỆÍÌỈĨỊÓÒỎÕỌỐỒỔỖỘỚỜỞỠỢÚÙỦŨỤỨỪỬỮỰÝỲỶỸỴABC", max_size=40))
def test_names_without_accents_are_ascii(name: str) -> None:
    assert without_accents(name).isascii()
    assert len(without_accents(name)) == len(name)


async def test_not_linked_is_asked_by_the_card(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    person = PEOPLE[0]
    key = LookupKey("099190009999", KeyKind.PERSONAL_12, person.name, PartialDate(1990, 9, 2), None, (person.card,))
    found = await open_gateway(simulator.url).lookup(key, today)
    assert (found.status, found.result_code, found.key_kind) == (Class.INSURED, "000", KeyKind.BHYT_15)
    (first,) = found.earlier
    assert (first.status, first.reason, first.key_kind) == (Class.NEEDS_STAFF, Reason.NOT_FOUND, KeyKind.PERSONAL_12)
    assert first.asked_at < found.asked_at
    assert [call["query_kind"] for call in simulator.calls("lookup")] == ["PERSONAL_12", "BHYT_15"]
    assert [len(each.trail) for each in (first, found)] == [1, 1]


@pytest.mark.parametrize("number", ["DN4889900000015", "DN2999900000015"])
async def test_a_wrong_head_is_asked_by_its_tail(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, number: str
) -> None:
    found = await open_gateway(simulator.url).lookup(key_of(15, number=number), today)
    assert (found.status, found.reason) == (Class.INSURED_NEW_CARD, Reason.NEW_CARD)
    assert found.coverage is not None
    assert found.coverage.number == PEOPLE[14].card


async def test_a_reduced_card_is_asked_by_the_citizen(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    person = PEOPLE[17]
    key = key_of(18, person.card)
    key = LookupKey(key.number, key.kind, key.full_name, key.birth_date, key.sex, (person.citizen_id or "",))
    found = await open_gateway(simulator.url).lookup(key, today)
    assert found.status.insured
    assert [each.reason for each in found.earlier] == [Reason.MOVED_PROVINCE]


async def test_an_answer_stands_when_the_further_question_finds_none(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    key = LookupKey(
        "099190009999", KeyKind.PERSONAL_12, PEOPLE[24].name, PartialDate(1975, 5, 25), None, (PEOPLE[24].card,)
    )
    found = await open_gateway(simulator.url).lookup(key, today)
    assert (found.status, found.result_code) == (Class.NEEDS_STAFF, "050")
    (vain,) = found.earlier
    assert (vain.status, vain.result_code) == (Class.CANNOT_SAY, "500")
    calls = simulator.calls("lookup")
    assert len(calls) == 3 <= MAX_CALLS * (MAX_FALLBACKS + 1)
    trail = [call for each in (found, vain) for call in each.trail]
    assert len({call.request_id for call in trail}) == len(trail) == 3


async def test_somebody_elses_card_never_becomes_this_persons(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    key = LookupKey(
        "099190009999", KeyKind.PERSONAL_12, "Trần Thị Khác", PartialDate(1990, 9, 2), None, (PEOPLE[0].card,)
    )
    found = await open_gateway(simulator.url).lookup(key, today)
    assert found.status is Class.NEEDS_STAFF
    assert found.coverage is None
