"""EF.SOD: the hashes of all data groups, signed by the document signer (ICAO 9303-10 4.6.2)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kiosk.emrtd import asn1, public_keys, signed_data, tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.signed_data import SignatureCheck, SignedData

_TAG: Final = 0x77
_LDS_SECURITY_OBJECT: Final = "2.23.136.1.1.1"
_MOST_BYTES: Final = 0xFFFF
_DATA_GROUPS: Final = range(1, 17)


@dataclass(frozen=True, slots=True)
class Sod:
    """``hashes``: by name of the data group ("DG1"); ``digest``: name of their hash function; ``version``: 0 or 1."""

    signed: SignedData
    version: int
    digest: str
    hashes: Mapping[str, bytes]


def parse_sod(data: bytes) -> Sod:
    """Take the file *data*, tag 77, apart; what follows its TLV is padding of the file.

    Nothing is checked yet. DataError: what is no EF.SOD of LDS 1.7 or 1.8, an unknown hash function, a data group
    listed twice or with a hash of the wrong length, more than 65,535 bytes.
    """
    if len(data) > _MOST_BYTES:
        raise DataError(f"an EF.SOD of {len(data)} bytes")
    signed = signed_data.parse(tlv.expect(data, _TAG), _LDS_SECURITY_OBJECT)
    fields = asn1.members(signed.content)
    version = asn1.integer(fields.take(asn1.INTEGER).value)
    if version not in (0, 1):
        raise DataError("an LDS security object of an unknown version")
    digest = public_keys.hash_name(fields.take(asn1.SEQUENCE).raw)
    listed = asn1.elements(fields.take(asn1.SEQUENCE).value)
    fields.maybe(asn1.SEQUENCE)  # ldsVersionInfo, from version 1 on
    fields.end()
    size = public_keys.HASHES[digest]().digest_size
    hashes: dict[str, bytes] = {}
    for element in listed:
        pair = asn1.members(element.raw)
        number = asn1.integer(pair.take(asn1.INTEGER).value)
        value = pair.take(asn1.OCTET_STRING).value
        pair.end()
        if number not in _DATA_GROUPS or f"DG{number}" in hashes or len(value) != size:
            raise DataError("a hash of an unknown data group, a second one, or one of the wrong length")
        hashes[f"DG{number}"] = value
    return Sod(signed, version, digest, hashes)


def verify_sod_signature(sod: Sod, *, allow_sha1: bool = False) -> SignatureCheck:
    """Whether the document signer inside *sod* signed its hashes; who that is, ``chain`` must say."""
    return signed_data.verify(sod.signed, allow_sha1=allow_sha1)


def hashes_match(sod: Sod, files: Mapping[str, bytes], names: Iterable[str]) -> bool:
    """Whether all of *names* are among *files*, listed in *sod*, and as they were signed (over the bytes as read).

    This alone proves nothing: *sod* may be anyone's. SHA-1 counts here; ``passive_auth.check`` refuses it.
    """
    return all(name in files and hash_matches(sod, name, files[name]) for name in names)


def hash_matches(sod: Sod, name: str, data: bytes) -> bool:
    """Whether the data group *name* is listed in *sod* with the hash of *data*."""
    expected = sod.hashes.get(name)
    return expected is not None and hmac.compare_digest(expected, signed_data.digest(sod.digest, data))
