"""One read of a chip as the JSON object of interfaces section 3, for ``kioskctl read-card`` and ``replay-apdu``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from kiosk.documents.as_json import identity_json
from kiosk.documents.chip_person import ChipPerson
from kiosk.emrtd.errors import EmrtdError
from kiosk.emrtd.lds import Portrait
from kiosk.emrtd.results import ChipRead

_NOTHING: Final[dict[str, Any]] = dict.fromkeys(
    (
        "identity",
        "identity_source",
        "access",
        "access_note",
        "checks",
        "verdict",
        "issuer",
        "photo",
        "apdus",
        "seconds",
        "error",
    )
)


def chip_json(read: ChipRead, person: ChipPerson, photo: Portrait | None = None) -> dict[str, Any]:
    """*read* with the *person* found in it: strings, numbers, lists and null only; dates in ISO 8601.

    Of the *photo* only format and size are told. ``mismatches`` and ``findings`` are additions to the contract.
    """
    return _NOTHING | {
        "identity": identity_json(person),
        "identity_source": person.source,
        "access": read.access,
        "access_note": read.access_note,
        "checks": asdict(read.checks),
        "verdict": read.verdict,
        "issuer": read.issuer,
        "photo": None if photo is None else {"format": photo.format, "bytes": len(photo.data)},
        "apdus": read.apdus,
        "seconds": round(read.seconds, 3),
        "warnings": list(person.warnings),
        "mismatches": list(person.mismatches),
        "findings": list(read.findings),
    }


def error_json(code: str, why: str, sw: int | None = None) -> dict[str, Any]:
    """The same keys with null, the ``error`` *code*, ``sw`` as four hex digits or null, and *why* in English."""
    return _NOTHING | {
        "warnings": [],
        "mismatches": [],
        "findings": [],
        "error": code,
        "sw": None if sw is None else f"{sw:04X}",
        "why": why,
    }


def failure_json(failure: EmrtdError) -> dict[str, Any]:
    """``error_json`` of what ended a read."""
    return error_json(failure.code, str(failure), failure.sw)
