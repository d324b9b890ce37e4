"""Kills the daemon with signal 9 again and again while people check in, then compares every book with every other.

By hand: ``python tests/chaos/kill9.py --kills 200 --seed 7 [--history] [--warm]`` (faults-threats-speed.md 3, F1).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import books
import httpx
import sqlalchemy as sa
from crowd import QUICK_CALLS, CrowdStack, Screen, crowd

from kiosk import tables
from kiosk.store import make_engine, read_or_make_key
from simulators.stack import free_base
from simulators.vss_people import Person, qr_payload

_SHORTEST, _LONGEST = 0.02, 0.6
_CODES = ("000", "000", "000", "000", "010", "050")
_OPEN_SERVICES = ("501", "502", "504", "505", "506", "507", "508", "509")
_MARK = "CK1;id="
_DRAIN_SECONDS = 90.0
_UNKNOWN = "hospital_outcome_unknown"


@dataclass(frozen=True)
class Seen:
    """A number on the screen."""

    checkin_id: str
    number: str | None
    view: str


@dataclass
class Report:
    """What a run found. The lists must be empty; *unknown* may not, unless the hospital has a history."""

    seed: int
    history: bool
    kills: int = 0
    shown: int = 0
    accepted: int = 0
    at_hospital: int = 0
    unknown: int = 0
    slowest_restart: float = 0.0
    without_number: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    twice_at_hospital: list[str] = field(default_factory=list)
    strangers_at_hospital: list[str] = field(default_factory=list)
    nowhere: list[str] = field(default_factory=list)
    same_number_twice: list[str] = field(default_factory=list)
    books_differ: list[str] = field(default_factory=list)


class Ledger:
    """The witness outside: each number is on disk before the next request is made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, state: dict[str, Any]) -> None:
        """Write down the ticket that *state* shows."""
        seen = Seen(state["checkin_id"], state["screen"]["ticket"]["number"], state["screen"]["view"])
        os.write(self._file, (json.dumps(asdict(seen)) + "\n").encode())
        os.fsync(self._file)

    def close(self) -> list[Seen]:
        """All that was seen."""
        os.close(self._file)
        return [Seen(**json.loads(line)) for line in self._path.read_text().splitlines()]


class Visitors:
    """The people in front of the screen, one after the other; who was cut off tries again."""

    def __init__(self, people: Iterable[Person], chance: random.Random, ledger: Ledger) -> None:
        self._new: Iterator[Person] = iter(people)
        self._chance = chance
        self._ledger = ledger
        self._interrupted: Person | None = None
        self._served: list[Person] = []
        self._today = date.today()

    def next_passage(self, screen: Screen) -> None:
        """One passage from an idle screen to an idle screen; httpx.TransportError when the daemon dies in it."""
        returning = self._interrupted is None and self._served and self._chance.random() < 0.25
        person = self._chance.choice(self._served) if returning else self._interrupted or next(self._new)
        self._interrupted = person
        self._pass(screen, person)
        self._interrupted = None
        self._served.append(person)

    def _pass(self, screen: Screen, person: Person) -> None:
        payload = qr_payload(person, self._today)
        assert payload is not None
        screen.clear()
        screen.scan(payload).raise_for_status()
        state = screen.until("confirm", "done", "needs_staff")
        if state["screen"]["view"] == "done":
            self._ledger.note(state)
            if self._chance.random() < 0.4:
                screen.answer(state["checkin_id"], "another_examination").raise_for_status()
                state = screen.until("confirm")
        if state["screen"]["view"] == "confirm":
            state = self._confirmed(screen, state)
        self._ledger.note(state)
        screen.clear()

    def _confirmed(self, screen: Screen, state: dict[str, Any]) -> dict[str, Any]:
        screen.answer(state["checkin_id"], "confirm").raise_for_status()
        state = screen.until("choose_service", "needs_staff")
        if state["screen"]["view"] == "needs_staff":
            return state
        if self._chance.random() < 0.1:
            screen.answer(state["checkin_id"], "call_staff").raise_for_status()
            return screen.until("needs_staff")
        offered = [service["id"] for service in state["screen"]["services"]]
        chosen = self._chance.choice([number for number in offered if number in _OPEN_SERVICES])
        screen.answer(state["checkin_id"], "service", service_id=chosen).raise_for_status()
        return screen.until("done", "needs_staff")


