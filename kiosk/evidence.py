"""The signed record of one read of a chip: what a third party can check again, without the person's data.

A file is one JSON document ``{"record": "<JSON text>", "signature": "<base64>"}``; the station's Ed25519 key signs the
UTF-8 bytes of exactly that text. Neither portrait nor text of DG13 nor a name is in it. But EF.SOD and DG15 belong to
one card alone, and a hash of DG1 can be guessed by whoever knows the person: the record is personal data.
``kiosk.evidence_check`` checks such a file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kiosk.emrtd.errors import DataError
from kiosk.emrtd.results import Access, CheckState, ChipRead, Verdict
from kiosk.emrtd.sod import parse_sod
from kiosk.errors import KioskError

MAX_FILE: Final = 512 * 1024
"""Bytes of a file that is looked at; a real one has about 8,000, with three files that a forger filled up 264,000."""

NOTE: Final = (
    "Chip Authentication leaves nothing behind that a third party could check: its outcome is the station's word. "
    "So are the time, the reader, how the chip was opened, the downgrade check, that the files were read from a chip, "
    "and that the challenge was random."
)

DEFAULT_HASH: Final = "sha256"
"""What data groups are hashed with when no EF.SOD says it."""

_GROUP: Final = r"^DG([1-9]|1[0-6])$"
_HEX: Final = r"^([0-9a-f]{2}){20,64}$"
_SIXTEEN: Final = Field(max_length=16)

HashName = Literal["sha1", "sha224", "sha256", "sha384", "sha512"]


def _from_base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("expected base64")
    return base64.b64decode(value, validate=True)


Base64 = Annotated[bytes, BeforeValidator(_from_base64)]


class BadEvidence(KioskError):
    """Bytes that are no evidence file, or one whose signature does not hold; ``code`` BAD_EVIDENCE."""

    code = "BAD_EVIDENCE"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StationKey(_Part):
    """The key that signed. ``id``: its name at the province, None before enrolment; ``ed25519``: 32 raw bytes."""

    id: Annotated[str, Field(max_length=100)] | None
    ed25519: Base64


class Transcript(_Part):
    """Active Authentication as it happened."""

    challenge: Base64
    response: Base64


class RecordedChecks(_Part):
    """The checks as the station saw them; ``kiosk.emrtd.results.Checks``."""

    hashes: CheckState
    signature: CheckState
    chain: CheckState
    active_authentication: CheckState
    chip_authentication: CheckState
    downgrade: CheckState


class Record(_Part):
    """What is signed. ``hashes``: hex by data group, with ``hash_algorithm``; the files are whole, tag included."""

    kind: Literal["chip_evidence"]
    version: Literal[1]
    facility: Annotated[str, Field(max_length=5)]
    station: Annotated[str, Field(max_length=40)]
    station_key: StationKey
    read_at: AwareDatetime
    reader: Annotated[str, Field(max_length=100)] | None
    access: Access | None
    hash_algorithm: HashName
    hashes: Annotated[dict[Annotated[str, Field(pattern=_GROUP)], Annotated[str, Field(pattern=_HEX)]], _SIXTEEN]
    sod: Base64 | None
    dg14: Base64 | None
    dg15: Base64 | None
    active_authentication: Transcript | None
    checks: RecordedChecks
    verdict: Verdict
    issuer: Annotated[str, Field(max_length=16)] | None
    findings: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=50)]
    note: Annotated[str, Field(max_length=1000)]


def make_evidence(
    read: ChipRead,
    *,
    key: Ed25519PrivateKey,
    key_id: str | None,
    facility: str,
    station: str,
    reader: str | None,
    read_at: datetime,
) -> bytes:
    """The evidence file of one *read*, signed with the station's *key*.

    *reader*: the model, without a serial number. *read_at*: aware.
    """
    sod = read.files.get("EF.SOD")
    algorithm = _hash_algorithm(sod)
    record = {
        "kind": "chip_evidence",
        "version": 1,
        "facility": facility,
        "station": station,
        "station_key": {"id": key_id, "ed25519": _text(key.public_key().public_bytes_raw())},
        "read_at": read_at.isoformat(),
        "reader": reader,
        "access": read.access,
        "hash_algorithm": algorithm,
        "hashes": {name: digest(algorithm, raw) for name, raw in sorted(read.files.items()) if name.startswith("DG")},
        "sod": _optional(sod),
        "dg14": _optional(read.files.get("DG14")),
        "dg15": _optional(read.files.get("DG15")),
        "active_authentication": read.active
        and {"challenge": _text(read.active.challenge), "response": _text(read.active.response)},
        "checks": asdict(read.checks),
        "verdict": read.verdict,
        "issuer": read.issuer,
        "findings": list(read.findings),
        "note": NOTE,
    }
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return _document(text, key.sign(text.encode()))


def open_evidence(file: bytes) -> Record:
    """The record in *file*, its signature checked with the key that it names itself; BadEvidence otherwise.

    Only the exact bytes that ``make_evidence`` wrote are taken (white space around them aside): no second spelling
    of the same file exists.
    """
    file = file.strip()
    if len(file) > MAX_FILE:
        raise BadEvidence("larger than any evidence file")
    try:
        outer: Any = json.loads(file)
        text, signature = outer["record"], base64.b64decode(outer["signature"], validate=True)
        if _document(text, signature) != file:
            raise BadEvidence("not an evidence file as the kiosk writes it")
        record = Record.model_validate_json(text)
        Ed25519PublicKey.from_public_bytes(record.station_key.ed25519).verify(signature, text.encode())
    except ValidationError:  # its text would quote the record
        raise BadEvidence("a record with missing or unknown parts") from None
    except InvalidSignature:
        raise BadEvidence("the signature does not hold: something was changed") from None
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise BadEvidence("not an evidence file") from None
    return record


def digest(algorithm: str, raw: bytes) -> str:
    """The hash of *raw* in lower-case hex."""
    return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()


def _hash_algorithm(sod: bytes | None) -> str:
    try:
        return DEFAULT_HASH if sod is None else parse_sod(sod).digest
    except DataError:
        return DEFAULT_HASH


def _document(text: str, signature: bytes) -> bytes:
    return json.dumps({"record": text, "signature": _text(signature)}, ensure_ascii=False).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _optional(raw: bytes | None) -> str | None:
    return None if raw is None else _text(raw)
