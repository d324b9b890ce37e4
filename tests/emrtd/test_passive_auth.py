"""Passive Authentication as a whole: true cards, every forgery known, and every byte flipped."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.emrtd import tlv
from kiosk.emrtd.certificates import Certificate, RevocationList
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.passive_auth import PassiveResult, check, check_card_security
from kiosk.emrtd.results import Checks, CheckState, Verdict
from kiosk.emrtd.sod import Sod, hashes_match, parse_sod
from kiosk.emrtd.trust import TrustAnchors
from kiosk.emrtd.verdict import anti_clone_findings, judge
from simulators import chip_files
from simulators.chip_keys import Scheme
from simulators.chip_person import CardPerson
from simulators.chip_pki import TestPki
from tests.emrtd import small_pki as pki
from tests.emrtd.small_pki import FILES, NOW, der, integer, issue, make_sod, oid, revoke

PASSED, FAILED, NOT_DONE, NO_ANCHOR = (
    CheckState.PASSED,
    CheckState.FAILED,
    CheckState.NOT_DONE,
    CheckState.NO_ANCHOR,
)
ROOT = issue("CSCA", authority=True)
SIGNER = issue("Document Signer", ROOT)
SOD = make_sod(FILES, SIGNER)
CARD = {**FILES, "EF.SOD": SOD}
ANCHORS = TrustAnchors.of([Certificate.load(ROOT.der)])
SHA256_OF_SIGNER = Certificate.load(SIGNER.der).fingerprint


def states(result: PassiveResult) -> tuple[CheckState, CheckState, CheckState]:
    return result.hashes, result.signature, result.chain


def verdict(result: PassiveResult) -> Verdict:
    """Of a card without keys against copies."""
    absent = CheckState.NOT_SUPPORTED
    return judge(Checks(*states(result), absent, absent, PASSED), result.findings)


def test_a_true_card() -> None:
    result = check(CARD, ANCHORS, NOW)
    assert result == PassiveResult(
        PASSED, PASSED, PASSED, SHA256_OF_SIGNER[:16], frozenset({"DG1", "DG13", "DG15"}), ()
    )
    assert verdict(result) is Verdict.DATA_AUTHENTIC


def test_without_an_anchor() -> None:
    for anchors in (None, TrustAnchors()):
        result = check(CARD, anchors, NOW)
        assert states(result) == (PASSED, PASSED, NO_ANCHOR)
        assert verdict(result) is Verdict.CANNOT_TELL


def test_files_that_are_signed_for_but_were_not_read() -> None:
    result = check({"DG1": FILES["DG1"], "EF.SOD": SOD}, ANCHORS, NOW)
    assert states(result) == (PASSED, PASSED, PASSED)
    assert anti_clone_findings(result.covered, {"DG1", "EF.SOD"}) == (Finding.ANTI_CLONE_KEY_MISSING,)


def test_nothing_but_the_sod() -> None:
    assert states(check({"EF.SOD": SOD, "EF.COM": b"\x60\x00"}, ANCHORS, NOW)) == (NOT_DONE, PASSED, PASSED)


def test_whoever_leaves_the_sod_out_has_made_the_data_up() -> None:
    made_up = {"DG1": FILES["DG1"], "DG13": FILES["DG13"]}
    result = check(made_up, ANCHORS, NOW)
    assert (states(result), result.findings) == ((FAILED, FAILED, NOT_DONE), (Finding.SOD_MISSING,))
    assert states(check(made_up, None, NOW)) == (FAILED, FAILED, NO_ANCHOR)
    assert verdict(result) is Verdict.FORGED


def test_a_sod_that_is_none() -> None:
    result = check({**FILES, "EF.SOD": b"\x77\x02\x30\x00"}, ANCHORS, NOW)
    assert (states(result), result.findings) == ((FAILED, FAILED, NOT_DONE), (Finding.SOD_MALFORMED,))
    assert verdict(result) is Verdict.FORGED


def test_another_cards_file() -> None:
    result = check({**CARD, "DG1": FILES["DG1"].replace(b"1", b"2")}, ANCHORS, NOW)
    assert (states(result), result.findings) == ((FAILED, PASSED, PASSED), (Finding.HASH_MISMATCH,))
    assert verdict(result) is Verdict.FORGED


def test_a_file_that_nobody_signed_for() -> None:
    result = check({**CARD, "DG2": b"\x75\x00"}, ANCHORS, NOW)
    assert (states(result), result.findings) == ((FAILED, PASSED, PASSED), (Finding.HASH_NOT_LISTED,))


def test_a_key_against_copies_that_nobody_signed_for_proves_nothing() -> None:
    card = {**CARD, "DG14": b"\x6e\x00"}
    result = check(card, ANCHORS, NOW)
    assert states(result) == (PASSED, PASSED, PASSED)
    findings = (*result.findings, *anti_clone_findings(result.covered, card))
    assert judge(Checks(*states(result), PASSED, PASSED, PASSED), findings) is Verdict.SUSPECTED_COPY


def test_a_forgers_own_authority() -> None:
    forged_root = issue("CSCA", authority=True)
    forged = {**FILES, "EF.SOD": make_sod(FILES, issue("Document Signer", forged_root), others=(forged_root.der,))}
    result = check(forged, ANCHORS, NOW)
    assert (states(result), result.findings) == ((PASSED, PASSED, FAILED), (Finding.ISSUER_UNKNOWN,))
    assert verdict(result) is Verdict.FORGED
    assert verdict(check(forged, None, NOW)) is Verdict.CANNOT_TELL


def test_a_true_certificate_over_a_forgers_signature() -> None:
    forger = pki.Party(SIGNER.certificate, pki.ec_key())
    result = check({**FILES, "EF.SOD": make_sod(FILES, forger)}, ANCHORS, NOW)
    assert (states(result), result.findings) == ((PASSED, FAILED, PASSED), (Finding.SIGNATURE_WRONG,))


def test_a_certificate_of_a_curve_nobody_can_check() -> None:
    signer = issue("Document Signer", ROOT, key=pki.ec_key(ec.SECP192R1()))
    result = check({**FILES, "EF.SOD": make_sod(FILES, signer)}, ANCHORS, NOW)
    assert (result.signature, result.findings) == (FAILED, (Finding.SIGNER_KEY_UNUSABLE,))


def test_the_signers_certificate_given_by_the_operator() -> None:
    content = pki.lds_security_object(FILES)
    bare = der(0x77, pki.signed_data(content, [pki.signer_info(SIGNER, pki.attributes(content))], []))
    card = {**FILES, "EF.SOD": bare}
    without = check(card, ANCHORS, NOW)
    assert (without.signature, without.chain, without.issuer) == (FAILED, NOT_DONE, None)
    assert without.findings == (Finding.SIGNER_UNKNOWN,)
    with_it = check(card, TrustAnchors.of([Certificate.load(ROOT.der), Certificate.load(SIGNER.der)]), NOW)
    assert states(with_it) == (PASSED, PASSED, PASSED)
    assert with_it.issuer == SHA256_OF_SIGNER[:16]


def test_a_revoked_signer_and_a_stale_list() -> None:
    root = Certificate.load(ROOT.der)
    for serials, next_update, expected in (
        ((SIGNER.certificate.serial_number,), pki.END, (FAILED, (Finding.DS_REVOKED,))),
        ((), pki.SIGNED, (PASSED, (Finding.CRL_STALE,))),
    ):
        crl = RevocationList.load(revoke(ROOT, *serials, next_update=next_update))
        result = check(CARD, TrustAnchors.of([root], [crl]), NOW)
        assert (result.chain, result.findings) == expected


def test_sha1_only_where_it_is_allowed() -> None:
    card = {**FILES, "EF.SOD": make_sod(FILES, SIGNER, digest="sha1")}
    refused = check(card, ANCHORS, NOW)
    assert (states(refused), refused.findings) == ((FAILED, FAILED, PASSED), (Finding.ALGORITHM_REFUSED,))
    assert states(check(card, ANCHORS, NOW, allow_sha1=True)) == (PASSED, PASSED, PASSED)


def test_md5_is_refused_everywhere() -> None:
    md5 = der(0x30, oid("1.2.840.113549.2.5"))
    content = der(0x30, integer(0), md5, der(0x30, der(0x30, integer(1), der(4, bytes(16)))))
    bad = der(0x77, pki.signed_data(content, [pki.signer_info(SIGNER, pki.attributes(content))], [SIGNER.der]))
    result = check({**FILES, "EF.SOD": bad}, ANCHORS, NOW, allow_sha1=True)
    assert (result.hashes, result.signature, result.findings) == (FAILED, FAILED, (Finding.ALGORITHM_REFUSED,))


# --- every byte ---


@pytest.mark.parametrize("name", ["DG1", "DG13", "DG15"])
def test_every_byte_of_a_file_flipped_through_the_whole_check(name: str) -> None:
    data = bytearray(FILES[name])
    for at in range(0, len(data), 1 if name == "DG1" else 13):
        data[at] ^= 0x01
        assert check({**CARD, name: bytes(data)}, None, NOW).hashes is FAILED
        data[at] ^= 0x01


def unsigned_parts(sod: bytes) -> set[int]:
    """Positions that no signature covers and that name nothing: what a flip there may go unnoticed in.

    These are the versions of SignedData and SignerInfo, the list of digest algorithms beside the signer's own (RFC 5652
    5.1), the NULL in the signer's digest algorithm (and in that of an RSA signature), and letter case in its name.
    """
    free: set[int] = set()

    def mark(part: bytes, start: int) -> int:
        at = sod.index(part, start)
        free.update(range(at, at + len(part)))
        return at + len(part)

    after = mark(integer(3) + der(0x31, pki.hash_algorithm("sha256")), 0)
    name = SIGNER.certificate.issuer.public_bytes()
    signer = sod.rindex(integer(1) + der(0x30, name, integer(SIGNER.certificate.serial_number)), after)
    identifier = mark(integer(1), signer)
    for label in (b"VN", b"CSCA"):
        mark(label, identifier)
    mark(b"\x05\x00", sod.index(oid(pki.HASHES["sha256"][0]), identifier))
    return free


def said(sod: Sod, result: PassiveResult) -> object:
    """All that a verdict, a record or a person could draw from a card's EF.SOD."""
    return sod.hashes, sod.digest, sod.version, sod.signed.content, result


