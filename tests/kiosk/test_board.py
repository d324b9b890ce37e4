"""Today's board: rates, causes, and what is left to be done (issue 8, 10)."""

from kiosk.board import board_of
from kiosk.tables import outbox
from tests.kiosk.world import World


async def board(world: World, day: str = ""):
    return await world.parts.store.read(lambda c: board_of(c, day or str(world.today())))


async def test_an_empty_day_has_nothing_to_do(world: World):
    found = await board(world)
    assert (found.people, found.rates["r1_pct"], found.causes, found.open_items) == (0, None, (), 0)


async def test_the_day_as_it_stands(world: World):
    await world.register(1)
    await world.leave()
    assert (await world.identify(30))["view"] == "needs_staff"
    await world.leave()
    world.gateway.mode("http_500_html")
    await world.register(4)
    found = await board(world)
    assert (found.people, found.staff, found.unanswered, found.parked) == (3, 1, 1, 0)
    assert (found.rates["r1_denominator"], found.rates["lookups_success"]) == (2, 2)
    assert sum(visits for _, visits in found.causes) == 2
    assert (await board(world, "2020-01-01")).people == 0


async def test_nothing_is_counted_twice_and_what_waits_is_told_apart(world: World):
    world.hospital.mode("reset_before")  # nobody knows whether it arrived: staff must look
    await world.register(1)
    found = await board(world)
    assert (found.staff, found.for_hospital, found.parked, found.open_items) == (1, 0, 0, 1)

    def state(destination: str, name: str):
        return lambda c: c.execute(outbox.update().where(outbox.c.destination == destination).values(state=name))

    await world.parts.store.run(state("hospital", "waiting"))
    await world.parts.store.run(state("province", "parked"))
    found = await board(world)
    assert (found.for_hospital, found.parked) == (1, len(await world.rows("province")))
