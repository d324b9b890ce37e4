"""Officers per shift, and the stop after the insurer refused one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk import officers
from kiosk.config import InsuranceTable
from kiosk.duty import Duty
from kiosk.errors import ConfigError
from kiosk.insurance_parts import duty_of
from kiosk.officer_stop import TRIAL_AFTER_S, TRIAL_LASTS_S
from kiosk.store import Store
from kiosk.tables import audit

FIRST, SECOND = ("Nguyễn Cán Bộ Thử", "099085000001"), ("Lê Trực Thử", "099186000002")


class World:
    """A store, a wall clock and a monotonic one."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder, bytes(32))
        self.now = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
        self.seconds = 0.0

    def open(self) -> Duty:
        return Duty(self.store, lambda: self.now, lambda: self.seconds)

    def id_of(self, citizen_number: str) -> str:
        found = self.store.run_now(officers.registered)
        return next(each.officer.officer_id for each in found if each.officer.citizen_number == citizen_number)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.store.run_now(lambda c: officers.merge(c, [FIRST, SECOND]))
    yield made
    made.store.close()


def test_the_designated_one_answers_while_nobody_has_signed_on(world: World) -> None:
    answering = world.open().current()
    assert answering is not None
    assert (answering.full_name, answering.citizen_number) == FIRST


async def test_whoever_signs_on_answers_until_signing_off_and_after_a_restart(world: World) -> None:
    duty = world.open()
    assert await duty.sign_on(world.id_of(SECOND[1]), "clerk")
    for each in (duty, world.open()):
        answering = each.current()
        assert answering is not None and answering.citizen_number == SECOND[1]
        assert each.view.signed_on is not None and each.view.signed_on.signed_by == "clerk"
    await duty.sign_off("clerk")
    answering = duty.current()
    assert answering is not None and answering.citizen_number == FIRST[1]
    assert not await duty.sign_on("nobody", "clerk")


async def test_a_shift_crosses_midnight_and_ends_when_it_was_forgotten(world: World) -> None:
    duty = world.open()
    world.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # 19:00 in Vietnam
    await duty.sign_on(world.id_of(SECOND[1]), "clerk")
    world.now += timedelta(hours=12)
    assert duty.view.signed_on is not None
    world.now += timedelta(hours=3)
    assert duty.view.signed_on is None
    answering = duty.current()
    assert answering is not None and answering.citizen_number == FIRST[1]


async def test_a_refusal_stops_this_officer_only_and_every_half_hour_one_lookup_tries(world: World) -> None:
    duty = world.open()
    first = duty.current()
    assert first is not None
    duty.refused(first, "054")
    assert duty.current() is None
    assert duty.view.refused == "054"
    await duty.sign_on(world.id_of(SECOND[1]), "clerk")
    second = duty.current()
    assert second is not None and duty.view.refused is None
    duty.refused(first, "054")  # late, of a lookup before
    assert duty.current() == second
    await duty.sign_off("clerk")
    assert duty.current() is None
    world.seconds += TRIAL_AFTER_S
    assert [duty.current(), duty.current()] == [first, None]
    duty.accepted(first)
    assert duty.current() == first
    assert duty.view.refused is None


@pytest.mark.parametrize("correction", ["try_now", "add", "sign_on"])
async def test_who_corrected_something_gets_a_trial_at_once(world: World, correction: str) -> None:
    duty = world.open()
    first = duty.current()
    assert first is not None
    duty.refused(first, "055")
    if correction == "try_now":
        duty.try_now()
    elif correction == "add":
        await duty.add("Nguyễn Cán Bộ Thử Hai", FIRST[1], "admin")
    else:
        await duty.sign_on(first.officer_id, "clerk")
    again = duty.current()
    assert again is not None and again.officer_id == first.officer_id
    assert duty.current() is None


