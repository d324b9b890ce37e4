"""The kiosk's own numbers, and the list of a day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kiosk.store import Store
from kiosk.ticket_list import tickets_of_day
from kiosk.ticket_numbers import NumberSeries, next_number
from tests.kiosk.world import GENERAL

DAY = date(2026, 11, 23)


def taken(store: Store, series: NumberSeries, count: int, service: str | None = None, day: date = DAY) -> list[str]:
    return [store.run_now(lambda c: next_number(c, day, series, service)) for _ in range(count)]


def test_numbers_count_up_by_line_and_begin_anew_each_day(store: Store) -> None:
    series = NumberSeries(lines={"502": "N"})
    assert taken(store, series, 2) == ["K-001", "K-002"]
    assert taken(store, series, 2, "502") == ["K-N001", "K-N002"]
    assert taken(store, series, 1, "505") == ["K-003"]
    assert taken(store, series, 1, day=date(2026, 11, 24)) == ["K-001"]


@given(shares=st.lists(st.integers(1, 999), min_size=2, max_size=4, unique=True), counts=st.integers(1, 1500))
def test_stations_with_shares_of_their_own_never_give_the_same_number(shares: list[int], counts: int) -> None:
    firsts = sorted(shares)
    ends = [*(first - 1 for first in firsts[1:]), 999]
    stations = [NumberSeries(first, last) for first, last in zip(firsts, ends, strict=True)]
    numbers = [station.number("", given) for station in stations for given in range(counts)]
    assert len(set(numbers)) == len(numbers)


async def test_the_list_maps_own_numbers_to_the_hospitals(start, hospital) -> None:
    async with start(policy={"number_wait": 0.3}, tickets={"first": 300, "lines": {GENERAL: "N"}}) as world:
        await world.checkins.menu()
        hospital.down()
        own = (await world.register(1)).kiosk_number
        assert own == "K-N300"
        hospital.up()
        world.parts.outbox.wake("hospital")
        await world.becomes((await world.newest()).checkin_id, hospital_state="accepted")
        day = str(world.today())
        listed = await world.store.read(lambda c: tickets_of_day(c, day))
        (line,) = listed["tickets"]
        assert (line["kiosk_number"], line["his_number"]) == (own, line["number"])
        assert line["his_number"] is not None
        assert listed["series"] == [{"prefix": "K-N", "given": 1, "gaps": 0}]
        assert await world.store.read(lambda c: tickets_of_day(c, day, "nội")) == listed
        assert (await world.store.read(lambda c: tickets_of_day(c, day, "Răng")))["tickets"] == []
