"""Evidence: what is in it and what is not, what it proves to somebody else, and that no byte of it can be changed."""

import base64
import json
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import tlv
from kiosk.emrtd.results import CheckState, Verdict
from kiosk.evidence import MAX_FILE, BadEvidence, make_evidence, open_evidence
from kiosk.evidence_check import check_evidence, confirmation_json
from kiosk.pushed_chip import Challenges, PushedBody, read_pushed
from simulators.chip import MODES
from simulators.chip_files import CC_2024, CCCD_2021, signed
from simulators.chip_forgery import FORGERIES
from simulators.chip_pki import TestPki
from tests.kiosk.signed_card import (
    BARE,
    CHALLENGE,
    NO_CA,
    NOW,
    anchors_in,
    answer,
    authority,
    card,
    files_of,
    read_by_wire,
    read_of,
)

STATION = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STATION_KEY = STATION.public_key().public_bytes_raw()


def evidence(read, key=STATION):
    return make_evidence(
        read, key=key, key_id="key-7", facility="93002", station="kiosk-1", reader="ACR1281", read_at=NOW
    )


def check(read, anchors, station_key=STATION_KEY):
    return check_evidence(open_evidence(evidence(read)), anchors, station_key)


def resigned(file, **changes):
    """The file with its record changed and signed again by the same station: what a lying station could make."""
    record = json.loads(json.loads(file)["record"])
    for path, value in changes.items():
        part = record
        *parents, last = path.split("__")
        for name in parents:
            part = part[name]
        assert last in part and part[last] != value
        part[last] = value
    text = json.dumps(record)
    signature = base64.b64encode(STATION.sign(text.encode())).decode()
    return json.dumps({"record": text, "signature": signature}, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def anchors(tmp_path_factory):
    """The authority of the cards."""
    return anchors_in(tmp_path_factory.mktemp("anchors"))


@pytest.fixture(scope="module")
def genuine(anchors):
    """A good read of a good card."""
    return read_of(card(), anchors)


def test_a_genuine_read_is_confirmed_to_somebody_else(genuine, anchors):
    outcome = check(genuine, anchors)
    assert genuine.verdict is Verdict.GENUINE
    assert (outcome.confirmed, outcome.verdict_now, outcome.contradictions) == (True, Verdict.GENUINE, ())
    assert outcome.station_trusted is True
    assert set(outcome.on_station_word) == {
        "read_at",
        "reader",
        "access",
        "files_read_from_a_chip",
        "challenge_was_random",
        "chip_authentication",
        "downgrade",
    }


def test_the_record_says_what_cannot_be_proven(genuine):
    record = open_evidence(evidence(genuine))
    assert "station's word" in record.note and "Chip Authentication" in record.note


def test_the_record_holds_the_proofs_and_no_person(genuine):
    file = evidence(replace(genuine, files=files_of(card(), photo=True)))
    record = json.loads(json.loads(file)["record"])
    person = card().person
    raw = file + base64.b64decode(record["sod"]) + base64.b64decode(record["dg14"]) + base64.b64decode(record["dg15"])
    for secret in (person.citizen_id, person.citizen_id[-6:], person.full_name, person.address, person.chip_id):
        assert secret.encode() not in raw and json.dumps(secret)[1:-1].encode() not in raw
    assert base64.b64encode(files_of(card())["DG13"])[:40] not in raw
    assert base64.b64encode(card().portrait)[:40] not in raw
    assert set(record["hashes"]) == {"DG1", "DG2", "DG13", "DG14", "DG15"}
    assert (record["access"], record["reader"], record["verdict"]) == ("PACE", "ACR1281", "genuine")
    assert len(file) < 12_000


def reads(anchors, foreign):
    """Reads of every verdict: name -> (read, verdict)."""
    good = card()
    files = files_of(good)
    flipped = files["DG13"][:-1] + bytes((files["DG13"][-1] ^ 1,))
    without = {name: raw for name, raw in files.items() if name != "DG13"}
    return {
        "genuine": (read_of(good, anchors), Verdict.GENUINE),
        "no_anchor": (read_of(good, None), Verdict.CANNOT_TELL),
        "no_keys": (read_of(card(BARE), anchors), Verdict.DATA_AUTHENTIC),
        "new_card": (read_of(card(CC_2024), anchors), Verdict.GENUINE),
        "sha512": (read_of(card(replace(CCCD_2021, hash="sha512")), anchors), Verdict.GENUINE),
        "copy": (read_of(good, anchors, response=answer(good, bytes(8))), Verdict.SUSPECTED_COPY),
        "changed": (read_of(good, anchors, files={"DG13": flipped}), Verdict.FORGED),
        "swapped_key": (read_of(good, anchors, files={"DG15": files_of(foreign)["DG15"]}), Verdict.FORGED),
        "foreign": (read_of(foreign, anchors), Verdict.FORGED),
        "broken_sod": (read_of(good, anchors, files={"EF.SOD": b"\x77\x02\x05\x00"}), Verdict.FORGED),
        "part_read": (replace(read_of(good, anchors), files=without), Verdict.GENUINE),
    }


CASES = (
    "genuine",
    "no_anchor",
    "no_keys",
    "new_card",
    "sha512",
    "copy",
    "changed",
    "swapped_key",
    "foreign",
    "broken_sod",
    "part_read",
)


@pytest.fixture(scope="module")
def all_reads(anchors):
    """One read of each kind."""
    made = reads(anchors, card(pki=TestPki(NOW, name="Elsewhere")))
    assert tuple(made) == CASES
    return made


@pytest.mark.parametrize("name", CASES)
def test_every_verdict_is_confirmed_as_it_was(all_reads, anchors, name):
    read, verdict = all_reads[name]
    outcome = check(read, anchors)
    assert (read.verdict, outcome.contradictions, outcome.confirmed) == (verdict, (), True)


PROOFS = (
    *("genuine", "cc_2024", "passport", "cam", "old_cryptography", "strong_cryptography", "no_proof", "bac_only"),
    *("card_access_missing", "ca_refused", "ca_bluff", "aa_refused", "aa_wrong_signature"),
    *sorted(FORGERIES),
)


@pytest.mark.parametrize("mode", PROOFS)
def test_what_a_real_read_proved_is_confirmed(anchors, mode):
    for trusted, verdict in ((anchors, MODES[mode].with_anchor), (None, MODES[mode].without_anchor)):
        read = read_by_wire(mode, trusted)
        outcome = check(read, trusted)
        assert (read.verdict, outcome.contradictions, outcome.verdict_now) == (verdict, (), read.verdict)


PUSHED = {
    "answered": (NO_CA, True, None, Verdict.GENUINE),
    "unanswered": (NO_CA, False, None, Verdict.CANNOT_TELL),
    "both_keys": (CCCD_2021, True, None, Verdict.GENUINE),
    "no_keys": (BARE, False, None, Verdict.DATA_AUTHENTIC),
    "hidden_dg15": (NO_CA, False, "DG15", Verdict.CANNOT_TELL),
    "hidden_dg14": (CCCD_2021, True, "DG14", Verdict.GENUINE),
}


@pytest.mark.parametrize("name", PUSHED)
def test_evidence_of_pushed_files_is_confirmed_and_cannot_be_bettered(anchors, name):
    profile, answered, hidden, verdict = PUSHED[name]
    posted = {file: raw for file, raw in files_of(card(profile)).items() if file != hidden}
    challenges = Challenges(rng=lambda size: CHALLENGE)
    response = answer(card(profile)) if answered else None
    body = PushedBody(posted, challenges.issue(), response, "HN-212")
    read = read_pushed(body, challenges, anchors, NOW)
    outcome = check(read, anchors)
    assert (read.verdict, outcome.contradictions, outcome.confirmed) == (verdict, (), True)
    if verdict is Verdict.CANNOT_TELL:
        skipped = {
            f"checks__{name}": "not_supported" for name, state in asdict(read.checks).items() if state == "not_done"
        }
        lie = resigned(evidence(read), verdict="genuine" if answered else "data_authentic", **skipped)
        assert check_evidence(open_evidence(lie), anchors, STATION_KEY).confirmed is False


def test_without_an_anchor_then_but_with_one_now_more_can_be_said(all_reads, anchors):
    outcome = check(all_reads["no_anchor"][0], anchors)
    assert (outcome.confirmed, outcome.verdict_now, outcome.now.chain) == (True, Verdict.GENUINE, CheckState.PASSED)


def test_a_foreign_card_read_without_anchors_is_not_confirmed_with_them(anchors):
    foreign = card(pki=TestPki(NOW, name="Elsewhere"))
    assert check(read_of(foreign, None), None).confirmed is True
    outcome = check(read_of(foreign, None), anchors)
    assert (outcome.confirmed, outcome.contradictions) == (False, ("CHAIN",))
    assert outcome.verdict_now is Verdict.FORGED


def test_a_chain_is_not_believed_without_anchors(genuine):
    outcome = check(genuine, None)
    assert (outcome.confirmed, outcome.contradictions) == (False, ("CHAIN",))
    assert outcome.verdict_now is Verdict.CANNOT_TELL


def test_the_chain_is_judged_at_the_recorded_time(anchors):
    file = resigned(evidence(read_of(card(), anchors)), read_at=(NOW - timedelta(days=4000)).isoformat())
    outcome = check_evidence(open_evidence(file), anchors, STATION_KEY)
    assert outcome.confirmed is False and "CHAIN" in outcome.contradictions


def test_a_revoked_signer_is_told(tmp_path):
    data = signed(card(), authority().revoked_signer)
    outcome = check(read_of(data, None), anchors_in(tmp_path))
    assert (outcome.confirmed, outcome.now.chain) == (False, CheckState.FAILED)


def test_another_station_is_told(genuine, anchors):
    other = Ed25519PrivateKey.generate()
    record = open_evidence(evidence(genuine, other))
    unknown = check_evidence(record, anchors)
    assert (unknown.confirmed, unknown.station_trusted) == (True, None)
    assert "station_key" in unknown.on_station_word
    wrong = check_evidence(record, anchors, STATION_KEY)
    assert (wrong.confirmed, wrong.station_trusted, wrong.contradictions) == (False, False, ("STATION_KEY",))


FLIPPED = base64.b64encode(bytes(64)).decode()
LIES = {
    "better_than_a_copy": ("copy", {"verdict": "genuine"}),
    "worse_than_genuine": ("genuine", {"verdict": "forged"}),
    "passed_after_all": ("copy", {"checks__active_authentication": "passed", "verdict": "genuine"}),
    "hashes_after_all": ("changed", {"checks__hashes": "passed", "verdict": "genuine", "findings": []}),
    "chain_after_all": ("foreign", {"checks__chain": "passed", "verdict": "genuine", "findings": []}),
    "no_chain": ("foreign", {"checks__chain": "no_anchor", "verdict": "cannot_tell", "findings": []}),
    "never_asked": ("copy", {"checks__active_authentication": "not_done", "verdict": "cannot_tell"}),
    "no_key_then": (
        "copy",
        {"checks__active_authentication": "not_supported", "active_authentication": None, "verdict": "genuine"},
    ),
    "no_chip_key": ("genuine", {"checks__chip_authentication": "not_supported"}),
    "other_hash": ("genuine", {"hashes__DG1": "00" * 32}),
    "other_algorithm": ("genuine", {"hash_algorithm": "sha512"}),
    "other_challenge": ("genuine", {"active_authentication__challenge": base64.b64encode(bytes(8)).decode()}),
    "other_response": ("genuine", {"active_authentication__response": FLIPPED}),
    "no_transcript": ("genuine", {"active_authentication": None}),
    "other_key": ("genuine", {"dg15": base64.b64encode(b"\x6f\x00").decode()}),
    "no_key": ("genuine", {"dg15": None}),
    "no_dg14": ("genuine", {"dg14": None}),
    "no_sod": ("genuine", {"sod": None}),
    "other_issuer": ("genuine", {"issuer": "0" * 16}),
    "no_issuer": ("genuine", {"issuer": None}),
}


@pytest.mark.parametrize("name", LIES)
def test_a_station_cannot_claim_more_than_its_proofs(all_reads, anchors, name):
    kind, changes = LIES[name]
    outcome = check_evidence(open_evidence(resigned(evidence(all_reads[kind][0]), **changes)), anchors, STATION_KEY)
    assert outcome.confirmed is False and outcome.contradictions


@given(st.data())
def test_no_byte_can_be_changed(data):
    file = evidence(read_of(card(), None))
    at = data.draw(st.integers(0, len(file) - 1))
    changed = file[:at] + bytes((file[at] ^ data.draw(st.integers(1, 255)),)) + file[at + 1 :]
    with pytest.raises(BadEvidence):
        open_evidence(changed)


def test_every_bit_of_the_envelope_counts():
    file = evidence(read_of(card(BARE), None))
    edges = [*range(40), *range(len(file) - 110, len(file))]
    for at in edges:
        for bit in range(8):
            with pytest.raises(BadEvidence):
                open_evidence(file[:at] + bytes((file[at] ^ 1 << bit,)) + file[at + 1 :])


@given(st.binary(max_size=300) | st.text(max_size=99).map(lambda text: json.dumps({"record": text}).encode()))
def test_any_other_file_is_refused(file):
    with pytest.raises(BadEvidence):
        open_evidence(file)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"kind": "events"},
        {"sod": "*"},
        {"verdict": "fine"},
        {"hashes": {"DG1": "x"}},
        {"read_at": "2026-11-02T00:00:00"},
        {"station_key__ed25519": "AAAA"},
        {"hash_algorithm": "md5"},
    ],
    ids=["version", "kind", "base64", "verdict", "hash", "no_zone", "short_key", "md5"],
)
def test_a_signed_record_of_another_shape_is_refused(genuine, changes):
    with pytest.raises(BadEvidence) as refusal:
        open_evidence(resigned(evidence(genuine), **changes))
    assert refusal.value.code == "BAD_EVIDENCE"


