"""Passwords: how long they are, and their Argon2id hashes.

Hashing takes 64 MiB and a tenth of a second on purpose: call it off the event loop, few at a time.
"""

import base64
import secrets
from typing import Final

import argon2
from argon2.low_level import ARGON2_VERSION

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 200
_HASHER: Final = argon2.PasswordHasher()


def is_good(password: str) -> bool:
    """Whether it may become a password: 12 to 200 characters, and not the same one over and over."""
    return MIN_LENGTH <= len(password) <= MAX_LENGTH and len(set(password)) > 1


def hash_of(password: str) -> str:
    """The hash to keep, with its parameters and salt."""
    return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password of the kept hash; None (nobody) takes as long and is always False."""
    try:
        return _HASHER.verify(kept or _hash_of_nobody(), password.encode("utf-8", "surrogatepass"))
    except argon2.exceptions.Argon2Error:
        return False


def _hash_of_nobody() -> str:
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    salt, digest = (_unpadded(secrets.token_bytes(size)) for size in (_HASHER.salt_len, _HASHER.hash_len))
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode("ascii")
