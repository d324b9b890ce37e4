"""The kept sums of areas and provinces say what the facilities' own rows say, however far they are behind (issue 7)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from province import figures
from province.enrolment import StationKey
from province.ingest import take_batch
from province.periods import PeriodType
from province.rates import Row, lookup_rate, why_not_by_chip
from province.rollups import close_month
from province.rules import Succession, set_succession
from province.store import Store
from province.unit_sums import FacilityBits, _packed, _unpacked, catch_up
from province.unit_table import stale_piece, unit_rollup
from province.units import Level
from tests.province.test_federation import at, work

CODES = ("93002", "93003", "93004", "93100")
SPANS = (
    (date(2025, 12, 20), date(2026, 3, 10)),
    (date(2026, 1, 1), date(2026, 12, 31)),
    (date(2026, 2, 1), date(2026, 2, 28)),
    (date(2026, 3, 3), date(2026, 3, 3)),
)
CUTS = (PeriodType.TOTAL, PeriodType.MONTH, PeriodType.WEEK)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
STAMPS = ("generated_at", "registry_version")
_number = count()


def answers(store: Store) -> list[list[Row]]:
    """What the feed says of areas and provinces."""
    found = []
    with store.read() as connection:
        for level in (Level.AREA, Level.PROVINCE):
            for first, last in SPANS:
                for cut in CUTS:
                    rows = lookup_rate(connection, first, last, level, cut)
                    found.append([{name: row[name] for name in row if name not in STAMPS} for row in rows])
                    found.append(why_not_by_chip(connection, first, last, level, cut))
    return found


def by_facilities(store: Store) -> list[list[Row]]:
    """The same, added up from the rows of facilities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "_at_home", lambda *_: False)
        return answers(store)


def left(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(stale_piece)) or 0


@pytest.fixture(autouse=True)
def nobody_catches_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The running hub leaves it to the tests."""
    monkeypatch.setattr("province.app.catch_up", lambda *_, **__: 0)


@pytest.fixture
def worked(hub):
    """Some days at three facilities, nothing added up."""
    for code in CODES[:3]:
        work(hub, code)
    return hub.store


def test_an_answer_is_the_same_before_and_after_catching_up(worked: Store) -> None:
    expected = by_facilities(worked)
    assert left(worked) > 0
    assert answers(worked) == expected
    assert catch_up(worked, at_most=1) > 0
    assert answers(worked) == expected
    catch_up(worked)
    assert left(worked) == 0 == catch_up(worked)
    assert answers(worked) == expected
    with worked.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(unit_rollup))


def test_what_comes_later_is_in_the_next_answer(worked: Store, hub) -> None:
    catch_up(worked)
    before = answers(worked)
    kiosk = hub.station("93002", "kiosk-7")
    kiosk.send(kiosk.visit(at(3), not_by_chip="A_WORD_OF_TOMORROW"), kiosk.lookup(at(3)))
    after = answers(worked)
    assert after != before
    assert after == by_facilities(worked)
    catch_up(worked)
    assert answers(worked) == after


def test_a_closed_month_stays_as_published(worked: Store, hub) -> None:
    catch_up(worked)
    with worked.write() as connection:
        close_month(connection, date(2026, 3, 1))
    kiosk = hub.station("93002", "kiosk-8")
    kiosk.send(kiosk.visit(at(3)), kiosk.lookup(at(3)))
    assert answers(worked) == by_facilities(worked)
    catch_up(worked)
    assert answers(worked) == by_facilities(worked)


def test_a_station_that_another_succeeded_counts_once(worked: Store) -> None:
    catch_up(worked)
    with worked.write() as connection:
        set_succession(connection, Succession("93004", "93002", date(2025, 6, 1), "merged"))
    assert answers(worked) == by_facilities(worked)
    with worked.write() as connection:  # within the spans, and in another area: added up from the facilities
        set_succession(connection, Succession("93003", "93100", date(2026, 3, 3), "merged"))
    assert answers(worked) == by_facilities(worked)


@given(st.sets(st.integers(0, 20_000)))
def test_bits_are_kept_whole(places: set[int]) -> None:
    bits = sum(1 << place for place in places)
    assert _unpacked(_packed(bits)) == bits


def test_facilities_without_a_bit_get_one_for_the_answer(worked: Store) -> None:
    with worked.read() as connection:
        bits = FacilityBits(connection)
        assert bits.of("x") != bits.of("y") and bits.of("x") == bits.of("x")
        assert bits.of_all(["x", "y", "never seen"]) == bits.of("x") | bits.of("y")


@pytest.fixture(scope="module")
def one_store(filled_sqlite: Path, tmp_path_factory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("units") / "hub.db"
    path.write_bytes(filled_sqlite.read_bytes())
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


def _visit(number: int, day: date, chip: bool) -> Sequence[dict[str, object]]:
    raw: dict[str, object] = {"schema": 1, "epoch": f"e{number}", "happened_at": f"{day}T08:00:00+07:00"}
    raw |= {"checkin_id": f"c{number}", "method": "CHIP_CCCD" if chip else "QR_CCCD", "lane": "self"}
    asked = {"kind": "lookup", "seq": 1, "key_kind": "PERSONAL_12", "reached_gateway": True, "result_code": "000"}
    asked |= {"event_id": f"00000000-0000-7000-8000-{2 * number:012d}", "chip_verdict": "genuine" if chip else None}
    seen = {"kind": "visit", "seq": 2, "bhyt": True, "not_by_chip": None if chip else "NO_CARD"}
    return raw | asked, raw | seen | {"event_id": f"00000000-0000-7000-8000-{2 * number + 1:012d}"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(CODES),
        st.dates(date(2025, 12, 15), date(2026, 3, 20)),
        st.booleans(),
        st.sampled_from([None, 1, 5, 1000]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=15, deadline=None)
@given(STEPS)
def test_any_history_and_any_delay_give_the_same_answers(one_store: Store, steps: list[tuple]) -> None:
    for code, day, chip, made in steps:
        batch = list(_visit(next(_number), day, chip))
        assert take_batch(one_store, StationKey("k", code, "s", b""), batch, NOW).accepted == 2
        if made:
            catch_up(one_store, at_most=made)
    assert answers(one_store) == by_facilities(one_store)


def test_published_figures_stay_also_where_a_station_was_succeeded_within_the_month(worked: Store, hub) -> None:
    def published() -> list[dict[str, object]]:
        with worked.read() as connection:
            rows = [
                row
                for level in Level
                for cut in (PeriodType.MONTH, PeriodType.YEAR)
                for row in lookup_rate(connection, date(2026, 1, 1), date(2026, 12, 31), level, cut)
            ]
        changing = {*STAMPS, "status", "revision", "adjustment"}
        return [{name: row[name] for name in row if name not in changing} for row in rows]

    with worked.write() as connection:
        set_succession(connection, Succession("93003", "93002", date(2026, 3, 3), "merged"))
    before = published()
    with worked.write() as connection:
        close_month(connection, date(2026, 3, 1))
    assert published() == before
    for code in ("93002", "93003"):
        kiosk = hub.station(code, "kiosk-6")
        kiosk.send(kiosk.visit(at(2)), kiosk.visit(at(4)), kiosk.lookup(at(4)))
    assert published() == before
    with worked.read() as connection:
        rows = lookup_rate(connection, date(2026, 3, 1), date(2026, 3, 31), Level.FACILITY, PeriodType.MONTH)
        said = {row["unit_code"]: row["status"] for row in rows if row["visits_bhyt"]}
    assert said["93002"] == said["93003"] == "adjusted"