@pytest.mark.parametrize("mask", [*(1 << bit for bit in range(8)), 0xFF], ids=hex)
def test_every_byte_of_the_sod_flipped(mask: int) -> None:
    """A flip is noticed, or it is in the few unsigned bytes and changes nothing of what is said."""
    true_result = check(CARD, ANCHORS, NOW)
    truth = said(parse_sod(SOD), true_result)
    unnoticed = set()
    for at in range(len(SOD)):
        data = bytearray(SOD)
        data[at] ^= mask
        result = check({**CARD, "EF.SOD": bytes(data)}, ANCHORS, NOW)
        if states(result) == (PASSED, PASSED, PASSED):
            assert said(parse_sod(bytes(data)), result) == truth
            unnoticed.add(at)
    assert unnoticed <= unsigned_parts(SOD)
    assert len(unnoticed) < 40


@pytest.mark.parametrize("mask", [0x01, 0x80], ids=hex)
def test_every_byte_of_the_sod_flipped_without_an_anchor(mask: int) -> None:
    """Without an anchor nobody vouches for the certificate: there a flip shows as another signer."""
    true_result = check(CARD, None, NOW)
    truth = said(parse_sod(SOD), true_result)
    certificate = range(SOD.index(SIGNER.der), SOD.index(SIGNER.der) + len(SIGNER.der))
    free = unsigned_parts(SOD)
    for at in range(len(SOD)):
        data = bytearray(SOD)
        data[at] ^= mask
        result = check({**CARD, "EF.SOD": bytes(data)}, None, NOW)
        if states(result) == (PASSED, PASSED, NO_ANCHOR):
            if at in certificate:
                assert said(parse_sod(bytes(data)), replace(result, issuer=true_result.issuer)) == truth
                assert result.issuer != true_result.issuer
            else:
                assert at in free
                assert said(parse_sod(bytes(data)), result) == truth


