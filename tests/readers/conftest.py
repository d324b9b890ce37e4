"""The private pcscd of this test process, found by everything it starts."""

from collections.abc import Iterator

import pytest

from tests.readers.pcscd import READERS, PcscdInfo, running_pcscd


@pytest.fixture(scope="session")
def _daemon() -> Iterator[PcscdInfo]:
    with running_pcscd() as info:
        yield info


@pytest.fixture
def pcscd(_daemon: PcscdInfo, monkeypatch: pytest.MonkeyPatch) -> PcscdInfo:
    """A running pcscd with two empty virtual readers; what the test starts finds it through the environment."""
    for name, value in _daemon.socket_env.items():
        monkeypatch.setenv(name, value)
    for slot in range(len(READERS)):
        _daemon.wait_until_empty(slot)  # of what the test before has left
    return _daemon
