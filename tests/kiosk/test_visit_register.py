"""The register of the day: the first station has the visit, the others show its ticket, nobody sees a stranger's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kiosk import visit_register
from kiosk.insurance import relay_wire as wire
from kiosk.model import EligibilityClass, Identity, PartialDate, Sex
from kiosk.register_model import Elsewhere, Handed, Passage
from kiosk.store import Store
from kiosk.tables import visit_register as table

KEY = b"k" * 32
NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
NUMBER, OTHER_NUMBER = "099190000001", "DN4999900000001"
WHO = Identity(full_name="Trần Thị Mẫu", birth_date=PartialDate(1990, 9, 2), sex=Sex.FEMALE)
STRANGER = Identity(full_name="Lê Văn Khác", birth_date=PartialDate(1950), sex=Sex.MALE)
TICKET = Handed("23", "his", "Khám Nội", "Khoa Nội", "P101", EligibilityClass.INSURED, "7ZK3M-0QX9T")


def passage(checkin_id: str, *numbers: str, who: Identity = WHO, another: bool = False) -> Passage:
    return Passage(checkin_id, "2026-11-02", numbers or (NUMBER,), who, another)


class Register:
    """The functions, each in a transaction of its own, at minute *at* of the morning."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def find(self, of: Passage, station: str, at: float = 0) -> Elsewhere | None:
        return self.store.run_now(lambda c: visit_register.find(c, KEY, of, station, NOW + timedelta(minutes=at)))

    def claim(self, of: Passage, station: str, at: float = 0) -> Elsewhere | None:
        return self.store.run_now(lambda c: visit_register.claim(c, KEY, of, station, NOW + timedelta(minutes=at)))

    def accepted(self, of: Passage, station: str, at: float = 0, ticket: Handed = TICKET) -> Elsewhere | None:
        now = NOW + timedelta(minutes=at)
        return self.store.run_now(lambda c: visit_register.accepted(c, KEY, of, ticket, station, now))

    def ended(self, checkin_id: str, station: str) -> None:
        self.store.run_now(lambda c: visit_register.ended(c, checkin_id, station))

    def count(self) -> int:
        return self.store.run_now(lambda c: visit_register.count(c, "2026-11-02"))

    def states(self) -> dict[str, str]:
        query = sa.select(table.c.checkin_id, table.c.state)
        return self.store.run_now(lambda c: {row.checkin_id: row.state for row in c.execute(query)})


@pytest.fixture
def register(store: Store) -> Register:
    return Register(store)


def test_who_was_accepted_is_found_at_another_station_with_the_ticket(register: Register) -> None:
    assert register.find(passage("a"), "kiosk-1") is None
    assert register.claim(passage("a"), "kiosk-1") is None
    assert register.accepted(passage("a"), "kiosk-1", 1) is None
    assert register.find(passage("b"), "kiosk-2", 90) == Elsewhere("a", "kiosk-1", NOW, True, TICKET)
    assert register.claim(passage("b"), "kiosk-2", 91) == Elsewhere("a", "kiosk-1", NOW, True, TICKET)
    assert register.count() == 1


def test_the_first_claim_wins_and_the_other_waits_for_its_ticket(register: Register) -> None:
    assert register.claim(passage("a"), "kiosk-1") is None
    taken = register.claim(passage("b"), "kiosk-2", 0.1)
    assert taken == Elsewhere("a", "kiosk-1", NOW, True, None)
    assert register.claim(passage("a"), "kiosk-1", 0.2) is None
    register.accepted(passage("a"), "kiosk-1", 0.3)
    again = register.claim(passage("b"), "kiosk-2", 0.4)
    assert again is not None and again.ticket == TICKET


def test_of_many_claims_at_once_exactly_one_is_first(register: Register) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = [
            pool.submit(
                register.store.run_from_thread,
                lambda c, n=n: visit_register.claim(c, KEY, passage(f"c{n}"), f"kiosk-{n}", NOW),  # type: ignore[misc]
            )
            for n in range(8)
        ]
        taken = [claim.result() for claim in claims]
    assert taken.count(None) == 1
    assert len({one.checkin_id for one in taken if one is not None}) == 1


