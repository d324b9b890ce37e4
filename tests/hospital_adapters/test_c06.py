"""The C06 adapter against the C06 simulator, profile ``doc``: contract, errors and settings, one by one.

The acceptance list of his-kiosk-c06.md section 11 is test_acceptance_c06.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hospital_adapters import c06_settings
from hospital_adapters.c06 import C06Adapter
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Idempotency, MatchKind, PatientRef, QueueNumber
from kiosk.model import Coverage, Identity, KeyKind, PartialDate, Sex
from simulators.his_c06 import Settings as SimSettings
from tests.contracts.hospital import RemoteAdapterContract, assert_ours
from tests.hospital_adapters.c06_peer import (
    HASTY,
    PEOPLE,
    SECRET,
    C06Peer,
    adapter_for,
    closed_port,
    visit,
)

TODAY = date(2026, 1, 5)
SIM = SimSettings(today=TODAY)
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
async def peer() -> AsyncIterator[C06Peer]:
    async with C06Peer(SIM) as running:
        yield running


@pytest.fixture
async def hasty() -> AsyncIterator[C06Peer]:
    async with C06Peer(SIM, timeouts=HASTY) as running:
        yield running


class TestContract(RemoteAdapterContract):
    pass


class TestContractWithKey(RemoteAdapterContract):
    @pytest.fixture
    async def peer(self) -> AsyncIterator[C06Peer]:
        async with C06Peer(SIM.changed({"dedup": "du_phong"}), dedup="du_phong") as running:
            yield running


class TestContractWithHistoryAndLookups(RemoteAdapterContract):
    @pytest.fixture
    async def peer(self) -> AsyncIterator[C06Peer]:
        sim = SIM.changed({"history": "on"})
        async with C06Peer(sim, history_path="/lichsu-dangky", asks_insurer=True) as running:
            yield running


@pytest.mark.parametrize(
    ("number", "kind", "ref", "differences"),
    [
        (1, MatchKind.ONE, PatientRef("101", "BN000001"), ()),
        (2, MatchKind.ONE, PatientRef("102", "BN000002"), ()),
        (3, MatchKind.ONE, PatientRef("103", "BN000003"), ()),
        (4, MatchKind.ONE, PatientRef("104", "BN000004"), ()),
        (5, MatchKind.ONE, PatientRef("105", "BN000005"), ()),
        (6, MatchKind.ONE, PatientRef("106", "BN000006"), ()),
        (7, MatchKind.MISMATCH, PatientRef("107", "BN000007"), ("name",)),
        (8, MatchKind.NONE, None, ()),
        (9, MatchKind.MANY, None, ()),
        (10, MatchKind.ONE, PatientRef(None, "BN000010"), ()),
    ],
)
async def test_people_are_found_as_listed(
    peer: C06Peer, number: int, kind: MatchKind, ref: PatientRef | None, differences: tuple[str, ...]
) -> None:
    match = await peer.adapter.find_patient(PEOPLE[number])
    assert (match.kind, match.ref, match.differences) == (kind, ref, differences)


async def test_an_old_number_is_asked_only_where_its_type_is_agreed(peer: C06Peer) -> None:
    async with C06Peer(SIM, old_id_type="CMND") as agreed:
        match = await agreed.adapter.find_patient(PEOPLE[8])
        assert (match.kind, match.ref) == (MatchKind.ONE, PatientRef("108", "BN000008"))
        assert match.person is not None and match.person.old_id == "099000108"
        assert (await agreed.push(8)).patient_code == "BN000008"
    await peer.adapter.find_patient(PEOPLE[8])
    assert len(await peer.calls("benhnhan")) == 1


async def test_a_number_alone_brings_name_birth_and_sex(peer: C06Peer) -> None:
    match = await peer.adapter.find_patient(Identity(personal_id="099190000001"))
    assert match.person == Identity(
        personal_id="099190000001",
        full_name="TRẦN THỊ MẪU",
        birth_date=PartialDate(1990, 9, 2),
        sex=Sex.FEMALE,
        address="Ấp Thử 1, xã Mẫu",
    )


async def test_an_identity_without_number_is_not_asked_for(peer: C06Peer) -> None:
    match = await peer.adapter.find_patient(replace(PEOPLE[1], personal_id=None))
    assert match.kind is MatchKind.NONE
    assert await peer.calls("benhnhan") == []


async def test_birth_year_and_sex_differ(peer: C06Peer) -> None:
    other = replace(PEOPLE[1], birth_date=PartialDate(1991, 9, 2), sex=Sex.MALE)
    match = await peer.adapter.find_patient(other)
    assert (match.kind, match.differences, match.person) == (MatchKind.MISMATCH, ("birth_year", "sex"), None)


async def test_another_persons_record_is_a_mismatch(peer: C06Peer) -> None:
    await peer.mode("benhnhan", "wrong_person")
    assert (await peer.adapter.find_patient(PEOPLE[1])).kind is MatchKind.MISMATCH


async def test_reversed_sex_codes() -> None:
    async with C06Peer(SIM.changed({"sex": "reversed"}), sex="reversed") as peer:
        for number in (1, 2):
            match = await peer.adapter.find_patient(PEOPLE[number])
            assert match.person is not None and match.person.sex == PEOPLE[number].sex
        assert (await peer.push(1)).number == "23"


@pytest.mark.parametrize("mode", ["hang_after", "reset_after", "http_500_after"])
async def test_a_lost_answer_is_unknown_with_one_registration(hasty: C06Peer, mode: str) -> None:
    encounter = hasty.encounter(1)
    await hasty.mode("dangky-kcb", mode)
    with pytest.raises(HospitalOutcomeUnknown):
        await hasty.adapter.push(encounter)
    assert await hasty.registered(encounter.checkin_id) == 1
    assert len(await hasty.calls("dangky-kcb")) == 1


async def test_nothing_stored_then_sent_again_is_one_registration(hasty: C06Peer) -> None:
    encounter = hasty.encounter(1)
    await hasty.mode("dangky-kcb", "hang_before")
    with pytest.raises(HospitalOutcomeUnknown, match=r"c06\.read_timeout"):
        await hasty.adapter.push(encounter)
    assert await hasty.registered(encounter.checkin_id) == 0
    # Over a patient connection, so that a slow machine does not lose this answer too.
    await adapter_for(hasty.url).push(encounter)
    assert await hasty.registered(encounter.checkin_id) == 1


async def test_a_question_that_hangs_ends_in_time(hasty: C06Peer) -> None:
    await hasty.mode("*", "hang_before", times=None)
    for call in (hasty.adapter.services(TODAY), hasty.adapter.find_patient(PEOPLE[1])):
        began = time.monotonic()
        with pytest.raises(HospitalUnavailable, match=r"c06\.read_timeout"):
            await call
        assert time.monotonic() - began < 2


async def test_idempotency_is_declared_as_agreed() -> None:
    url = "http://127.0.0.1:1"
    assert adapter_for(url).capabilities.idempotency is Idempotency.NONE
    assert not adapter_for(url).capabilities.history
    assert adapter_for(url, dedup="du_phong").capabilities.idempotency is Idempotency.KEY
    assert adapter_for(url, history_path="/x").capabilities.idempotency is Idempotency.NATURAL
    both = adapter_for(url, history_path="/x", dedup="du_phong").capabilities
    assert both.idempotency is Idempotency.KEY and both.history
    late = adapter_for(url, history_path="/x", queue_number="later").capabilities.queue_number
    assert (late, both.queue_number) == (QueueNumber.LATER, QueueNumber.IN_RECEIPT)


async def test_a_number_after_payment_is_found_later() -> None:
    sim = SIM.changed({"history": "on", "stt": "after_payment"})
    async with C06Peer(sim, history_path="/lichsu-dangky", queue_number="later") as peer:
        receipt = await peer.push(1)
        assert receipt.number is None
        await peer.sim("mark-paid", key=receipt.visit_id)
        [(checkin_id, paid)] = await peer.adapter.find_visits(PEOPLE[1], None, TODAY)
        assert (checkin_id, paid.visit_id, paid.number) == ("person-1", receipt.visit_id, "23")


async def test_a_visit_made_at_the_desk_is_listed_without_our_id() -> None:
    async with C06Peer(SIM.changed({"history": "on"}), history_path="/lichsu-dangky") as peer:
        [(checkin_id, receipt)] = await peer.adapter.find_visits(PEOPLE[3], None, TODAY)
        assert (checkin_id, receipt.number, receipt.patient_code) == ("", "22", "BN000003")
        assert await peer.adapter.find_visits(PEOPLE[1], None, TODAY) == ()
        with pytest.raises(HospitalUnavailable, match=r"c06\.no_number"):
            await peer.adapter.find_visits(replace(PEOPLE[3], personal_id=None), None, TODAY)


async def test_connection_refused_is_unavailable() -> None:
    adapter = adapter_for(f"http://127.0.0.1:{closed_port()}")
    for call in (adapter.push(visit(PEOPLE[1])), adapter.find_patient(PEOPLE[1]), adapter.services(TODAY)):
        with pytest.raises(HospitalUnavailable) as caught:
            await call
        assert caught.value.reason == "c06.unreachable"
        assert_ours(caught.value, ["TRẦN", "099190000001"])
    assert (await adapter.check()).problems == ("the HIS cannot be reached",)


@pytest.mark.parametrize(
    ("mode", "error", "reason"),
    [
        ("reset_before", HospitalOutcomeUnknown, "c06.connection_lost"),
        ("reset_after", HospitalOutcomeUnknown, "c06.connection_lost"),
        ("http_500_before", HospitalOutcomeUnknown, "c06.http_500"),
        ("http_502_html", HospitalOutcomeUnknown, "c06.http_502"),
        ("http_503", HospitalOutcomeUnknown, "c06.http_503"),
        ("truncated", HospitalOutcomeUnknown, "c06.malformed"),
        ("trailing_comma", HospitalOutcomeUnknown, "c06.malformed"),
        ("html_200", HospitalOutcomeUnknown, "c06.malformed"),
        ("empty_200", HospitalOutcomeUnknown, "c06.malformed"),
        ("no_code", HospitalOutcomeUnknown, "c06.no_code"),
        ("wrong_person", HospitalOutcomeUnknown, "c06.wrong_person"),
        ("c999", HospitalRejected, "c06.999"),
        ("c404", HospitalRejected, "c06.404"),
        ("unknown_code", HospitalRejected, "c06.123"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
async def test_how_a_registration_can_end(
    peer: C06Peer, mode: str, error: type[Exception], reason: str, known: bool
) -> None:
    await peer.mode("dangky-kcb", mode)
    with pytest.raises(error) as caught:
        await (peer.push(1) if known else peer.adapter.push(peer.encounter(1)))
    assert str(caught.value) == reason
    assert_ours(caught.value, ["TRẦN", "099190000001", "VĂN THỬ", SECRET])


@pytest.mark.parametrize("mode", ["null_data", "array_data"])
async def test_done_but_unreadable_is_a_receipt_without_numbers(peer: C06Peer, mode: str) -> None:
    await peer.mode("dangky-kcb", mode)
    receipt = await peer.push(1)
    assert (receipt.visit_id, receipt.tickets, receipt.raw_status) == (None, (), "c06.data_unusable")


@pytest.mark.parametrize("mode", ["bom", "code_int", "extra_fields"])
async def test_oddities_that_do_no_harm(peer: C06Peer, mode: str) -> None:
    await peer.mode("dangky-kcb", mode)
    assert (await peer.push(1)).number == "23"


async def test_missing_fields_leave_gaps_in_the_receipt(peer: C06Peer) -> None:
    await peer.mode("dangky-kcb", "null_fields")
    receipt = await peer.push(1)
    assert receipt.visit_id and receipt.patient_code == "BN000001"
    assert (receipt.number, receipt.amount, receipt.registration_id) == (None, None, None)


async def test_503_may_be_repeated_only_where_agreed() -> None:
    async with C06Peer(SIM, gateway_503_is_safe=True) as peer:
        await peer.mode("dangky-kcb", "http_503")
        with pytest.raises(HospitalUnavailable) as caught:
            await peer.push(1)
        assert (caught.value.reason, caught.value.retry_after) == ("c06.http_503", 5.0)


@pytest.mark.parametrize(("stt", "number"), [("now", "23"), ("text", "A023"), ("null", None), ("after_payment", None)])
async def test_the_queue_number_is_the_hospitals_own(stt: str, number: str | None) -> None:
    async with C06Peer(SIM.changed({"stt": stt})) as peer:
        receipt = await peer.push(1)
        assert receipt.number == number and receipt.visit_id


@pytest.mark.parametrize("sign_error", ["http401", "http403_html", "body999"])
async def test_a_refused_signature_is_no_storm(sign_error: str, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    async with C06Peer(SIM.changed({"sign_error": sign_error})) as peer:
        settings = c06_settings.load({"url": peer.url, "merchant": "KIOSK-TEST", "secret_file": "x"})
        adapter = C06Adapter(settings, "wrong", "99001", monotonic=lambda: now[0])
        with pytest.raises(HospitalRejected) as caught:
            await adapter.push(peer.encounter(1))
        if sign_error == "body999":
            assert caught.value.reason == "c06.999"
            return
        assert caught.value.reason == "c06.signature"
        for seconds in (1.0, 30.0, 59.0):
            now[0] = seconds
            for call in (adapter.push(peer.encounter(2)), adapter.find_patient(PEOPLE[1]), adapter.services(TODAY)):
                with pytest.raises(HospitalUnavailable, match=r"c06\.signature") as waiting:
                    await call
                assert waiting.value.retry_after == 60 - seconds
            assert not (await adapter.check()).ok
        assert (await peer.sim("calls"))["count"] == 1
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        now[0] = 61.0
        health = await adapter.check()
        assert health.problems == ("the HIS refuses the signature: check merchant, secret and clock",)
        assert (await peer.sim("calls"))["count"] == 2


async def test_a_hospital_may_name_its_signature_code() -> None:
    async with C06Peer(SIM, signature_codes=["123"]) as peer:
        await peer.mode("dangky-kcb", "unknown_code")
        with pytest.raises(HospitalRejected, match=r"c06\.signature"):
            await peer.push(1)


async def test_other_sign_fields_by_setting() -> None:
    sim = SIM.changed({"sign_dangky_kcb": "SO_GTTT,ID_DICH_VU,DU_PHONG,ID_BN"})
    async with C06Peer(sim, sign={"dangky_kcb": ["SO_GTTT", "ID_DICH_VU", "DU_PHONG", "ID_BN"]}) as peer:
        assert (await peer.adapter.push(peer.encounter(1))).number


async def test_check_sees_a_wrong_clock() -> None:
    async with C06Peer(SIM) as peer:
        settings = c06_settings.load({"url": peer.url, "merchant": "KIOSK-TEST", "secret_file": "x"})
        late = C06Adapter(settings, SECRET, "99001", clock=lambda: datetime.now(UTC) - timedelta(seconds=200))
        health = await late.check()
        assert 198 <= health.details["skew_s"] <= 202 and health.details["exam_types"] == 3
        assert health.problems == (f"the clock of the HIS differs from ours by {health.details['skew_s']} s",)


async def test_check_sees_an_unknown_insured_type() -> None:
    async with C06Peer(SIM, insured_exam_type="7") as peer:
        assert (await peer.adapter.check()).problems == (
            "the HIS lists no exam type that is the setting insured_exam_type",
        )


async def test_no_place_left_is_a_refusal(peer: C06Peer) -> None:
    menu = {row.id: row for row in await peer.adapter.services(TODAY)}
    await peer.adapter.push(replace(peer.encounter(1), service=menu["503"]))
    with pytest.raises(HospitalRejected) as caught:
        await peer.adapter.push(replace(peer.encounter(2), service=menu["503"]))
    assert caught.value.reason == "c06.999" and "đủ số lượng" in caught.value.text


async def test_a_get_is_repeated_once_with_a_new_time_stamp(peer: C06Peer) -> None:
    await peer.mode("benhnhan", "reset_before", times=1)
    assert (await peer.adapter.find_patient(PEOPLE[1])).kind is MatchKind.ONE
    await peer.mode("benhnhan", "reset_before", times=None)
    with pytest.raises(HospitalUnavailable, match=r"c06\.connection_lost"):
        await peer.adapter.find_patient(PEOPLE[1])
    assert len(await peer.calls("benhnhan")) == 4


async def test_code_404_may_come_with_http_404() -> None:
    async with C06Peer(SIM.changed({"http_404": True})) as peer:
        assert (await peer.adapter.find_patient(peer.encounter(1).identity)).kind is MatchKind.NONE
