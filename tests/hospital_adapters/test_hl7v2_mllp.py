"""The MLLP client beside receivers that acknowledge oddly, late, for somebody else or not at all; and in TLS."""

import asyncio
import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hospital_adapters import hl7v2_wire as wire
from hospital_adapters.hl7v2 import Hl7v2Adapter, create
from kiosk.errors import ConfigError, HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Encounter, Receipt, Service
from kiosk.model import Identity, PartialDate
from kiosk.ports import AdapterContext
from tests.contracts.hospital import outcome_of
from tests.peers.mllp import acknowledgement, block
from tests.peers.mllp_odd import Chaotic, Handler, answering, listening, read_message, refusing_certificates

ROOM = Service("501", "NOI01", "Khám Nội - phòng 101", "11", "Khoa Nội", "1", True)
PERSON = Identity("099190000001", None, "Trần Thị Mẫu", PartialDate(1990, 9, 2))
VISIT = Encounter("0198c0de-0000-7000-8000-000000000001", "99001", datetime(2026, 1, 5, tzinfo=UTC), PERSON, ROOM)
HIDDEN = ("0991900", "Trần", "TRẦN", "127.0.0.1")
AA = block(acknowledgement("AA", "{id}"))
OTHER = block(acknowledgement("AE", "ANOTHER"))


def adapter_for(port: int, scheme: str = "mllp", answer: float = 10, **settings: object) -> Hl7v2Adapter:
    wanted = {"url": f"{scheme}://127.0.0.1:{port}", "timeouts": {"connect": 2, "answer": answer}}
    return create(wanted | settings, AdapterContext("99001", lambda name: name))


async def end_of(handler: Handler, answer: float = 10) -> Receipt | Exception:
    """What becomes of a push to a receiver that is only *handler*."""
    async with listening(handler) as port:
        adapter = adapter_for(port, answer=answer)
        end = await outcome_of(adapter.push(VISIT), HIDDEN)
        await adapter.close()
    return end


@pytest.mark.parametrize(
    "pieces",
    [
        (AA,),
        (AA, AA),
        (OTHER, AA),
        (OTHER, 0.05, OTHER, 0.05, AA),
        ("MSH|^~\\&|", AA),
        ("\x0b\x1c\r", AA),
        (b"\x0b\xff\xfe\x00\x1c\r", AA),
        (AA[:20], 0.05, AA[20:]),
        (block("MSH|^~\\&|HIS|||||ACK^A04^ACK_A04|ACK|P|2.7\rMSA|AA|{id}"),),
        (block("MSH|^~\\&|HIS|||||ACK|1|P|2.3\rMSA|AA|{id}\r"),),
        ("\x0bMSH|^~\\&|HIS\nMSA|CA|{id}\n\x1c",),
        ("\x0bleft over\x0bMSH|^~\\&|HIS\rMSA|AA|{id}\r\x1c\r",),
    ],
    ids=range(12),
)
async def test_acknowledged_all_the_same(pieces: tuple[str | bytes | float, ...]) -> None:
    end = await end_of(answering(*pieces))
    assert isinstance(end, Receipt) and end.raw_status is not None and end.raw_status[:2] in ("AA", "CA")


async def test_silence_is_unknown() -> None:
    end = await end_of(answering(), answer=0.2)
    assert isinstance(end, HospitalOutcomeUnknown) and end.evidence == "hl7v2.no_answer"


async def test_somebody_elses_acknowledgement_is_waited_past() -> None:
    end = await end_of(answering(OTHER, OTHER), answer=0.2)
    assert isinstance(end, HospitalOutcomeUnknown) and end.evidence == "hl7v2.other_answer"


async def test_what_comes_without_end_is_cut_off() -> None:
    end = await end_of(answering(*[b"noise without a block " * 1000] * 20))
    assert isinstance(end, HospitalOutcomeUnknown) and end.evidence == "hl7v2.too_large"


@pytest.mark.parametrize("code", ["AR", "CR"])
async def test_only_a_rejection_may_come_without_an_id(code: str) -> None:
    end = await end_of(answering(block(acknowledgement(code, ""))))
    assert isinstance(end, HospitalUnavailable) and end.reason == f"hl7v2.{code.lower()}"


