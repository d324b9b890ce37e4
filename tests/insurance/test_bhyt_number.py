"""Hints for the numbers of insurance cards: open lists, nothing refused, nothing raised."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.insurance.bhyt_number import CardHints, hints_of

LEVELS = {"1": "100 %", "2": "100 %", "3": "95 %", "4": "80 %", "5": "100 %"}


def test_a_usual_card():
    assert hints_of("GD4939312345678") == CardHints(
        object_code="GD",
        object_words="hộ gia đình",
        level="4",
        level_words="80 % (mức trên thẻ, tạm tính)",
        province="93",
        province_name="Hậu Giang",
        bhxh_number="9312345678",
    )


def test_short_and_long_numbers():
    assert hints_of("9312345678") == CardHints(bhxh_number="9312345678")
    long = hints_of("hs4 93 099190000456")
    assert (long.object_words, long.province, long.bhxh_number, long.doubts) == ("học sinh", "93", None, ())


@pytest.mark.parametrize(
    "number", ["099190000456", "", "GD493931234567", "GD6939312345678", "abc", "９３１２３４５６７８"]
)
def test_what_is_no_card_number_has_no_hints(number):
    assert hints_of(number) is None


@pytest.mark.parametrize(
    ("number", "doubts"),
    [
        ("TE1939312345680", ()),
        ("TE4939312345680", ("H_LEVEL_UNUSUAL",)),
        ("CN2939312345680", ()),
        ("CN3939312345680", ()),
        ("DN401AB20000000", ("H_LETTERS_IN_TAIL",)),
        ("ZZ4939312345680", ("H_UNKNOWN_OBJECT",)),
        ("GD4999312345680", ("H_UNKNOWN_PROVINCE",)),
        ("GD4979312345680", ()),
        ("ZZ199ABCDEFGHIJ", ("H_UNKNOWN_OBJECT", "H_UNKNOWN_PROVINCE", "H_LETTERS_IN_TAIL")),
    ],
)
def test_doubts(number, doubts):
    assert hints_of(number).doubts == doubts


def test_an_object_named_nowhere_has_a_level_and_no_words():
    hints = hints_of("LH2939312345680")
    assert (hints.object_code, hints.object_words, hints.doubts) == ("LH", None, ())


@given(st.text(max_size=30))
def test_any_text_is_taken(text):
    hints = hints_of(text)
    assert hints is None or hints.level is None or hints.level in LEVELS


@given(st.from_regex(r"[A-Z]{2}[1-5][0-9A-Z]{12}", fullmatch=True, alphabet=string.ascii_uppercase + string.digits))
def test_every_card_has_its_parts_whatever_the_tables_say(number):
    hints = hints_of(number)
    assert (hints.object_code, hints.level, hints.province) == (number[:2], number[2], number[3:5])
    assert hints.level_words.startswith(LEVELS[number[2]]) and "tạm tính" in hints.level_words
    assert (hints.object_words is None) >= ("H_UNKNOWN_OBJECT" in hints.doubts)
    assert (hints.province_name is None) == ("H_UNKNOWN_PROVINCE" in hints.doubts)
    assert hints.bhxh_number in (None, number[5:])
