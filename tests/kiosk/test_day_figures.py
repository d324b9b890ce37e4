"""Figures of whole days: each kept once a revision, told to the province, asked of the hospital where it can say."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from kiosk import day_figures, journal
from kiosk.day_figures import Figure, FigureRefused
from kiosk.day_figures_job import DayFiguresJob
from kiosk.errors import HospitalUnavailable
from kiosk.events import Origin, check_event
from kiosk.figure_work import FigureWork
from kiosk.hospital_model import Capabilities, DeskLookups, VisitCount
from kiosk.tables import audit, metadata
from tests.kiosk.test_province_client import all_delivered, hub  # noqa: F401 - a fixture

TODAY = date(2026, 3, 10)


def visits(day: date, count: int) -> Figure:
    return Figure.visits(VisitCount(day, count))


async def told(world, kind: str) -> list[dict]:
    return [body for body in await world.events() if body["kind"] == kind]


async def test_each_new_figure_is_a_revision_of_its_own_and_the_same_one_is_none(world):
    work, day = FigureWork(world.parts.checkins), world.today()
    assert await work.tell([visits(day, 120)], Origin.MANUAL, "lan") == 1
    assert await work.tell([visits(day, 120)], Origin.MANUAL, "lan") == 0
    assert await work.tell([visits(day, 121)], Origin.MANUAL, "lan") == 1
    first, second = await told(world, "visit_count")
    assert (first["date"], first["bhyt_visits"], first["by_class"], first["origin"]) == (str(day), 120, {}, "manual")
    assert (second["bhyt_visits"], second["revision"] > first["revision"]) == (121, True)
    assert second["seq"] == first["seq"] + 1 and [check_event(body) for body in (first, second)] == [None, None]
    query = sa.select(audit.c.who, audit.c.action)
    assert await world.store.read(lambda c: [tuple(row) for row in c.execute(query)]) == [("lan", "figures_told")] * 2


async def test_figures_are_kept_all_together_or_not_at_all(world):
    work, day = FigureWork(world.parts.checkins), world.today()
    with pytest.raises(FigureRefused):
        await work.tell([visits(day, 5), visits(day + timedelta(days=1), 5)], Origin.MANUAL, "lan")
    assert await told(world, "visit_count") == []
    assert [one.visits for one in await work.month(day.year, day.month)] == [None] * day.day


@pytest.mark.parametrize(
    ("figure", "code"),
    [
        (visits(TODAY + timedelta(days=1), 1), "FUTURE_DAY"),
        (visits(TODAY - timedelta(days=401), 1), "DAY_TOO_OLD"),
        (visits(TODAY, -1), "NOT_A_COUNT"),
        (visits(TODAY, 2**31), "NOT_A_COUNT"),
        (visits(TODAY, True), "NOT_A_COUNT"),
        (Figure.visits(VisitCount(TODAY, 3, {"A": -1})), "NOT_A_COUNT"),
        (Figure.desk(DeskLookups(TODAY, 5, 6, 1)), "MORE_LOOKED_UP_THAN_LOOKUPS"),
        (Figure.desk(DeskLookups(TODAY, 5, 4, 5)), "MORE_SUCCESSES_THAN_LOOKED_UP"),
    ],
)
def test_what_cannot_be_true_is_refused(figure, code):
    with pytest.raises(FigureRefused) as refused:
        figure.check(TODAY)
    assert refused.value.code == code


async def test_the_hospital_is_believed_before_a_file_and_that_before_people(world):
    work, day = FigureWork(world.parts.checkins), world.today()
    for origin, count in ((Origin.HIS, 100), (Origin.PORTAL_FILE, 90), (Origin.MANUAL, 80)):
        await work.tell([visits(day, count)], origin, "x")
    of_day = (await work.month(day.year, day.month))[-1]
    assert of_day.visits is not None and of_day.visits.values["bhyt_visits"] == 100


async def test_fewer_visits_than_this_machine_saw_are_doubtful(world):
    work, day = FigureWork(world.parts.checkins), world.today()
    await world.register(1)
    for count, doubtful in ((0, True), (1, False)):
        await work.tell([visits(day, count)], Origin.MANUAL, "lan")
        of_day = (await work.month(day.year, day.month))[-1]
        assert (of_day.own, of_day.doubtful) == (1, doubtful)


async def test_a_figure_reaches_the_provinces_rates(start, hub):  # noqa: F811
    async with start(province={"url": hub.url}) as world:
        await world.parts.province.enrol(hub.url, hub.code())
        await world.register(1)
        desk = Figure.desk(DeskLookups(world.today(), 3, 2, 2))
        await FigureWork(world.parts.checkins).tell([visits(world.today(), 4), desk], Origin.MANUAL, "lan")
        await all_delivered(world)
        row = hub.row(str(world.today()))
        assert (row["visits_bhyt"], row["visits_bhyt_origin"], row["lookups_desk"]) == (4, "manual", 3)
        assert row["lookups_total"] == 4, "three at the desk and one at the kiosk"


class Counting:
    """The figures of a hospital system, as an adapter gives them."""

    capabilities = Capabilities(visit_count=True, lookups=True)

    def __init__(self) -> None:
        self.counts: dict[date, int] = {}
        self.asked: list[date] = []
        self.away = False

    async def visit_count(self, day: date) -> VisitCount | None:
        self.asked.append(day)
        if self.away:
            raise HospitalUnavailable("test.away")
        return VisitCount(day, self.counts[day]) if day in self.counts else None

    async def lookups(self, day: date) -> DeskLookups | None:
        return DeskLookups(day, 2, 2, 9) if day in self.counts else None


async def test_the_hospital_is_asked_for_closed_days_and_only_changes_are_told(world, monkeypatch):
    counting, today = Counting(), world.today()
    hospital = world.parts.checkins.hospital
    monkeypatch.setattr(hospital, "capabilities", counting.capabilities)
    monkeypatch.setattr(hospital, "visit_count", counting.visit_count, raising=False)
    monkeypatch.setattr(hospital, "lookups", counting.lookups, raising=False)
    job = DayFiguresJob(world.parts.checkins)
    yesterday = today - timedelta(days=1)
    counting.counts = {yesterday: 50}
    assert await job.ask_now() == 1, "impossible lookups are told to nobody"
    assert counting.asked == [today - timedelta(days=back) for back in (3, 2, 1)], "today is not over"
    assert await job.ask_now() == 0
    counting.counts[yesterday] = 51
    counting.away = True
    assert await job.ask_now() == 0
    counting.away = False
    monkeypatch.setattr(hospital, "visit_count", counting.counts.pop, raising=False)
    assert await job.ask_now() == 0, "a fault of the adapter ends nothing"
    monkeypatch.setattr(hospital, "visit_count", counting.visit_count, raising=False)
    counting.counts[yesterday] = 51
    assert await job.ask_now() == 1
    found = [(body["bhyt_visits"], body["origin"]) for body in await told(world, "visit_count")]
    assert found == [(50, "his"), (51, "his")] and await told(world, "desk_lookups") == []


def test_of_two_stations_that_ask_the_later_one_is_believed():
    noon, revisions = datetime(2026, 3, 10, 5, tzinfo=UTC), {}
    for minutes in ((0, 120), (60,)):
        engine = sa.create_engine("sqlite://")
        metadata.create_all(engine)
        with engine.begin() as connection:
            diary = journal.Journal(journal.prepare(connection))
            for minute in minutes:
                figure, at = visits(date(2026, 3, 9), 10 + minute), noon + timedelta(minutes=minute)
                revisions[minute] = day_figures.keep(connection, diary, figure, Origin.HIS, "his", at)
        engine.dispose()
    assert sorted(revisions, key=revisions.__getitem__) == [0, 60, 120]