def test_a_huge_file_is_refused():
    with pytest.raises(BadEvidence):
        open_evidence(b"{" * (MAX_FILE + 1))


def test_a_forger_cannot_make_evidence_too_large_to_open(genuine, anchors):
    full = {
        name: tlv.encode(tag, bytes(0xFFFF - 5)) for name, tag in (("EF.SOD", 0x77), ("DG14", 0x6E), ("DG15", 0x6F))
    }
    record = open_evidence(evidence(replace(genuine, files=full)))
    assert (record.sod, record.dg14, record.dg15) == tuple(full.values())
    assert check_evidence(record, anchors).verdict_now is Verdict.FORGED


def test_white_space_around_the_file_is_no_matter(genuine):
    assert open_evidence(b"\n" + evidence(genuine) + b"\r\n").verdict is Verdict.GENUINE


def test_the_report_holds_what_was_recorded_and_what_is_now(all_reads, anchors):
    record = open_evidence(evidence(all_reads["no_anchor"][0]))
    report = confirmation_json(record, check_evidence(record, anchors))
    assert json.loads(json.dumps(report)) == report
    assert report["checks"]["chain"] == {"recorded": "no_anchor", "now": "passed"}
    assert (report["verdict"], report["verdict_now"]) == ("cannot_tell", "genuine")
    assert base64.b64decode(report["station_key"]["ed25519"]) == STATION_KEY
    assert (report["station_key"]["id"], report["facility"], report["error"]) == ("key-7", "93002", None)