@pytest.mark.parametrize(("code", "reason"), [("AE", "hl7v2.ae_101"), ("CE", "hl7v2.ce_101"), ("AR", "hl7v2.ar_101")])
async def test_an_error_of_the_message_is_for_a_human(code: str, reason: str) -> None:
    refusal = block(acknowledgement(code, "{id}", "ERR|||101^Required field missing|E||||Thiếu họ tên 099190000001\r"))
    end = await end_of(answering(refusal))
    assert isinstance(end, HospitalRejected)
    assert (end.reason, end.text) == (reason, "Thiếu họ tên 099190000001")


async def test_an_error_number_of_nobodys_table_is_not_repeated_in_the_reason() -> None:
    end = await end_of(answering(block(acknowledgement("AE", "{id}", "ERR|||099190000001\r"))))
    assert isinstance(end, HospitalRejected) and end.reason == "hl7v2.ae"


async def test_one_message_at_a_time_on_the_kept_connection() -> None:
    connections, most = 0, 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections, most
        connections += 1
        while True:
            message = await read_message(reader)
            await asyncio.sleep(0.01)
            most = max(most, len(reader._buffer))  # type: ignore[attr-defined]
            writer.write(AA.replace("{id}", message["MSH"][10]).encode())

    async with listening(handler) as port:
        adapter = adapter_for(port, keep_connection=True)
        visits = [replace(VISIT, checkin_id=f"checkin-{serial}") for serial in range(10)]
        receipts = await asyncio.gather(*map(adapter.push, visits))
        assert len({receipt.raw_status for receipt in receipts}) == 10
        await adapter.close()
    assert (connections, most) == (1, 0)


async def test_a_left_over_answer_on_the_kept_connection_is_nobodys() -> None:
    answered, late, connections = asyncio.Event(), asyncio.Event(), 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        code = "AR" if connections == 1 else "AA"
        while True:
            answer = block(acknowledgement(code, (await read_message(reader))["MSH"][10])).encode()
            writer.write(answer)
            if connections == 1:
                await answered.wait()
                writer.write(answer)
                await writer.drain()
                late.set()

    async with listening(handler) as port:
        adapter = adapter_for(port, keep_connection=True)
        assert isinstance(await outcome_of(adapter.push(VISIT), HIDDEN), HospitalUnavailable)
        answered.set()
        await late.wait()
        # The repeat has the same MSH-10: the second AR would be taken for its answer.
        assert isinstance(await adapter.push(VISIT), Receipt)
        await adapter.close()
    assert connections == 2


async def test_a_fresh_connection_for_each_message_is_the_default() -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answering(AA)(reader, writer)

    async with listening(handler) as port:
        adapter = adapter_for(port)
        for _ in range(3):
            await adapter.push(VISIT)
    assert connections == 3


@pytest.mark.parametrize("keep", [False, True])
async def test_a_thousand_visits_through_a_bad_line_are_a_thousand_visits(keep: bool) -> None:
    receiver = Chaotic(share=0.05, seed=5)
    waiting = [replace(VISIT, checkin_id=f"0198c0de-{serial:04x}-7000-8000-000000000001") for serial in range(1000)]
    wanted = {wire.visit_number(encounter.checkin_id): 1 for encounter in waiting}

    async def worker(adapter: Hl7v2Adapter) -> None:
        while waiting:
            encounter = waiting.pop()
            end = await outcome_of(adapter.push(encounter), HIDDEN)
            while not isinstance(end, Receipt):
                assert isinstance(end, (HospitalUnavailable, HospitalOutcomeUnknown)), end
                end = await outcome_of(adapter.push(encounter), HIDDEN)

    async with listening(receiver.handle) as port:
        adapters = [adapter_for(port, answer=0.5, receiver_deduplicates=True, keep_connection=keep) for _ in range(4)]
        await asyncio.gather(*map(worker, adapters))
        for adapter in adapters:
            await adapter.close()
    assert receiver.visits == wanted
    assert set(receiver.faults) == set(Chaotic.FAULTS)


