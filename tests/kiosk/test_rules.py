"""What the rules add to an answer, all the way to the store and the hospital."""

import asyncio
from datetime import timedelta

from kiosk.hospital_model import Encounter, Receipt
from kiosk.model import Certainty, EligibilityClass, RouteHint
from tests.kiosk.world import World

BASIC = {"since": "2025-01-01", "level": "basic", "score": 60.0}


async def pushed(world: World, monkeypatch, person: int) -> Encounter:
    """The visit that reached the hospital's adapter after *person* took a number."""
    arrived: asyncio.Queue[Encounter] = asyncio.Queue()

    async def push(_: object, encounter: Encounter) -> Receipt:
        await arrived.put(encounter)
        return Receipt(visit_id="V1")

    monkeypatch.setattr(type(world.parts.hospital), "push", push)
    await world.register(person)
    async with asyncio.timeout(10):
        return await arrived.get()


async def test_the_route_of_the_facilitys_profile_reaches_the_hospital(start, monkeypatch):
    async with start(route=[BASIC]) as world:
        encounter = await pushed(world, monkeypatch, 6)  # registered in another province
        checkin = await world.newest()
    assert checkin.eligibility is not None
    assert checkin.eligibility.route == RouteHint("1.13", Certainty.HINT, 50)
    assert "registered_elsewhere" in checkin.eligibility.notices
    assert encounter.route == checkin.eligibility.route


async def test_without_a_profile_no_route_is_proposed(world: World, monkeypatch):
    encounter = await pushed(world, monkeypatch, 1)
    checkin = await world.newest()
    assert encounter.route is None
    assert checkin.eligibility is not None and checkin.eligibility.route is None
    reached = world.today() + timedelta(days=300)
    assert checkin.eligibility.notices == ("level:80", f"five_years_on:{reached}")


async def test_no_answer_but_insured_has_a_route(start):
    async with start(route=[BASIC]) as world:
        for person, status in ((13, EligibilityClass.NOT_INSURED), (30, EligibilityClass.NEEDS_STAFF)):
            await world.identify(person)
            checkin = await world.newest()
            assert checkin.eligibility is not None and checkin.status is status
            assert (checkin.eligibility.route, checkin.eligibility.notices) == (None, ())
            await world.answer("cancel")
            await world.view("idle")


async def test_a_later_answer_has_the_route_too(start):
    async with start(route=[BASIC]) as world:
        world.gateway.mode("http_502_html")
        checkin = await world.register(1)
        assert checkin.eligibility is not None and checkin.eligibility.route is None
        world.gateway.reset()
        world.clock.forward(minutes=20)
        world.parts.outbox.wake("gateway")
        answered = await world.becomes(checkin.checkin_id, status=EligibilityClass.INSURED)
        assert answered.eligibility is not None
        assert answered.eligibility.route == RouteHint("1.1", Certainty.AUTO, 100)


async def test_the_patient_hears_of_a_cards_end_and_level_and_no_more(start):
    async with start(route=[BASIC]) as world:
        shown = await world.identify(11)  # five days left, then a new card; registered elsewhere: half of the level
        ends = (world.today() + timedelta(days=5)).isoformat()
        assert (shown["answer"], shown["valid_to"], shown["ends"], shown["level"]) == ("insured", ends, None, None)
        done = await world.choose()
        assert (done["valid_to"], done["ends"], done["level"]) == (ends, None, None)
        await world.leave()
        shown = await world.identify(29)  # prints 95 %, read as 100 %
        assert (shown["ends"], shown["level"]) == (None, 100)
        await world.answer("cancel")
        await world.view("idle")
        shown = await world.identify(13)
        assert (shown["answer"], shown["valid_to"], shown["level"]) == ("not_insured", None, None)


async def test_a_level_is_not_told_before_the_insurer_answered(world: World):
    world.gateway.mode("http_502_html")
    shown = await world.identify(1)
    assert (shown["answer"], shown["valid_to"], shown["ends"], shown["level"]) == ("cannot_say", None, None, None)


async def test_a_card_about_to_end_is_told_kindly_where_no_other_follows(world: World):
    ends = (world.today() + timedelta(days=165)).isoformat()
    world.clock.forward(days=140)
    shown = await world.identify(1)
    assert (shown["answer"], shown["valid_to"], shown["ends"], shown["level"]) == ("insured", ends, "soon", 80)
    done = await world.choose()
    assert (done["valid_to"], done["ends"], done["level"]) == (ends, "soon", 80)
