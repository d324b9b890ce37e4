"""The simulated authority, judged by OpenSSL: certificates, revocation, roll-over, master list, keys."""

from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulators.chip_keys import Scheme, make_key, public_key_info
from simulators.chip_pki import TestPki
from tests.simulators.chip.openssl_oracle import chain_error, openssl, pem_file, signed_content

NOW = datetime.now(UTC)
CURVES = (
    "secp192r1",
    "secp224r1",
    "secp256r1",
    "secp384r1",
    "secp521r1",
    "brainpoolP256r1",
    "brainpoolP384r1",
    "brainpoolP512r1",
)
AUTHORITIES = (
    Scheme("brainpoolP256r1", "sha256"),
    Scheme("secp384r1", "sha384"),
    Scheme("rsa-3072", "sha256"),
    Scheme("rsa-4096", "sha512", pss=True),
)
SIGNERS = (
    Scheme("brainpoolP256r1", "sha224"),
    Scheme("secp521r1", "sha512"),
    Scheme("rsa-2048", "sha256"),
    Scheme("rsa-2048", "sha384", pss=True),
)


def named(scheme):
    return f"{scheme.key}-{scheme.hash}{'-pss' if scheme.pss else ''}"


@pytest.fixture(scope="module")
def pki():
    return TestPki(NOW, Scheme("secp384r1", "sha384"))


@pytest.mark.parametrize("authority", AUTHORITIES, ids=named)
def test_signers_of_every_kind_descend_from_their_authority(authority, tmp_path):
    pki = TestPki(NOW, authority)
    anchors = pem_file(tmp_path / "csca.pem", pki.csca.certificate)
    for scheme in SIGNERS:
        signer = pem_file(tmp_path / "ds.pem", pki.document_signer(scheme).certificate)
        assert chain_error(signer, anchors) == ""


def test_the_revocation_list_names_the_revoked_signer_alone(pki, tmp_path):
    folder = pki.write_anchors(tmp_path, "pem")
    anchors, crl = str(folder / "csca.pem"), str(folder / "csca.crl")
    scheme = Scheme("secp256r1")
    sound = pem_file(tmp_path / "sound.pem", pki.document_signer(scheme).certificate)
    other = TestPki(NOW, Scheme("secp384r1"))
    assert openssl("crl", "-inform", "DER", "-noout", "-in", crl, "-CAfile", anchors).stderr == b"verify OK\n"
    assert chain_error(sound, anchors, "-crl_check", "-CRLfile", crl) == ""
    listed = x509.load_der_x509_crl(pki.crl)
    assert [entry.serial_number for entry in listed] == [serial(pki.revoked_signer)]
    assert listed.is_signature_valid(x509.load_der_x509_certificate(pki.csca.certificate).public_key())
    assert not listed.is_signature_valid(x509.load_der_x509_certificate(other.csca.certificate).public_key())


def serial(signer):
    return x509.load_der_x509_certificate(signer.certificate).serial_number


def test_the_expired_signer_was_valid_until_its_end(tmp_path):
    pki = TestPki(NOW, Scheme("secp256r1"))
    anchors = pem_file(tmp_path / "csca.pem", pki.csca.certificate)
    expired = pki.document_signer(Scheme("secp256r1"), not_after=pki.expired_on)
    signer = pem_file(tmp_path / "ds.pem", expired.certificate)
    assert chain_error(signer, anchors, at=pki.expired_on - timedelta(days=1)) == ""
    assert "certificate has expired" in chain_error(signer, anchors)
    ends = x509.load_der_x509_certificate(pki.expired_signer.certificate).not_valid_after_utc
    assert ends == pki.expired_on.replace(microsecond=0)


def test_another_authority_of_the_same_name_did_not_sign(pki, tmp_path):
    anchors = pem_file(tmp_path / "csca.pem", pki.csca.certificate)
    foreign = TestPki(NOW, Scheme("secp384r1"))
    impostor = TestPki(NOW, Scheme("secp384r1"), key_id=pki.csca.key_id)
    for other in (foreign, impostor):
        assert other.csca.name == pki.csca.name
        signer = pem_file(tmp_path / "ds.pem", other.document_signer(Scheme("secp256r1")).certificate)
        assert chain_error(signer, anchors)
    assert impostor.csca.key_id == pki.csca.key_id != foreign.csca.key_id


def test_after_a_roll_over_the_link_leads_to_the_old_anchor(pki, tmp_path):
    anchors = pem_file(tmp_path / "csca.pem", pki.csca.certificate)
    later = pki.roll_over(Scheme("rsa-3072", pss=True))
    signer = pem_file(tmp_path / "ds.pem", later.document_signer(Scheme("secp256r1")).certificate)
    link = pem_file(tmp_path / "link.pem", *later.links)
    assert chain_error(signer, anchors)
    assert chain_error(signer, anchors, "-untrusted", link) == ""
    third = later.roll_over(Scheme("brainpoolP384r1"))
    signer = pem_file(tmp_path / "ds.pem", third.document_signer(Scheme("secp256r1")).certificate)
    link = pem_file(tmp_path / "link.pem", *third.links)
    assert len(third.links) == 2
    assert chain_error(signer, anchors, "-untrusted", link) == ""