async def test_without_a_key_no_visit_stands_twice_and_every_unknown_one_is_told() -> None:
    receiver = Chaotic(share=0.3, seed=6, deduplicates=False)
    unknown, done = set(), set()
    async with listening(receiver.handle) as port:
        adapter = adapter_for(port, answer=0.1)
        for serial in range(100):
            encounter = replace(VISIT, checkin_id=f"0198c0de-{serial:04x}-7000-8000-000000000001")
            end = await outcome_of(adapter.push(encounter), HIDDEN)
            while isinstance(end, HospitalUnavailable):
                end = await outcome_of(adapter.push(encounter), HIDDEN)
            (done if isinstance(end, Receipt) else unknown).add(wire.visit_number(encounter.checkin_id))
    assert set(receiver.visits.values()) == {1}
    assert done <= set(receiver.visits) <= done | unknown
    assert done and unknown


def certificate(folder: Path, name: str, address: str = "127.0.0.1") -> Path:
    """A self-signed certificate for an address, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, serialization.NoEncryption()))
    return file


def server_side(own: Path, client: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    if client is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client)
    return context


async def test_in_tls_a_named_authority_is_trusted_and_nobody_else(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "his")
    async with listening(answering(AA), server_side(pem)) as port:
        known = adapter_for(port, "mllps", ca_file=str(pem))
        assert isinstance(await known.push(VISIT), Receipt)
        assert (await known.check()).details == {"tls": True}
        for stranger in (adapter_for(port, "mllps"), adapter_for(port)):
            end = await outcome_of(stranger.push(VISIT), HIDDEN)
            assert not isinstance(end, Receipt)
        [problem] = (await adapter_for(port, "mllps").check()).problems
        assert "certificate" in problem


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "his", "127.0.0.2")
    async with listening(answering(AA), server_side(pem)) as port:
        end = await outcome_of(adapter_for(port, "mllps", ca_file=str(pem)).push(VISIT), HIDDEN)
    assert isinstance(end, HospitalUnavailable) and end.reason == "hl7v2.tls"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_our_certificate_where_the_receiver_asks_for_one(tmp_path: Path, version: ssl.TLSVersion) -> None:
    pem, ours, wrong = [certificate(tmp_path, name) for name in ("his", "kiosk", "other")]
    tls = server_side(pem, ours)
    tls.minimum_version = tls.maximum_version = version
    taken = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        await answering(AA)(reader, writer)

    async with listening(handler, tls) as port:
        known = adapter_for(port, "mllps", ca_file=str(pem), client_file=str(ours))
        assert isinstance(await known.push(VISIT), Receipt)
        assert (await known.check()).ok
        for client_file in ("", str(wrong)):
            refused = adapter_for(port, "mllps", ca_file=str(pem), client_file=client_file)
            # This server hangs up without a word: with TLS 1.3, when a message is under way.
            end = await outcome_of(refused.push(VISIT), HIDDEN)
            assert isinstance(end, (HospitalUnavailable, HospitalOutcomeUnknown))
            assert not (await refused.check()).ok
    assert taken == 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_receiver_that_says_it_refuses_our_certificate_took_nothing_in(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    pem, ours, wrong = [certificate(tmp_path, name) for name in ("his", "kiosk", "other")]
    tls = server_side(pem, ours)
    tls.minimum_version = tls.maximum_version = version
    with refusing_certificates(tls) as port:
        for client_file in ("", str(wrong)):
            adapter = adapter_for(port, "mllps", ca_file=str(pem), client_file=client_file)
            end = await outcome_of(adapter.push(VISIT), HIDDEN)
            assert isinstance(end, HospitalUnavailable) and end.reason == "hl7v2.tls", repr(end)


async def test_a_listener_that_is_silent_before_tls_is_unavailable(tmp_path: Path) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(handler) as port:
        adapter = adapter_for(port, "mllps", timeouts={"connect": 0.2, "answer": 1})
        end = await outcome_of(adapter.push(VISIT), HIDDEN)
        assert isinstance(end, HospitalUnavailable) and end.reason == "hl7v2.connect_timeout"
        assert "in time" in (await adapter.check()).problems[0]


@pytest.mark.parametrize("key", ["ca_file", "client_file"])
def test_a_file_that_is_no_certificate_stops_the_start(tmp_path: Path, key: str) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for file in (tmp_path / "no.pem", tmp_path / "absent.pem"):
        with pytest.raises(ConfigError, match=f"hospital.{key}: expected"):
            adapter_for(1, "mllps", **{key: str(file)})
