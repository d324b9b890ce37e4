"""The whole system as processes, once a module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from simulators.stack import Stack, free_base

FAST = {
    "insurance": {"per_second": 50, "connect_timeout": 1, "read_timeout": 2, "total_timeout": 4, "retry_pause": 0.2},
    "hospital": {"timeouts": {"post": 2}},
    "policy": {"number_wait": 4},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), free_base(), config=FAST) as running:
        yield running
