"""What every hospital adapter must do. A new adapter's test inherits one of the three classes and gives a `peer`.

`PortContract` holds for all, `AdapterContract` for those that register visits themselves, `RemoteAdapterContract` for
those with a system at the other end that can fail.
"""

import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

import pytest

from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable, KioskError
from kiosk.hospital_model import (
    Encounter,
    Idempotency,
    MatchKind,
    PatientMatch,
    QueueNumber,
    Receipt,
    Service,
)
from kiosk.model import AdapterHealth, Coverage, EligibilityClass, KeyKind, LookupKey, PartialDate, local_day
from kiosk.ports import HospitalAdapter


class Peer(Protocol):
    """The adapter under test and the system behind it. `secrets`: what no error and no log may hold."""

    adapter: HospitalAdapter
    secrets: Sequence[str]

    def encounter(self, serial: int) -> Encounter:
        """A visit that the system accepts; each *serial* another person."""

    async def registered(self, checkin_id: str) -> int:
        """How many visits of this check-in stand in the system, cancelled ones not counted."""


class RemotePeer(Peer, Protocol):
    """A peer that fails when told. `garbage` names the ways it can answer nonsense."""

    garbage: Sequence[str]

    async def go_away(self) -> None: ...
    async def come_back(self) -> None: ...
    async def refuse_next(self) -> None: ...
    async def lose_next_answer(self) -> None: ...
    async def answer_next_with(self, garbage: str) -> None: ...


def assert_ours(error: BaseException, secrets: Sequence[str]) -> None:
    """The error and all that led to it are of our own tree, and say nothing about anybody."""
    shown = "".join(traceback.format_exception(error)) + repr(error)
    assert not [secret for secret in secrets if secret in shown]
    chain: BaseException | None = error
    while chain is not None:
        assert isinstance(chain, KioskError), type(chain)
        chain = chain.__cause__ or chain.__context__


async def outcome_of(call: Awaitable[Any], secrets: Sequence[str]) -> Any:
    """The call's result, or its error as long as it is one that the port allows."""
    try:
        return await call
    except (HospitalUnavailable, HospitalRejected, HospitalOutcomeUnknown) as error:
        assert_ours(error, secrets)
        return error


def offered(adapter: HospitalAdapter, encounter: Encounter) -> dict[str, tuple[bool, Callable[[], Awaitable[Any]]]]:
    """Every optional method: is it promised, and how to call it."""
    able, day = adapter.capabilities, local_day(encounter.happened_at)
    person, receipt = encounter.identity, Receipt(visit_id="V1")
    key = LookupKey("099190000001", KeyKind.PERSONAL_12, "TRẦN THỊ MẪU", PartialDate(1990, 9, 2))
    return {
        "services": (able.menu, lambda: adapter.services(day)),
        "find_patient": (able.find_patient, lambda: adapter.find_patient(person)),
        "find_visits": (able.history, lambda: adapter.find_visits(person, None, day)),
        "eligibility": (able.eligibility, lambda: adapter.eligibility(key)),
        "appointments": (able.appointments, lambda: adapter.appointments(person, day)),
        "lookups": (able.lookups, lambda: adapter.lookups(day)),
        "suggest": (able.suggest, lambda: adapter.suggest(person)),
        "hand_over": (able.hand_over, lambda: adapter.hand_over(encounter)),
        "visit_count": (able.visit_count, lambda: adapter.visit_count(day)),
        "amend": (able.amend, lambda: adapter.amend(receipt, encounter)),
        "cancel": (able.cancel, lambda: adapter.cancel(receipt, "test")),
    }