def test_the_master_list_holds_the_authorities_and_is_signed_for(pki, tmp_path):
    foreign = TestPki(NOW, Scheme("secp256r1"), country="UT")
    later = pki.roll_over(Scheme("secp256r1"))
    signed = later.master_list([foreign.csca.certificate])
    content = signed_content(signed)
    assert content is not None
    for certificate in (later.csca.certificate, *later.links, foreign.csca.certificate):
        assert content.count(certificate) == 1
    anchors = pem_file(tmp_path / "csca.pem", later.csca.certificate)
    checked = openssl("cms", "-verify", "-inform", "DER", "-CAfile", anchors, "-purpose", "any", data=signed)
    assert checked.returncode == 0
    signed_as = cms.ContentInfo.load(signed)["content"]["encap_content_info"]["content_type"]
    assert signed_as.dotted == "2.23.136.1.1.2"


def test_anchors_are_written_in_every_form(pki, tmp_path):
    later = pki.roll_over(Scheme("secp256r1"))
    assert sorted(path.name for path in later.write_anchors(tmp_path / "der").iterdir()) == [
        "csca-0.cer",
        "csca-1.cer",
        "csca.crl",
    ]
    assert (tmp_path / "der" / "csca-0.cer").read_bytes() == later.csca.certificate
    text = (later.write_anchors(tmp_path / "pem", "pem") / "csca.pem").read_bytes()
    written = [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(text)]
    assert written == [later.csca.certificate, *later.links]
    later.write_anchors(tmp_path / "ml", "master_list")
    assert signed_content((tmp_path / "ml" / "csca.ml").read_bytes()) is not None
    assert (tmp_path / "ml" / "csca.crl").read_bytes() == later.crl


def test_certificates_follow_the_profile_of_the_standard(pki):
    csca = x509.load_der_x509_certificate(pki.csca.certificate)
    signer = x509.load_der_x509_certificate(pki.document_signer().certificate)
    limits = csca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.critical, limits.value.ca, limits.value.path_length) == (True, True, 0)
    usage = csca.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    usage = signer.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (True, True, False)
    named = signer.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert named == csca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert signer.issuer == csca.subject == csca.issuer
    assert signer.issuer.rfc4514_string() == "CN=Test CSCA,O=Test,C=VN"
    types = signer.extensions.get_extension_for_oid(x509.ObjectIdentifier("2.23.136.1.1.6.2")).value
    assert types.value == bytes.fromhex("300c 020100 3107 13024944 130150")
    assert signer.not_valid_before_utc == datetime(2021, 1, 1, tzinfo=UTC)
    assert signer.not_valid_after_utc > NOW + timedelta(days=3600)


@pytest.mark.parametrize("curve", CURVES)
def test_written_out_parameters_are_those_of_the_curve(curve):
    key = make_key(curve).public_key()
    explicit = public_key_info(key, explicit=True)
    assert b"\x06\x07\x2a\x86\x48\xce\x3d\x01\x01" in explicit  # prime field: no curve is named
    back = openssl("ec", "-pubin", "-inform", "DER", "-param_enc", "named_curve", "-outform", "DER", data=explicit)
    assert back.stdout == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_certificates_carry_written_out_parameters_by_default(pki):
    certificate = TestPki(NOW).csca.certificate
    text = openssl("x509", "-inform", "DER", "-noout", "-text", data=certificate).stdout
    assert b"Field Type: prime-field" in text
    assert b"NIST CURVE" not in text
    key = x509.load_der_x509_certificate(pki.csca.certificate).public_key()
    assert isinstance(key, EllipticCurvePublicKey)


def test_keys_are_fresh_except_costly_ones_of_one_role():
    assert numbers(make_key("secp256r1")) != numbers(make_key("secp256r1"))
    assert numbers(make_key("rsa-1024", "a")) == numbers(make_key("rsa-1024", "a"))
    assert numbers(make_key("rsa-1024", "a")) != numbers(make_key("rsa-1024", "b"))
    with pytest.raises(KeyError):
        make_key("secp160r1")


def numbers(key):
    return key.public_key().public_numbers()


def test_a_refused_hash_can_still_sign(tmp_path):
    pki = TestPki(NOW, Scheme("rsa-3072", "sha1"))
    anchors = pem_file(tmp_path / "csca.pem", pki.csca.certificate)
    assert x509.load_der_x509_certificate(pki.csca.certificate).signature_hash_algorithm.name == "sha1"
    signer = pki.document_signer(Scheme("secp256r1"))
    assert chain_error(pem_file(tmp_path / "ds.pem", signer.certificate), anchors, "-auth_level", "0") == ""
