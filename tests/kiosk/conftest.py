"""Simulators shared by all tests of a run, and a whole kiosk between them for each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from kiosk.store import Store, read_or_make_key
from simulators import his_c06, vss_gateway
from tests.kiosk.world import FACILITY, Gateway, Hospital, World, config_of, running


@pytest.fixture(scope="session")
def gateway_server() -> Iterator[Gateway]:
    """One simulated gateway for all."""
    server = Gateway(vss_gateway.create_app(vss_gateway.Settings(facility=FACILITY)))
    yield server
    server.close()


@pytest.fixture(scope="session")
def hospital_server() -> Iterator[Hospital]:
    """One simulated hospital for all."""
    server = Hospital(his_c06.create_app(his_c06.Settings(facility=FACILITY)))
    yield server
    server.close()


@pytest.fixture
def gateway(gateway_server: Gateway) -> Gateway:
    """The gateway as on the first day."""
    gateway_server.reset()
    return gateway_server


@pytest.fixture
def hospital(hospital_server: Hospital) -> Hospital:
    """The hospital as on the first day."""
    hospital_server.reset()
    hospital_server.switch(SIM_HISTORY="off", SIM_DEDUP="none", SIM_DUP="accept", SIM_STT="now")
    return hospital_server


@pytest.fixture
def start(tmp_path: Path, gateway: Gateway, hospital: Hospital) -> Callable[..., AbstractAsyncContextManager[World]]:
    """Starts kiosks on the same folder with tables of your own: ``async with start(policy={...}) as world``."""

    def starter(**extra: Any) -> AbstractAsyncContextManager[World]:
        return running(config_of(tmp_path, gateway, hospital, **extra), tmp_path, gateway, hospital)

    return starter


@pytest.fixture
async def world(start: Callable[..., AbstractAsyncContextManager[World]]) -> AsyncIterator[World]:
    """A running kiosk."""
    async with start() as started:
        yield started


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An open store of its own."""
    opened = Store(tmp_path, read_or_make_key(tmp_path))
    yield opened
    opened.close()
