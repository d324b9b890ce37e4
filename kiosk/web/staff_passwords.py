"""Secrets of staff: Argon2 hashes, PINs, one-time passwords and codes of an authenticator (RFC 6238)."""

from __future__ import annotations

import base64
import secrets
import string
from datetime import datetime
from typing import Final

import argon2
import pyotp
from argon2.low_level import ARGON2_VERSION

_STEP: Final = 30
_PIN_DIGITS: Final = range(6, 13)
_ALPHABET: Final = "".join(sorted(set(string.ascii_lowercase + string.digits) - set("ilo01")))


def is_right(hasher: argon2.PasswordHasher, stored: str | None, password: str) -> bool:
    """Whether *stored* is of *password*; takes as long when there is nothing stored."""
    try:
        return hasher.verify(stored or hash_of_nobody(hasher), password)
    except argon2.exceptions.Argon2Error:
        return False


def hash_of_nobody(hasher: argon2.PasswordHasher) -> str:
    """A hash that no password has, for names without an account: to check against it takes *hasher* as long."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (_unpadded(secrets.token_bytes(size)) for size in (hasher.salt_len, hasher.hash_len))
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def is_pin(text: str) -> bool:
    """Whether *text* will do as a PIN: 6 to 12 digits, at least four of them different."""
    return len(text) in _PIN_DIGITS and text.isascii() and text.isdigit() and len(set(text)) >= 4


def one_time_password() -> str:
    """Sixteen characters without look-alikes, in groups to be read aloud; for the first login only."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def new_totp_secret() -> str:
    """160 bits in base32, as authenticators take them."""
    return pyotp.random_base32()


def totp_address(secret: str, user: str) -> str:
    """What an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user, issuer_name="Kiosk")


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is, one before or after *now*'s included; None if it is of none."""
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // _STEP
    typed = "".join(code.split())
    near = (step - 1, step, step + 1)
    return next((each for each in near if pyotp.utils.strings_equal(totp.at(each * _STEP), typed)), None)


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode("ascii")
