"""The HL7 v2 adapter beside receivers of two independent libraries."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime

import pytest

from hospital_adapters import hl7v2_wire as wire
from hospital_adapters.hl7v2 import Hl7v2Adapter, create
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Encounter, Idempotency, MatchKind, PatientMatch, PatientRef, Receipt, Service
from kiosk.model import Coverage, EligibilityClass, Identity, KeyKind, PartialDate, Sex
from kiosk.ports import AdapterContext
from tests.contracts.hospital import RemoteAdapterContract, insured, outcome_of
from tests.peers.mllp import GARBAGE, Hl7apyReceiver, Ledger, PythonHl7Receiver, Receiver

ROOM = Service("501", "NOI01", "Khám Nội - phòng 101", "11", "Khoa Nội", "1", True)
HAPPENED = datetime.fromisoformat("2026-01-05T00:12:31.987+00:00")
CARD = Coverage("GD4929900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))
RECEIVERS = {"hl7apy": Hl7apyReceiver, "python-hl7": PythonHl7Receiver}


def adapter_for(port: int, **settings: object) -> Hl7v2Adapter:
    """An adapter as the entry point makes it."""
    wanted = {"url": f"mllp://127.0.0.1:{port}", "timeouts": {"connect": 2, "answer": 5}}
    return create(wanted | settings, AdapterContext("99001", lambda name: name))


class MllpPeer:
    """RemotePeer of the contract."""

    garbage = tuple(GARBAGE)
    secrets = ("0991900", "VĂN THỬ", "Văn Thử", "TRẦN THỊ MẪU", "GD49")

    def __init__(self, receiver: Receiver, **settings: object) -> None:
        self.receiver, self.ledger = receiver, receiver.ledger
        self.adapter = adapter_for(receiver.port, receiver_deduplicates=self.ledger.deduplicates, **settings)

    def encounter(self, serial: int) -> Encounter:
        person = Identity(f"0991900{serial:05d}", None, f"Đặng Văn Thử {serial}", PartialDate(1990, 9, 2), Sex.MALE)
        return Encounter(f"0198c0de-0000-7000-8000-{serial:012d}", "99001", HAPPENED, person, ROOM)

    async def registered(self, checkin_id: str) -> int:
        return self.ledger.visits.get(wire.visit_number(checkin_id), 0)

    async def go_away(self) -> None:
        await self.receiver.stop()

    async def come_back(self) -> None:
        await self.receiver.start()

    async def refuse_next(self) -> None:
        self.ledger.fault = "refuse"

    async def lose_next_answer(self) -> None:
        self.ledger.fault = "hang_up"

    async def answer_next_with(self, garbage: str) -> None:
        self.ledger.fault = garbage


async def standing(name: str, deduplicates: bool = True, **settings: object) -> MllpPeer:
    receiver = RECEIVERS[name](Ledger(deduplicates))
    await receiver.start()
    return MllpPeer(receiver, **settings)


@pytest.fixture(params=RECEIVERS)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[MllpPeer]:
    made = await standing(request.param)
    yield made
    await made.adapter.close()
    await made.receiver.stop()


class TestContract(RemoteAdapterContract):
    pass


class TestContractWithoutKey(RemoteAdapterContract):
    """A receiver that stores whatever comes: nothing is repeated."""

    @pytest.fixture
    async def peer(self) -> AsyncIterator[MllpPeer]:
        made = await standing("python-hl7", deduplicates=False)
        yield made
        await made.adapter.close()
        await made.receiver.stop()


class TestContractOnOneConnection(RemoteAdapterContract):
    @pytest.fixture
    async def peer(self) -> AsyncIterator[MllpPeer]:
        made = await standing("python-hl7", keep_connection=True)
        yield made
        await made.adapter.close()
        await made.receiver.stop()


class TestContractInTwoMessages(RemoteAdapterContract):
    @pytest.fixture
    async def peer(self) -> AsyncIterator[MllpPeer]:
        made = await standing("hl7apy", new_patient="a28_a04")
        made.ledger.spared = "A28"
        yield made
        await made.adapter.close()
        await made.receiver.stop()


async def told(peer: MllpPeer) -> list[str]:
    return [told.event for told in peer.ledger.told]


async def test_only_the_receivers_maker_can_promise_a_key(peer: MllpPeer) -> None:
    assert adapter_for(1).capabilities.idempotency is Idempotency.NONE
    assert peer.adapter.capabilities.idempotency is Idempotency.KEY


async def test_a_repeat_has_the_same_control_id_and_everything_else_another(peer: MllpPeer) -> None:
    encounter = peer.encounter(1)
    receipt = await peer.adapter.push(encounter)
    await peer.adapter.push(encounter)
    first = await peer.adapter.amend(receipt, insured(encounter))
    await peer.adapter.amend(receipt, insured(encounter))
    second = await peer.adapter.amend(first, encounter)
    await peer.adapter.amend(second, insured(encounter))
    await peer.adapter.cancel(receipt, "left")
    ids = [told.control_id for told in peer.ledger.told]
    assert await told(peer) == ["A04", "A04", "A08", "A08", "A08", "A08", "A11"]
    assert ids[0] == ids[1] and ids[2] == ids[3]
    # The last revision says what the first said, and still has to be taken in.
    assert len({ids[0], ids[2], ids[4], ids[5], ids[6]}) == 5
    assert {len(control_id) for control_id in ids} == {20}
    other = await peer.adapter.push(peer.encounter(2))
    assert peer.ledger.told[-1].control_id not in ids and other.visit_id != receipt.visit_id


async def test_a_lost_amendment_is_repeated_with_the_same_control_id(peer: MllpPeer) -> None:
    receipt = await peer.adapter.push(peer.encounter(1))
    await peer.lose_next_answer()
    lost = await outcome_of(peer.adapter.amend(receipt, insured(peer.encounter(1))), peer.secrets)
    assert isinstance(lost, HospitalOutcomeUnknown)
    await peer.adapter.amend(receipt, insured(peer.encounter(1)))
    assert peer.ledger.told[-1].control_id == peer.ledger.told[-2].control_id


async def test_the_receipt_says_what_was_acknowledged(peer: MllpPeer) -> None:
    encounter = peer.encounter(1)
    receipt = await peer.adapter.push(encounter)
    assert receipt == Receipt(
        visit_id=wire.visit_number(encounter.checkin_id),
        registration_id="citizen:099190000001",
        raw_status=f"AA {peer.ledger.told[0].control_id}",
    )


@pytest.mark.parametrize(("known", "events"), [(False, ["A28", "A04"]), (True, ["A04"])])
async def test_a_new_person_is_announced_first_where_the_setting_says_so(known: bool, events: list[str]) -> None:
    peer = await standing("python-hl7", new_patient="a28_a04")
    match = PatientMatch(MatchKind.ONE, PatientRef(None, "0000456")) if known else None
    receipt = await peer.adapter.push(replace(peer.encounter(1), patient=match))
    assert await told(peer) == events
    assert receipt.patient_code == ("0000456" if known else None)
    await peer.receiver.stop()


async def test_a_person_who_was_not_announced_gets_no_visit() -> None:
    peer = await standing("python-hl7", new_patient="a28_a04")
    await peer.refuse_next()
    assert isinstance(await outcome_of(peer.adapter.push(peer.encounter(1)), peer.secrets), HospitalRejected)
    assert await told(peer) == []
    await peer.receiver.stop()


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("hang_up", HospitalOutcomeUnknown, "hl7v2.closed"),
        ("no_block", HospitalOutcomeUnknown, "hl7v2.closed"),
        ("text", HospitalOutcomeUnknown, "hl7v2.other_answer"),
        ("no_msa", HospitalOutcomeUnknown, "hl7v2.other_answer"),
        ("other_id", HospitalOutcomeUnknown, "hl7v2.other_answer"),
        ("no_id", HospitalOutcomeUnknown, "hl7v2.other_answer"),
        ("other_code", HospitalOutcomeUnknown, "hl7v2.other_code"),
        ("endless", HospitalOutcomeUnknown, "hl7v2.too_large"),
        ("no_id_rejected", HospitalUnavailable, "hl7v2.ar"),
        ("busy", HospitalUnavailable, "hl7v2.ar"),
        ("unsupported", HospitalRejected, "hl7v2.ar_203"),
        ("refuse", HospitalRejected, "hl7v2.ae"),
    ],
)
async def test_what_an_answer_means(fault: str, kind: type[Exception], reason: str) -> None:
    peer = await standing("python-hl7")
    await peer.answer_next_with(fault)
    outcome = await outcome_of(peer.adapter.push(peer.encounter(1)), peer.secrets)
    assert (type(outcome), str(outcome)) == (kind, reason)
    await peer.receiver.stop()


async def test_the_receivers_words_are_for_staff_only(peer: MllpPeer) -> None:
    if isinstance(peer.receiver, Hl7apyReceiver):
        await peer.refuse_next()
        outcome = await outcome_of(peer.adapter.push(peer.encounter(1)), peer.secrets)
        assert isinstance(outcome, HospitalRejected)
        assert (outcome.reason, outcome.text, str(outcome)) == ("hl7v2.ae_207", "Trùng", "hl7v2.ae_207")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"checkin_id": ""}, "hl7v2.checkin_id"),
        ({"identity": Identity("099190000001")}, "hl7v2.incomplete_identity"),
        ({"identity": Identity("099190000001", None, "\x00\u202e")}, "hl7v2.incomplete_identity"),
        ({"patient": PatientMatch(MatchKind.MANY)}, "hl7v2.patient_many"),
        ({"patient": PatientMatch(MatchKind.MISMATCH)}, "hl7v2.patient_mismatch"),
    ],
)
async def test_what_cannot_be_said_is_refused_before_anything_is_sent(
    peer: MllpPeer, changes: dict[str, object], reason: str
) -> None:
    outcome = await outcome_of(peer.adapter.push(replace(peer.encounter(1), **changes)), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == reason
    assert peer.ledger.told == []


async def test_nothing_is_withdrawn_without_a_visit(peer: MllpPeer) -> None:
    outcome = await outcome_of(peer.adapter.cancel(Receipt(), "left"), peer.secrets)
    assert isinstance(outcome, HospitalRejected) and outcome.reason == "hl7v2.no_visit"


async def test_check_sends_no_message(peer: MllpPeer) -> None:
    health = await peer.adapter.check()
    assert (health.ok, dict(health.details)) == (True, {"tls": False})
    assert peer.ledger.told == []


async def test_an_unconfirmed_card_goes_nowhere(peer: MllpPeer) -> None:
    await peer.adapter.push(replace(peer.encounter(1), coverage=CARD, eligibility=EligibilityClass.CANNOT_SAY))
    assert "GD49" not in peer.ledger.told[0].text and "IN1" not in peer.ledger.told[0].text
