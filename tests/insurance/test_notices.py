"""What staff and patient should know of a card (insurance-gateway.md 5)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.text import same_name
from kiosk.insurance.card_choice import decide
from kiosk.insurance.notices import insights, notices_of, parts_of, words_in_other_order
from kiosk.insurance.routes import RouteProfile
from kiosk.insurance.vss_answer import Answer, Card
from kiosk.insurance.vss_codes import Reason
from kiosk.model import Certainty, Coverage, KeyKind, LookupKey, PartialDate, RouteHint, Sex

DAY = date(2026, 11, 2)
KEY = LookupKey("099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)
PROFILE = RouteProfile(date(2025, 1, 1), "basic", frozenset({"99002"}))

words = st.lists(st.sampled_from(["TRẦN", "THỊ", "MẪU", "Văn", "Đức"]), min_size=1, max_size=5)


def card(**more: Any) -> Coverage:
    return Coverage(**{"number": "DN4999900000001", "key_kind": KeyKind.BHYT_15, **more})


def answered(code: str, old: Card | None, new: Card | None = None, **more: Any) -> Answer:
    found = Answer(code, old, new, frozenset(), "TRẦN THỊ MẪU", PartialDate(1990, 9, 2), Sex.FEMALE)
    return replace(found, **more)


@pytest.mark.parametrize(
    ("coverage", "codes"),
    [
        (card(), ("level:80",)),
        (card(number="CN3999900000029"), ("level:100", "level_read_as_2")),
        (card(number="CN2999900000029"), ("level:100",)),
        (card(number="9900000001", key_kind=KeyKind.BHXH_10), ()),
        (card(valid_to=DAY - timedelta(1)), ("level:80",)),
        (card(valid_to=DAY), ("level:80", "card_ends_today")),
        (card(valid_to=DAY + timedelta(1)), ("level:80", "card_ends_soon")),
        (card(valid_to=DAY + timedelta(30)), ("level:80", "card_ends_soon")),
        (card(valid_to=DAY + timedelta(31)), ("level:80",)),
        (card(five_years_on=DAY), ("level:80", "five_years_reached")),
        (card(five_years_on=date(2027, 1, 31)), ("level:80", "five_years_on:2027-01-31")),
    ],
)
def test_codes_of_a_card(coverage: Coverage, codes: tuple[str, ...]) -> None:
    assert notices_of(coverage, DAY) == codes


def test_how_soon_is_the_callers() -> None:
    ends = card(valid_to=DAY + timedelta(40))
    assert "card_ends_soon" in notices_of(ends, DAY, soon=timedelta(days=40))
    assert "card_ends_soon" not in notices_of(ends, DAY, soon=timedelta(days=39))


@pytest.mark.parametrize(
    ("place", "profiles", "codes", "route"),
    [
        ("99001", [PROFILE], ("level:80",), RouteHint("1.1", Certainty.AUTO, 100)),
        ("99002", [PROFILE], ("level:80",), RouteHint("1.1", Certainty.AUTO, 100)),
        ("99002", [], ("level:80", "registered_elsewhere"), None),
        ("99050", [PROFILE], ("level:80", "registered_elsewhere"), RouteHint("1.12", Certainty.AUTO, 100)),
        (None, [PROFILE], ("level:80",), None),
    ],
)
def test_insights_are_notices_and_route(
    place: str | None, profiles: list[RouteProfile], codes: tuple[str, ...], route: RouteHint | None
) -> None:
    assert insights(card(registered_facility=place), DAY, profiles, "99001") == (codes, route)


@given(
    st.text(max_size=17),
    st.none() | st.dates(),
    st.none() | st.dates(),
    st.none() | st.text(max_size=5),
    st.dates(date(2020, 1, 1), date(2050, 1, 1)),
)
def test_any_card_gives_codes_that_read_back(
    number: str, valid_to: date | None, five_years: date | None, place: str | None, day: date
) -> None:
    coverage = card(number=number, valid_to=valid_to, five_years_on=five_years, registered_facility=place)
    for notice in insights(coverage, day, [PROFILE], "99001")[0]:
        code, value = parts_of(notice)
        assert code.replace("_", "").isalnum() and code == code.lower()
        assert value is None or value.isdigit() or date.fromisoformat(value) > day


@pytest.mark.parametrize(
    ("code", "old", "new", "notices"),
    [
        ("000", (-9, 9), (-9, 9), ()),
        ("003", (-400, -2), (5, 370), ("new_card_from:2026-11-07",)),
        ("004", (-360, 5), (6, 371), ("new_card_from:2026-11-08",)),
        ("004", (-200, 30), (-1, 364), ()),
        ("003", (-400, -10), (0, 364), ()),
    ],
)
def test_a_card_that_begins_later_is_told(
    code: str, old: tuple[int, int], new: tuple[int, int], notices: tuple[str, ...]
) -> None:
    cards = [
        Card("DN4999900000001", DAY + timedelta(start), DAY + timedelta(end), "99001") for start, end in (old, new)
    ]
    assert decide(answered(code, *cards), KEY, DAY).notices == notices


def test_the_words_of_a_name_in_another_order_are_staffs_to_judge() -> None:
    valid = Card("DN4999900000001", DAY, DAY, "99001")
    turned = decide(answered("000", valid, name="MẪU THỊ TRẦN"), KEY, DAY)
    assert (turned.reason, turned.notices, turned.coverage) == (Reason.NAME_DIFFERS, ("name_order",), None)
    other = decide(answered("000", valid, name="LÊ THỊ MẪU"), KEY, DAY)
    assert (other.reason, other.notices) == (Reason.NAME_DIFFERS, ())


def test_nothing_is_told_of_another_person() -> None:
    later = Card("DN499099190000009", DAY + timedelta(5), None, "99001")
    other = answered("000", later, numbers=frozenset({"DN499099190000009"}), name="MẪU THỊ TRẦN")
    decision = decide(other, KEY, DAY)
    assert (decision.reason, decision.notices) == (Reason.WRONG_PERSON, ())


@given(words, words)
def test_another_order_is_symmetric_and_never_the_same_order(one: list[str], other: list[str]) -> None:
    found = words_in_other_order(" ".join(one), " ".join(other))
    assert found == words_in_other_order(" ".join(other), " ".join(one))
    assert not words_in_other_order(" ".join(one), " ".join(one))
    assert words_in_other_order(" ".join(one), " ".join(reversed(one))) == (one != one[::-1])
    if found and len(set(one)) == len(one):
        assert not same_name(" ".join(one), " ".join(other))
