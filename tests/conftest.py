"""Rules for the whole test run."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("kiosk", deadline=None)  # how long an example takes is no matter of tests
settings.load_profile("kiosk")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed promise: nothing that CI was meant to show may pass by silence."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"{len(skipped)} tests were skipped, which CI does not accept", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
