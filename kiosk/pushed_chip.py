"""Chip files that a vendor's reader program posts, run through our own checks (interfaces, section 7, ``pushed``).

The program has read the chip; we believe only what the bytes prove. Signed data prove who the data speak of. That the
chip itself was there, and not a copy of its files, is proven only by Active Authentication over a challenge that we
issued: so the program asks for one first, hands it to the chip, and posts the answer with the files.

Body: ``{"files": {"DG1": "<base64>", "EF.SOD": "...", ...}, "challenge": "<16 hex digits>" | null,
"response": "<base64>" | null, "reader": "HN-212" | null}``.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kiosk.emrtd import active_auth, passive_auth, security_infos, tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.passive_auth import PassiveResult
from kiosk.emrtd.results import ChallengeResponse, Checks, CheckState, ChipRead
from kiosk.emrtd.security_infos import ChipAuthenticationPublicKeyInfo
from kiosk.emrtd.trust import TrustAnchors
from kiosk.emrtd.verdict import anti_clone_findings, judge
from kiosk.errors import KioskError

MAX_BODY: Final = 128 * 1024
"""Bytes of a whole body; files with a large portrait in base64 need half of it."""

CHALLENGE_BYTES: Final = 8
MAX_RESPONSE: Final = 1024
"""Bytes of a signature; RSA with 4,096 bits has 512."""

NAMES: Final = frozenset({"DG1", "DG2", "DG13", "DG14", "DG15", "EF.COM", "EF.SOD", "EF.CardAccess", "EF.CardSecurity"})
"""The files a program may post; the closed list of ``ChipRead.files``."""

CHALLENGE_NOT_OURS: Final = "W_CHALLENGE_NOT_OURS"
"""A finding: the posted answer belongs to a challenge that we did not issue, or not within its time."""

_REQUIRED: Final = frozenset({"DG1", "EF.SOD"})
_FIELDS: Final = frozenset({"files", "challenge", "response", "reader"})
_READER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()/+-]{0,63}")


class PushedChipRefused(KioskError):
    """A body that cannot be taken. ``code``, never anything of its content:

    TOO_LARGE; BAD_BODY (not this JSON object); UNKNOWN_FILE (a name outside the list); MISSING_FILE (no DG1 or EF.SOD);
    BAD_FILE (not base64, or empty); BAD_CHALLENGE; BAD_RESPONSE.
    """

    def __init__(self, code: str) -> None:
        """Carry the *code*."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PushedBody:
    """A parsed body. ``files`` as in ``ChipRead.files``, without padding behind them; ``challenge`` 8 bytes.

    ``reader``: the model, no serial.
    """

    files: Mapping[str, bytes]
    challenge: bytes | None
    response: bytes | None
    reader: str | None


