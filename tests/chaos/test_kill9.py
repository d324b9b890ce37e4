"""kill -9 of the daemon during check-ins: what a screen showed is kept, and the hospital gets it once.

Issue 2; faults-threats-speed.md 3, F1. The seed of a failing run is in its report.
"""

from __future__ import annotations

import random
from pathlib import Path

import kill9
import pytest
from kill9 import Report

pytestmark = pytest.mark.chaos

with_or_without_history = pytest.mark.parametrize("history", [False, True], ids=["no history", "history"])


def _assert_all_kept(report: Report, kills: int) -> None:
    assert kill9.problems(report) == {}, report
    assert report.kills == kills
    assert report.shown >= kills // 5, report
    assert report.at_hospital >= kills // 10, report


@with_or_without_history
def test_what_a_screen_showed_survives_kills(tmp_path: Path, history: bool) -> None:
    seed = random.randrange(10**6)
    _assert_all_kept(kill9.run(tmp_path, kills=25, seed=seed, history=history, warm=True), 25)


@pytest.mark.long
@with_or_without_history
def test_two_hundred_kills(tmp_path: Path, history: bool) -> None:
    """Each life is a fresh process of the real command."""
    seed = random.randrange(10**6)
    _assert_all_kept(kill9.run(tmp_path, kills=200, seed=seed, history=history, warm=False), 200)
