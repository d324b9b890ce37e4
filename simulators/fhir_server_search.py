"""Searches of the FHIR simulator: the parameters that a check-in needs, as FHIR R4 3.1.1 has them."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from simulators.fhir_server_check import Resource, Unacceptable

_FAR = datetime.max.replace(tzinfo=UTC)
_RESULT = frozenset(("_count", "_summary", "_sort", "_format", "_offset"))
Matches = Callable[[Resource, str], bool]


def conditions(search: str, kind: str, strict: bool) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """The query *search* as (parameter, modifier, values) conditions and result parameters.

    A parameter that the type does not have is Unacceptable 400 where the client is *strict*, else passed over.
    """
    found, result = [], {}
    for name, value in parse_qsl(search, keep_blank_values=True):
        base, _, modifier = name.partition(":")
        if base in _RESULT:
            result[base] = value
        elif (kind, base) in _PARAMETERS or base == "_id":
            found.append((base, modifier, value))
        elif strict:
            raise Unacceptable(400, "not-supported", f"unknown search parameter {base[:40]}")
    return found, result


def matching(resources: Iterable[Resource], kind: str, wanted: list[tuple[str, str, str]]) -> list[Resource]:
    """Those of type *kind* that meet all conditions."""
    rows = (resource for resource in resources if resource["resourceType"] == kind)
    return [row for row in rows if all(_meets(row, kind, *condition) for condition in wanted)]


def _meets(resource: Resource, kind: str, name: str, modifier: str, values: str) -> bool:
    test = _by_id if name == "_id" else _PARAMETERS[kind, name]
    hit = any(test(resource, value) for value in _parts(values, ","))
    if modifier == "not":
        return not hit
    if modifier:
        raise Unacceptable(400, "not-supported", f"unknown modifier of {name}")
    return hit


def _parts(text: str, mark: str) -> list[str]:
    """*text* split at *mark*, but not where a backslash stands before it; the backslashes stay."""
    parts, escaped = [""], False
    for char in text:
        if char == mark and not escaped:
            parts.append("")
        else:
            parts[-1] += char
        escaped = char == "\\" and not escaped
    return parts


def _bare(text: str) -> str:
    """*text* without the backslashes that kept its signs from parting it."""
    return re.sub(r"\\(.)", r"\1", text)


def _by_id(resource: Resource, value: str) -> bool:
    return bool(resource["id"] == value)


def _identifier(resource: Resource, value: str) -> bool:
    parts = [_bare(part) for part in _parts(value, "|")]
    if len(parts) == 1:
        return any(row.get("value") == parts[0] for row in resource.get("identifier", ()))
    rows = [row for row in resource.get("identifier", ()) if row.get("system", "") == parts[0]]
    return any(row.get("value") == parts[1] for row in rows) if parts[1] else bool(rows)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return " ".join("".join(char for char in letters if not unicodedata.combining(char)).split())


def _name(resource: Resource, value: str) -> bool:
    shown = []
    for name in resource.get("name", ()):
        shown += [name.get("text", ""), name.get("family", ""), *name.get("given", ())]
    return any(_plain(text).startswith(_plain(_bare(value))) for text in shown if text)


def _code(*path: str) -> Matches:
    def test(resource: Resource, value: str) -> bool:
        found: Any = resource
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        shown = str(found).lower() if isinstance(found, bool) else found
        return bool(shown == value.rpartition("|")[2])

    return test


def _reference(element: str, kind: str) -> Matches:
    def test(resource: Resource, value: str) -> bool:
        wanted = value if "/" in value else f"{kind}/{value}"
        return bool(resource.get(element, {}).get("reference") == wanted)

    return test


def _participant(resource: Resource, value: str) -> bool:
    actors = [row.get("actor", {}).get("reference") for row in resource.get("participant", ())]
    return (value if "/" in value else f"Patient/{value}") in actors


def _span(value: str) -> tuple[datetime, datetime]:
    """First moment and end of a date, dateTime or instant; Unacceptable 400 for anything else."""
    try:
        if len(value) == 4:
            return datetime(int(value), 1, 1, tzinfo=UTC), datetime(int(value) + 1, 1, 1, tzinfo=UTC)
        if len(value) == 7:
            first = datetime.fromisoformat(f"{value}-01").replace(tzinfo=UTC)
            return first, (first + timedelta(days=32)).replace(day=1)
        if len(value) == 10:
            first = datetime.fromisoformat(value).replace(tzinfo=UTC)
            return first, first + timedelta(days=1)
        first = datetime.fromisoformat(value)
    except ValueError:
        raise Unacceptable(400, "value", "not a date") from None
    if first.tzinfo is None:
        raise Unacceptable(400, "value", "a time needs a zone")
    return first, first + timedelta(seconds=1)


def _date(span_of: Callable[[Resource], tuple[datetime, datetime] | None]) -> Matches:
    def test(resource: Resource, value: str) -> bool:
        prefix = value[:2] if value[:2].isalpha() else "eq"
        first, last = _span(value.removeprefix(prefix) if prefix != "eq" or value.startswith("eq") else value)
        found = span_of(resource)
        if found is None:
            return False
        begin, end = found
        match prefix:
            case "eq":
                return first <= begin and end <= last
            case "ge":
                return end > first
            case "gt":
                return end > last
            case "le":
                return begin < last
            case "lt":
                return begin < first
        raise Unacceptable(400, "not-supported", "unknown prefix")

    return test


def _birth(resource: Resource) -> tuple[datetime, datetime] | None:
    return _span(resource["birthDate"]) if "birthDate" in resource else None


def _period(resource: Resource) -> tuple[datetime, datetime] | None:
    """Without an end it lasts for ever: each later day matches."""
    period = resource.get("period", {})
    if "start" not in period:
        return None
    return _span(period["start"])[0], _span(period["end"])[1] if "end" in period else _FAR


def _start(resource: Resource) -> tuple[datetime, datetime] | None:
    return _span(resource["start"]) if "start" in resource else None


_PARAMETERS: dict[tuple[str, str], Matches] = {
    ("Patient", "identifier"): _identifier,
    ("Patient", "name"): _name,
    ("Patient", "birthdate"): _date(_birth),
    ("Patient", "active"): _code("active"),
    ("Coverage", "identifier"): _identifier,
    ("Coverage", "beneficiary"): _reference("beneficiary", "Patient"),
    ("CoverageEligibilityResponse", "identifier"): _identifier,
    ("Encounter", "identifier"): _identifier,
    ("Encounter", "patient"): _reference("subject", "Patient"),
    ("Encounter", "subject"): _reference("subject", "Patient"),
    ("Encounter", "status"): _code("status"),
    ("Encounter", "class"): _code("class", "code"),
    ("Encounter", "date"): _date(_period),
    ("Appointment", "patient"): _participant,
    ("Appointment", "status"): _code("status"),
    ("Appointment", "date"): _date(_start),
    ("HealthcareService", "active"): _code("active"),
    ("Location", "status"): _code("status"),
}
