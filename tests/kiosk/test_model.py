"""The nouns: dates of limited precision, days in Vietnam, classes of answers."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.hospital_model import Receipt, TicketLine
from kiosk.model import VIETNAM, EligibilityClass, PartialDate, local_day


@st.composite
def partial_dates(draw):
    full = draw(st.dates(min_value=date(1000, 1, 1)))
    known = draw(st.integers(1, 3))
    return PartialDate(*(full.year, full.month, full.day)[:known])


@given(partial_dates())
def test_what_is_printed_is_read_again(partial):
    assert PartialDate.parse(str(partial)) == partial


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "1990-2",
        "1990-02-30",
        "1990-13",
        "1990-00",
        "1990-00-00",
        "1990-01-00",
        "0000",
        "1990-02-01-01",
        "١٩٩٠",
        "1990/02",
        " 1990",
        "+199",
        "1990-02-",
    ],
)
def test_no_other_form_is_read(text):
    with pytest.raises(ValueError):
        PartialDate.parse(text)


@pytest.mark.parametrize("parts", [(1990, None, 1), (1990, 2, 30), (0,), (1990, 0), (1990, 1, 0), (10_000,)])
def test_a_date_that_no_calendar_has_cannot_be_made(parts):
    with pytest.raises(ValueError):
        PartialDate(*parts)


@given(partial_dates(), partial_dates())
def test_agreement_is_equality_as_far_as_both_know(one, other):
    known = min(len(str(one)), len(str(other)))
    assert one.agrees_with(other) is other.agrees_with(one) is (str(one)[:known] == str(other)[:known])


def test_only_a_whole_date_is_exact():
    assert PartialDate(1990, 2, 1).exact == date(1990, 2, 1)
    assert PartialDate(1990, 2).exact is None and PartialDate(1990).exact is None


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 2, 16, 59, 59, 999_999, tzinfo=UTC), date(2026, 11, 2)),
        (datetime(2026, 11, 2, 17, 0, tzinfo=UTC), date(2026, 11, 3)),
        (datetime(2026, 1, 1, 0, 0, tzinfo=VIETNAM), date(2026, 1, 1)),
    ],
)
def test_the_day_is_vietnams(moment, day):
    assert local_day(moment) == day


def test_each_class_is_insured_or_unanswered_or_a_real_no():
    assert [s.value for s in EligibilityClass if s.insured] == ["insured", "insured_new_card"]
    assert [s.value for s in EligibilityClass if s.unanswered] == ["cannot_say", "misconfigured"]
    assert not any(status.insured and status.unanswered for status in EligibilityClass)


def test_the_first_ticket_is_the_number():
    assert Receipt().number is None
    assert Receipt(tickets=(TicketLine("23"), TicketLine("24"))).number == "23"
