"""Object codes and what of them a reception can tell (insurance-gateway.md 5.4)."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.insurance.dated_tables import holds, rows
from kiosk.insurance.routes import RouteProfile, object_code, profile_on, route_hint
from kiosk.model import Certainty, Coverage, KeyKind, RouteHint

DAY = date(2026, 11, 2)
BEFORE_JULY = date(2026, 6, 30)
OWN = "99001"
CURRENT = [
    *(f"1.{part}" for part in (*range(1, 8), *range(11, 19))),
    *("2", "3.1", "3.2", "3.3", "3.6", "7", "7.2", "7.3", "7.4", "8", "9", "10"),
]
GONE = ["1.8", "1.9", "1.10", "3.4", "3.5", "3.7", "7.1"]
PRODUCED = {"1.1", "1.2", "1.11", "1.12", "1.13", "1.14", "1.18", "3.1", "3.3"}

profiles = st.builds(
    RouteProfile,
    since=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    level=st.sampled_from(["initial", "basic", "specialised"]),
    accepted=st.frozensets(st.sampled_from(["99002", "99003"])),
    score=st.none() | st.floats(0, 100),
    former=st.sampled_from(["", "commune", "district", "province", "central"]),
    primary=st.booleans(),
)


def at(place: str | None = "99050") -> Coverage:
    return Coverage("DN4999900000001", KeyKind.BHYT_15, registered_facility=place)


def here(level: str, **more: Any) -> RouteProfile:
    return RouteProfile(**{"since": date(2025, 1, 1), "level": level, **more})


@pytest.mark.parametrize(
    ("profile", "place", "day", "hint"),
    [
        (here("basic"), OWN, DAY, ("1.1", "auto", 100)),
        (here("basic", accepted=frozenset({"99002"})), "99002", DAY, ("1.1", "auto", 100)),
        (here("specialised", former="central"), OWN, DAY, ("1.1", "auto", 100)),
        (here("initial", primary=True), OWN, DAY, ("1.2", "auto", 100)),
        (here("initial", primary=True), "99050", DAY, ("1.2", "auto", 100)),
        (here("initial", primary=True), None, DAY, ("1.2", "auto", 100)),
        (here("initial"), "99050", DAY, ("1.11", "auto", 100)),
        (here("basic"), "99050", DAY, ("1.12", "auto", 100)),
        (here("basic", score=49.9), "99050", DAY, ("1.12", "auto", 100)),
        (here("basic", score=30, former="district"), "99050", DAY, ("1.12", "auto", 100)),
        (here("basic", score=50), "99050", BEFORE_JULY, ("1.13", "hint", 0)),
        (here("basic", score=50), "99050", DAY, ("1.13", "hint", 50)),
        (here("basic", score=69.5, former="province"), "99050", DAY, ("1.13", "hint", 50)),
        (here("basic", score=60, former="district"), "99050", DAY, ("1.13", "hint", 50)),
        (here("basic", score=70, former="province"), "99050", BEFORE_JULY, ("1.14", "hint", 0)),
        (here("basic", former="central"), "99050", DAY, ("1.14", "hint", 50)),
        (here("basic", score=40, former="province"), "99050", DAY, ("1.14", "hint", 50)),
        (here("basic", score=80, former="district"), "99050", DAY, ("3.3", "auto", 100)),
        (here("basic", score=80), "99050", DAY, None),
        (here("specialised", former="province"), "99050", BEFORE_JULY, ("1.18", "hint", 0)),
        (here("specialised", former="province"), "99050", date(2026, 7, 1), ("1.18", "hint", 50)),
        (here("specialised", former="central"), "99050", DAY, ("3.1", "hint", None)),
        (here("specialised", former="district"), "99050", DAY, ("3.3", "auto", 100)),
        (here("specialised"), "99050", DAY, None),
        (here("basic"), None, DAY, None),
    ],
)
def test_the_first_row_that_a_reception_can_tell(
    profile: RouteProfile, place: str | None, day: date, hint: tuple[str, str, int | None] | None
) -> None:
    wanted = None if hint is None else RouteHint(hint[0], Certainty(hint[1]), hint[2])
    assert route_hint(at(place), [profile], day, OWN) == wanted


def test_the_newest_profile_that_has_begun_counts() -> None:
    old, new = here("basic"), here("specialised", since=date(2026, 10, 1), former="province")
    for order in ([old, new], [new, old]):
        assert profile_on(order, date(2026, 9, 30)) == old
        assert profile_on(order, date(2026, 10, 1)) == new
        assert profile_on(order, date(2024, 12, 31)) is None


def test_without_a_profile_or_without_insurance_there_is_no_route() -> None:
    assert route_hint(at(OWN), [], DAY, OWN) is None
    assert route_hint(at(OWN), [here("basic", since=DAY + timedelta(1))], DAY, OWN) is None
    assert route_hint(at(OWN), [here("basic")], DAY, OWN, insured=False) is None


@pytest.mark.parametrize("code", CURRENT)
def test_every_current_code_has_words_and_a_certainty(code: str) -> None:
    found = object_code(code, DAY)
    assert found is not None and found.words and found.certainty is not None


@pytest.mark.parametrize("code", GONE)
def test_a_code_that_is_gone_is_read_and_marked(code: str) -> None:
    found = object_code(code, DAY)
    assert found is not None and found.certainty is None and found.rate is None


def test_the_table_has_no_other_codes() -> None:
    assert {row["code"] for row in rows("object-codes.csv")} == {*CURRENT, *GONE}
    assert len(CURRENT) == 27
    assert object_code("1.99", DAY) is None and object_code("", DAY) is None and object_code("1.10", DAY) is not None


@given(profiles, st.none() | st.sampled_from([OWN, "99002", "99050"]), st.dates(date(2025, 1, 1), date(2030, 1, 1)))
def test_only_codes_that_are_ours_to_tell_are_produced(profile: RouteProfile, place: str | None, day: date) -> None:
    hint = route_hint(at(place), [profile], day, OWN)
    if hint is not None:
        assert hint.object_code in PRODUCED
        assert hint.certainty is not Certainty.STAFF
        row = next(row for row in rows("object-codes.csv") if row["code"] == hint.object_code and holds(row, day))
        assert (hint.rate, hint.certainty) == (int(row["rate"]) if row["rate"] else None, row["certainty"])


@given(profiles, st.dates(date(2025, 1, 1), date(2030, 1, 1)))
def test_who_is_registered_here_never_has_less_than_the_whole(profile: RouteProfile, day: date) -> None:
    hint = route_hint(at(OWN), [profile], day, OWN)
    assert hint is None if profile.since > day else hint is not None and hint.rate == 100