def test_a_sod_cut_off_anywhere_or_followed_by_padding() -> None:
    for end in range(0, len(SOD), 7):
        assert states(check({**CARD, "EF.SOD": SOD[:end]}, ANCHORS, NOW)) == (FAILED, FAILED, NOT_DONE)
    assert states(check({**CARD, "EF.SOD": SOD + bytes(20)}, ANCHORS, NOW)) == (PASSED, PASSED, PASSED)


# --- cards of the simulated authority ---

AUTHORITY = TestPki(NOW)
TRUSTED = TrustAnchors.of([Certificate.load(AUTHORITY.csca.certificate)], [RevocationList.load(AUTHORITY.crl)])
NAMES = {0x11D: "EF.SOD", 0x11E: "EF.COM", **{0x100 + number: f"DG{number}" for number in range(1, 17)}}


def files_of(card: chip_files.CardData) -> dict[str, bytes]:
    return {NAMES[fid]: data for fid, data in card.files.items() if NAMES[fid] != "DG3"}


def make_card(
    person: CardPerson, profile: chip_files.Profile = chip_files.CCCD_2021, authority: TestPki = AUTHORITY
) -> chip_files.CardData:
    return chip_files.personalise(person, authority, profile)


@pytest.fixture(scope="module")
def person() -> CardPerson:
    return CardPerson(
        citizen_id="099190000456",
        full_name="Trần Thị Mẫu",
        birth_date="1990-02-01",
        sex="F",
        address="Số 1, Xã Mẫu, Thành phố Mô Phỏng",
        issued_on=date(2022, 3, 4),
        expires_on=date(2030, 2, 1),
    )