def insured(encounter: Encounter) -> Encounter:
    """The same visit once the gateway has named the card."""
    card = Coverage("GD4929900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))
    return replace(encounter, coverage=card, eligibility=EligibilityClass.INSURED)


class PortContract:
    """Holds for every adapter."""

    async def test_keeps_its_promises_and_refuses_the_rest(self, peer: Peer) -> None:
        for name, (promised, call) in offered(peer.adapter, peer.encounter(1)).items():
            outcome = await outcome_of(call(), peer.secrets)
            refused = isinstance(outcome, HospitalRejected) and outcome.reason.startswith("adapter.no_")
            assert refused is not promised, name
            of_no_visit = name in ("amend", "cancel") and isinstance(outcome, HospitalRejected)
            if promised and not of_no_visit:
                assert not isinstance(outcome, KioskError), name

    async def test_the_menu_can_be_drawn(self, peer: Peer) -> None:
        if peer.adapter.capabilities.menu:
            menu = await peer.adapter.services(date(2026, 1, 5))
            assert menu and all(isinstance(row, Service) and row.id and row.name for row in menu)
            assert len({row.id for row in menu}) == len(menu)
            assert {row.insured for row in menu} == {True, False}

    async def test_an_unknown_person_is_no_match(self, peer: Peer) -> None:
        if peer.adapter.capabilities.find_patient:
            assert await peer.adapter.find_patient(peer.encounter(7).identity) == PatientMatch(MatchKind.NONE)

    async def test_check_is_good(self, peer: Peer) -> None:
        health = await peer.adapter.check()
        assert isinstance(health, AdapterHealth)
        assert health.ok and health.problems == ()

    async def test_closes_twice(self, peer: Peer) -> None:
        await peer.adapter.close()
        await peer.adapter.close()

    async def test_what_a_clerk_enters_names_each_field_once(self, peer: Peer) -> None:
        if peer.adapter.capabilities.hand_over:
            made = await peer.adapter.hand_over(insured(peer.encounter(1)))
            names = [name for name, _ in made.fields]
            assert names and len(set(names)) == len(names) and set(made.left_out) <= set(names)
            assert made.typed and all(char.isprintable() or char in "\t\r" for char in made.typed)
            assert await peer.adapter.hand_over(insured(peer.encounter(1))) == made

    async def test_nobody_is_suggested_for_a_stranger(self, peer: Peer) -> None:
        if peer.adapter.capabilities.suggest:
            assert await peer.adapter.suggest(peer.encounter(7).identity) == ()


class AdapterContract(PortContract):
    """Holds for every adapter that registers visits itself."""

    async def test_accepts_a_visit(self, peer: Peer) -> None:
        encounter = peer.encounter(1)
        receipt = await peer.adapter.push(encounter)
        assert isinstance(receipt, Receipt)
        assert await peer.registered(encounter.checkin_id) == 1
        if peer.adapter.capabilities.queue_number is QueueNumber.IN_RECEIPT:
            assert receipt.number

    async def test_two_people_get_two_numbers(self, peer: Peer) -> None:
        first, second = [await peer.adapter.push(peer.encounter(serial)) for serial in (1, 2)]
        assert first.visit_id is None or first.visit_id != second.visit_id
        assert first.number is None or first.number != second.number

    async def test_a_repeat_with_a_key_changes_nothing(self, peer: Peer) -> None:
        encounter = peer.encounter(1)
        first = await peer.adapter.push(encounter)
        if peer.adapter.capabilities.idempotency is Idempotency.KEY:
            assert await peer.adapter.push(encounter) == first
        assert await peer.registered(encounter.checkin_id) == 1

    async def test_finds_the_visit_again_where_it_has_a_history(self, peer: Peer) -> None:
        encounter = peer.encounter(1)
        receipt = await peer.adapter.push(encounter)
        if peer.adapter.capabilities.history:
            day = local_day(encounter.happened_at)
            found = dict(await peer.adapter.find_visits(encounter.identity, None, day))
            assert found[encounter.checkin_id].visit_id == receipt.visit_id
            assert found[encounter.checkin_id].number == receipt.number
        assert peer.adapter.capabilities.idempotency is not Idempotency.NATURAL or peer.adapter.capabilities.history

    async def test_an_amended_visit_is_still_one(self, peer: Peer) -> None:
        if peer.adapter.capabilities.amend:
            encounter = peer.encounter(1)
            receipt = await peer.adapter.push(encounter)
            amended = await peer.adapter.amend(receipt, insured(encounter))
            again = await peer.adapter.amend(amended, insured(encounter))
            assert (amended.visit_id, again.visit_id) == (receipt.visit_id, receipt.visit_id)
            assert await peer.registered(encounter.checkin_id) == 1

    async def test_a_cancelled_visit_no_longer_stands(self, peer: Peer) -> None:
        if peer.adapter.capabilities.cancel:
            encounter = peer.encounter(1)
            receipt = await peer.adapter.push(encounter)
            await peer.adapter.cancel(receipt, "patient left")
            assert await peer.registered(encounter.checkin_id) == 0


class RemoteAdapterContract(AdapterContract):
    """Holds for every adapter that talks to another system."""

    async def test_unavailable_means_nothing_happened(self, peer: RemotePeer) -> None:
        encounter = peer.encounter(1)
        await peer.go_away()
        outcome = await outcome_of(peer.adapter.push(encounter), peer.secrets)
        assert isinstance(outcome, HospitalUnavailable)
        health = await peer.adapter.check()
        assert not health.ok and health.problems
        await peer.come_back()
        assert await peer.registered(encounter.checkin_id) == 0
        await peer.adapter.push(encounter)
        assert await peer.registered(encounter.checkin_id) == 1

    async def test_a_refusal_is_rejected_once(self, peer: RemotePeer) -> None:
        encounter = peer.encounter(1)
        await peer.refuse_next()
        outcome = await outcome_of(peer.adapter.push(encounter), peer.secrets)
        assert isinstance(outcome, HospitalRejected) and outcome.reason
        assert await peer.registered(encounter.checkin_id) == 0

    async def test_a_lost_answer_is_unknown_and_never_repeated_blindly(self, peer: RemotePeer) -> None:
        encounter = peer.encounter(1)
        await peer.lose_next_answer()
        outcome = await outcome_of(peer.adapter.push(encounter), peer.secrets)
        assert isinstance(outcome, HospitalOutcomeUnknown) and outcome.evidence
        assert await peer.registered(encounter.checkin_id) == 1
        if peer.adapter.capabilities.history:
            day = local_day(encounter.happened_at)
            found = dict(await peer.adapter.find_visits(encounter.identity, None, day))
            assert found[encounter.checkin_id].visit_id
        elif peer.adapter.capabilities.idempotency is Idempotency.KEY:
            assert (await peer.adapter.push(encounter)).visit_id
        assert await peer.registered(encounter.checkin_id) == 1

    async def test_leaks_no_foreign_error(self, peer: RemotePeer, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(1)
        for serial, garbage in enumerate(peer.garbage, start=10):
            encounter = peer.encounter(serial)
            calls = [call for promised, call in offered(peer.adapter, encounter).values() if promised]
            for call in [*calls, lambda encounter=encounter: peer.adapter.push(encounter), peer.adapter.check]:
                await peer.answer_next_with(garbage)
                await outcome_of(call(), peer.secrets)
            assert await peer.registered(encounter.checkin_id) <= 1, garbage
        await peer.go_away()
        for promised, call in offered(peer.adapter, peer.encounter(1)).values():
            if promised:
                await outcome_of(call(), peer.secrets)
        assert not [secret for secret in peer.secrets if secret in caplog.text]
