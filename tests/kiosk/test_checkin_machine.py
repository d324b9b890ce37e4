"""Taps, outages, expiries, restarts, clock jumps and staff in any order: what must hold at every moment and at the end.

- the gateway is never asked more than the rules allow: at most three calls for each time somebody had to be asked;
- nobody is told "insured", on the screen or on record, without an answer that the gateway gave of that person, and that
  is kept untouched;
- whoever left with a number and without an answer is being asked about, unless staff decided, and pays for nothing;
- in the end every visit has one final class, and the hospital has it once.
"""

import asyncio
import json
import tempfile
import zlib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kiosk.bootstrap import build
from kiosk.insurance.vss_question import MAX_CALLS
from kiosk.records import CheckIn
from kiosk.staffwork import StaffRefusal, StaffWork
from kiosk.station_model import NotAtThatPhase, ScanRefused, StationBusy
from kiosk.tables import gateway_answer
from simulators import his_c06, vss_gateway
from tests.kiosk.world import FACILITY, GENERAL, Gateway, Hospital, MovableClock, World, config_of, qr

PERSONS = (1, 3, 5, 9, 13, 14, 27)
OUTAGES = ("reset", "http_502_html", "http_200_empty", "bad_json", "code:101", "always_401", "officer_054", "no_code")
ANSWERS = ("code:010", "code:050", "code:123", "wrong_person", "null_fields")
SAYS_INSURED = {"000", "003", "004"}
PATIENCE = 30