@pytest.mark.parametrize(
    "profile",
    [
        chip_files.CCCD_2021,
        chip_files.CC_2024,
        chip_files.BAC_ONLY,
        chip_files.PASSPORT,
        replace(chip_files.CCCD_2021, signer=Scheme("rsa-2048", "sha256", pss=True), hash="sha512", named_by="key"),
        replace(chip_files.CCCD_2021, signer=Scheme("secp224r1", "sha224"), hash="sha224", signing_time=False),
    ],
    ids=["2021", "2024", "BAC only", "passport", "PSS", "without a time"],
)
def test_true_cards_of_another_maker(profile: chip_files.Profile, person: CardPerson) -> None:
    result = check(files_of(make_card(person, profile)), TRUSTED, NOW)
    assert (states(result), result.findings) == ((PASSED, PASSED, PASSED), ())
    assert {"DG1", "DG2", "DG14", "DG15"} <= result.covered


def test_every_byte_of_every_file_of_a_whole_card_flipped(person: CardPerson) -> None:
    files = files_of(make_card(person, chip_files.BENCHMARK))
    sod = parse_sod(files["EF.SOD"])
    groups = [name for name in files if name.startswith("DG")]
    assert {name: len(files[name]) for name in ("DG1", "DG2", "DG13")} == {"DG1": 95, "DG2": 15_000, "DG13": 700}
    missed = 0
    for name in groups:
        data = bytearray(files[name])
        for at in range(len(data)):
            data[at] ^= 0x01
            missed += hashes_match(sod, {name: bytes(data)}, [name])
            data[at] ^= 0x01
    assert hashes_match(sod, files, groups)
    assert missed == 0


def test_forgeries_of_another_maker(person: CardPerson) -> None:
    card = make_card(person)
    late = AUTHORITY.expired_on + timedelta(days=1)
    rival = TestPki(NOW, name="Test CSCA", key_id=AUTHORITY.csca.key_id)
    stranger = TestPki(NOW, country="UT")
    for forged, finding in (
        (chip_files.signed(card, AUTHORITY.revoked_signer), Finding.DS_REVOKED),
        (chip_files.signed(card, AUTHORITY.expired_signer, at=late), Finding.DS_NOT_VALID),
        (chip_files.signed(card, rival.document_signer()), Finding.CHAIN_BROKEN),
        (chip_files.signed(card, stranger.document_signer()), Finding.ISSUER_UNKNOWN),
    ):
        result = check(files_of(forged), TRUSTED, NOW)
        assert (states(result), result.findings) == ((PASSED, PASSED, FAILED), (finding,))
        assert verdict(check(files_of(forged), None, NOW)) is Verdict.CANNOT_TELL
    in_time = chip_files.signed(card, AUTHORITY.expired_signer, at=AUTHORITY.expired_on - timedelta(days=1))
    assert states(check(files_of(in_time), TRUSTED, NOW)) == (PASSED, PASSED, PASSED)


# --- EF.CardSecurity ---


def test_card_security_of_another_maker(person: CardPerson) -> None:
    card = make_card(person, chip_files.CAM)
    data = card.master_files[chip_files.CARD_SECURITY]
    result = check_card_security(data, TRUSTED, NOW)
    assert (result.signature, result.chain, result.findings) == (PASSED, PASSED, ())
    assert result.content[:1] == b"\x31"
    assert result.content in data
    assert check_card_security(data, None, NOW).chain is NO_ANCHOR
    assert check_card_security(data, ANCHORS, NOW).chain is FAILED
    forged = data.replace(result.content, result.content[:-1] + bytes((result.content[-1] ^ 1,)))
    assert check_card_security(forged, TRUSTED, NOW).signature is FAILED


def test_a_sod_is_no_card_security() -> None:
    with pytest.raises(DataError):
        check_card_security(tlv.expect(SOD, 0x77), ANCHORS, NOW)
