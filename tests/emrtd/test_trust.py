"""Loading of anchors in every form, and chains from document signers to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import asn1, tlv
from kiosk.emrtd.certificates import Certificate, RevocationList
from kiosk.emrtd.chain import check_chain
from kiosk.emrtd.errors import DataError, EmrtdError
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.results import CheckState
from kiosk.emrtd.trust import TrustAnchors, TrustError, load_anchors
from simulators.chip_keys import Scheme
from simulators.chip_pki import TestPki
from tests.emrtd import small_pki as pki
from tests.emrtd.small_pki import BEGIN, END, NOW, SIGNED, Party, der, integer, issue, oid, revoke

ROOT = issue("CSCA", authority=True)
SIGNER = issue("Document Signer", ROOT)
STRANGER = issue("Other CSCA", authority=True)
YEAR = timedelta(days=365)
MASTER_LIST = "2.23.136.1.1.2"
MASTER_LIST_SIGNER = (x509.ExtendedKeyUsage([ObjectIdentifier("2.23.136.1.1.3")]), True)


def pem(party: Party) -> bytes:
    return party.certificate.public_bytes(Encoding.PEM)


def anchors_of(*parties: Party, crls: tuple[bytes, ...] = ()) -> TrustAnchors:
    return TrustAnchors.of([Certificate.load(each.der) for each in parties], [RevocationList.load(crl) for crl in crls])


def chain(
    signer: Party, anchors: TrustAnchors | None, when: datetime | None = SIGNED, now: datetime = NOW
) -> tuple[CheckState, tuple[Finding, ...]]:
    check = check_chain(Certificate.load(signer.der), anchors, signing_time=when, now=now)
    return check.state, check.findings


def failed(*findings: Finding) -> tuple[CheckState, tuple[Finding, ...]]:
    return CheckState.FAILED, findings


def passed(*findings: Finding) -> tuple[CheckState, tuple[Finding, ...]]:
    return CheckState.PASSED, findings


def master_list(*parties: bytes, signer: Party, others: tuple[bytes, ...] = ()) -> bytes:
    content = der(0x30, integer(0), der(0x31, *parties))
    info = pki.signer_info(signer, pki.attributes(content, content_type=MASTER_LIST))
    return pki.signed_data(content, [info], [signer.der, *others], kind=MASTER_LIST)


# --- loading ---


def test_a_pem_file_of_several(tmp_path: Path) -> None:
    path = tmp_path / "anchors.pem"
    path.write_bytes(b"Issuing authorities\r\n" + pem(ROOT).replace(b"\n", b"\r\n") + b"and\n" + pem(STRANGER) * 2)
    anchors = load_anchors(path)
    assert {each.der for each in anchors.roots} == {ROOT.der, STRANGER.der}
    assert len(anchors.roots) == 2
    assert anchors.findings == ()


def test_a_folder_of_everything(tmp_path: Path) -> None:
    link = issue("CSCA", ROOT, authority=True)
    signing = issue("Master List Signer", STRANGER, extra=(MASTER_LIST_SIGNER,))
    listed = issue("Third CSCA", authority=True)
    (tmp_path / "a.cer").write_bytes(ROOT.der)
    (tmp_path / "b.pem").write_bytes(pem(link) + pem(SIGNER))
    (tmp_path / "c.crl").write_bytes(revoke(ROOT, 7))
    (tmp_path / "d.pem").write_bytes(x509.load_der_x509_crl(revoke(STRANGER, 9)).public_bytes(Encoding.PEM))
    (tmp_path / "e.ml").write_bytes(master_list(listed.der, STRANGER.der, signer=signing))
    (tmp_path / "f.cer").write_bytes(STRANGER.der)
    (tmp_path / ".hidden").write_bytes(b"not looked at")
    (tmp_path / "Readme.TXT").write_text("where these come from")
    (tmp_path / "notes.md").write_text("nor is this")
    anchors = load_anchors(tmp_path)
    assert {each.der for each in anchors.roots} == {ROOT.der, STRANGER.der, listed.der}
    assert [each.der for each in anchors.links] == [link.der]
    assert [each.der for each in anchors.signers] == [SIGNER.der]
    assert sorted(min(each.revoked) for each in anchors.crls) == [7, 9]
    assert anchors.findings == ()


def test_an_empty_folder_is_no_anchor(tmp_path: Path) -> None:
    assert load_anchors(tmp_path) == TrustAnchors()
    assert chain(SIGNER, load_anchors(tmp_path)) == (CheckState.NO_ANCHOR, ())


def test_a_master_list_on_the_operators_word(tmp_path: Path) -> None:
    signing = issue("Master List Signer", ROOT, extra=(MASTER_LIST_SIGNER,))
    oddity = der(0x30, integer(1))
    (tmp_path / "list.ml").write_bytes(master_list(ROOT.der, oddity, signer=signing, others=(ROOT.der,)))
    anchors = load_anchors(tmp_path / "list.ml")
    assert [each.der for each in anchors.roots] == [ROOT.der]
    assert anchors.findings == (Finding.MASTER_LIST_UNVERIFIED, Finding.ANCHOR_SKIPPED)


def test_a_master_list_of_indefinite_length(tmp_path: Path) -> None:
    signing = issue("Master List Signer", ROOT, extra=(MASTER_LIST_SIGNER,))
    inside = tlv.expect(master_list(ROOT.der, signer=signing), 0x30)
    (tmp_path / "list.ml").write_bytes(b"\x30\x80" + inside + b"\x00\x00")
    assert [each.der for each in load_anchors(tmp_path).roots] == [ROOT.der]


def test_a_master_list_signed_by_a_document_signer_is_unverified(tmp_path: Path) -> None:
    (tmp_path / "root.cer").write_bytes(ROOT.der)
    (tmp_path / "list.ml").write_bytes(master_list(STRANGER.der, signer=SIGNER))
    assert load_anchors(tmp_path).findings == (Finding.MASTER_LIST_UNVERIFIED,)


def test_a_master_list_that_was_changed(tmp_path: Path) -> None:
    signing = issue("Master List Signer", ROOT, extra=(MASTER_LIST_SIGNER,))
    good = master_list(ROOT.der, signer=signing)
    (tmp_path / "list.ml").write_bytes(good.replace(ROOT.der, ROOT.der[:-1] + bytes((ROOT.der[-1] ^ 1,)), 1))
    with pytest.raises(TrustError, match=r"list\.ml"):
        load_anchors(tmp_path)


@pytest.mark.parametrize("form", ["pem", "der", "master_list"])
def test_what_the_simulated_authority_writes(form: str, tmp_path: Path) -> None:
    authority = TestPki(NOW, Scheme("brainpoolP384r1", "sha384", explicit=True)).roll_over()
    anchors = load_anchors(authority.write_anchors(tmp_path / "anchors", form))  # type: ignore[arg-type]
    assert [each.der for each in anchors.roots] == [authority.csca.certificate]
    assert {each.der for each in anchors.links} == set(authority.links)
    assert len(anchors.crls) == 1
    for signer, expected in (
        (authority.document_signer(), passed()),
        (authority.revoked_signer, failed(Finding.DS_REVOKED)),
    ):
        check = check_chain(Certificate.load(signer.certificate), anchors, signing_time=SIGNED, now=NOW)
        assert (check.state, check.findings) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x30\x03\x02\x01\x00",
        ROOT.der[:-1],
        ROOT.der + b"\x00",
        b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMIIB\n",
        ROOT.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        pki.make_sod(pki.FILES, SIGNER)[4:],
    ],
    ids=[
        "empty", "text", "other DER", "cut off", "more behind", "damaged PEM", "PEM cut off", "private key", "a SOD",
    ],
)  # fmt: skip
def test_a_file_that_is_no_anchor_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "good.cer").write_bytes(ROOT.der)
    (tmp_path / "odd one.bin").write_bytes(content)
    with pytest.raises(TrustError, match=r"odd one\.bin") as raised:
        load_anchors(tmp_path)
    assert isinstance(raised.value, EmrtdError)
    assert raised.value.code == "TRUST_ERROR"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="absent"):
        load_anchors(tmp_path / "absent")
    (tmp_path / "folder").mkdir()
    with pytest.raises(TrustError, match="folder"):
        load_anchors(tmp_path)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(16 * 1024 * 1024)
    with pytest.raises(TrustError, match="16 MiB"):
        load_anchors(tmp_path / "large")


@given(st.binary(max_size=300))
def test_any_bytes_as_a_certificate_or_list(data: bytes) -> None:
    for load in (Certificate.load, RevocationList.load):
        with pytest.raises(DataError):
            load(data)


CRL = revoke(ROOT, 1, 2)


@given(st.integers(0, 255), st.integers(0, 10_000))
def test_damaged_certificates_and_lists(value: int, at: int) -> None:
    for load, good in ((Certificate.load, SIGNER.der), (RevocationList.load, CRL)):
        data = bytearray(good)
        data[at % len(good)] = value
        try:
            loaded = load(bytes(data))
            assert not Certificate.load(ROOT.der).signed(loaded) or bytes(data) == good
        except DataError:
            continue


# --- authorities ---


@pytest.mark.parametrize(
    "party",
    [
        issue("Not a CA"),
        issue("No keyCertSign", authority=True, usage="documents"),
        issue("Unknown critical part", authority=True, extra=(pki.critical("1.2.3.4"),)),
    ],
    ids=lambda party: party.certificate.subject.rfc4514_string(),
)
def test_self_signed_but_no_authority(party: Party) -> None:
    anchors = anchors_of(party)
    assert (anchors.roots, anchors.findings) == ((), (Finding.ANCHOR_SKIPPED,))
    assert chain(issue("Document Signer", party), anchors) == (CheckState.NO_ANCHOR, ())


def test_an_authority_that_only_claims_to_have_signed_itself_is_no_root() -> None:
    other = Party(ROOT.certificate, pki.ec_key())
    pretender = issue("CSCA", other, authority=True)
    anchors = anchors_of(pretender)
    assert anchors.roots == ()
    assert chain(issue("Document Signer", pretender), anchors) == (CheckState.NO_ANCHOR, ())


def test_sha1_in_a_self_signature_does_not_matter() -> None:
    old = TestPki(NOW, Scheme("rsa-2048", "sha1"))
    anchors = TrustAnchors.of([Certificate.load(old.csca.certificate)])
    assert len(anchors.roots) == 1


@pytest.mark.parametrize(
    "crl",
    [revoke(STRANGER, 1), revoke(Party(ROOT.certificate, pki.ec_key()), 1)],
    ids=["of another authority", "of another key"],
)
def test_a_revocation_list_that_no_authority_signed(crl: bytes) -> None:
    anchors = anchors_of(ROOT, crls=(crl,))
    assert (anchors.crls, anchors.findings) == ((), (Finding.CRL_UNUSABLE,))


def test_a_revocation_list_of_changes_only_is_not_understood() -> None:
    anchors = anchors_of(ROOT, crls=(revoke(ROOT, 1, extra=x509.DeltaCRLIndicator(1)),))
    assert (anchors.crls, anchors.findings) == ((), (Finding.CRL_UNUSABLE,))


# --- chains ---


@pytest.mark.parametrize(
    "key",
    [pki.rsa_key(), pki.ec_key(ec.SECP224R1()), pki.ec_key(ec.BrainpoolP512R1())],
    ids=["RSA", "secp224r1", "brainpoolP512r1"],
)
@pytest.mark.parametrize("digest", ["sha224", "sha256", "sha384", "sha512"])
def test_a_chain_of_each_algorithm(key: ec.EllipticCurvePrivateKey, digest: str) -> None:
    root = issue("CSCA", authority=True, key=key, digest=digest)
    assert chain(issue("Document Signer", root, digest=digest), anchors_of(STRANGER, root)) == passed()


@pytest.mark.parametrize(
    "scheme",
    [Scheme("rsa-2048", "sha256", pss=True), Scheme("brainpoolP384r1", "sha384", explicit=True)],
    ids=["PSS", "written-out curve"],
)
def test_a_chain_of_the_simulated_authority(scheme: Scheme) -> None:
    authority = TestPki(NOW, scheme)
    anchors = TrustAnchors.of([Certificate.load(authority.csca.certificate)])
    signer = Certificate.load(authority.document_signer().certificate)
    assert check_chain(signer, anchors, signing_time=None, now=NOW).state is CheckState.PASSED


def test_sha1_above_the_signer_is_refused_unless_allowed() -> None:
    authority = TestPki(NOW, Scheme("rsa-2048", "sha1"))
    anchors = TrustAnchors.of([Certificate.load(authority.csca.certificate)])
    signer = Certificate.load(authority.document_signer().certificate)
    refused = check_chain(signer, anchors, signing_time=None, now=NOW)
    assert (refused.state, refused.findings) == failed(Finding.ALGORITHM_REFUSED)
    assert check_chain(signer, anchors, signing_time=None, now=NOW, allow_sha1=True).state is CheckState.PASSED


def test_without_anchors() -> None:
    assert chain(SIGNER, None) == chain(SIGNER, TrustAnchors()) == (CheckState.NO_ANCHOR, ())


def test_without_key_identifiers_the_name_counts() -> None:
    root = issue("CSCA", authority=True, key_ids=False)
    signer = issue("Document Signer", root, key_ids=False)
    assert chain(signer, anchors_of(ROOT, root)) == passed()  # two authorities of one name


def test_an_issuer_that_nobody_knows() -> None:
    assert chain(SIGNER, anchors_of(STRANGER)) == failed(Finding.ISSUER_UNKNOWN)
    next_generation = issue("CSCA", authority=True)
    assert chain(issue("Document Signer", next_generation), anchors_of(ROOT)) == failed(Finding.ISSUER_UNKNOWN)
    assert chain(issue("Document Signer"), anchors_of(ROOT)) == failed(Finding.ISSUER_UNKNOWN)


def test_a_forger_who_names_the_true_authority() -> None:
    forger = Party(ROOT.certificate, pki.ec_key())
    signer = issue("Document Signer", forger, key_ids=False)
    assert chain(signer, anchors_of(ROOT)) == failed(Finding.CHAIN_BROKEN)


def test_a_signer_cannot_make_signers() -> None:
    assert chain(issue("Document Signer", SIGNER), anchors_of(ROOT, SIGNER)) == failed(Finding.ISSUER_UNKNOWN)


@pytest.mark.parametrize(
    "signer",
    [
        issue("CSCA", ROOT, authority=True),
        issue("Signer", ROOT, usage="certs"),
        issue("Signer", ROOT, extra=(MASTER_LIST_SIGNER,)),
        issue("Signer", ROOT, extra=((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),)),
        issue("Signer", ROOT, extra=(pki.critical("1.2.3.4"),)),
        ROOT,
    ],
    ids=["link", "usage of an authority", "master list signer", "web server", "unknown critical part", "root"],
)
def test_certificates_for_something_else(signer: Party) -> None:
    assert chain(signer, anchors_of(ROOT)) == failed(Finding.CERTIFICATE_USAGE)


def test_without_key_usage_anything_goes() -> None:
    assert chain(issue("Signer", ROOT, usage=""), anchors_of(ROOT)) == passed()


def test_links_lead_from_the_old_key_to_the_new() -> None:
    second = issue("CSCA", authority=True)
    third = issue("CSCA", authority=True)
    links = [
        issue("CSCA", ROOT, key=second.key, authority=True),
        issue("CSCA", second, key=third.key, authority=True),
    ]
    signer = issue("Document Signer", third)
    assert chain(signer, anchors_of(ROOT, *links)) == passed()
    assert chain(signer, anchors_of(ROOT, links[1])) == failed(Finding.ISSUER_UNKNOWN)
    assert chain(signer, anchors_of(*links)) == (CheckState.NO_ANCHOR, ())
    revoked = revoke(ROOT, links[0].certificate.serial_number)
    assert chain(signer, anchors_of(ROOT, *links, crls=(revoked,))) == failed(Finding.DS_REVOKED)


def test_links_in_a_circle_end() -> None:
    one, two = issue("CSCA", authority=True), issue("CSCA", authority=True)
    circle = [issue("CSCA", one, key=two.key, authority=True), issue("CSCA", two, key=one.key, authority=True)]
    assert chain(issue("Document Signer", one), anchors_of(STRANGER, *circle)) == failed(Finding.ISSUER_UNKNOWN)


# --- time and revocation ---

SHORT = issue("Document Signer", ROOT, begin=BEGIN, end=BEGIN + YEAR)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (BEGIN, passed()),
        (BEGIN + YEAR, passed()),
        (BEGIN - timedelta(seconds=1), failed(Finding.DS_NOT_VALID, Finding.CSCA_NOT_VALID)),
        (BEGIN + YEAR + timedelta(seconds=1), failed(Finding.DS_NOT_VALID)),
        (None, passed(Finding.DS_EXPIRED)),
    ],
    ids=["first moment", "last moment", "before", "after", "unknown"],
)
def test_an_expired_signer_counts_if_it_was_valid_when_it_signed(
    when: datetime | None, expected: tuple[CheckState, tuple[Finding, ...]]
) -> None:
    assert chain(SHORT, anchors_of(ROOT), when) == expected


def test_the_authority_must_have_been_valid_when_the_signer_signed() -> None:
    root = issue("CSCA", authority=True, begin=BEGIN, end=BEGIN + YEAR)
    signer = issue("Document Signer", root)
    assert chain(signer, anchors_of(root), BEGIN + YEAR / 2) == passed()
    assert chain(signer, anchors_of(root), BEGIN + 2 * YEAR) == failed(Finding.CSCA_NOT_VALID)
    assert chain(signer, anchors_of(root), None) == passed()
    renewed = issue("CSCA", authority=True, key=root.key)
    assert chain(signer, anchors_of(root, renewed), BEGIN + 2 * YEAR) == passed()


def test_an_old_key_may_have_expired_since_its_link() -> None:
    old = issue("CSCA", authority=True, begin=BEGIN, end=BEGIN + 2 * YEAR)
    new = issue("CSCA", authority=True, begin=BEGIN + YEAR)
    signer = issue("Document Signer", new, begin=BEGIN + YEAR)
    for begin, expected in ((BEGIN + YEAR, passed()), (BEGIN + 3 * YEAR, failed(Finding.CSCA_NOT_VALID))):
        link = issue("CSCA", old, key=new.key, authority=True, begin=begin)
        assert chain(signer, anchors_of(old, link), BEGIN + 4 * YEAR) == expected


def test_names_of_a_hostile_length_are_compared_as_they_stand() -> None:
    one, other = (der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), der(0x0C, text * 3000)))) for text in (b"a", b"A"))
    assert asn1.name_key(one) == one
    assert not asn1.same_name(one, other)
    short, respelt = (pki.name(text).public_bytes() for text in ("Test CSCA", "TEST  csca"))
    assert asn1.same_name(short, respelt)


def test_nothing_is_signed_in_the_future() -> None:
    later = issue("Document Signer", ROOT, begin=NOW + timedelta(days=3))
    assert chain(SIGNER, anchors_of(ROOT), NOW + timedelta(hours=23)) == passed()
    assert chain(SIGNER, anchors_of(ROOT), NOW + timedelta(days=2)) == failed(Finding.SIGNED_IN_FUTURE)
    assert chain(later, anchors_of(ROOT), None) == failed(Finding.SIGNED_IN_FUTURE)


def test_seen_from_the_end_of_time() -> None:
    assert chain(SIGNER, anchors_of(ROOT), SIGNED, datetime.max.replace(tzinfo=UTC)) == passed()


def test_revoked_signers() -> None:
    serial = SIGNER.certificate.serial_number
    assert chain(SIGNER, anchors_of(ROOT, crls=(revoke(ROOT, 5, serial),))) == failed(Finding.DS_REVOKED)
    assert chain(SIGNER, anchors_of(ROOT, crls=(revoke(ROOT, 5),))) == passed()
    assert chain(SIGNER, anchors_of(ROOT, STRANGER, crls=(revoke(STRANGER, serial),))) == passed()


def test_a_stale_list_still_revokes() -> None:
    serial = SIGNER.certificate.serial_number
    old, new = revoke(ROOT, next_update=BEGIN + YEAR), revoke(ROOT, next_update=END)
    assert chain(SIGNER, anchors_of(ROOT, crls=(old,))) == passed(Finding.CRL_STALE)
    assert chain(SIGNER, anchors_of(ROOT, crls=(old, new))) == passed()
    revoking = revoke(ROOT, serial, next_update=BEGIN + YEAR)
    assert chain(SIGNER, anchors_of(ROOT, crls=(revoking, new))) == failed(Finding.DS_REVOKED)
