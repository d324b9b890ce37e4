"""A patient at the screen and a clerk at the staff page, over HTTP, as the real pages do it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from simulators.stack import Stack
from simulators.vss_people import Person, people_of, qr_payload

VIETNAM = timezone(timedelta(hours=7))
DEADLINE = 40.0
NO_KEEP = httpx.Limits(max_keepalive_connections=0)


def today() -> Any:
    return datetime.now(VIETNAM).date()


def eventually(what: Callable[[], Any], *, within: float = DEADLINE) -> Any:
    """Ask until the answer is true; returns it."""
    deadline = time.monotonic() + within
    while True:
        if result := what():
            return result
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class Patient:
    """One person after the other in front of the kiosk."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.people = {person.number: person for person in people_of(stack.facility)}
        self._http = httpx.Client(
            base_url=stack.url("kiosk"), headers={"x-screen-token": stack.token}, timeout=60, limits=NO_KEEP
        )

    def see(self) -> dict[str, Any]:
        seen: dict[str, Any] = self._http.get("/api/v1/station").json()
        return seen

    def wait(self, *phases: str) -> dict[str, Any]:
        seen: dict[str, Any] = eventually(lambda: (s := self.see())["phase"] in phases and s)
        return seen

    def touch(self, answer: str, **more: str) -> dict[str, Any]:
        body = {"checkin_id": self.see()["checkin_id"], "answer": answer, **more}
        done = self._http.post("/api/v1/station/answer", json=body)
        assert done.status_code == 200, done.text
        result: dict[str, Any] = done.json()
        return result

    def tap(self, number: int) -> dict[str, Any]:
        self.scan(number, "confirm", "done", "needs_staff", "reading")
        return self.see()

    def scan(self, number: int, *phases: str) -> None:
        """Show the QR of a card and wait for what the screen makes of it; by default for the question for the card."""
        payload = qr_payload(self.people[number], today())
        assert payload is not None
        self.stack.tap(payload)
        self.wait(*(phases or ("place_card",)))

    def check_in(self, number: int) -> dict[str, Any]:
        """Tap, confirm, take the first service offered; returns the last screen and leaves the station idle."""
        self.tap(number)
        self.touch("confirm")
        seen = self.wait("choose_service", "needs_staff", "done")
        if seen["phase"] == "choose_service":
            self.touch("service", service_id=seen["screen"]["services"][0]["id"])
            seen = self.wait("done", "needs_staff")
        self.touch("cancel")
        self.wait("idle")
        return seen


class Clerk:
    """Staff, signed in."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.people = {person.number: person for person in people_of(stack.facility)}
        origin = stack.url("kiosk")
        self.http = httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=90, limits=NO_KEEP)
        done = self.http.post("/api/v1/staff/login", json={"name": "demo", "password": "demo"})
        assert done.status_code == 200, done.text

    def get(self, path: str) -> Any:
        done = self.http.get("/api/v1/staff" + path)
        assert done.status_code == 200, done.text
        return done.json()

    def post(self, path: str, **body: Any) -> Any:
        done = self.http.post("/api/v1/staff" + path, json=body)
        assert done.status_code in (200, 201), done.text
        return done.json()

    def one(self, checkin_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/check-ins/{checkin_id}")
        return found

    def enter_card(self, person: Person) -> dict[str, Any]:
        entered: dict[str, Any] = self.post(
            "/check-ins", number=person.card, full_name=person.name.title(), birth_date=person.birth_date(today())
        )
        return entered

    def waiting(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.get("/check-ins?status=needs_staff")["check_ins"]
        return listed


def registrations(stack: Stack) -> list[dict[str, Any]]:
    """What the hospital system holds of ours."""
    rows = httpx.get(stack.url("his") + "/_sim/registrations").json()["registrations"]
    return [row for row in rows if not row.get("seeded")]


def gateway_calls(stack: Stack) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = httpx.get(stack.url("gateway") + "/_sim/calls").json()
    return calls


def force(stack: Stack, part: str, endpoint: str, mode: str, times: int | None = None) -> None:
    """Make the simulator of *part* misbehave."""
    body = {"endpoint": endpoint, "mode": mode, "times": times}
    httpx.post(stack.url(part) + "/_sim/mode", json=body).raise_for_status()


def rate(stack: Stack) -> dict[str, Any]:
    """The province's row of today."""
    answer = httpx.get(
        stack.url("province") + "/api/v1/kpi/lookup-rate",
        params={"from": str(today()), "to": str(today()), "level": "province", "period": "total"},
        headers={"Authorization": "Bearer demo"},
    )
    row: dict[str, Any] = answer.json()["rows"][0]
    return row
