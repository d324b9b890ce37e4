"""A gateway that is dead from seven in the morning till closing, and what becomes of 120 people.

Nobody pays for it, nobody is told "insured", each has a number and a record of the lookups that could not be made; the
next morning all but one are completed by themselves, and staff see that one.
"""

import asyncio
import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest

from kiosk.evidence_making import evidence_of_day
from kiosk.model import VIETNAM, EligibilityClass
from kiosk.pending import pending_of
from simulators.vss_gateway import Settings, create_app
from tests.chaos.crowd import crowd
from tests.kiosk.world import FACILITY, Gateway, World, config_of, qr, running, until

PEOPLE = 120
KNOWN = 100
"""People whom the simulated hospital knows by other names are among the first numbers of a crowd."""
ALL = crowd(KNOWN + PEOPLE, ("010", *("000",) * (KNOWN + PEOPLE - 1)))
HOURS = {"opens": "06:30", "closes": "17:00", "recheck_after": [60, 300, 900, 1800, 3600]}


@pytest.fixture
def big_gateway() -> Iterator[Gateway]:
    with patch("simulators.vss_gateway.people_of", lambda facility: ALL):
        app = create_app(Settings(facility=FACILITY))
    server = Gateway(app)
    yield server
    server.close()


def until_clock(world: World, hour: int, minute: int = 0) -> None:
    """Move the clock on to the next *hour* in Vietnam."""
    now = world.clock().astimezone(VIETNAM)
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    world.clock.forward(seconds=((then if then > now else then + timedelta(days=1)) - now).total_seconds())


async def one_person(world: World, card: bytes) -> None:
    screen = await world.identify(card)
    assert screen["view"] == "choose_service"
    assert "insured" not in str(screen.get("answer", "")).replace("not_insured", "")
    service = (await world.checkins.menu())[0].id
    await world.choose(service)
    await world.leave()


@pytest.mark.parametrize(
    ("hospital_table", "registered"),
    [
        pytest.param({"unchecked": "hold"}, PEOPLE - 1, id="hold-c06"),
        pytest.param({"adapter": "dry_run", "unchecked": "push"}, PEOPLE, id="push-amend", marks=pytest.mark.long),
    ],
)
async def test_a_day_without_the_gateway(tmp_path, big_gateway, hospital, hospital_table, registered):
    config = config_of(tmp_path, big_gateway, hospital, insurance=HOURS, hospital=hospital_table)
    async with running(config, tmp_path, big_gateway, hospital) as world:
        world.parts.gateway._questions._breaker._open_seconds = 0.2  # of the real clock, which does not jump here
        until_clock(world, 7)
        big_gateway.mode("reset")
        for person in ALL[KNOWN:]:
            await one_person(world, qr(person))
            world.clock.forward(minutes=3)
        for hour in range(14, 17):
            until_clock(world, hour)
            world.parts.outbox.wake("gateway")
            await until(lambda: settled(world), "the questions of this hour")
        until_clock(world, 17, 5)

        found = await world.all()
        day = found[0].day
        assert len(found) == PEOPLE
        assert len({one.number for one in found}) == PEOPLE
        assert {one.state for one in found} == {"accepted"}
        assert {one.bhyt for one in found} == {True}  # nobody was made a self-payer
        assert {one.status for one in found} == {EligibilityClass.CANNOT_SAY}
        assert await world.staff_list() == {}
        assert len(await world.store.read(lambda c: pending_of(c, day))) == PEOPLE
        evidence = await evidence_of_day(world.checkins, day, "clerk")
        rows = list(csv.reader(io.StringIO(evidence.content.decode("utf-8-sig"))))
        assert len({cell for row in rows for cell in row if cell in {one.checkin_id for one in found}}) == PEOPLE
        asked_before = len(big_gateway.lookups())

        until_clock(world, 7)
        big_gateway.mode("normal")

        async with asyncio.timeout(90):
            while [one for one in await world.all() if one.unanswered or waits_for_hospital(one)]:
                world.clock.forward(seconds=30)
                world.parts.outbox.wake("gateway")
                await asyncio.sleep(0.3)  # the outbox works meanwhile; asking for everything keeps it from that
        after = await world.all()
        negative = [one for one in after if not one.status.insured]
        assert [one.status for one in negative] == [EligibilityClass.NOT_INSURED]
        assert await world.staff_list() == {negative[0].checkin_id: "turned_not_insured"}
        assert len(big_gateway.lookups()) - asked_before == PEOPLE  # one each, the first of them the breaker's trial
        assert len(after) == PEOPLE
        if world.parts.hospital.capabilities.amend:
            amended = [one for one in after if one.registered_status and one.registered_status.insured]
            assert len(amended) == PEOPLE - 1
        else:
            assert len(hospital.visits()) == registered
            assert len({visit["DU_PHONG"] for visit in hospital.visits()} - {None, ""}) in (0, registered)


def waits_for_hospital(one) -> bool:
    return one.status.insured and one.hospital_state != "accepted"


async def settled(world: World) -> bool:
    """Whether no question is due now."""
    now = world.clock()
    rows = await world.rows("gateway")
    return not [row for row in rows if row.state == "sending" or (row.state == "waiting" and row.next_at <= now)]
