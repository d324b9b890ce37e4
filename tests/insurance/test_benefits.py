"""Benefit levels, rates and amounts by day (insurance-gateway.md 5.1)."""

import string
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.insurance.benefits import (
    base_salary,
    exceptions_of,
    level_on,
    percent_on,
    printed_level,
    small_bill_threshold,
)
from kiosk.insurance.dated_tables import holds, rows
from kiosk.model import Coverage, KeyKind

DAY = date(2026, 11, 2)
DATED = ["benefit-levels.csv", "benefit-rates.csv", "benefit-amounts.csv", "benefit-exceptions.csv"]


def card(number: str, **more: Any) -> Coverage:
    return Coverage(number, KeyKind.BHYT_15, **more)


@pytest.mark.parametrize(
    ("number", "day", "level"),
    [
        ("CN3999900000029", date(2025, 12, 31), "3"),
        ("CN3999900000029", date(2026, 1, 1), "2"),
        ("CN4999900000029", date(2026, 1, 1), "2"),
        ("LH4999900000029", date(2025, 12, 31), "4"),
        ("LH4999900000029", date(2026, 1, 1), "2"),
        ("LH399099179000029", date(2026, 1, 1), "2"),
        ("CN2999900000029", date(2025, 12, 31), "2"),
        ("HT3999900000004", date(2026, 1, 1), "3"),
        ("DN4999900000001", date(2026, 1, 1), "4"),
        ("DN499099301000027", DAY, "4"),
        ("QN5999900000007", DAY, "5"),
        ("TE1999900000002", DAY, "1"),
        ("DN9999900000001", DAY, None),
        ("DN0999900000001", DAY, None),
        ("9900000001", DAY, None),
        ("099190000001", DAY, None),
    ],
)
def test_the_level_by_which_a_card_is_read(number: str, day: date, level: str | None) -> None:
    assert level_on(number, day) == level


@pytest.mark.parametrize(("level", "percent"), [("1", 100), ("2", 100), ("3", 95), ("4", 80), ("5", 100), ("6", None)])
def test_the_per_cent_of_a_level(level: str, percent: int | None) -> None:
    assert percent_on(level, DAY) == percent


@pytest.mark.parametrize(
    ("day", "salary", "threshold"),
    [
        (date(2023, 6, 30), None, None),
        (date(2023, 7, 1), 1_800_000, 270_000),
        (date(2024, 6, 30), 1_800_000, 270_000),
        (date(2024, 7, 1), 2_340_000, 351_000),
        (date(2026, 6, 30), 2_340_000, 351_000),
        (date(2026, 7, 1), 2_530_000, 379_500),
        (DAY, 2_530_000, 379_500),
    ],
)
def test_base_salary_and_the_small_bill(day: date, salary: int | None, threshold: int | None) -> None:
    assert base_salary(day) == (None if salary is None else Decimal(salary))
    assert small_bill_threshold(day) == (None if threshold is None else Decimal(threshold))


@pytest.mark.parametrize(
    ("coverage", "primary_care", "codes"),
    [
        (card("DN4999900000001"), False, ("small_bill",)),
        (card("DN4999900000001"), True, ("small_bill", "primary_care")),
        (card("HT3999900000004", five_years_on=DAY), False, ("small_bill", "five_years")),
        (card("HT3999900000004", five_years_on=DAY + timedelta(1)), False, ("small_bill",)),
        (card("GD4999900000003", living_area="K2"), False, ("small_bill", "living_area")),
        (card("CN3999900000029", five_years_on=DAY, living_area="K1"), True, ()),
        (card("TE1999900000002"), True, ()),
        (card("9900000001"), True, ()),
    ],
)
def test_what_may_raise_a_level_to_the_whole(coverage: Coverage, primary_care: bool, codes: tuple[str, ...]) -> None:
    assert exceptions_of(coverage, DAY, primary_care=primary_care) == codes


@given(st.text(string.ascii_uppercase + string.digits, max_size=18), st.dates(date(2015, 1, 1), date(2040, 1, 1)))
def test_any_text_has_a_known_level_or_none_and_reading_never_lowers_it(number: str, day: date) -> None:
    level, printed = level_on(number, day), printed_level(number)
    assert (level is None) == (printed is None)
    if level is not None and printed is not None:
        paid, on_card = percent_on(level, day), percent_on(printed, day)
        assert paid is not None and on_card is not None and paid >= on_card


@pytest.mark.parametrize("name", DATED)
@given(day=st.dates(date(2015, 1, 1), date(2040, 1, 1)))
def test_no_day_has_two_rows_of_one_rule(name: str, day: date) -> None:
    keys = [
        tuple(list(row.values())[: 2 if name == "benefit-levels.csv" else 1]) for row in rows(name) if holds(row, day)
    ]
    assert len(keys) == len(set(keys))
