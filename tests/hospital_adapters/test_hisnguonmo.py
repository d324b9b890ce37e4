"""The hisnguonmo adapter against its simulator: contract, registration, lost answers, look-ups, one by one."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.hospital import RemoteAdapterContract
from tests.hospital_adapters.hisnguonmo_peer import HisnguonmoPeer


@pytest.fixture
async def peer() -> AsyncIterator[HisnguonmoPeer]:
    async with HisnguonmoPeer() as running:
        yield running


class TestContract(RemoteAdapterContract):
    pass
