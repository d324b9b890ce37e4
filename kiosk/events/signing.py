"""The `Signature` header that proves which station sent a batch (interfaces.md section 5)."""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class ParsedSignature:
    """The parts of a `Signature` header: the key's id and the 64 signature bytes."""

    key_id: str
    signature: bytes


_PARAMETER = r'\s*(keyId|algorithm|signature)="([^"\\\x00-\x1f]{1,256})"\s*'
_HEADER = re.compile(rf"{_PARAMETER},{_PARAMETER},{_PARAMETER}")


def sign_batch(private_key: Ed25519PrivateKey, key_id: str, body: bytes) -> str:
    """The value of the `Signature` header for exactly these body bytes (interfaces.md 5)."""
    signature = base64.b64encode(private_key.sign(body)).decode("ascii")
    return f'keyId="{key_id}",algorithm="ed25519",signature="{signature}"'


def parse_signature(header: str | None) -> ParsedSignature | None:
    """The parts of a `Signature` header value, or None when it is missing, malformed or of another algorithm."""
    match = _HEADER.fullmatch(header) if header is not None else None
    if match is None:
        return None
    parts = dict(zip(match.groups()[::2], match.groups()[1::2], strict=True))
    if len(parts) != 3 or parts["algorithm"] != "ed25519":
        return None
    try:
        signature = base64.b64decode(parts["signature"], validate=True)
    except (binascii.Error, ValueError):
        return None
    return ParsedSignature(parts["keyId"], signature) if len(signature) == 64 else None


def verify_batch(public_key: bytes, signature: bytes, body: bytes) -> bool:
    """Whether the raw 32-byte Ed25519 public key signed exactly these body bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, body)
    except (InvalidSignature, ValueError):
        return False
    return True
