"""Where people give up: counted at each view they leave, without a person."""

import pytest

from kiosk.funnel import how_left
from kiosk.station_model import ScanRefused
from tests.kiosk.world import World, qr


@pytest.mark.parametrize(
    ("view", "following", "timed_out", "how"),
    [
        ("idle", "confirm", False, None),
        ("confirm", "confirm", False, None),
        ("confirm", "checking", False, "next"),
        ("confirm", "idle", False, "gave_up"),
        ("confirm", "idle", True, "timed_out"),
        ("for_other", "called", False, "called_staff"),
        ("checking", "out_of_order", False, "broken"),
        ("done", "idle", True, "finished"),
        ("called", "idle", True, None),
    ],
)
def test_each_way_out_of_a_view_has_its_name(view: str, following: str, timed_out: bool, how: str | None) -> None:
    assert how_left(view, following, timed_out=timed_out) == how


async def test_the_metric_shows_where_people_went(world: World) -> None:
    await world.register(1)
    await world.leave()
    await world.station.scan(qr(3))
    await world.answer("reject")
    await world.view("idle")
    with pytest.raises(ScanRefused):
        await world.station.scan(b"hello\r")
    await world.station.answer(None, "call_staff")
    text = world.parts.metrics.render().decode()
    for view, ended in (
        ("confirm", "next"),
        ("confirm", "gave_up"),
        ("choose_service", "next"),
        ("done", "finished"),
        ("unreadable", "called_staff"),
    ):
        assert f'kiosk_screen_left_total{{ended="{ended}",view="{view}"}} 1.0' in text, (view, ended)


async def test_who_went_away_without_a_word_is_told_apart(start) -> None:
    async with start(policy={"confirm_seconds": 0.1}) as world:
        await world.station.scan(qr(3))
        await world.view("idle")
        assert 'kiosk_screen_left_total{ended="timed_out",view="confirm"} 1.0' in world.parts.metrics.render().decode()
