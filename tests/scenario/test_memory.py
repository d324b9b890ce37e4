"""What the daemon takes while nobody is there, beside a bare FastAPI process (faults-threats-speed.md 7)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from benchmarks.memory import Footprint, at_rest, bare, daemon, idle_stack, looking

ELSEWHERE = ("cv2", "opencv", "numpy", "zxing", "zbar", "_scard", "_imaging", "psycopg", "libpq")
"""Compiled libraries of cameras, card readers, pictures and PostgreSQL, as they show among mapped files."""


@dataclass(frozen=True)
class Measured:
    bare: Footprint
    daemon: Footprint
    mapped: tuple[str, ...]
    mapped_by_camera: tuple[str, ...]


def mapped(process: psutil.Process) -> tuple[str, ...]:
    return tuple(area.path for area in process.memory_maps())


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """Both processes idle at the same time, each after one answered request, the camera's process beside the daemon."""
    with (
        idle_stack(tmp_path_factory.mktemp("memory")) as stack,
        bare(stack.port_base + 5) as (hello, _),
        daemon(stack) as (kiosk, _),
    ):
        camera = looking(kiosk)
        yield Measured(at_rest(hello), at_rest(kiosk), mapped(kiosk), mapped(camera))


def test_the_daemon_takes_less_than_2_2_bare_processes(measured: Measured) -> None:
    assert measured.daemon.rss < 2.2 * measured.bare.rss
    # how much of both is shared depends on what else runs Python here
    assert measured.daemon.pss < 2.5 * measured.bare.pss


def test_cameras_cards_and_pictures_are_other_processes_matter(measured: Measured) -> None:
    assert any("cv2" in path for path in measured.mapped_by_camera)
    assert [path for path in measured.mapped if any(word in path for word in ELSEWHERE)] == []


def test_the_daemon_loads_neither_migration_tools_nor_the_libraries_of_its_children() -> None:
    code = "import json, sys, kiosk.daemon; print(json.dumps(sorted(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    heavy = {"alembic", "mako", "cv2", "numpy", "zxingcpp", "pyzbar", "smartcard", "PIL", "psycopg", "evdev"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in json.loads(said))
