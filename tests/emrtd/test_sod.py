"""EF.SOD in every form of signers, and every way in which it is not one; OpenSSL signs and verifies too."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import asn1, signed_data, tlv
from kiosk.emrtd.certificates import Certificate
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.sod import hashes_match, parse_sod, verify_sod_signature
from simulators.chip_cms import signed_data as simulated
from simulators.chip_keys import Scheme
from simulators.chip_pki import TestPki
from tests.emrtd import small_pki as pki
from tests.emrtd.small_pki import FILES, LDS_SECURITY_OBJECT, der, integer, make_sod, oid

ROOT = pki.issue("CSCA", authority=True)
SIGNER = pki.issue("Document Signer", ROOT)
CONTENT = pki.lds_security_object(FILES)

KEYS = {
    "rsa": (pki.rsa_key, False),
    "pss": (pki.rsa_key, True),
    "p256": (pki.ec_key, False),
    "brainpool": (lambda: pki.ec_key(ec.BrainpoolP384R1()), False),
}


def sod_of(*signers: bytes, content: bytes = CONTENT, certificates: tuple[bytes, ...] = (SIGNER.der,)) -> bytes:
    return der(0x77, pki.signed_data(content, list(signers), list(certificates)))


def outcome(data: bytes) -> tuple[Finding, ...] | None:
    """None when the signature holds."""
    check = verify_sod_signature(parse_sod(data))
    return None if check.ok else check.findings


@pytest.mark.parametrize("digest", ["sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", sorted(KEYS))
def test_a_sod_of_each_algorithm(kind: str, digest: str) -> None:
    make, pss = KEYS[kind]
    signer = pki.issue("Document Signer", ROOT, key=make())
    sod = parse_sod(make_sod(FILES, signer, digest=digest, pss=pss))
    check = verify_sod_signature(sod)
    assert (sod.digest, sod.version, set(sod.hashes)) == (digest, 0, {"DG1", "DG13", "DG15"})
    assert check.ok
    assert check.findings == ()
    assert check.signer is not None
    assert check.signer.der == signer.der
    assert check.signing_time == pki.SIGNED
    assert hashes_match(sod, FILES, FILES)


def test_a_sod_of_version_1_without_a_time_named_by_the_key_among_other_certificates() -> None:
    data = make_sod(FILES, SIGNER, version=1, when=None, by_key=True, others=(ROOT.der, b"\x30\x03\x02\x01\x07"))
    sod = parse_sod(data + b"\x00" * 16)
    check = verify_sod_signature(sod)
    assert (sod.version, check.ok, check.signing_time) == (1, True, None)
    assert check.signer is not None
    assert check.signer.der == SIGNER.der


def test_names_spelt_differently_are_the_same_signer() -> None:
    subject = pki.name("CSCA")
    sod = make_sod(FILES, SIGNER)
    respelt = sod.replace(subject.public_bytes(), pki.name("csca").public_bytes())
    assert respelt != sod
    at = sod.rindex(subject.public_bytes())  # the last is the signer identifier's
    only_there = sod[:at] + respelt[at:]
    assert outcome(only_there) is None


def test_hashes_that_do_not_match() -> None:
    sod = parse_sod(make_sod(FILES, SIGNER))
    assert hashes_match(sod, FILES, ["DG1", "DG13"])
    assert not hashes_match(sod, FILES, ["DG1", "DG14"])
    assert not hashes_match(sod, {**FILES, "DG14": b"n"}, ["DG14"])
    assert not hashes_match(sod, {"DG1": FILES["DG1"]}, ["DG1", "DG13"])
    assert not hashes_match(sod, {"DG1": FILES["DG13"]}, ["DG1"])


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_byte_of_a_file_flipped(name: str) -> None:
    sod = parse_sod(make_sod(FILES, SIGNER))
    data = bytearray(FILES[name])
    for at in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            data[at] ^= mask
            assert not hashes_match(sod, {name: bytes(data)}, [name])
            data[at] ^= mask


def test_attributes_out_of_order_hold_in_either_reading() -> None:
    ordered = pki.attributes(CONTENT)
    backwards = ordered[::-1]
    as_written = pki.signer_info(SIGNER, backwards)
    sorted_when_signed = pki.signer_info(
        SIGNER, backwards, signature=pki.sign(SIGNER.key, "sha256", der(0x31, *ordered))
    )
    assert outcome(sod_of(as_written)) is None
    assert outcome(sod_of(sorted_when_signed)) is None


DIGEST_OF_OTHER = pki.attributes(CONTENT + b"x")
CONTENT_TYPE, TIME, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.4"


@pytest.mark.parametrize(
    "signed",
    [
        DIGEST_OF_OTHER,
        pki.attributes(CONTENT, content_type="1.2.840.113549.1.7.1"),
        pki.attributes(CONTENT)[:1],
        [each for each in pki.attributes(CONTENT) if oid(CONTENT_TYPE) not in each],
        [*pki.attributes(CONTENT), pki.attributes(CONTENT + b"x")[-1]],
        [pki.attribute(MESSAGE_DIGEST, b"\x04\x00"), pki.attribute(CONTENT_TYPE, oid(LDS_SECURITY_OBJECT))],
        [*pki.attributes(CONTENT, when=None), pki.attribute(TIME, der(0x17, b"yesterday"))],
        [*pki.attributes(CONTENT, when=None), pki.attribute(TIME)],
        [*pki.attributes(CONTENT, when=None), pki.attribute(TIME, der(0x17, b"210101000000Z"), integer(1))],
        [],
        [b"\x30\x00"],
    ],
    ids=[
        "digest of other content", "other content type", "one only", "no content type", "digest twice", "empty digest",
        "time that is none", "no time", "two times", "nothing", "not an attribute",
    ],
)  # fmt: skip
def test_attributes_that_do_not_belong_to_the_content(signed: list[bytes]) -> None:
    assert outcome(sod_of(pki.signer_info(SIGNER, signed))) == (Finding.SIGNED_ATTRIBUTES_WRONG,)


def test_a_signature_of_another_key() -> None:
    forger = pki.Party(SIGNER.certificate, pki.ec_key())
    assert outcome(sod_of(pki.signer_info(forger, pki.attributes(CONTENT)))) == (Finding.SIGNATURE_WRONG,)


def test_a_signature_over_the_content_itself_is_not_one_over_the_attributes() -> None:
    direct = pki.sign(SIGNER.key, "sha256", CONTENT)
    info = pki.signer_info(SIGNER, pki.attributes(CONTENT), signature=direct)
    assert outcome(sod_of(info)) == (Finding.SIGNATURE_WRONG,)


def test_signed_attributes_are_demanded() -> None:
    with_attributes = pki.signer_info(SIGNER, pki.attributes(CONTENT))
    block = der(0xA0, *pki.attributes(CONTENT))
    body = with_attributes[with_attributes.index(integer(1)) :].replace(block, b"")
    with pytest.raises(DataError):
        parse_sod(sod_of(der(0x30, body)))


def test_no_certificate_for_the_signer() -> None:
    data = sod_of(pki.signer_info(SIGNER, pki.attributes(CONTENT)), certificates=(ROOT.der,))
    assert outcome(data) == (Finding.SIGNER_UNKNOWN,)
    none = sod_of(pki.signer_info(SIGNER, pki.attributes(CONTENT)), certificates=())
    assert outcome(none) == (Finding.SIGNER_UNKNOWN,)
    given_from_outside = signed_data.verify(parse_sod(none).signed, given=[Certificate.load(SIGNER.der)])
    assert given_from_outside.ok


def test_of_several_signers_one_that_holds_suffices() -> None:
    good = pki.signer_info(SIGNER, pki.attributes(CONTENT))
    bad = pki.signer_info(pki.Party(SIGNER.certificate, pki.ec_key()), pki.attributes(CONTENT))
    assert outcome(sod_of(bad, good)) is None
    assert outcome(sod_of(bad, bad)) == (Finding.SIGNATURE_WRONG,)


def test_sha1_only_where_it_is_allowed() -> None:
    sod = parse_sod(make_sod(FILES, SIGNER, digest="sha1"))
    assert verify_sod_signature(sod).findings == (Finding.ALGORITHM_REFUSED,)
    assert verify_sod_signature(sod, allow_sha1=True).ok


def test_an_algorithm_that_is_not_known() -> None:
    info = pki.signer_info(SIGNER, pki.attributes(CONTENT), algorithm=der(0x30, oid("1.3.101.112")))
    assert outcome(sod_of(info)) == (Finding.ALGORITHM_REFUSED,)


def test_a_signer_whose_key_cannot_be_used() -> None:
    signer = pki.issue("Document Signer", ROOT, key=pki.ec_key(ec.SECP192R1()))
    assert outcome(make_sod(FILES, signer)) == (Finding.SIGNER_KEY_UNUSABLE,)


def lds(*pairs: bytes, version: int = 0, digest: bytes | None = None) -> bytes:
    content = der(0x30, integer(version), digest or pki.hash_algorithm("sha256"), der(0x30, *pairs))
    return sod_of(pki.signer_info(SIGNER, pki.attributes(content)), content=content)


def pair(number: int, size: int = 32) -> bytes:
    return der(0x30, integer(number), der(4, bytes(size)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x77\x00",
        b"\x6d" + make_sod(FILES, SIGNER)[1:],
        make_sod(FILES, SIGNER)[:-1],
        b"\x77\x80" + make_sod(FILES, SIGNER)[4:] + b"\x00\x00",
        der(0x77, b"\x30\x80" + oid("1.2.840.113549.1.7.2") + b"\x00\x00"),
        make_sod(FILES, SIGNER) + bytes(0x10000),
        der(0x77, pki.signed_data(CONTENT, [], [])),
        der(0x77, pki.signed_data(CONTENT, [pki.signer_info(SIGNER, pki.attributes(CONTENT))] * 5, [])),
        sod_of(pki.signer_info(SIGNER, pki.attributes(CONTENT)), certificates=(SIGNER.der,) * 17),
        der(0x77, pki.signed_data(CONTENT, [pki.signer_info(SIGNER, [])], [], kind="2.23.136.1.1.2")),
        lds(pair(1), pair(1)),
        lds(pair(0)),
        lds(pair(17)),
        lds(pair(1, 20)),
        lds(pair(1), version=2),
        lds(pair(1), version=1 << 40_000),
        lds(pair(1 << 40_000)),
        der(0x77, der(0x30, der(6, b"\xff" * 60_000 + b"\x01"))),
        lds(pair(1), digest=der(0x30, oid("1.2.840.113549.2.5"))),
        der(0x77, der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, der(0x30) * 3000))),
    ],
    ids=[
        "nothing", "empty", "other tag", "cut off", "indefinite", "indefinite inside", "too long", "no signer",
        "five signers", "seventeen certificates", "master list", "group twice", "group 0", "group 17", "short hash",
        "version 2", "huge version", "huge group", "huge identifier", "MD5", "not SignedData",
    ],
)  # fmt: skip
def test_what_is_no_sod(data: bytes) -> None:
    with pytest.raises(DataError):
        parse_sod(data)


GOOD = make_sod(FILES, SIGNER)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for whole in (data, der(0x77, data), der(0x77, der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, der(0x30, data))))):
        with contextlib.suppress(DataError):
            verify_sod_signature(parse_sod(whole))


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4), st.integers(0, 40))
def test_a_sod_with_damage(damage: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(GOOD)
    for at, value in damage:
        data[at] = value
    for whole in (bytes(data), bytes(data[: len(data) - cut])):
        with contextlib.suppress(DataError):
            verify_sod_signature(parse_sod(whole))


# --- foreign producers ---


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme("brainpoolP256r1", "sha256", explicit=True),
        Scheme("secp521r1", "sha512", explicit=True),
        Scheme("secp224r1", "sha224"),
        Scheme("rsa-2048", "sha256"),
        Scheme("rsa-2048", "sha384", pss=True),
    ],
    ids=["brainpool written out", "secp521r1 written out", "secp224r1", "RSA", "PSS"],
)
def test_a_sod_of_the_simulated_authority(scheme: Scheme) -> None:
    signer = TestPki(pki.NOW).document_signer(scheme)
    data = der(0x77, simulated(LDS_SECURITY_OBJECT, CONTENT, signer, signing_time=pki.SIGNED, named_by="key"))
    check = verify_sod_signature(parse_sod(data))
    assert check.ok
    assert check.signer is not None
    assert check.signer.der == signer.certificate


def openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


def write_signer(folder: Path, kind: str) -> pki.Party:
    make, _ = KEYS[kind]
    signer = pki.issue("Document Signer", ROOT, key=make())
    secret = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    (folder / "ds.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    (folder / "csca.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    (folder / "content").write_bytes(CONTENT)
    return signer


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_a_sod_signed_by_openssl(kind: str, tmp_path: Path) -> None:
    write_signer(tmp_path, kind)
    options = ["-keyopt", "rsa_padding_mode:pss"] if kind == "pss" else []
    openssl(
        "cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-econtent_type", LDS_SECURITY_OBJECT,
        "-outform", "DER", "-in", f"{tmp_path}/content", "-signer", f"{tmp_path}/ds.pem", "-inkey",
        f"{tmp_path}/key.pem", *options, "-out", f"{tmp_path}/sod",
    )  # fmt: skip
    sod = parse_sod(der(0x77, (tmp_path / "sod").read_bytes()))
    assert verify_sod_signature(sod).ok
    assert hashes_match(sod, FILES, FILES)


def streamed(folder: Path, kind: str) -> bytes:
    """A ContentInfo with indefinite lengths, its content in parts."""
    write_signer(folder, kind)
    return openssl(
        "cms", "-sign", "-binary", "-nodetach", "-stream", "-md", "sha256", "-econtent_type", LDS_SECURITY_OBJECT,
        "-outform", "DER", "-in", f"{folder}/content", "-signer", f"{folder}/ds.pem", "-inkey", f"{folder}/key.pem",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_a_sod_of_indefinite_lengths(kind: str, tmp_path: Path) -> None:
    data = streamed(tmp_path, kind)
    assert data[:2] == b"\x30\x80"
    sod = parse_sod(der(0x77, data))
    assert sod.signed.content == CONTENT
    assert verify_sod_signature(sod).ok
    for cut in range(len(data)):
        with pytest.raises(DataError):
            parse_sod(der(0x77, data[:cut]))


def test_a_content_in_parts_of_definite_length() -> None:
    parts = der(0x24, der(4, CONTENT[:50]), der(4), der(4, CONTENT[50:]))
    info = pki.signer_info(SIGNER, pki.attributes(CONTENT))
    fields = (
        integer(3),
        der(0x31, pki.hash_algorithm("sha256")),
        der(0x30, oid(LDS_SECURITY_OBJECT), der(0xA0, parts)),
        der(0xA0, SIGNER.der),
        der(0x31, info),
    )
    data = der(0x77, der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, der(0x30, *fields))))
    assert parse_sod(data).signed.content == CONTENT
    assert outcome(data) is None


def test_any_bytes_flipped_in_a_sod_of_indefinite_lengths(tmp_path: Path) -> None:
    data = bytearray(streamed(tmp_path, "p256"))
    for at in range(len(data)):
        data[at] ^= 0x80
        with contextlib.suppress(DataError):
            sod = parse_sod(der(0x77, bytes(data)))
            assert not verify_sod_signature(sod).ok or sod.signed.content == CONTENT
        data[at] ^= 0x80


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x80" * 30_000,
        b"\x30\x80" * 9 + bytes(18),
        b"\x04\x80\x00\x00",
        b"\x30\x80\x00",
        b"\x30\x80",
        b"\x30",
        b"",
    ],
    ids=["very deep", "nine levels", "primitive", "half an end", "no end", "no length", "nothing"],
)
def test_indefinite_lengths_that_cannot_be(data: bytes) -> None:
    with pytest.raises(DataError):
        asn1.definite(data)


def test_what_is_definite_stays_as_it_is() -> None:
    long_form = b"\x30\x82\x00\x04\x02\x81\x01\x05"
    assert asn1.definite(long_form + b"rest") == long_form + b"rest"
    assert asn1.definite(b"\x30\x80" + long_form + b"\x00\x00rest") == b"\x30\x08" + long_form + b"rest"


@pytest.mark.parametrize("curve", ["brainpoolP224r1", "brainpoolP320r1"])
def test_a_sod_of_openssl_on_a_curve_that_only_it_knows(curve: str, tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(CONTENT)
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-nodes", "-subj", "/C=VN/CN=Signer",
        "-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/ds.pem",
    )  # fmt: skip
    openssl(
        "cms", "-sign", "-binary", "-nodetach", "-md", "sha224", "-econtent_type", LDS_SECURITY_OBJECT,
        "-outform", "DER", "-in", f"{tmp_path}/content", "-signer", f"{tmp_path}/ds.pem", "-inkey",
        f"{tmp_path}/key.pem", "-out", f"{tmp_path}/sod",
    )  # fmt: skip
    check = verify_sod_signature(parse_sod(der(0x77, (tmp_path / "sod").read_bytes())))
    assert check.ok
    assert check.signer is not None
    assert check.signer.signed(check.signer)


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_openssl_agrees_with_our_test_authority(kind: str, tmp_path: Path) -> None:
    signer = write_signer(tmp_path, kind)
    sod = make_sod(FILES, signer, pss=KEYS[kind][1])
    (tmp_path / "cms").write_bytes(tlv.expect(sod, 0x77))
    content = openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{tmp_path}/cms", "-CAfile", f"{tmp_path}/csca.pem",
        "-purpose", "any",
    )  # fmt: skip
    assert content == CONTENT