class Challenges:
    """Challenges that we issued: each counts once, for *seconds*, and at most *limit* wait at a time.

    Not for several threads.
    """

    def __init__(
        self,
        *,
        seconds: float = 60.0,
        limit: int = 32,
        rng: Callable[[int], bytes] = secrets.token_bytes,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with none waiting; when *limit* is passed the oldest is dropped."""
        self._seconds = seconds
        self._limit = limit
        self._rng = rng
        self._monotonic = monotonic
        self._waiting: dict[bytes, float] = {}

    def issue(self) -> bytes:
        """A new challenge of 8 random bytes (ICAO 9303-11 6.1)."""
        challenge = self._rng(CHALLENGE_BYTES)
        self._waiting[challenge] = self._monotonic()
        if len(self._waiting) > self._limit:
            del self._waiting[next(iter(self._waiting))]
        return challenge

    def take(self, challenge: bytes) -> bool:
        """Whether *challenge* is ours and fresh; it counts no second time."""
        issued = self._waiting.pop(challenge, None)
        return issued is not None and self._monotonic() - issued <= self._seconds


def read_pushed(pushed: PushedBody, challenges: Challenges, anchors: TrustAnchors | None, now: datetime) -> ChipRead:
    """Run our own checks over the bytes of *pushed*, against *anchors* as of *now* (aware); its challenge is used up.

    Chip Authentication needs a channel of ours to the chip: where the chip offers it, it was not done. There is no
    channel whose protocol could have been downgraded: ``access`` is None and ``downgrade`` not supported.
    """
    ours = pushed.challenge is not None and challenges.take(pushed.challenge)
    files = pushed.files
    passive = passive_auth.check(files, anchors, now)
    active = None
    if ours and pushed.challenge is not None and pushed.response is not None and "DG15" in files:
        active = ChallengeResponse(pushed.challenge, pushed.response)
    checks = Checks(
        hashes=passive.hashes,
        signature=passive.signature,
        chain=passive.chain,
        active_authentication=_active_authentication(files, passive, active),
        chip_authentication=_chip_authentication(files, passive),
        downgrade=CheckState.NOT_SUPPORTED,
    )
    # A key that is signed for but was not posted may well be on the chip: then its check was not done, no more.
    posted_and_covered = passive.covered & files.keys()
    findings = [*passive.findings, *anti_clone_findings(posted_and_covered, files.keys())]
    if pushed.response is not None and not ours:
        findings.append(CHALLENGE_NOT_OURS)
    return ChipRead(
        files=files,
        access=None,
        access_note=None,
        checks=checks,
        verdict=judge(checks, findings),
        issuer=passive.issuer,
        findings=tuple(findings),
        active=active,
    )


def parse(body: bytes) -> PushedBody:
    """The files and the answer in *body*; PushedChipRefused otherwise, and never anything else."""
    if len(body) > MAX_BODY:
        raise PushedChipRefused("TOO_LARGE")
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise PushedChipRefused("BAD_BODY") from None
    if not isinstance(said, dict) or not said.keys() <= _FIELDS:
        raise PushedChipRefused("BAD_BODY")
    return PushedBody(
        files=_files(said.get("files")),
        challenge=_challenge(said.get("challenge")),
        response=_response(said.get("response")),
        reader=_reader(said.get("reader")),
    )


def _active_authentication(
    files: Mapping[str, bytes], passive: PassiveResult, active: ChallengeResponse | None
) -> CheckState:
    if "DG15" not in files:
        return CheckState.NOT_DONE if "DG15" in passive.covered else CheckState.NOT_SUPPORTED
    if active is None:
        return CheckState.NOT_DONE
    try:
        proven = active_auth.verify(files["DG15"], active.challenge, active.response, files.get("DG14"))
    except DataError:  # our limit as likely as its fault; a key that was not signed is told by its hash
        return CheckState.NOT_DONE
    return CheckState.PASSED if proven else CheckState.FAILED


def _chip_authentication(files: Mapping[str, bytes], passive: PassiveResult) -> CheckState:
    if "DG14" not in files:
        return CheckState.NOT_DONE if "DG14" in passive.covered else CheckState.NOT_SUPPORTED
    try:
        infos = security_infos.parse(files["DG14"])
    except DataError:
        return CheckState.NOT_DONE
    offered = any(isinstance(info, ChipAuthenticationPublicKeyInfo) for info in infos)
    return CheckState.NOT_DONE if offered else CheckState.NOT_SUPPORTED


def _files(said: Any) -> Mapping[str, bytes]:
    if not isinstance(said, dict):
        raise PushedChipRefused("BAD_BODY")
    if not said.keys() <= NAMES:
        raise PushedChipRefused("UNKNOWN_FILE")
    if not said.keys() >= _REQUIRED:
        raise PushedChipRefused("MISSING_FILE")
    files = {name: _without_padding(_from_base64(text, "BAD_FILE")) for name, text in said.items()}
    if not all(files.values()):
        raise PushedChipRefused("BAD_FILE")
    return files


def _without_padding(raw: bytes) -> bytes:
    """The file without what follows its TLV, as ``emrtd.files`` reads it: hashes are over that part alone.

    A program that reads to the end of the memory set aside for a file posts more.
    """
    try:
        return raw[: tlv.total_length(raw)]
    except DataError:
        return raw


def _challenge(said: Any) -> bytes | None:
    if said is None:
        return None
    if not isinstance(said, str) or not re.fullmatch(r"[0-9A-Fa-f]{16}", said):
        raise PushedChipRefused("BAD_CHALLENGE")
    return bytes.fromhex(said)


def _response(said: Any) -> bytes | None:
    if said is None:
        return None
    response = _from_base64(said, "BAD_RESPONSE")
    if not 0 < len(response) <= MAX_RESPONSE:
        raise PushedChipRefused("BAD_RESPONSE")
    return response


def _reader(said: Any) -> str | None:
    if said is not None and not (isinstance(said, str) and _READER.fullmatch(said)):
        raise PushedChipRefused("BAD_BODY")
    return said


def _from_base64(text: Any, code: str) -> bytes:
    if not isinstance(text, str):
        raise PushedChipRefused(code)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PushedChipRefused(code) from None
