"""Between which hours questions that wait are asked again."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.model import VIETNAM
from kiosk.opening_hours import ALWAYS_OPEN, OpeningHours

HOURS = OpeningHours.parse("06:30", "17:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-{text}+07:00")


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("10T06:29:59", "10T06:30:00"),
        ("10T06:30:00", "10T06:30:00"),
        ("10T16:59:59", "10T16:59:59"),
        ("10T17:00:00", "11T06:30:00"),
        ("10T23:59:59", "11T06:30:00"),
        ("10T00:00:00", "10T06:30:00"),
    ],
)
def test_what_falls_after_closing_waits_for_the_next_opening(moment, opens):
    assert HOURS.next_open(at(moment)) == at(opens)


def test_a_day_may_end_at_midnight():
    hours = OpeningHours.parse("00:00", "24:00")
    assert hours == ALWAYS_OPEN
    assert hours.closing(date(2026, 6, 10)) == at("11T00:00:00")
    assert hours.next_open(at("10T23:59:59")) == at("10T23:59:59")


@given(
    st.integers(0, 1439).flatmap(lambda opens: st.tuples(st.just(opens), st.integers(opens + 1, 1440))),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(VIETNAM)),
)
def test_the_next_opening_is_open_and_within_a_day(minutes, moment):
    hours = OpeningHours(*minutes)
    opening = hours.next_open(moment)
    assert moment <= opening < moment + timedelta(days=1)
    assert hours.next_open(opening) == opening
    assert hours.opening(opening.date()) <= opening < hours.closing(opening.date())


@pytest.mark.parametrize(("opens", "closes"), [("17:00", "06:30"), ("07:00", "07:00"), ("07:00", "24:01")])
def test_hours_that_are_never_are_refused(opens, closes):
    with pytest.raises(ValueError):
        OpeningHours.parse(opens, closes)


@given(st.text(max_size=8))
def test_any_other_text_is_refused(text):
    try:
        hours = OpeningHours.parse("00:00", text)
    except ValueError:
        return
    assert text == f"{hours.closes // 60:02}:{hours.closes % 60:02}"
