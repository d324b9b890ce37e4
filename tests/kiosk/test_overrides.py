"""Decisions against the insurer's answer: with a reason, countersigned by somebody else in time, or a finding."""

from datetime import date, timedelta

import pytest

from kiosk import overrides, records
from kiosk.model import EligibilityClass, Sex, local_day
from kiosk.staff_entry import Entry, StaffRefusal
from kiosk.staffwork import StaffWork
from simulators.vss_people import people_of
from tests.kiosk.world import FACILITY, World

PEOPLE = {person.number: person for person in people_of(FACILITY)}


async def insured(world: World):
    """Somebody whom the insurer covers, entered by staff."""
    born = PEOPLE[2].birth_date(world.today())
    checkin, _ = await StaffWork(world.checkins).enter(Entry(str(PEOPLE[2].card), "lê bé thử", born, Sex.MALE), "an")
    assert checkin.status is EligibilityClass.INSURED
    return checkin


async def service(world: World, *, insured: bool):
    return next(each for each in await world.checkins.menu() if each.insured is insured)


async def decided(world: World, reason: str = "patient_pays"):
    checkin = await insured(world)
    chosen = await service(world, insured=False)
    work = StaffWork(world.checkins)
    await work.register(checkin.checkin_id, chosen, insured=False, reason=reason, patient=None, who="an")
    return checkin


def shown(world: World, days: int = 0):
    today = local_day(world.checkins.clock()) + timedelta(days=days)
    return world.parts.store.run_now(lambda c: overrides.shown(c, today))


async def test_against_the_answer_a_reason_of_the_list_is_needed(world: World):
    checkin = await insured(world)
    chosen, work = await service(world, insured=False), StaffWork(world.checkins)
    for reason in ("", "vì thế"):
        with pytest.raises(StaffRefusal, match="REASON_NEEDED"):
            await work.register(checkin.checkin_id, chosen, insured=False, reason=reason, patient=None, who="an")
    assert shown(world) == [] and world.hospital.visits() == []


async def test_where_the_answer_asks_staff_to_judge_no_reason_is_needed(world: World):
    await world.identify(26)
    checkin = await world.newest()
    assert checkin.status is EligibilityClass.NEEDS_STAFF
    assert not overrides.is_override(checkin, insured=True) and not overrides.is_override(checkin, insured=False)


async def test_what_agrees_with_the_answer_needs_nobody(world: World):
    checkin = await insured(world)
    chosen = await service(world, insured=True)
    work = StaffWork(world.checkins)
    await work.register(checkin.checkin_id, chosen, insured=True, reason="", patient=None, who="an")
    assert shown(world) == []


async def test_a_second_person_countersigns_and_it_is_in_the_audit(world: World):
    checkin = await decided(world)
    (row,) = shown(world)
    assert (row["who"], row["reason"], row["insured"], row["state"]) == ("an", "patient_pays", False, "open")
    now = world.checkins.clock()

    def sign(who: str, number: int = row["id"]) -> str | None:
        return world.parts.store.run_now(lambda c: overrides.countersign(c, number, who, now, agreed=True))

    assert sign("an") == "NOT_ONESELF"
    assert sign("bình", 99) == "NO_SUCH_DECISION"
    assert sign("bình") is None
    assert sign("chi") == "SIGNED_ALREADY"
    (row,) = shown(world, days=10)
    assert (row["state"], row["signed_by"]) == ("agreed", "bình")
    audits = await world.parts.store.read(lambda c: records.audits_of(c, [checkin.checkin_id]))
    assert ("bình", "countersigned") in [(each["who"], each["action"]) for each in audits[checkin.checkin_id]]


async def test_what_is_not_countersigned_in_time_is_a_finding(world: World):
    await decided(world)
    today = local_day(world.checkins.clock())
    assert world.parts.store.run_now(lambda c: overrides.counts(c, today)) == {"open": 1, "findings": 0}
    late = overrides.next_working_day(today) + timedelta(days=1)
    assert world.parts.store.run_now(lambda c: overrides.counts(c, late)) == {"open": 0, "findings": 1}


async def test_what_a_supervisor_does_not_agree_to_stays_a_finding(world: World):
    await decided(world)
    now = world.checkins.clock()
    (row,) = shown(world)
    world.parts.store.run_now(lambda c: overrides.countersign(c, row["id"], "bình", now, agreed=False))
    assert [row["state"] for row in shown(world, days=20)] == ["refused"]


@pytest.mark.parametrize(
    ("day", "due"),
    [("2026-06-29", "2026-06-30"), ("2026-07-03", "2026-07-06"), ("2026-07-04", "2026-07-06")],
)
def test_the_next_working_day_is_no_weekend(day: str, due: str):
    assert overrides.next_working_day(date.fromisoformat(day)) == date.fromisoformat(due)
