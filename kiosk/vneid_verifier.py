"""A licensed service behind HTTP that says whose changing VNeID code was scanned.

The code is no data of the card: it changes, is tied to the app's login, and only an integrated partner can verify it
(identity-documents.md 3). ``POST {"token": ...}`` is answered by 200 ``{"personal_id", "full_name", "birth_date",
"sex", "address"?}`` (dates in ISO 8601, possibly partial; sex ``M``, ``F`` or null) or by 404 for a code that is
unknown or has expired. The code goes out once; neither it nor the answer is ever logged.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Final

from kiosk.documents.personal_id import is_personal_number
from kiosk.documents.text import clean, is_latin, tidy
from kiosk.errors import TokenVerifierUnavailable
from kiosk.licensed_http import LicensedLine, NoAnswer
from kiosk.model import Identity, PartialDate, Sex

_YEARS: Final = range(1880, 2200)
_LONGEST_NAME: Final = 120
_LONGEST_ADDRESS: Final = 400
_NAME_MARKS: Final = frozenset(" '’‘ʼ`´-‐‑–.")

_log = logging.getLogger(__name__)


class HttpTokenVerifier:
    """One service behind one URL; a ``TokenVerifier``."""

    def __init__(self, *, url: str, token: str, ca_file: Path | None = None, seconds: float = 5.0) -> None:
        """Prepare connections; *token* is ours, *seconds* bounds one question. ConfigError as in ``LicensedLine``."""
        self._line = LicensedLine(url=url, token=token, seconds=seconds, setting="vneid.", ca_file=ca_file)

    async def verify_token(self, token: bytes) -> Identity | None:
        """The person behind *token*; None when the service knows it not, or when it can be no code of a phone.

        Raises TokenVerifierUnavailable for an outage, a refusal of ours, or an answer that names nobody soundly.
        """
        try:
            text = token.decode("utf-8")
        except UnicodeDecodeError:
            return None
        if not text.isprintable() or len(text.split()) != 1:
            return None
        try:
            status, said = await self._line.ask({"token": text}, also=(404,))
        except NoAnswer as exc:
            raise _unavailable(str(exc)) from None
        if status == 404:
            return None
        identity = identity_of(said)
        if identity is None:
            raise _unavailable("bad_answer")
        return identity

    async def close(self) -> None:
        """Release connections."""
        await self._line.close()


def identity_of(answer: bytes) -> Identity | None:
    """The person in the bytes of an answer; None unless number, name and birth date are whole and sound.

    Nothing is put right: a wrong person is worse than none. An address that is not sound is left out.
    """
    try:
        said: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    number, name, sex = said.get("personal_id"), said.get("full_name"), said.get("sex")
    born = _birth_date(said.get("birth_date"))
    if not isinstance(number, str) or not is_personal_number(number) or born is None or sex not in (None, "M", "F"):
        return None
    if not isinstance(name, str) or not _is_name(full_name := tidy(clean(name))):
        return None
    address = said.get("address")
    return Identity(
        personal_id=number,
        full_name=full_name,
        birth_date=born,
        sex=None if sex is None else Sex(sex),
        address=_address(address) if isinstance(address, str) else None,
    )


def _birth_date(said: object) -> PartialDate | None:
    try:
        born = PartialDate.parse(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return born if born is not None and born.year in _YEARS else None


def _is_name(text: str) -> bool:
    """Whether *text* is made of letters of the languages of Vietnam, and not too long to be a name."""
    return (
        len(text) <= _LONGEST_NAME
        and any(char.isalpha() for char in text)
        and all(char.isalpha() or char in _NAME_MARKS or not char.isascii() for char in text)
        and is_latin(text)
    )


def _address(said: str) -> str | None:
    address = tidy(clean(said))
    return address if address and len(address) <= _LONGEST_ADDRESS and is_latin(address) else None


def _unavailable(why: str) -> TokenVerifierUnavailable:
    _log.warning("the VNeID verifier gave no answer: %s", why)
    return TokenVerifierUnavailable(why)
