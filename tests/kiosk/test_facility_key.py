"""The stations of a relay share its key, but nobody's earlier digests are orphaned for it."""

from collections.abc import Callable
from typing import Any

from kiosk import facility_key, journal
from kiosk.store import Store
from tests.kiosk.world import World

RELAYS = b"r" * 32


def giving(key: bytes | None) -> Callable[[], bytes | None]:
    return lambda: key


def kept(store: Store) -> bytes:
    return store.run_now(journal.prepare)


def test_a_new_station_takes_the_relays_key_and_keeps_it(store: Store) -> None:
    own = kept(store)
    assert facility_key.agree(store, own, giving(RELAYS)) == RELAYS
    assert kept(store) == RELAYS
    assert store.run_now(facility_key.key_from) == "relay"


def test_while_the_relay_is_away_the_known_key_serves(store: Store) -> None:
    own = kept(store)
    assert facility_key.agree(store, own, giving(None)) == own
    assert store.run_now(facility_key.key_from) is None
    facility_key.agree(store, own, giving(RELAYS))
    assert facility_key.agree(store, RELAYS, giving(None)) == RELAYS
    assert store.run_now(facility_key.key_from) == "relay"


async def test_a_station_that_has_served_people_keeps_its_own_key_and_says_so(world: World) -> None:
    own = world.checkins.journal.facility_key
    await world.register(1)
    assert facility_key.agree(world.store, own, giving(RELAYS)) == own
    assert kept(world.store) == own
    assert world.store.run_now(facility_key.key_from) == "own"


async def test_a_station_that_has_used_the_relays_key_goes_on_with_it(start: Callable[..., Any]) -> None:
    async with start() as world:
        await world.register(1)
        own = world.checkins.journal.facility_key
        assert facility_key.agree(world.store, own, giving(own)) == own
        assert world.store.run_now(facility_key.key_from) == "relay"
