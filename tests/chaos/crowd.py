"""Invented people in any number, a gateway that knows them, and the whole system around them as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from simulators.serve import RunningServer
from simulators.stack import FACILITY, Stack
from simulators.vss_gateway import Settings, create_app
from simulators.vss_people import Person

_LAUNCHER = Path(__file__).with_name("warm_launcher.py")
_FAMILIES = ("NGUYỄN", "TRẦN", "LÊ", "PHẠM", "HUỲNH", "VÕ", "ĐẶNG", "BÙI", "ĐỖ", "HỒ", "NGÔ", "DƯƠNG", "LÝ")
_MIDDLES = {"M": ("VĂN", "HỮU", "ĐỨC", "MINH"), "F": ("THỊ", "NGỌC", "THU", "KIM")}
_GIVEN = ("AN", "BÌNH", "CƯỜNG", "DŨNG", "GIANG", "HÀ", "KHÁNH", "LAN", "MAI", "NHÂN", "OANH", "PHÚC", "QUÝ", "SƠN")
QUICK_CALLS: Mapping[str, Mapping[str, Any]] = {
    "insurance": {"per_second": 100, "max_in_flight": 8, "retry_pause": 0.2},
    "policy": {"number_wait": 3},
}


@dataclass(frozen=True)
class Citizen(Person):
    """A person of a crowd; there are more of them than days in a month."""

    @property
    def issued_on(self) -> date:
        """The day the citizen card was issued."""
        return date(2021, 7, 1 + self.number % 28)


def crowd(size: int, codes: Sequence[str] = ("000",)) -> tuple[Citizen, ...]:
    """*size* adults with numbers from 099; *codes*: the gateway's answers, in turn."""
    people = []
    for number in range(1, size + 1):
        sex, year = ("M", "F")[number % 2], 1950 + number % 50
        name = " ".join(
            (_FAMILIES[number % 13], _MIDDLES[sex][number // 13 % 4], _GIVEN[number // 52 % 14], _GIVEN[number % 14])
        )
        people.append(
            Citizen(
                number=number,
                citizen_id=f"099{number % 2}{year % 100:02d}{number:06d}",
                bhxh_number=f"98{number:08d}",
                card_head="DN499",
                name=name,
                born=f"{year}-{1 + number % 12:02d}-{1 + number % 28:02d}",
                sex="F" if sex == "F" else "M",
                facility=FACILITY,
                validity=(-100, 200),
                code=codes[number % len(codes)],
                purpose="one of many",
            )
        )
    return tuple(people)


@dataclass
class CrowdStack(Stack):
    """The stack with a gateway (in a thread of ours) that knows *people*.

    *warm*: the daemon is forked from a process that has loaded its modules already, because on a busy machine loading
    takes far longer than the lives that are cut short here. Everything that a start does is done in each life.
    """

    people: Sequence[Person] = ()
    warm: bool = False
    _launcher: subprocess.Popen[str] | None = None
    _pid: int | None = None

    @contextmanager
    def running(self) -> Iterator[CrowdStack]:
        """Everything, gateway included, until the block ends."""
        with patch("simulators.vss_gateway.people_of", lambda facility: tuple(self.people)):
            app = create_app(Settings(facility=self.facility))
        with RunningServer(app, port=self.port_base + 19), self:
            yield self

    def _run(self, part: str, command: list[str], env: Mapping[str, str]) -> None:
        if part == "kiosk" and self.warm:
            self._fork(env)
        elif part != "gateway":
            super()._run(part, command, env)

    def _fork(self, env: Mapping[str, str]) -> None:
        if self._launcher is None:
            with (self.data / "kiosk.log").open("ab") as log:
                self._launcher = subprocess.Popen(
                    [sys.executable, str(_LAUNCHER), str(self.config_path)],
                    env=dict(env),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    process_group=0,
                )
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write("start\n")
        self._launcher.stdin.flush()
        self._pid = int(self._launcher.stdout.readline())

    @property
    def kiosk_pid(self) -> int:
        """The daemon's process."""
        return self._pid if self._pid is not None else self.processes["kiosk"].pid

    def kill_kiosk(self) -> None:
        """Kill -9 the daemon, if it still lives, and wait for its end."""
        if self._pid is None:
            super().kill_kiosk()
        else:
            self.signal_kiosk(signal.SIGKILL)
            self._reap()

    def signal_kiosk(self, number: int) -> None:
        """Send a signal; a daemon that has just ended is no error."""
        try:
            os.kill(self.kiosk_pid, number)
        except ProcessLookupError:
            return

    def end_kiosk(self) -> None:
        """End the daemon gently."""
        if self._pid is None:
            self.stop_part("kiosk")
        else:
            self.signal_kiosk(signal.SIGTERM)
            self._reap()

    def _reap(self) -> None:
        assert self._launcher is not None
        assert self._launcher.stdout is not None
        self._launcher.stdout.readline()
        self._pid = None

    def stop(self) -> None:
        """End everything."""
        if self._pid is not None:
            self.end_kiosk()
        if self._launcher is not None:
            self._launcher.communicate()
            self._launcher = None
        super().stop()

    def screen(self) -> Screen:
        """The screen of the daemon that runs now."""
        return Screen(self.url("kiosk"), self.token)

    def wait_for(self, part: str, path: str) -> None:
        """Wait until a part answers 200 at *path*; DidNotStart if it ends or stays silent."""
        with plain_client(self.url(part)) as client:

            def answers() -> bool:
                try:
                    return client.get(path).status_code == 200
                except httpx.HTTPError:
                    return False

            self._wait(part, answers)

    @contextmanager
    def staff(self) -> Iterator[httpx.Client]:
        """A signed-in staff session."""
        with plain_client(self.url("kiosk") + "/api/v1/staff", {"x-screen-token": self.token}) as client:
            client.post("/login", json={"name": "demo", "password": "demo"}).raise_for_status()
            yield client


def plain_client(url: str, headers: Mapping[str, str] | None = None) -> httpx.Client:
    """A client for loopback: it loads no certificates, which would cost more than the requests made here."""
    return httpx.Client(base_url=url, headers=headers, timeout=60, verify=False, trust_env=False)


@dataclass
class Screen:
    """A person's hands and eyes at the station. Transport errors of httpx mean that the daemon is gone."""

    url: str
    token: str
    patience: float = 60.0
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Open the connection."""
        self._http = plain_client(self.url, {"x-screen-token": self.token})

    def __enter__(self) -> Screen:
        """Look at it until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the connection back."""
        self._http.close()

    def state(self) -> dict[str, Any]:
        """What the station shows."""
        answer = self._http.get("/api/v1/station")
        answer.raise_for_status()
        return answer.json()

    def scan(self, payload: bytes) -> httpx.Response:
        """Show a code."""
        headers = {"content-type": "application/octet-stream"}
        return self._http.post("/api/v1/station/scan", content=payload, headers=headers)

    def answer(self, checkin_id: str, answer: str, **more: str) -> httpx.Response:
        """Touch a button."""
        return self._http.post("/api/v1/station/answer", json={"checkin_id": checkin_id, "answer": answer, **more})

    def until(self, *views: str) -> dict[str, Any]:
        """The state, as soon as one of *views* is shown; AssertionError if none comes."""
        deadline = time.monotonic() + self.patience
        while (state := self.state())["screen"]["view"] not in views:
            assert time.monotonic() < deadline, f"waited for {views}, the screen shows {state['screen']['view']}"
            time.sleep(0.003)
        return state

    def clear(self) -> None:
        """Touch what ends the present screen, until it is idle."""
        state = self.state()
        if state["screen"]["view"] != "idle":
            self.answer(state["checkin_id"], "cancel").raise_for_status()
            self.until("idle")

    def check_in(self, payload: bytes, *, service: str | None = None) -> dict[str, Any]:
        """From scan to ticket; returns the last state (``done`` or ``needs_staff``). *service*: a service's id."""
        self.scan(payload).raise_for_status()
        state = self.until("confirm", "done", "needs_staff")
        if state["screen"]["view"] == "confirm":
            self.answer(state["checkin_id"], "confirm").raise_for_status()
            state = self.until("choose_service", "needs_staff")
        if state["screen"]["view"] == "choose_service":
            chosen = service or state["screen"]["services"][0]["id"]
            self.answer(state["checkin_id"], "service", service_id=chosen).raise_for_status()
            state = self.until("done", "needs_staff")
        return state
