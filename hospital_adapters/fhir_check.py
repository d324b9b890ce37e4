"""Looks at what we are about to send, before it leaves: the library's strict models, and the required value sets.

The models of ``fhir.resources`` refuse unknown elements and wrong types, but take any code where FHIR demands one of a
closed list (components.md 5, FHIR R4), and miss neither a reference nor a list that must be there; both are looked for
here. R4B differs from R4 in none of the resources that we write.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fhir.resources.R4B.bundle import Bundle

from hospital_adapters.fhir_read import Resource
from kiosk.errors import HospitalRejected

NOT_VALID: Final = "fhir.not_valid"
_REQUIRED: Final[dict[str, frozenset[str]]] = {
    "Bundle.type": frozenset(("transaction",)),
    "Bundle.entry.request.method": frozenset(("POST", "PUT")),
    "Patient.gender": frozenset(("male", "female", "other", "unknown")),
    "Patient.identifier.use": frozenset(("usual", "official", "temp", "secondary", "old")),
    "Patient.name.use": frozenset(("usual", "official", "temp", "nickname", "anonymous", "old", "maiden")),
    "Patient.address.use": frozenset(("home", "work", "temp", "old", "billing")),
    "Patient.address.type": frozenset(("postal", "physical", "both")),
    "Coverage.status": frozenset(("active", "cancelled", "draft", "entered-in-error")),
    "Coverage.identifier.use": frozenset(("usual", "official", "temp", "secondary", "old")),
    "Encounter.status": frozenset(
        (
            "planned",
            "arrived",
            "triaged",
            "in-progress",
            "onleave",
            "finished",
            "cancelled",
            "entered-in-error",
            "unknown",
        )
    ),
    "CoverageEligibilityResponse.status": frozenset(("active", "cancelled", "draft", "entered-in-error")),
    "CoverageEligibilityResponse.purpose": frozenset(("auth-requirements", "benefits", "discovery", "validation")),
    "CoverageEligibilityResponse.outcome": frozenset(("queued", "complete", "error", "partial")),
}


_DEMANDED: Final[dict[str, tuple[str, ...]]] = {
    "Patient": (),
    "Coverage": ("status", "beneficiary", "payor"),
    "Encounter": ("status", "class"),
    "CoverageEligibilityResponse": ("status", "purpose", "patient", "created", "request", "outcome", "insurer"),
}


def check_bundle(bundle: Resource) -> None:
    """HospitalRejected ``fhir.not_valid`` for a Bundle of ours that FHIR does not allow."""
    try:
        Bundle.model_validate(bundle)
        valid = True
    except ValueError:
        # its message holds the values
        valid = False
    if not valid:
        raise HospitalRejected(NOT_VALID)
    check_codes(bundle)
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if not all(resource.get(name) for name in _DEMANDED[resource["resourceType"]]):
            raise HospitalRejected(NOT_VALID)


def check_codes(resource: Resource) -> None:
    """The same for the required codes alone, of a resource with elements of the server's own, which may be new."""
    if not _codes_are_known(resource):
        raise HospitalRejected(NOT_VALID)


def _codes_are_known(resource: Resource) -> bool:
    return all(
        isinstance(value, str) and value in _REQUIRED[path]
        for path, value in _leaves(resource, str(resource.get("resourceType")))
        if path in _REQUIRED
    )


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each leaf with its path; a resource inside a Bundle begins a path of its own."""
    if isinstance(value, dict):
        for name, inner in value.items():
            inside = isinstance(inner, dict) and "resourceType" in inner
            yield from _leaves(inner, str(inner["resourceType"]) if inside else f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, value
