"""EF.SOD: the hashes of a card's data groups under the document signer's signature.

Source: ICAO 9303-10 4.6.2 and appendix D.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import new as new_hash
from typing import Literal

from asn1crypto.algos import DigestAlgorithm

from simulators.chip_ber import integer, tlv
from simulators.chip_cms import Signer, signed_data

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"


def security_object(groups: Mapping[int, bytes], hash_name: str, version: Literal[0, 1]) -> bytes:
    """The LDS security object in DER: `groups` maps data group numbers to whole files.

    Version 1 adds the LDS version 1.8 and Unicode 4.0.0 of EF.COM.
    """
    hashes = (
        tlv(0x30, integer(number), tlv(0x04, new_hash(hash_name, groups[number]).digest())) for number in sorted(groups)
    )
    algorithm = DigestAlgorithm({"algorithm": hash_name}).dump()
    versions = (tlv(0x30, tlv(0x13, b"0108"), tlv(0x13, b"040000")),) if version else ()
    return tlv(0x30, integer(version), algorithm, tlv(0x30, *hashes), *versions)


def security_object_file(
    groups: Mapping[int, bytes],
    signer: Signer,
    hash_name: str,
    *,
    version: Literal[0, 1] = 0,
    signing_time: datetime | None = None,
    named_by: Literal["issuer", "key"] = "issuer",
) -> bytes:
    """EF.SOD (`77`) over `groups`; the rest as in `signed_data`."""
    content = security_object(groups, hash_name, version)
    return tlv(0x77, signed_data(LDS_SECURITY_OBJECT, content, signer, signing_time=signing_time, named_by=named_by))
