"""A signing authority for tests: certificates by the X.509 builder of ``cryptography``, CMS put together by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import new as new_hash

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
END = datetime(2036, 1, 1, tzinfo=UTC)
SIGNED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
HASHES = {
    "sha1": ("1.3.14.3.2.26", hashes.SHA1),
    "sha224": ("2.16.840.1.101.3.4.2.4", hashes.SHA224),
    "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256),
    "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384),
    "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512),
}
_PKCS1 = {"sha1": 5, "sha224": 14, "sha256": 11, "sha384": 12, "sha512": 13}
_ECDSA = {"sha1": "1", "sha224": "3.1", "sha256": "3.2", "sha384": "3.3", "sha512": "3.4"}


def der(tag: int, *parts: bytes) -> bytes:
    """One TLV, with the shortest length."""
    value = b"".join(parts)
    if len(value) < 0x80:
        return bytes((tag, len(value))) + value
    size = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + value


def oid(dotted: str) -> bytes:
    first, second, *arcs = map(int, dotted.split("."))
    out = bytearray((first * 40 + second,))
    for arc in arcs:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return der(6, bytes(out))


def integer(number: int) -> bytes:
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def hash_algorithm(name: str, null: bool = True) -> bytes:
    return der(0x30, oid(HASHES[name][0]), b"\x05\x00" if null else b"")


@cache
def rsa_key(bits: int = 2048, which: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def signature_algorithm(key: PrivateKeyTypes, digest: str, pss: bool = False) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return der(0x30, oid(f"1.2.840.10045.4.{_ECDSA[digest]}"))
    if not pss:
        return der(0x30, oid(f"1.2.840.113549.1.1.{_PKCS1[digest]}"), b"\x05\x00")
    mask = der(0x30, oid("1.2.840.113549.1.1.8"), hash_algorithm(digest))
    salt = der(0xA2, integer(HASHES[digest][1].digest_size))
    return der(
        0x30,
        oid("1.2.840.113549.1.1.10"),
        der(0x30, der(0xA0, hash_algorithm(digest)), der(0xA1, mask), salt),
    )


def sign(key: PrivateKeyTypes, digest: str, data: bytes, pss: bool = False) -> bytes:
    function = HASHES[digest][1]()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(function))
    assert isinstance(key, rsa.RSAPrivateKey)
    if pss:
        return key.sign(data, padding.PSS(padding.MGF1(function), function.digest_size), function)
    return key.sign(data, padding.PKCS1v15(), function)


def name(common: str, country: str = "VN") -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


@dataclass(frozen=True)
class Party:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKeyTypes

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def issue(
    subject: str | x509.Name,
    issuer: Party | None = None,
    *,
    key: PrivateKeyTypes | None = None,
    authority: bool = False,
    begin: datetime = BEGIN,
    end: datetime = END,
    digest: str = "sha256",
    usage: str | None = None,
    key_ids: bool = True,
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> Party:
    """A certificate for *subject*, signed by *issuer* or by itself. *usage*: "certs", "documents" or "" for none."""
    key = key or ec_key()
    public = key.public_key()  # type: ignore[union-attr]
    subject = name(subject) if isinstance(subject, str) else subject
    signing = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if key_ids:
        above = issuer.key.public_key() if issuer else public  # type: ignore[union-attr]
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False)
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(True, 0), True)
    usage = usage if usage is not None else ("certs" if authority else "documents")
    if usage:
        certs = usage == "certs"
        flags = x509.KeyUsage(not certs, False, False, False, False, certs, certs, False, False)
        builder = builder.add_extension(flags, True)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    return Party(builder.sign(signing, HASHES[digest][1]()), key)  # type: ignore[arg-type]


def revoke(
    issuer: Party, *serials: int, next_update: datetime | None = None, extra: x509.ExtensionType | None = None
) -> bytes:
    """A CRL of *issuer* in DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(BEGIN)
        .next_update(next_update or END)
        .add_extension(x509.CRLNumber(1), False)
    )
    if extra is not None:
        builder = builder.add_extension(extra, True)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(SIGNED).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)  # type: ignore[arg-type]


def lds_security_object(files: Mapping[str, bytes], digest: str = "sha256", version: int = 0) -> bytes:
    listed = [
        der(0x30, integer(int(each[2:])), der(4, new_hash(digest, data).digest()))
        for each, data in files.items()
        if each.startswith("DG")
    ]
    info = der(0x30, der(0x13, b"0108"), der(0x13, b"060000")) if version else b""
    return der(0x30, integer(version), hash_algorithm(digest), der(0x30, *listed), info)


def attribute(kind: str, *values: bytes) -> bytes:
    return der(0x30, oid(kind), der(0x31, *values))


def attributes(
    content: bytes, digest: str = "sha256", content_type: str = LDS_SECURITY_OBJECT, when: datetime | None = SIGNED
) -> list[bytes]:
    """The signed attributes in the order of DER."""
    found = [
        attribute("1.2.840.113549.1.9.3", oid(content_type)),
        attribute("1.2.840.113549.1.9.4", der(4, new_hash(digest, content).digest())),
    ]
    if when:
        found.append(attribute("1.2.840.113549.1.9.5", der(0x17, when.strftime("%y%m%d%H%M%SZ").encode())))
    return sorted(found)


def signer_info(
    signer: Party,
    signed: list[bytes],
    *,
    digest: str = "sha256",
    pss: bool = False,
    by_key: bool = False,
    algorithm: bytes | None = None,
    signature: bytes | None = None,
) -> bytes:
    """One SignerInfo; *signed*: the attributes in the order they are written and signed in."""
    certificate = signer.certificate
    if by_key:
        identifier = der(0x80, x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest)
    else:
        identifier = der(0x30, certificate.issuer.public_bytes(), integer(certificate.serial_number))
    return der(
        0x30,
        integer(3 if by_key else 1),
        identifier,
        hash_algorithm(digest),
        der(0xA0, *signed),
        algorithm or signature_algorithm(signer.key, digest, pss),
        der(4, signature or sign(signer.key, digest, der(0x31, *signed), pss)),
    )


def signed_data(
    content: bytes, signers: list[bytes], certificates: list[bytes], kind: str = LDS_SECURITY_OBJECT
) -> bytes:
    """A ContentInfo."""
    inside = der(
        0x30,
        integer(3),
        der(0x31, hash_algorithm("sha256")),
        der(0x30, oid(kind), der(0xA0, der(4, content))),
        der(0xA0, *certificates) if certificates else b"",
        der(0x31, *signers),
    )
    return der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, inside))


def make_sod(
    files: Mapping[str, bytes],
    signer: Party,
    *,
    digest: str = "sha256",
    when: datetime | None = SIGNED,
    pss: bool = False,
    by_key: bool = False,
    others: tuple[bytes, ...] = (),
    version: int = 0,
) -> bytes:
    """EF.SOD over *files* by *signer*."""
    content = lds_security_object(files, digest, version)
    info = signer_info(signer, attributes(content, digest, when=when), digest=digest, pss=pss, by_key=by_key)
    return der(0x77, signed_data(content, [info], [*others, signer.der]))


def critical(dotted: str) -> tuple[x509.ExtensionType, bool]:
    """A critical extension that nobody knows."""
    return x509.UnrecognizedExtension(ObjectIdentifier(dotted), b"\x05\x00"), True


FILES = {"DG1": b"\x61\x5d" + b"1" * 93, "DG13": b"\x6d\x82\x02\xb8" + b"m" * 696, "DG15": b"\x6f\x62" + b"k" * 98}
