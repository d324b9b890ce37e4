"""Power cuts at any moment of the real store's work (faults-threats-speed.md 2; 3, F2)."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import books
import powercut
import pytest
import sqlalchemy as sa
from powercut import Cut, Verdict
from powercut_workload import configuration

from kiosk import tables
from kiosk.bootstrap import build
from kiosk.store import make_engine, read_or_make_key

pytestmark = pytest.mark.chaos

_SEED = 20_261_123


def _told(cut: Cut) -> list[tuple[str, str]]:
    return [(words[1], words[2]) for mark in cut.told if (words := mark.split())[0] == "ack"]


def _judge(cut: Cut, data: Path, verdict: Verdict) -> None:
    where = f"after step {cut.step}, {cut.mode} kept"
    verdict.cuts += 1
    if not (data / "kiosk.db").exists():
        lost = len(_told(cut))
    else:
        engine = make_engine(data / "kiosk.db", read_or_make_key(data))
        try:
            verdict.corrupt += [f"{where}: {text}" for text in books.damage(engine)]
            with engine.begin() as connection:
                ready = sa.inspect(connection).has_table(tables.checkin.name)
                lost = len(books.missing(connection, _told(cut)) if ready else _told(cut))
                if ready:
                    verdict.books_differ += [f"{where}: {text}" for text in books.differences(connection)]
        finally:
            engine.dispose()
    verdict.lost += lost > 0
    verdict.worst = max(verdict.worst, lost)


def _run(
    folder: Path, *, check_ins: int, number: int, synchronous: str, enough: Callable[[Verdict], bool] = lambda _: False
) -> Verdict:
    """Record the workload and cut it *number* times, or until it is *enough*."""
    steps, original = powercut.record(folder, check_ins, synchronous)
    chance = random.Random(_SEED)
    verdict, found = Verdict(), folder / "found"
    for cut in powercut.cuts(steps, [chance.randint(0, len(steps)) for _ in range(number)], chance):
        powercut.rebuild(cut, original, found)
        _judge(cut, found, verdict)
        shutil.rmtree(found)
        if enough(verdict):
            break
    return verdict


def _assert_whole(verdict: Verdict, number: int) -> None:
    assert verdict == Verdict(cuts=number), verdict


def test_the_recording_is_complete(tmp_path: Path) -> None:
    """Played to its end it gives the very files that the workload left: nothing that reached the disk went unseen."""
    steps, original = powercut.record(tmp_path, 6, "FULL")
    disk = powercut.Disk()
    for step in steps:
        disk.play(step)
    left = {str(path): path.read_bytes() for path in original.resolve().iterdir()}
    assert disk.cut("everything", random.Random(_SEED)) == left
    assert [step.path for step in steps if step.kind == "M"][-1] == "over"


def test_no_cut_loses_or_damages_anything_acknowledged(tmp_path: Path) -> None:
    number = 300
    _assert_whole(_run(tmp_path, check_ins=70, number=number, synchronous="FULL"), number)


@pytest.mark.long
def test_thousands_of_cuts(tmp_path: Path) -> None:
    number = 2500
    _assert_whole(_run(tmp_path, check_ins=250, number=number, synchronous="FULL"), number)


def test_without_syncs_at_commits_cuts_do_lose(tmp_path: Path) -> None:
    """The negative control: a test that cannot fail proves nothing."""
    verdict = _run(tmp_path, check_ins=30, number=200, synchronous="NORMAL", enough=lambda found: found.lost >= 3)
    assert verdict.lost >= 3
    assert not verdict.corrupt


def _start_after_each_cut(folder: Path, rounds: int, later: int) -> None:
    steps, original = powercut.record(folder, 2, "FULL")
    chance = random.Random(_SEED)
    end = next(number for number, step in enumerate(steps) if step.kind == "M")
    # Key, lock, database and journals come into being in the first steps; then come the tables.
    points = [*range(32)] * rounds + chance.choices(range(32, end), k=later)
    for number, cut in enumerate(powercut.cuts(steps, points, chance)):
        beside = folder / f"found-{number}"
        beside.mkdir()
        powercut.rebuild(cut, original, beside / "data")
        parts = build(configuration(beside / "data"), beside)
        parts.store.close()
        engine = make_engine(beside / "data" / "kiosk.db", read_or_make_key(beside / "data"))
        assert books.damage(engine) == []
        assert set(tables.metadata.tables) <= set(sa.inspect(engine).get_table_names())
        engine.dispose()
        shutil.rmtree(beside)


def test_a_cut_in_the_first_start_leaves_what_starts(tmp_path: Path) -> None:
    """Never a database without its key, nor a key that is none."""
    _start_after_each_cut(tmp_path, rounds=2, later=8)


@pytest.mark.long
def test_every_cut_in_the_first_start_leaves_what_starts(tmp_path: Path) -> None:
    _start_after_each_cut(tmp_path, rounds=20, later=160)
