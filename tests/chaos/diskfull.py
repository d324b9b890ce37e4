"""Fills the disk under a running daemon and frees it again (faults-threats-speed.md 3, F4).

``diskfull.py FOLDER``, in a mount namespace of its own: ``unshare -m`` as root, ``unshare -rm`` as anybody else. Prints
what was seen as JSON; the test that starts it judges.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
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

_SIZE = "4m"
_STAFF_ENTRY = {"number": "099085777777", "full_name": "Lý Thị Đầy", "birth_date": "1985-01-01", "sex": "M"}


def _payload(person: Person) -> bytes:
    return qr_payload(person, date.today()) or b""


def _fill(path: Path) -> None:
    """Take all space that is left, to the last block."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(handle, b"\0" * 4096)
    except OSError:
        pass
    finally:
        os.close(handle)


def _seconds_until_idle(screen: Screen) -> float:
    since = time.monotonic()
    screen.until("idle")
    return time.monotonic() - since


def _scan_while_full(stack: CrowdStack, screen: Screen, person: Person) -> dict[str, Any]:
    """An idle station, a full disk, a scan; then space again."""
    filler = stack.data / "kiosk" / "filler"
    _fill(filler)
    scanned = screen.scan(_payload(person))
    state = screen.state()
    ready = httpx.get(stack.url("kiosk") + "/readyz")
    again = screen.scan(_payload(person)).status_code
    filler.unlink()
    return {
        "scan": [scanned.status_code, scanned.json()],
        "scan_again": again,
        "screen": state["screen"],
        "ready": [ready.status_code, ready.json()["reasons"]],
        "recovered_after": _seconds_until_idle(screen),
    }


def _choose_while_full(stack: CrowdStack, screen: Screen, person: Person) -> dict[str, Any]:
    """The disk fills while a person is choosing; staff try to work meanwhile."""
    screen.scan(_payload(person)).raise_for_status()
    screen.answer(screen.until("confirm")["checkin_id"], "confirm").raise_for_status()
    state = screen.until("choose_service")
    filler = stack.data / "kiosk" / "filler"
    with stack.staff() as staff:
        _fill(filler)
        chosen = state["screen"]["services"][0]["id"]
        screen.answer(state["checkin_id"], "service", service_id=chosen)
        shown = screen.until("out_of_order", "done", "needs_staff")
        entered = staff.post("/check-ins", json=_STAFF_ENTRY)
        listed = staff.get("/check-ins").raise_for_status().json()["check_ins"]
    filler.unlink()
    return {
        "screen": shown["screen"],
        "staff_entry": [entered.status_code, entered.json()],
        "accepted": sum(row["state"] == "accepted" for row in listed),
        "recovered_after": _seconds_until_idle(screen),
    }


def _finish(screen: Screen, people: Sequence[Person], told: list[tuple[str, str]]) -> None:
    for person in people:
        state = screen.check_in(_payload(person))
        told.append((state["checkin_id"], state["screen"]["ticket"]["number"]))
        screen.clear()


def main(folder: Path) -> None:
    """The whole story; *folder* must exist."""
    data = folder / "stack" / "kiosk"
    data.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "tmpfs", str(data)], check=True)
    people = list(crowd(6))
    stack = CrowdStack(folder / "stack", free_base(), config=QUICK_CALLS, with_province=False, people=people)
    told: list[tuple[str, str]] = []
    with stack.running():
        pid = stack.kiosk_pid
        with stack.screen() as screen:
            _finish(screen, people[:3], told)
            scanned = _scan_while_full(stack, screen, people[3])
            _finish(screen, people[3:4], told)
            chosen = _choose_while_full(stack, screen, people[4])
            accepted_before = len(told)
            _finish(screen, people[4:], told)
        registered = httpx.get(stack.url("his") + "/_sim/registrations").json()["registrations"]
        same_process = stack.kiosk_pid == pid and stack.processes["kiosk"].poll() is None
        stack.end_kiosk()
        engine = make_engine(data / "kiosk.db", read_or_make_key(data))
        with engine.begin() as connection:
            accepted = connection.execute(
                sa.select(tables.checkin.c.checkin_id).where(tables.checkin.c.state == "accepted")
            ).scalars()
            kept = sorted(accepted)
            lost = books.missing(connection, told)
            differ = list(books.differences(connection))
        damage = books.damage(engine)
        engine.dispose()
    found = {
        "scanned": scanned,
        "chosen": chosen,
        "accepted_before": accepted_before,
        "same_process": same_process,
        "only_told": kept == sorted(ref for ref, _ in told),
        "registered": sum(not row["seeded"] for row in registered) - len(told),
        "wrong": lost + differ + damage,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
