"""Prometheus metrics of the daemon. Labels come from closed lists and are never personal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from kiosk.model import Eligibility
from kiosk.records import CheckIn

_DESTINATIONS = ("hospital", "number", "gateway", "province", "register")
_STATES = ("waiting", "sending", "parked")


WARM_UP_PARTS = ("gateway", "officer", "hospital", "province", "clock", "clock_far", "certificate", "space")
"""What is looked at before the doors open (kiosk.warmup)."""


class Metrics:
    """All metrics on one registry of their own, so that each test has its own."""

    def __init__(self) -> None:
        """Register everything at zero."""
        self.registry = CollectorRegistry()
        self._lookups = Counter(
            "kiosk_lookups",
            "Lookups at the insurance gateway",
            ["method", "class", "result_code"],
            registry=self.registry,
        )
        self._lookup_seconds = Histogram(
            "kiosk_lookup_seconds",
            "Duration of a lookup with its repeats",
            buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15),
            registry=self.registry,
        )
        self._pushes = Counter(
            "kiosk_hospital_deliveries", "Attempts to register a visit", ["outcome"], registry=self.registry
        )
        self._depth = Gauge(
            "kiosk_outbox_rows", "Deliveries that wait", ["destination", "state"], registry=self.registry
        )
        self._age = Gauge(
            "kiosk_outbox_oldest_seconds", "Age of the oldest one", ["destination", "state"], registry=self.registry
        )
        self._pending = Gauge(
            "kiosk_lookups_pending", "Visits registered without an answer of the gateway", registry=self.registry
        )
        self._pending_age = Gauge(
            "kiosk_lookups_pending_oldest_seconds", "Age of the oldest of them", registry=self.registry
        )
        self._warm_up = Gauge(
            "kiosk_warm_up_problem",
            "1 for what was wrong at the newest look before opening",
            ["part"],
            registry=self.registry,
        )
        self._officer = Gauge(
            "kiosk_officer_refused",
            "1 while the insurer refuses the officer who answers for lookups",
            registry=self.registry,
        )
        self._reader = Gauge("kiosk_reader_attached", "1 while the reader works", ["reader"], registry=self.registry)

        self._printer = Gauge("kiosk_printer_ready", "1 unless tickets surely stay inside", registry=self.registry)
        self._tickets = Counter("kiosk_tickets", "Tickets sent to the printer", ["outcome"], registry=self.registry)

        self._screens = Counter(
            "kiosk_screen_left",
            "How people left a view of the patient's screen",
            ["view", "ended"],
            registry=self.registry,
        )

    def screen_left(self, view: str, ended: str) -> None:
        """Somebody left *view*: went on, gave up, or whatever of ``funnel.WAYS`` it was."""
        self._screens.labels(view, ended).inc()

    def printer(self, *, ready: bool) -> None:
        """The printer was looked at."""
        self._printer.set(1 if ready else 0)

    def ticket(self, outcome: str) -> None:
        """A ticket was sent; *outcome*: the printer's state afterwards."""
        self._tickets.labels(outcome).inc()

    def lookup(self, checkin: CheckIn, answer: Eligibility) -> None:
        """One question was answered, or was not."""
        if answer.attempts == 0:
            return
        code = answer.result_code or "none"
        known = code if len(code) == 3 and code.isascii() and code.isdigit() else "none" if code == "none" else "other"
        self._lookups.labels(checkin.method.value, answer.status.value, known).inc()
        self._lookup_seconds.observe(answer.latency_ms / 1000)

    def delivery(self, outcome: str) -> None:
        """An attempt to register a visit ended as done, retry or park."""
        self._pushes.labels(outcome).inc()

    def reader(self, name: str, attached: bool) -> None:
        """A reader came or went."""
        self._reader.labels(name).set(1 if attached else 0)

    def outbox(self, depth: Iterable[tuple[str, str, int, datetime]], now: datetime) -> None:
        """Depth and age as they are now."""
        for destination in _DESTINATIONS:
            for state in _STATES:
                self._depth.labels(destination, state).set(0)
                self._age.labels(destination, state).set(0)
        for destination, state, rows, oldest in depth:
            self._depth.labels(destination, state).set(rows)
            self._age.labels(destination, state).set(max(0.0, (now - oldest).total_seconds()))

    def lookups_pending(self, count: int, oldest: datetime | None, now: datetime) -> None:
        """How many visits wait for an answer, and since when the oldest."""
        self._pending.set(count)
        self._pending_age.set(0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))

    def warm_up(self, problems: Sequence[str]) -> None:
        """What the newest look before opening found."""
        for part in WARM_UP_PARTS:
            self._warm_up.labels(part).set(part in problems)

    def officer(self, *, refused: bool) -> None:
        """Whether the insurer refuses who answers now."""
        self._officer.set(refused)

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)