async def test_a_removed_officer_answers_no_more(world: World) -> None:
    duty = world.open()
    await duty.sign_on(world.id_of(SECOND[1]), "clerk")
    assert await duty.remove(world.id_of(SECOND[1]), "admin")
    answering = duty.current()
    assert answering is not None and answering.citizen_number == FIRST[1]
    assert await duty.remove(answering.officer_id, "admin")
    assert duty.current() is None
    assert not await duty.remove(answering.officer_id, "admin")
    assert await duty.designate(answering.officer_id, "admin") is False


async def test_a_trial_without_an_answer_is_repeated_after_a_minute(world: World) -> None:
    duty = world.open()
    first = duty.current()
    assert first is not None
    duty.refused(first, "055")
    duty.try_now()
    assert [duty.current(), duty.current()] == [first, None]  # and the network failed
    world.seconds += TRIAL_LASTS_S
    assert [duty.current(), duty.current()] == [first, None]
    duty.refused(first, "055")
    world.seconds += TRIAL_LASTS_S
    assert duty.current() is None


async def test_an_old_file_undoes_no_correction_and_brings_nobody_back(world: World) -> None:
    duty = world.open()
    await duty.add("Tên Đúng Thử", FIRST[1], "admin")
    await duty.remove(world.id_of(SECOND[1]), "admin")
    third = ("Trần Mới Thử", "099085000003")
    assert world.store.run_now(lambda c: officers.merge(c, [FIRST, SECOND, third, third])) == 2
    found = world.store.run_now(officers.registered)
    assert {each.officer.full_name for each in found} == {"Tên Đúng Thử", third[0]}
    assert [each.officer.citizen_number for each in found if each.designated] == [FIRST[1]]
    await duty.add(*SECOND, "admin")
    assert len(duty.registered) == 3


async def test_who_changed_what_is_audited_without_names_or_numbers(world: World) -> None:
    duty = world.open()
    second = world.id_of(SECOND[1])
    await duty.sign_on(second, "chi")
    await duty.sign_off("an")
    await duty.designate(second, "admin")
    await duty.remove(second, "admin")
    await duty.remove(second, "admin")
    await duty.add(*SECOND, "admin")
    rows = world.store.run_now(lambda c: c.execute(audit.select().order_by(audit.c.id)).all())
    actions = ["signed_on", "signed_off", "designated", "removed", "added"]
    assert [row.action for row in rows] == [f"officer_{action}" for action in actions]
    assert [row.who for row in rows] == ["chi", "an", "admin", "admin", "admin"]
    assert [row.detail for row in rows] == [{"officer": second}] * 5


async def test_another_can_be_designated(world: World) -> None:
    duty = world.open()
    assert await duty.designate(world.id_of(SECOND[1]), "admin")
    answering = duty.current()
    assert answering is not None and answering.citizen_number == SECOND[1]


def test_the_file_may_be_emptied_once_its_officers_are_registered(tmp_path: Path) -> None:
    (tmp_path / "officers").write_text(";".join(FIRST), "utf-8")
    table = InsuranceTable(url="https://egw.example", account="x", password_file="p", officers_file="officers")
    (tmp_path / "data").mkdir()
    store = Store(tmp_path / "data", bytes(32))
    try:
        assert duty_of(table, tmp_path, store, lambda: datetime.now(UTC)).current() is not None
        (tmp_path / "officers").write_text("\n", "utf-8")
        assert duty_of(table, tmp_path, store, lambda: datetime.now(UTC)).current() is not None
        (tmp_path / "officers").unlink()
        assert duty_of(table, tmp_path, store, lambda: datetime.now(UTC)).current() is not None
    finally:
        store.close()


def test_without_any_officer_there_is_no_start(tmp_path: Path) -> None:
    table = InsuranceTable(url="https://egw.example", account="x", password_file="p")
    (tmp_path / "data").mkdir()
    store = Store(tmp_path / "data", bytes(32))
    try:
        with pytest.raises(ConfigError, match=r"insurance\.officers_file"):
            duty_of(table, tmp_path, store, lambda: datetime.now(UTC))
    finally:
        store.close()
