"""Rules for the whole test run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import settings

from simulators.stack import Stack
from tests.log_watch import Watch, leaks

settings.register_profile("kiosk", deadline=None)  # how long an example takes is no matter of tests
settings.load_profile("kiosk")


@pytest.fixture(autouse=True, scope="session")
def process_logs_are_clean() -> Iterator[None]:
    """What our processes wrote to their logs is read when a stack of them stops."""
    stop = Stack.stop

    def stop_and_read(self: Stack) -> None:
        stop(self)
        for part in ("kiosk", "province"):
            if (self.data / f"{part}.log").exists():
                assert leaks(self.log(part)) == [], part

    with patch.object(Stack, "stop", stop_and_read):
        yield


@pytest.fixture(autouse=True)
def logs_are_clean() -> Iterator[None]:
    """After every test: no line that our software logged, at any level, held a secret or a person."""
    watch, root, ours = Watch(), logging.getLogger(), logging.getLogger("kiosk")
    root.addHandler(watch)
    before = ours.level
    ours.setLevel(logging.DEBUG)
    yield
    ours.setLevel(before)
    root.removeHandler(watch)
    assert watch.leaked == []


_PURE = (
    "tests/documents/",
    "tests/emrtd/",
    "tests/addresses/",
    "tests/insurance/",
    "tests/systemd/",
    "tests/test_events",
)
"""Tests that wait on nothing: for them a second try would only hide an error."""

_SLOW = ("tests/browser/", "tests/scenario/", "tests/chaos/", "tests/web/", "tests/province/", "tests/kiosk/")
"""Folders whose files take minutes: begun first, so that at the end no worker is alone with one of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow folders come first. A test that waits (on a process, a device, a browser, a time-out) may try again; the
    summary names each.
    """
    items.sort(key=lambda item: next((n for n, each in enumerate(_SLOW) if item.nodeid.startswith(each)), len(_SLOW)))
    for item in items:
        if not item.nodeid.startswith(_PURE):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed promise: nothing that CI was meant to show may pass by silence."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"{len(skipped)} tests were skipped, which CI does not accept", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