class Kiosks(RuleBasedStateMachine):
    """One kiosk through several lives on one store, between two simulators."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.gateway = Gateway(vss_gateway.create_app(vss_gateway.Settings(facility=FACILITY)))
        self.hospital = Hospital(his_c06.create_app(his_c06.Settings(facility=FACILITY)))
        self.shift = timedelta()
        self.asked_for = 0
        self.paying: set[str] = set()  # as staff decided
        self.run(self._start())

    def run(self, work: Any) -> Any:
        """Let the kiosk's loop do *work*."""
        return self.runner.run(work)

    async def _start(self) -> None:
        insurance = {"recheck_after": [60, 300], "retry_pause": 0.01, "read_timeout": 0.5, "total_timeout": 1.5}
        config = config_of(Path(self.folder.name), self.gateway, self.hospital, insurance=insurance)
        clock = MovableClock()
        clock.shift = self.shift
        parts = build(config, Path(self.folder.name), clock)
        self.delivering = asyncio.create_task(parts.outbox.run())
        self.world = World(parts, clock, self.gateway, self.hospital)
        self.world.parts.gateway._questions._breaker._open_seconds = 0.05
        await self.world.view("idle")

    async def _stop(self) -> None:
        self.world.parts.outbox.stop()
        async with asyncio.timeout(PATIENCE):
            await self.delivering
        await self.world.parts.close()

    # -- what happens ------------------------------------------------------------------------------------------

    @rule(person=st.sampled_from(PERSONS))
    def tap(self, person: int) -> None:
        async def work() -> None:
            try:
                await self.world.station.scan(qr(person))
            except (StationBusy, ScanRefused):
                return

        self.run(work())

    @rule(what=st.sampled_from(["confirm", "reject", "cancel", "call_staff", "another_examination"]))
    def touch(self, what: str) -> None:
        async def work() -> None:
            if self.world.station.checkin_id is None:
                return
            try:
                await self.world.answer(what)
            except NotAtThatPhase:
                return
            if what in ("confirm", "another_examination"):
                self.asked_for += 1
                await self.world.view("idle", "choose_service", "needs_staff", "done", "out_of_order", "confirm")

        self.run(work())

    @rule()
    def choose(self) -> None:
        async def work() -> None:
            if self.world.screen["view"] == "choose_service":
                await self.world.choose()

        self.run(work())

    @rule(which=st.integers(0, 5), what=st.sampled_from(["insured", "self_payer", "recheck", "cancel"]))
    def staff_decide(self, which: int, what: str) -> None:
        async def work() -> None:
            checkins = await self.world.all()
            if not checkins:
                return
            checkin, staff = checkins[which % len(checkins)], StaffWork(self.world.checkins)
            try:
                if what == "recheck":
                    await staff.recheck(checkin.checkin_id, "an")
                elif what == "cancel":
                    await staff.cancel(checkin.checkin_id, "left", "an")
                elif menu := [service for service in await self.world.checkins.menu() if service.id == GENERAL]:
                    how: Any = {"insured": what == "insured", "reason": "r", "patient": None, "who": "an"}
                    await staff.register(checkin.checkin_id, menu[0], **how)
                    self.paying |= {checkin.checkin_id} if what == "self_payer" else set()
            except StaffRefusal:
                return

        self.asked_for += 1  # a recheck, or the question that a visit without an answer owes
        self.run(work())

    @rule(mode=st.sampled_from(("normal", "normal", *OUTAGES, *ANSWERS)))
    def gateway_does(self, mode: str) -> None:
        self.gateway.mode(mode)

    @rule()
    def tokens_expire(self) -> None:
        self.gateway.post("/_sim/expire-tokens")

    @rule(up=st.booleans())
    def hospital_does(self, up: bool) -> None:
        self.hospital.up() if up else self.hospital.down()

    @rule(minutes=st.sampled_from([-60, -1, 1, 6, 20, 90]))
    def clock_jumps(self, minutes: int) -> None:
        self.world.clock.forward(minutes=minutes)
        self.asked_for += self._waiting()
        for destination in ("gateway", "hospital"):
            self.world.parts.outbox.wake(destination)

    @rule()
    def restart(self) -> None:
        async def work() -> None:
            self.shift = self.world.clock.shift
            await self._stop()
            await self._start()

        self.asked_for += self._waiting()
        self.run(work())

    def _waiting(self) -> int:
        """How many may be asked about by themselves."""
        return sum(row.state in ("waiting", "sending") for row in self.run(self.world.rows("gateway")))

    # -- what must hold ----------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_insured_without_an_answer(self) -> None:
        screen = self.world.screen
        checkins = self.run(self.world.all())
        names = self.run(self.world.store.read(_names_in_good_answers))
        for checkin in checkins:
            if checkin.status is not None and checkin.status.insured:
                assert checkin.eligibility.result_code in SAYS_INSURED
                assert checkin.eligibility.coverage is not None
                assert str(checkin.identity.full_name).upper() in names
        if screen.get("insurance") == "insured" or screen.get("answer") == "insured":
            current = next(one for one in checkins if one.checkin_id == self.world.station.checkin_id)
            assert current.status is not None and current.status.insured

    @invariant()
    def the_gateway_is_not_asked_more_than_allowed(self) -> None:
        assert len(self.gateway.lookups()) <= MAX_CALLS * self.asked_for

    @invariant()
    def whoever_left_unanswered_is_asked_about(self) -> None:
        rows = {row.ref: row.state for row in self.run(self.world.rows("gateway"))}
        for checkin in self.run(self.world.all()):
            visit = checkin.state == "accepted" and checkin.closed_reason is None and checkin.bhyt is not None
            if visit and checkin.unanswered and checkin.checkin_id not in self.paying:
                assert checkin.bhyt, "nobody pays because the gateway is silent"
                assert rows.get(checkin.checkin_id) in ("waiting", "sending")

    def teardown(self) -> None:
        try:
            self.run(self._end())
        finally:
            self.run(self._stop())
            self.runner.close()
            self.gateway.close()
            self.hospital.close()
            self.folder.cleanup()

    async def _end(self) -> None:
        """Everything works again: what was owed is done, once."""
        self.gateway.mode("normal")
        self.hospital.up()
        self.world.parts.duty.try_now()

        def open_ones(checkins: list[CheckIn]) -> list[CheckIn]:
            visits = [one for one in checkins if one.state == "accepted" and one.bhyt is not None]
            return [one for one in visits if one.hospital_state == "waiting" or (one.bhyt and one.unanswered)]

        async with asyncio.timeout(PATIENCE):
            while open_ones(await self.world.all()):
                self.world.clock.forward(seconds=400)
                self.world.parts.duty.try_now()
                self.world.parts.gateway._questions.tokens._refused_until = 0.0
                for destination in ("gateway", "hospital"):
                    self.world.parts.outbox.wake(destination)
                await asyncio.sleep(0.05)
        checkins = await self.world.all()
        in_front = [one for one in checkins if one.state in ("presented", "looked_up")]
        assert {one.checkin_id for one in in_front} <= {self.world.station.checkin_id}
        accepted = [one for one in checkins if one.state == "accepted" and one.hospital_state == "accepted"]
        visits = Counter(one.receipt.visit_id for one in accepted if one.receipt)
        assert all(count == 1 for count in visits.values())
        assert len(self.hospital.visits()) >= len(accepted)
        parked = [one for one in checkins if one.hospital_state == "parked"]
        assert len(self.hospital.visits()) <= len(accepted) + len(parked)


def _names_in_good_answers(connection: sa.Connection) -> set[str]:
    """Whom the answers that are kept, and say insured, are about."""
    found = set()
    for row in connection.execute(sa.select(gateway_answer.c.body)):
        try:
            content = json.loads(zlib.decompress(row.body))
        except ValueError:
            continue
        if isinstance(content, dict) and str(content.get("maKetQua")) in SAYS_INSURED:
            found.add(str(content.get("hoTen")).upper())
    return found


Kiosks.TestCase.settings = settings(
    max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
test_kiosks = Kiosks.TestCase


class ManyKiosks(Kiosks):
    """The same, longer."""


ManyKiosks.TestCase.settings = settings(Kiosks.TestCase.settings, max_examples=150, stateful_step_count=40)
test_many_kiosks = pytest.mark.long(ManyKiosks.TestCase)
