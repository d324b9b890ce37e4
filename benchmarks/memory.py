"""Memory and start of the idle daemon, beside a bare FastAPI process measured in the same run.

The daemon runs as in a hospital: scanner, chip reader and camera configured, store open, nobody there. What only the
development tools bring along (``rich``, which httpx loads where it finds it) is hidden from both. Start: from the
launch to the first answer, on a store that exists; the better of several, because other processes disturb it.
Prints one JSON document.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from simulators.stack import Stack, free_base

STARTS = 3
_PATIENCE = 60.0
_STILL = 256 * 1024
_HIDDEN = "import sys; sys.modules['rich'] = None\n"
_DAEMON = _HIDDEN + "from kiosk.cli import main; main()"
_BARE = (
    _HIDDEN
    + """
import fastapi, uvicorn
app = fastapi.FastAPI()

@app.get("/healthz")
async def hello() -> dict[str, str]:
    return {"hello": "world"}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
)


@dataclass(frozen=True)
class Footprint:
    """Bytes of memory: *rss* all that is mapped in, *pss* with shared pages split among their users."""

    rss: int
    pss: int


@dataclass(frozen=True)
class Start:
    """Seconds from the launch to the first answer, and seconds of processor time until then."""

    wall: float
    processor: float


def at_rest(process: psutil.Process) -> Footprint:
    """What *process* takes once it has taken no more for some seconds; TimeoutError after a minute."""
    deadline = time.monotonic() + _PATIENCE
    seen: list[int] = []
    while len(seen) < 6 or max(seen) - min(seen) > _STILL:
        if time.monotonic() > deadline:
            raise TimeoutError("a process without work takes more and more memory")
        time.sleep(0.5)
        seen = [*seen[-5:], process.memory_info().rss]
    memory = process.memory_full_info()
    return Footprint(memory.rss, memory.pss)


def wait_until_answered(url: str) -> None:
    """Wait for the first answer; TimeoutError after a minute."""
    deadline = time.monotonic() + _PATIENCE
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                client.get(url)
                return
            time.sleep(0.005)
    raise TimeoutError(f"nothing answers at {url}")


@contextlib.contextmanager
def started(command: list[str], url: str) -> Iterator[tuple[psutil.Process, Start]]:
    """The process of *command* once it has answered, and what that took."""
    before = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_answered(url)
            took, running = time.perf_counter() - before, psutil.Process(process.pid)
            used = running.cpu_times()
            yield running, Start(took, used.user + used.system)
        finally:
            process.terminate()


@contextlib.contextmanager
def bare(port: int) -> Iterator[tuple[psutil.Process, Start]]:
    """FastAPI on uvicorn with one route."""
    with started([sys.executable, "-c", _BARE, str(port)], f"http://127.0.0.1:{port}/healthz") as running:
        yield running


@contextlib.contextmanager
def daemon(stack: Stack) -> Iterator[tuple[psutil.Process, Start]]:
    """The daemon of *stack*, whose own is stopped."""
    command = [sys.executable, "-c", _DAEMON, "run", "--config", str(stack.config_path)]
    with started(command, stack.url("kiosk") + "/healthz") as running:
        yield running


def looking(process: psutil.Process) -> psutil.Process:
    """The camera's process under the daemon *process*, once it has its libraries; TimeoutError after a minute."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in process.children():
                if any("cv2" in mapped.path for mapped in child.memory_maps()):
                    return child
        time.sleep(0.05)
    raise TimeoutError("no process looks through the camera")


@contextlib.contextmanager
def idle_stack(folder: Path) -> Iterator[Stack]:
    """A kiosk with all kinds of readers, stopped after its first start; the simulators go on."""
    with Stack(folder, free_base(), with_province=False, with_card=True, with_camera=True) as stack:
        stack.stop_part("kiosk")
        yield stack


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as name, idle_stack(Path(name)) as stack:
        port = stack.port_base + 5
        with bare(port) as (hello, _), daemon(stack) as (kiosk, _):
            camera = at_rest(looking(kiosk))
            small, whole = at_rest(hello), at_rest(kiosk)
        bares, daemons = [], []
        for _ in range(STARTS):
            with bare(port) as (_, took):
                bares.append(took)
            with daemon(stack) as (_, took):
                daemons.append(took)
    print(
        json.dumps(
            {
                "bare_rss_mb": round(small.rss / 2**20, 1),
                "daemon_rss_mb": round(whole.rss / 2**20, 1),
                "camera_process_rss_mb": round(camera.rss / 2**20, 1),
                "rss_ratio": round(whole.rss / small.rss, 2),
                "pss_ratio": round(whole.pss / small.pss, 2),
                "bare_start_s": round(min(one.wall for one in bares), 2),
                "daemon_start_s": round(min(one.wall for one in daemons), 2),
                "start_ratio": round(min(one.wall for one in daemons) / min(one.wall for one in bares), 2),
                "start_processor_ratio": round(
                    min(one.processor for one in daemons) / min(one.processor for one in bares), 2
                ),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