def test_a_claim_of_a_station_that_died_holds_a_minute(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    assert register.claim(passage("b"), "kiosk-2", 0.9) is not None
    assert register.claim(passage("b"), "kiosk-2", 1.1) is None


def test_what_came_to_nothing_holds_nobody_off_but_only_its_station_can_say_so(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    register.accepted(passage("a"), "kiosk-1")
    register.ended("a", "kiosk-2")
    assert register.claim(passage("b"), "kiosk-2") is not None
    register.ended("a", "kiosk-1")
    assert register.claim(passage("b"), "kiosk-2") is None
    assert register.count() == 0


def test_nobody_writes_into_the_entry_of_another_station(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    register.accepted(passage("a"), "kiosk-2", ticket=replace(TICKET, number="99"))
    found = register.find(passage("b"), "kiosk-3", 0.1)
    assert found is not None
    assert (found.station, found.ticket) == ("kiosk-1", None)


def test_a_number_alone_shows_nobody_elses_ticket(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    register.accepted(passage("a"), "kiosk-1")
    seen = register.find(passage("b", who=STRANGER), "kiosk-2", 1)
    assert seen == Elsewhere("a", "kiosk-1", NOW, True, None)
    assert register.claim(passage("b", who=STRANGER), "kiosk-2", 2) is None


def test_the_same_number_a_moment_ago_is_told_and_after_five_minutes_no_more(register: Register) -> None:
    register.find(passage("a"), "kiosk-1")
    assert register.find(passage("b"), "kiosk-2", 5) == Elsewhere("a", "kiosk-1", NOW, False, None)
    assert register.find(passage("c"), "kiosk-3", 10.1) is None


def test_one_station_is_not_elsewhere(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    register.accepted(passage("a"), "kiosk-1")
    assert register.find(passage("b"), "kiosk-1") is None
    assert register.claim(passage("b"), "kiosk-1") is None


def test_another_number_of_the_same_person_is_the_same_person(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    register.accepted(passage("a"), "kiosk-1")
    assert register.claim(passage("b", OTHER_NUMBER, NUMBER), "kiosk-2") is not None
    assert register.claim(passage("c", OTHER_NUMBER), "kiosk-2") is None


def test_a_second_examination_is_a_visit_of_its_own(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    register.accepted(passage("a"), "kiosk-1")
    assert register.claim(passage("b", another=True), "kiosk-2", 1) is None
    assert register.accepted(passage("b", another=True), "kiosk-2", 2) is None


def test_who_was_accepted_twice_while_the_relay_was_away_is_told(register: Register) -> None:
    assert register.accepted(passage("a"), "kiosk-1", 1) is None
    assert register.accepted(passage("b"), "kiosk-2", 2) == Elsewhere(
        "a", "kiosk-1", NOW + timedelta(minutes=1), True, TICKET
    )
    assert register.count() == 1


def test_telling_twice_changes_nothing(register: Register) -> None:
    for at in (1, 2, 3):
        assert register.accepted(passage("a"), "kiosk-1", at) is None
    found = register.find(passage("b"), "kiosk-2", 4)
    assert found is not None and found.at == NOW + timedelta(minutes=1)


def test_a_late_claim_takes_no_acceptance_back(register: Register) -> None:
    register.accepted(passage("a"), "kiosk-1")
    register.claim(passage("a"), "kiosk-1", 1)
    register.find(passage("a"), "kiosk-1", 1)
    assert register.states() == {"a": "accepted"}


def test_a_person_is_kept_under_no_number_and_forgotten_the_day_after_tomorrow(register: Register) -> None:
    register.claim(passage("a"), "kiosk-1")
    register.accepted(passage("a"), "kiosk-1")
    query = sa.select(table)
    shown = register.store.run_now(lambda c: str([tuple(row) for row in c.execute(query)]))
    assert NUMBER not in shown
    assert register.store.run_now(lambda c: visit_register.forget(c, date(2026, 11, 3))) == 0
    assert register.store.run_now(lambda c: visit_register.forget(c, date(2026, 11, 4))) == 1
    assert register.states() == {}


BORN = st.dates(date(1900, 1, 1), date(2026, 1, 1))


@given(
    name=st.none() | st.text(min_size=1, max_size=200),
    born=st.none() | BORN.map(lambda d: PartialDate(d.year, d.month, d.day)) | BORN.map(lambda d: PartialDate(d.year)),
    sex=st.none() | st.sampled_from(list(Sex)),
    numbers=st.lists(st.from_regex(r"[0-9A-Z]{1,20}", fullmatch=True), min_size=1, max_size=8),
    ticket=st.none() | st.builds(Handed, st.text(max_size=20), st.sampled_from(["his", "kiosk"])),
)
def test_what_a_station_tells_arrives_as_it_was(
    name: str | None, born: PartialDate | None, sex: Sex | None, numbers: list[str], ticket: Handed | None
) -> None:
    told = Passage("c-1", "2026-11-02", tuple(numbers), Identity(full_name=name, birth_date=born, sex=sex), True)
    body = wire.Told.of(told, "kiosk-1", ticket).model_dump_json()
    got = wire.Told.model_validate_json(body)
    assert (got.passage(), got.ticket, got.station) == (told, ticket, "kiosk-1")
