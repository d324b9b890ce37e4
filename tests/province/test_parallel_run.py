"""Our month beside the insurer's own figures: every difference has a cause, or is said to have none."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.events import new_event_id
from province.hub_key import HubKey
from province.measures import Measures
from province.months.closing import close
from province.months.differences import CAUSE_TEXTS, Cause, Quiet, explain_lookups, explain_visits
from province.months.insurer import InsurerFigure, enter, entered
from province.months.parallel_run import COLUMNS, parallel_run
from province.months.rules import MonthRefused

VN = timezone(timedelta(hours=7))
MONTH, DAY = date(2026, 3, 1), date(2026, 3, 10)


def at(day: date = DAY, hour: int = 8) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=VN)


def run(hub, **theirs: tuple[int, int]) -> dict[str, dict]:
    """The rows by facility code after the insurer's figures (`f93002=(visits, lookups)`) were entered."""
    figures = {name[1:]: InsurerFigure(*pair) for name, pair in theirs.items()}
    with hub.store.write() as connection:
        enter(connection, MONTH, figures, "Phòng BHYT")
    with hub.store.read() as connection:
        found = parallel_run(connection, MONTH)
    return {row["unit_code"]: row for row in found["rows"]} | {"_": found}


def seen(station, number: int, day: date = DAY, **fields: object) -> None:
    batch = []
    for _ in range(number):
        checkin_id = new_event_id()
        batch += [
            station.visit(at(day), checkin_id=checkin_id),
            station.lookup(at(day), checkin_id=checkin_id, **fields),
        ]
    station.send(*batch)


def test_equal_figures_have_no_cause(hub) -> None:
    seen(hub.station(), 3)
    row = run(hub, f93002=(3, 3))["93002"]
    assert (row["visits_causes"], row["lookups_causes"], row["explained"]) == ({}, {}, "")
    assert set(COLUMNS) <= set(row)


def test_the_portals_own_figure_explains_a_denominator_and_no_more(hub) -> None:
    station = hub.station()
    seen(station, 3)
    station.send(station.count(DAY, 600), station.count(DAY, 604, origin="portal_file"))
    row = run(hub, f93002=(606, 3))["93002"]
    assert row["visits_causes"] == {"DENOMINATORS_DIFFER": 4, "UNEXPLAINED": 2}
    assert "Lượt khám +4: Số lượt khám trên Cổng khác số của bệnh viện" in row["explained"]


def test_what_came_after_the_closing_is_late_data(hub) -> None:
    station = hub.station()
    seen(station, 3)
    close(hub.store, HubKey.make(), MONTH, "Sở Y tế", "chốt")
    seen(station, 2)
    row = run(hub, f93002=(5, 5))["93002"]
    assert row["visits_causes"] == row["lookups_causes"] == {"LATE_DATA": 2}
    assert (row["visits_ours"], row["r1_raw_ours_pct"], row["r1_raw_theirs_pct"]) == (3, 100.0, 100.0)


def test_repeated_lookups_and_outages_of_the_portal_are_what_the_insurer_did_not_count(hub) -> None:
    station = hub.station()
    checkin_id = new_event_id()
    station.send(station.visit(at(), checkin_id=checkin_id))
    station.send(*(station.lookup(at(hour=hour), checkin_id=checkin_id) for hour in (8, 9, 10)))
    station.send(station.lookup(at(), result_code="500", eligibility_class="unverified"))
    row = run(hub, f93002=(1, 0))["93002"]
    assert row["lookups_ours"] == 4
    assert row["lookups_causes"] == {"REPEATED_LOOKUPS": -3, "THEIR_OUTAGE": -1}


def test_lookups_by_card_number_are_what_the_insurer_counted_too(hub) -> None:
    station = hub.station()
    seen(station, 2)
    station.send(station.lookup(at(), key_kind="BHYT_CODE"))
    assert run(hub, f93002=(2, 3))["93002"]["lookups_causes"] == {"OTHER_KEY_LOOKUPS": 1}


