"""What the FHIR simulator takes: resources that the library's R4B models take, with codes of the required value sets.

Stricter than most servers: a text with a control character or without any letter is refused too (FHIR R4 2.24.0).
"""

from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

Resource = dict[str, Any]
TYPES = frozenset(
    (
        "Appointment",
        "Coverage",
        "CoverageEligibilityResponse",
        "Encounter",
        "HealthcareService",
        "Location",
        "Organization",
        "Patient",
    )
)
_GENDERS = {"male", "female", "other", "unknown"}
_FINANCIAL = {"active", "cancelled", "draft", "entered-in-error"}
_CODES = {
    "Patient.gender": _GENDERS,
    "Coverage.status": _FINANCIAL,
    "CoverageEligibilityResponse.status": _FINANCIAL,
    "CoverageEligibilityResponse.outcome": {"queued", "complete", "error", "partial"},
    "CoverageEligibilityResponse.purpose": {"auth-requirements", "benefits", "discovery", "validation"},
    "Encounter.status": {
        "planned",
        "arrived",
        "triaged",
        "in-progress",
        "onleave",
        "finished",
        "cancelled",
        "entered-in-error",
        "unknown",
    },
    "Appointment.status": {
        "proposed",
        "pending",
        "booked",
        "arrived",
        "fulfilled",
        "cancelled",
        "noshow",
        "entered-in-error",
        "checked-in",
        "waitlist",
    },
}
_USES = {"usual", "official", "temp", "secondary", "old", "nickname", "anonymous", "maiden", "home", "work", "billing"}
_WHITE = "\t\r\n"


class Unacceptable(Exception):
    """An OperationOutcome in the making: HTTP *status*, issue *code*, and words."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.code = code
        self.words = words


def check(resource: Any, kind: str) -> Resource:
    """*resource* when it is a valid *kind*; else Unacceptable 400 or 422."""
    if kind not in TYPES:
        raise Unacceptable(404, "not-supported", "this server does not hold such resources")
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise Unacceptable(400, "structure", "the resource is not of the type that the address names")
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValueError as wrong:
        raise Unacceptable(422, "structure", f"not a valid {kind}: {str(wrong)[:300]}") from None
    for path, value in leaves(resource, kind):
        known = _CODES.get(path, _USES if path.endswith(".use") else None)
        if known is not None and value not in known:
            raise Unacceptable(422, "code-invalid", f"{path}: not in the required value set")
        if isinstance(value, str) and (not value.strip() or any(ord(c) < 32 and c not in _WHITE for c in value)):
            raise Unacceptable(422, "value", f"{path}: not a FHIR string")
    return resource


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, with the names that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def outcome(code: str, words: str) -> Resource:
    """An OperationOutcome with one error."""
    issue = {"severity": "error", "code": code, "diagnostics": words}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
