"""Reports of reads that a stranger may send in: what is in them, and that nothing of the person is."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk.emrtd.chip import AccessKey
from kiosk.emrtd.errors import EmrtdError, WrongKey
from kiosk.emrtd.mrz import parse
from kiosk.emrtd.recording import Trace
from kiosk.emrtd.report import report
from kiosk.emrtd.results import ChipRead
from kiosk.emrtd.trust import load_anchors
from simulators.chip import MODES
from simulators.chip_card import VirtualCard
from simulators.chip_quirks import Quirks
from tests.emrtd.laid_card import Clock, Laid, authority, can_key, card, files_on, issued, mrz_key, read


@pytest.fixture(scope="module")
def anchors(tmp_path_factory):
    return load_anchors(authority().write_anchors(tmp_path_factory.mktemp("anchors")))


def reported(mode, key_of=can_key, anchors=None, chip=None):
    """The report of a read of a card of that mode (or of *chip*), and what the read ended in."""
    clock = Clock()
    chip = chip or card(mode, clock)
    trace = Trace(Laid(chip))
    try:
        outcome = read(trace, key_of(chip.data), anchors=anchors, photo=True, clock=clock)
    except EmrtdError as error:
        outcome = error
    return report(outcome, trace, trace.card_type), outcome


def canaries(data, outcome):
    """What must not be in a report, in all the forms it could have."""
    person = data.person
    texts = {
        person.citizen_id, person.citizen_id[3:], person.full_name, person.full_name.upper(), person.address,
        person.father, person.mother, person.old_id, person.chip_id, person.birth_date,
        "/".join(reversed(person.birth_date.split("-"))), *person.spouses, *data.mrz, *person.full_name.split(),
        f'"{data.can}"',
    }  # fmt: skip
    zone = parse("\n".join(data.mrz))
    texts |= {zone.document_number, zone.surname, zone.given_names}
    secret: list[bytes] = [sha256(raw).digest() for raw in data.files.values()]
    for key in (data.aa_key, data.ca_key, data.pace_cam_key):
        if key is not None:
            secret.append(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)[-32:])
    signer = x509.load_der_x509_certificate(authority().signer_for().certificate)
    secret += [
        signer.fingerprint(signer.signature_hash_algorithm)[:8],
        signer.signature[:16],
        signer.tbs_certificate_bytes[-16:],
    ]
    if isinstance(outcome, ChipRead) and outcome.active:
        secret += [outcome.active.challenge, outcome.active.response[:16]]
    texts |= {f" {signer.serial_number} ", *(attribute.value for attribute in signer.subject)} - {"VN"}
    return {text for text in texts if text} | {raw.hex() for raw in secret}


@pytest.mark.parametrize(
    "mode", ["genuine", "cc_2024", "passport", "cam", "dh", "old_cryptography", "strong_cryptography", "slips"]
)
@pytest.mark.parametrize("key_of", [can_key, mrz_key])
def test_nothing_of_the_person_is_in_a_report(mode, key_of, anchors):
    found, outcome = reported(mode, key_of, anchors)
    assert isinstance(outcome, ChipRead)
    text = json.dumps(found, ensure_ascii=False)
    assert not {canary for canary in canaries(issued(mode)[0], outcome) if canary.lower() in text.lower()}
    assert outcome.issuer not in text


@pytest.mark.parametrize("mode", sorted(name for name, mode in MODES.items() if mode.error or mode.forgery))
def test_reports_of_forgeries_and_failures_neither(mode):
    found, outcome = reported(mode)
    text = json.dumps(found, ensure_ascii=False)
    assert not {canary for canary in canaries(issued(mode)[0], outcome) if canary.lower() in text.lower()}
    if isinstance(outcome, EmrtdError):
        sw = None if outcome.sw is None else f"{outcome.sw:04X}"
        assert found["error"] == {"code": outcome.code, "sw": sw, "why": str(outcome)}
        assert (found["verdict"], found["access"], found["checks"], found["files"]) == (None, None, None, {})
    else:
        assert (found["error"], found["verdict"]) == (None, outcome.verdict)


def test_what_a_report_of_a_citizen_card_says(anchors):
    found, outcome = reported("genuine", anchors=anchors)
    files = files_on(issued("genuine")[0], photo=True)
    assert found["card_access"] == outcome.files["EF.CardAccess"].hex()
    assert {name: found["files"][name] for name in files} == {name: len(raw) for name, raw in files.items()}
    assert found["dg15"] == "secp256r1"
    assert {"oid": "0.4.0.127.0.7.2.2.4.2.2"} in found["dg14"]
    keys = [info["key"] for info in found["dg14"] if "key" in info]
    assert keys == ["brainpoolP256r1"]
    assert found["sod"]["groups"] == ["DG1", "DG2", "DG3", "DG13", "DG14", "DG15"]
    assert found["sod"]["hash"] == "sha256"
    assert len(found["sod"]["certificates"]) == 1
    assert set(found["sod"]["certificates"][0]) == {"key", "signature"}
    assert found["dg2"] == "jpeg"
    assert (found["verdict"], found["access"], found["error"]) == ("genuine", "PACE", None)
    assert found["apdus"] == outcome.apdus
    assert found["resets"] == 0
    assert 200 < found["longest_answer"] <= 256
    names = [step["step"] for step in found["steps"]]
    assert names[0] == "EF.CardAccess"
    order = ["PACE", "SELECT of the application", "DG1", "EF.SOD", "DG13", "DG14", "DG15", "DG2"]
    order += ["Active Authentication", "Chip Authentication"]
    assert [name for name in names if name in order] == order
    assert sum(step["commands"] for step in found["steps"]) == len(found["exchanges"])
    assert sum(step["milliseconds"] for step in found["steps"]) > 0
    assert json.loads(json.dumps(found)) == found


def test_steps_of_bac_and_of_cards_without_short_ids():
    chip = VirtualCard(issued("bac_only")[0], Quirks(no_sfi=0x6A82))
    steps = [step["step"] for step in reported("", mrz_key, chip=chip)[0]["steps"]]
    assert "BAC" in steps
    assert "a file" in steps
    assert "PACE" not in steps


def test_key_sizes_of_other_cards():
    passport = reported("passport")[0]
    assert (passport["dg2"], passport["files"].get("DG13")) == ("jp2", None)
    assert reported("cam")[0]["files"]["EF.CardSecurity"] > 0
    old = reported("old_cryptography")[0]
    assert old["dg15"] == "RSA 1024"
    assert {"oid": "0.4.0.127.0.7.2.2.4.2.1"} in old["dg14"]


def test_a_card_that_does_not_open_still_says_what_it_offers():
    trace = Trace(Laid(card()))
    with pytest.raises(WrongKey) as caught:
        read(trace, AccessKey(can="123456"))
    found = report(caught.value, trace, trace.card_type)
    assert found["card_access"] == issued()[0].master_files[0x011C].hex()
    assert found["error"]["code"] == "WRONG_KEY"
    assert found["steps"][-1]["step"] == "PACE"


@pytest.mark.parametrize("name", ["DG2", "DG14", "DG15", "EF.SOD"])
@pytest.mark.parametrize("junk", [b"", b"\x30\x00", b"\x77\x02\x30\x00", b"\x6e\x04\x31\x02\x30\x00"])
def test_files_that_cannot_be_understood_are_called_that(name, junk):
    _, outcome = reported("genuine")
    files = {**outcome.files, name: junk}
    again = report(ChipRead(files, None, None, outcome.checks, outcome.verdict, None), Trace(Laid(card())), "3B")
    told = again[name.lower().removeprefix("ef.")]
    assert told == "unreadable" or (name == "DG14" and told == [{"oid": None}])
    assert again["files"][name] == len(junk)