def test_a_silent_working_day_explains_at_most_its_fullest_neighbour(hub) -> None:
    one, others = hub.station("93002"), [hub.station("93003"), hub.station("93006")]
    seen(one, 2)
    for station in others:
        seen(station, 1)
        seen(station, 1, DAY + timedelta(days=1))
    row = run(hub, f93002=(9, 9), f93003=(2, 2), f93006=(2, 2))["93002"]
    assert row["visits_causes"] == row["lookups_causes"] == {"SILENT_DAYS": 2, "UNEXPLAINED": 5}


def test_desks_without_a_figure_explain_what_nobody_looked_up(hub) -> None:
    station = hub.station()
    seen(station, 2)
    station.send(station.count(DAY, 10))
    assert run(hub, f93002=(10, 9))["93002"]["lookups_causes"] == {"DESK_LOOKUPS_MISSING": 7}
    station.send(station.desk(DAY, 3, 3, 3))
    assert run(hub, f93002=(10, 9))["93002"]["lookups_causes"] == {"UNEXPLAINED": 4}


def test_a_facility_that_one_side_does_not_know_is_named(hub) -> None:
    seen(hub.station("93002"), 2)
    found = run(hub, f93003=(40, 39))
    assert found["93002"]["visits_causes"] == {"FACILITY_MISSING_THERE": -2}
    assert found["93003"]["visits_causes"] == {"FACILITY_MISSING_HERE": 40}
    assert found["93003"]["unit_name"]
    assert found["_"]["causes"]["visits"] == {"FACILITY_MISSING_HERE": 40, "FACILITY_MISSING_THERE": 2}
    assert found["_"]["unexplained_pct"] == 0


def test_later_figures_of_the_insurer_stand_before_earlier_ones(store) -> None:
    first = {"93002": InsurerFigure(10, 9), "93003": InsurerFigure(5, 5)}
    with store.write() as connection:
        assert enter(connection, MONTH, first, "A") == 2
        assert enter(connection, MONTH, first | {"93002": InsurerFigure(11, 9)}, "B") == 1
        assert entered(connection, MONTH)["93002"] == InsurerFigure(11, 9)


@pytest.mark.parametrize(
    ("code", "figures"),
    [("unknown_facility", {"00000": InsurerFigure(1, 1)}), ("bad_figure", {"93002": InsurerFigure(-1, 1)})],
)
def test_figures_that_cannot_be_kept_are_refused_all_together(store, code, figures) -> None:
    good = {"93003": InsurerFigure(1, 1)}
    with pytest.raises(MonthRefused, match=code), store.write() as connection:
        enter(connection, MONTH, good | figures, "A")
    with store.read() as connection:
        assert entered(connection, MONTH) == {}


COUNTS = st.integers(0, 500)
SUMS = st.builds(
    Measures,
    visits=COUNTS,
    visits_portal=st.none() | COUNTS,
    visits_beside_portal=COUNTS,
    counted=COUNTS,
    success=COUNTS,
    fail_technical=COUNTS,
    other_key=COUNTS,
    not_sent=COUNTS,
    desk_lookups=COUNTS,
    visits_looked_up=COUNTS,
    reported=st.booleans(),
)


@given(
    st.none() | SUMS,
    st.none() | SUMS,
    st.none() | st.builds(InsurerFigure, COUNTS, COUNTS),
    st.builds(Quiet, *[st.integers(0, 31)] * 4),
)
def test_causes_add_up_to_the_difference_and_never_turn_it_round(published, live, theirs, quiet) -> None:
    for explain, ours, other in (
        (explain_visits, published.visits if published else 0, theirs.visits if theirs else 0),
        (
            explain_lookups,
            published.counted + published.desk_lookups if published else 0,
            theirs.lookups if theirs else 0,
        ),
    ):
        parts = explain(published, live, theirs, quiet)
        assert sum(each.amount for each in parts) == other - ours
        assert all(each.amount * (other - ours) > 0 for each in parts)
        assert len({each.cause for each in parts}) == len(parts)


def test_every_cause_has_its_words() -> None:
    assert set(CAUSE_TEXTS) == set(Cause)
