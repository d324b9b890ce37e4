"""The key with which this station signs: the one the province knows or, before enrolment, one of this store's own."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import records

_PROVINCE_KEY: Final = "province_key"
_OWN_KEY: Final = "evidence_key"


def signing_key(connection: sa.Connection) -> tuple[str | None, Ed25519PrivateKey]:
    """The province's name for the key (None before enrolment) and the key; makes and stores one if there is none."""
    known = records.get_setting(connection, _PROVINCE_KEY) or records.get_setting(connection, _OWN_KEY)
    if known is None:
        known = {"private": Ed25519PrivateKey.generate().private_bytes_raw().hex()}
        records.put_setting(connection, _OWN_KEY, known)
    return known.get("key_id"), Ed25519PrivateKey.from_private_bytes(bytes.fromhex(known["private"]))
