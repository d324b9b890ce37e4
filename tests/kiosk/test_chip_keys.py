"""Estimated expiry dates of citizen cards."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.chip_keys import MOST_CANDIDATES, bac_candidates

TODAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("birth", "expiries"),
    [
        (date(1990, 2, 1), ["300201", "500201"]),
        (date(1990, 11, 2), ["301102", "501102"]),
        (date(1986, 11, 2), ["261102", "461102"]),
        (date(1986, 11, 1), ["461101", "991231", "261101"]),
        (date(2014, 5, 6), ["280506", "390506"]),
        (date(2012, 5, 6), ["370506", "520506", "260506"]),
        (date(1967, 5, 6), ["270506", "991231"]),
        (date(1950, 5, 6), ["991231"]),
        (date(1962, 5, 6), ["991231", "220506"]),
        (date(2000, 2, 29), ["400229", "600229", "250228"]),
    ],
    ids=["36", "36_today", "40_today", "40_and_a_day", "12", "14", "59", "76", "64", "leap_day"],
)
def test_the_likeliest_expiry_comes_first(birth, expiries):
    keys = bac_candidates("099190000456", birth, TODAY)
    assert [key.expiry for key in keys] == expiries
    assert {(key.document_number, key.birth) for key in keys} == {("190000456", f"{birth:%y%m%d}")}


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.dates(date(2021, 1, 1), date(2060, 1, 1)))
def test_there_are_few_and_no_two_alike(birth, today):
    keys = bac_candidates("099190000456", birth, today)
    assert 1 <= len(keys) == len(set(keys)) <= MOST_CANDIDATES
