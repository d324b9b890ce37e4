"""A country's signing authority in small: CSCA, document signers, CRL, roll-over and master list.

Source: ICAO 9303-12 7 (certificate and CRL profiles, master list), RFC 5280, RFC 5652. Everything is signed over the
exact bytes that are written; nothing here is a real authority's.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha1
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from asn1crypto import core, crl, keys, pem, x509

from simulators.chip_ber import integer, tlv
from simulators.chip_cms import Signer, signed_data
from simulators.chip_keys import PrivateKey, Scheme, make_key, public_key_info, signature_algorithm

CSCA_DEFAULT: Final = Scheme("brainpoolP384r1", "sha384", explicit=True)
SIGNER_DEFAULT: Final = Scheme("brainpoolP256r1", "sha256", explicit=True)

_FIRST_CARDS: Final = datetime(2021, 1, 1, tzinfo=UTC)
_YEAR: Final = timedelta(days=365)
_MASTER_LIST: Final = "2.23.136.1.1.2"
_MASTER_LIST_SIGNER: Final = "2.23.136.1.1.3"
_LINK: Final = "2.23.136.1.1.6.1"
_DOCUMENT_TYPES: Final = "2.23.136.1.1.6.2"
_ICAO_CODES: Final = {"VN": "VNM", "UT": "UTO"}

Kind = Literal["csca", "link", "signer", "master list signer"]


class TestPki:
    """One issuing authority: a self-signed CSCA and what it signs. `now` is the moment it is seen from.

    Certificates reach from the first chip cards (January 2021, or a year before `now` if that is earlier) to ten years
    after `now`, unless said otherwise.
    """

    __test__: ClassVar = False

    def __init__(
        self,
        now: datetime,
        csca: Scheme = CSCA_DEFAULT,
        signing: Scheme = SIGNER_DEFAULT,
        *,
        country: str = "VN",
        name: str = "Test CSCA",
        generation: int = 1,
        key_id: bytes | None = None,
    ) -> None:
        """Make the CSCA, which signs by `csca`; its document signers sign by `signing` unless said otherwise.

        `country` is a two-letter code. KeyError for an unknown curve in `csca`.
        Keys are fresh, but RSA keys are kept: same `country`, `name` and `generation`, same RSA key in one process.
        `key_id` makes the CSCA claim this key identifier, as an impostor would.
        """
        self.now = now
        self.signing = signing
        self.country = country
        self.name = name
        self.generation = generation
        self._begin = min(_FIRST_CARDS, now - _YEAR)
        self._end = now + 10 * _YEAR
        self._claimed_key_id = key_id
        self._serial = 0x1000
        self._signers: dict[Scheme, Signer] = {}
        key = make_key(csca.key, ("csca", country, name, generation))
        self.csca = Signer(self._certify(key, csca, name, "csca", None, self._begin, self._end), key, csca)
        self.links: tuple[bytes, ...] = ()

    def document_signer(
        self,
        scheme: Scheme | None = None,
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Signer:
        """A new document signer; `scheme` and validity are the authority's own unless given."""
        scheme = scheme or self.signing
        key = make_key(scheme.key, ("signer", self.country, self.name, self.generation))
        name = f"Test Document Signer {self._serial + 1:X}"
        begin, end = not_before or self._begin, not_after or self._end
        return Signer(self._certify(key, scheme, name, "signer", self.csca, begin, end), key, scheme)

    def signer_for(self, scheme: Scheme | None = None) -> Signer:
        """The document signer in ordinary use that signs by `scheme` (default: `signing`): the same at each call."""
        scheme = scheme or self.signing
        if scheme not in self._signers:
            self._signers[scheme] = self.document_signer(scheme)
        return self._signers[scheme]

    @cached_property
    def expired_signer(self) -> Signer:
        """A document signer whose certificate ended on `expired_on`."""
        return self.document_signer(not_after=self.expired_on)

    @property
    def expired_on(self) -> datetime:
        """When the certificate of `expired_signer` ended: half a year before `now`."""
        return self.now - _YEAR / 2

    @cached_property
    def revoked_signer(self) -> Signer:
        """The document signer that `crl` lists."""
        return self.document_signer()

    @cached_property
    def crl(self) -> bytes:
        """The authority's certificate revocation list in DER: it lists `revoked_signer` alone."""
        revoked = x509.Certificate.load(self.revoked_signer.certificate).serial_number
        to_sign = crl.TbsCertList(
            {
                "version": "v2",
                "signature": signature_algorithm(self.csca.scheme),
                "issuer": self.csca.name,
                "this_update": _time(self.now - timedelta(days=1)),
                "next_update": _time(self.now + timedelta(days=90)),
                "revoked_certificates": [
                    {"user_certificate": revoked, "revocation_date": _time(self.now - timedelta(days=30))}
                ],
                "crl_extensions": [
                    {"extn_id": "authority_key_identifier", "extn_value": {"key_identifier": self.csca.key_id}},
                    {"extn_id": "crl_number", "extn_value": 1},
                ],
            }
        )
        return self._signed(to_sign, self.csca)

    def roll_over(self, csca: Scheme = CSCA_DEFAULT) -> "TestPki":
        """The authority with its next CSCA key, under the same name (ICAO 9303-12 5).

        Its `links` hold the link certificates up to that key, each signed by the key before.
        """
        later = TestPki(
            self.now, csca, self.signing, country=self.country, name=self.name, generation=self.generation + 1
        )
        link = self._certify(later.csca.key, csca, self.name, "link", self.csca, self._begin, self._end)
        later.links = (*self.links, link)
        return later

    def master_list(self, others: Iterable[bytes] = ()) -> bytes:
        """An ICAO master list in DER: this CSCA, its links and `others` (certificates in DER), signed by its signer."""
        scheme = Scheme("secp256r1", "sha256")
        key = make_key(scheme.key)
        signing = self._certify(
            key, scheme, "Test Master List Signer", "master list signer", self.csca, self._begin, self._end
        )
        certificates = sorted((self.csca.certificate, *self.links, *others))
        content = tlv(0x30, integer(0), tlv(0x31, *certificates))
        return signed_data(
            _MASTER_LIST,
            content,
            Signer(signing, key, scheme),
            signing_time=self.now,
            others=[self.csca.certificate],
        )

    def write_anchors(self, folder: Path, form: Literal["pem", "der", "master_list"] = "der") -> Path:
        """Write CSCA and links into `folder` (made if absent) in this form, and the CRL in DER beside; gives `folder`.

        Files: `csca.pem` with all of them, or `csca-<n>.cer`, or `csca.ml`; and `csca.crl`. OSError if it cannot.
        """
        folder.mkdir(parents=True, exist_ok=True)
        certificates = (self.csca.certificate, *self.links)
        if form == "pem":
            (folder / "csca.pem").write_bytes(b"".join(pem.armor("CERTIFICATE", one) for one in certificates))
        elif form == "master_list":
            (folder / "csca.ml").write_bytes(self.master_list())
        else:
            for number, certificate in enumerate(certificates):
                (folder / f"csca-{number}.cer").write_bytes(certificate)
        (folder / "csca.crl").write_bytes(self.crl)
        return folder

    def _certify(
        self,
        key: PrivateKey,
        scheme: Scheme,
        name: str,
        kind: Kind,
        issuer: Signer | None,
        begin: datetime,
        end: datetime,
    ) -> bytes:
        """A certificate of the profile of `kind`; `issuer` None: signed by its own key."""
        self._serial += 1
        subject = x509.Name.build({"country_name": self.country, "organization_name": "Test", "common_name": name})
        info = public_key_info(key.public_key(), explicit=scheme.explicit)
        key_id = (self._claimed_key_id if kind == "csca" else None) or _key_id(info)
        signing = issuer or Signer(b"", key, scheme)
        to_sign = x509.TbsCertificate(
            {
                "version": "v3",
                "serial_number": self._serial,
                "signature": signature_algorithm(signing.scheme),
                "issuer": issuer.name if issuer else subject,
                "validity": {"not_before": _time(begin), "not_after": _time(end)},
                "subject": subject,
                "subject_public_key_info": keys.PublicKeyInfo.load(info),
                "extensions": self._extensions(kind, key_id, issuer.key_id if issuer else key_id),
            }
        )
        return self._signed(to_sign, signing)

    def _extensions(self, kind: Kind, key_id: bytes, authority_key_id: bytes) -> list[dict[str, Any]]:
        """The extensions of ICAO 9303-12 7.1.1, in the order of its table."""
        state = x509.Name.build({"locality_name": _ICAO_CODES.get(self.country, self.country)})
        names = [x509.GeneralName("directory_name", state)]
        usage = {"key_cert_sign", "crl_sign"} if kind in ("csca", "link") else {"digital_signature"}
        extensions: list[dict[str, Any]] = [
            {"extn_id": "authority_key_identifier", "extn_value": {"key_identifier": authority_key_id}},
            {"extn_id": "key_identifier", "extn_value": key_id},
            {"extn_id": "key_usage", "critical": True, "extn_value": usage},
            {"extn_id": "subject_alt_name", "extn_value": names},
            {"extn_id": "issuer_alt_name", "extn_value": names},
        ]
        if kind in ("csca", "link"):
            limits = {"ca": True, "path_len_constraint": 0}
            extensions.append({"extn_id": "basic_constraints", "critical": True, "extn_value": limits})
        if kind == "link":
            extensions.append({"extn_id": _LINK, "extn_value": core.ParsableOctetString(tlv(0x05))})
        if kind == "signer":
            types = tlv(0x30, integer(0), tlv(0x31, tlv(0x13, b"ID"), tlv(0x13, b"P")))
            extensions.append({"extn_id": _DOCUMENT_TYPES, "extn_value": core.ParsableOctetString(types)})
        if kind == "master list signer":
            extensions.append({"extn_id": "extended_key_usage", "critical": True, "extn_value": [_MASTER_LIST_SIGNER]})
        return extensions

    @staticmethod
    def _signed(to_sign: core.Sequence, signer: Signer) -> bytes:
        """What is to be signed, the algorithm and the signature, in one sequence (RFC 5280 4.1 and 5.1)."""
        raw = to_sign.dump()
        return tlv(0x30, raw, signature_algorithm(signer.scheme).dump(), tlv(0x03, b"\x00", signer.sign(raw)))


def _key_id(public_key: bytes) -> bytes:
    """SHA-1 over the subject public key (RFC 5280 4.2.1.2, method 1)."""
    raw = keys.PublicKeyInfo.load(public_key)["public_key"].contents[1:]
    return sha1(raw, usedforsecurity=False).digest()


def _time(moment: datetime) -> x509.Time:
    return x509.Time({"utc_time": moment.astimezone(UTC).replace(microsecond=0)})