def run(folder: Path, *, kills: int, seed: int, history: bool, warm: bool) -> Report:
    """Kill *kills* times, let everything settle, compare; *history*: the hospital can be asked for its visits."""
    chance = random.Random(seed)
    report = Report(seed=seed, history=history)
    ledger = Ledger(folder / "ledger")
    hospital: dict[str, Any] = {"grace": 0.5}
    if history:
        hospital["history_path"] = "/lichsu-dangky"
    stack = CrowdStack(
        folder / "stack",
        free_base(),
        config={**QUICK_CALLS, "hospital": hospital, "outbox": {"base": 0.2, "cap": 2}},
        his_env={"SIM_HISTORY": "on" if history else "off"},
        with_province=False,
        people=crowd(5000, _CODES),
        warm=warm,
    )
    with stack.running():
        # A registration takes a moment at the hospital, so that kills fall between its request and its answer.
        slow = {"endpoint": "dangky-kcb", "mode": "slow", "delay_ms": 40}
        httpx.post(stack.url("his") + "/_sim/mode", json=slow).raise_for_status()
        visitors = Visitors(stack.people, chance, ledger)
        passage = _first_passage(stack, visitors)
        while report.kills < kills:
            _one_life(stack, visitors, chance.uniform(_SHORTEST, max(_LONGEST, 2 * passage)))
            report.kills += 1
            since = time.monotonic()
            stack.start_kiosk()
            report.slowest_restart = max(report.slowest_restart, time.monotonic() - since)
        _let_settle(stack)
        stack.end_kiosk()
        rows = httpx.get(stack.url("his") + "/_sim/registrations", timeout=30).json()["registrations"]
        _compare(report, ledger.close(), rows, stack.data / "kiosk")
    return report


def _first_passage(stack: CrowdStack, visitors: Visitors) -> float:
    """How long the first passage of a life takes on this machine now: kills shall fall before, in and after it."""
    with stack.screen() as screen:
        since = time.monotonic()
        visitors.next_passage(screen)
        return time.monotonic() - since


def _one_life(stack: CrowdStack, visitors: Visitors, seconds: float) -> None:
    killer = threading.Timer(seconds, stack.signal_kiosk, (signal.SIGKILL,))
    with stack.screen() as screen:
        screen.state()
        killer.start()
        try:
            while True:
                visitors.next_passage(screen)
        except httpx.TransportError:
            killer.join()
            stack.kill_kiosk()


def _let_settle(stack: CrowdStack) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    with stack.staff() as staff:
        while True:
            waiting = [
                row
                for row in staff.get("/status").raise_for_status().json()["outbox"]
                if row["destination"] == "hospital" and row["state"] in ("waiting", "sending")
            ]
            if not waiting:
                return
            assert time.monotonic() < deadline, f"the outbox does not empty: {waiting}"
            time.sleep(0.05)


def _compare(report: Report, seen: list[Seen], registrations: list[dict[str, Any]], data: Path) -> None:
    engine = make_engine(data / "kiosk.db", read_or_make_key(data), read_only=True)
    with engine.begin() as connection:
        report.lost = books.missing(connection, [(note.checkin_id, note.number) for note in seen])
        report.books_differ = list(books.differences(connection))
        query = sa.select(tables.checkin).where(tables.checkin.c.state == "accepted")
        accepted = {row.checkin_id: row for row in connection.execute(query)}
    engine.dispose()
    visits = {ref: row for ref, row in accepted.items() if row.service is not None}
    left_to_staff = {ref for ref, row in visits.items() if row.staff_reason == _UNKNOWN}
    ours = Counter((row["DU_PHONG"] or "").removeprefix(_MARK) for row in registrations if not row["seeded"])

    report.shown, report.accepted, report.unknown = len(seen), len(accepted), len(left_to_staff)
    report.at_hospital = sum(ours.values())
    report.without_number = sorted({note.checkin_id for note in seen if note.number is None})
    report.twice_at_hospital = [ref for ref, count in ours.items() if count > 1]
    report.strangers_at_hospital = [ref for ref in ours if ref not in visits]
    report.nowhere = [
        f"{ref} {row.hospital_state} {row.staff_reason}"
        for ref, row in visits.items()
        if ref not in ours and ref not in left_to_staff
    ]
    numbers = Counter((row.service["id"], row.his_number) for row in visits.values() if row.his_number)
    report.same_number_twice = [str(key) for key, count in numbers.items() if count > 1]


def main() -> None:
    """Run by hand; prints the report as JSON and ends with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--history", action="store_true", help="the hospital can be asked for its visits")
    parser.add_argument("--warm", action="store_true", help="load the daemon's modules once, not in each life")
    given = parser.parse_args()
    print(f"seed {given.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), kills=given.kills, seed=given.seed, history=given.history, warm=given.warm)
    print(json.dumps(asdict(report), indent=2))
    sys.exit(1 if problems(report) else 0)


def problems(report: Report) -> dict[str, Any]:
    """What must not be; empty when all is well."""
    found: dict[str, Any] = {name: value for name, value in asdict(report).items() if isinstance(value, list) and value}
    if report.history and report.unknown:
        found["unknown"] = report.unknown
    return found


if __name__ == "__main__":
    main()
