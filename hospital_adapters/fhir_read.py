"""Reads what a FHIR server answers, leniently: unknown elements are passed over, unreadable ones are absent. Pure.

Other people's resources are read here and not by the library's models, which refuse a whole resource for one element
that they do not know. Nothing here raises, whatever the answer holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import carried, is_id, number
from kiosk.documents.text import letters
from kiosk.hospital_model import MOST_TICKET, PatientRef, Receipt, TicketLine
from kiosk.model import Identity, PartialDate, Sex, local_day

Resource = dict[str, Any]
_SEX = {"male": Sex.MALE, "female": Sex.FEMALE}
_WITHDRAWN = ("cancelled", "entered-in-error")
_TEXT_LIMIT = 500
_LONGEST = 1000


def parse(body: bytes) -> Resource | None:
    """The JSON object in *body*, None when there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def items(value: Any) -> Iterator[Resource]:
    """The objects in a list; nothing of anything else."""
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def part(value: Any, *names: str) -> Any:
    """The element under these names, None where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: Any) -> str | None:
    """A text, without what no text may hold; None for anything else, for an empty one and an absurdly long one."""
    return (carried(value) or None) if isinstance(value, str) and len(value) <= _LONGEST else None


def is_bundle(resource: Resource | None, kind: str) -> bool:
    """Whether *resource* is a Bundle of this type."""
    return bool(part(resource, "resourceType") == "Bundle" and part(resource, "type") == kind)


def matches(bundle: Resource, kind: str) -> list[Resource]:
    """The resources of type *kind* that a search found, without those sent beside them."""
    found = (part(entry, "resource") for entry in items(bundle.get("entry")) if _is_match(entry))
    return [resource for resource in found if part(resource, "resourceType") == kind and is_id(id_of(resource))]


def _is_match(entry: Resource) -> bool:
    return part(entry, "search", "mode") in (None, "match")


def id_of(resource: Any) -> str:
    """The resource's id, empty where it has none."""
    found = part(resource, "id")
    return found if isinstance(found, str) and is_id(found) else ""


def identifiers(resource: Any, system: str) -> list[str]:
    """The values of its identifiers of *system*, those marked as old last."""
    rows = [row for row in items(part(resource, "identifier")) if part(row, "system") == system and system]
    rows.sort(key=lambda row: part(row, "use") == "old")
    return [row["value"] for row in rows if isinstance(row.get("value"), str)]


def reference_id(value: Any, kind: str) -> str:
    """The id in a Reference, or in a location, to a *kind* of this server; empty where there is none."""
    where = part(value, "reference") if isinstance(value, dict) else value
    if not isinstance(where, str):
        return ""
    found = re.fullmatch(rf"(?:.*/)?{kind}/([A-Za-z0-9.-]{{1,64}})(?:/_history/.*)?", where)
    return found[1] if found else ""


def moment(value: Any) -> datetime | None:
    """An instant or dateTime with a time and a zone."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def day(value: Any) -> date | None:
    """The day in Vietnam of an instant, or the day that a date names; None where neither is certain."""
    at = moment(value)
    if at is not None:
        try:
            return local_day(at)
        except OverflowError:
            return None
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def outcome_text(body: bytes) -> str:
    """What an OperationOutcome says for people; it may name a person."""
    outcome = parse(body)
    if part(outcome, "resourceType") != "OperationOutcome":
        return ""
    issues = items(part(outcome, "issue"))
    said = [text(part(issue, "details", "text")) or text(part(issue, "diagnostics")) for issue in issues]
    return "; ".join(line for line in said if line)[:_TEXT_LIMIT]


def person(patient: Resource, settings: FhirSettings) -> Identity:
    """What a Patient says of somebody."""
    citizen = [found for value in identifiers(patient, settings.system("citizen")) if (found := number(value))]
    old = [found for value in identifiers(patient, settings.system("old")) if (found := number(value))]
    return Identity(
        personal_id=citizen[0] if citizen else None,
        old_id=old[0] if old else None,
        full_name=_name(patient),
        birth_date=_birth(part(patient, "birthDate")),
        sex=_SEX.get(sex) if isinstance(sex := part(patient, "gender"), str) else None,
        address=_address(patient),
    )


def patient_ref(patient: Resource, settings: FhirSettings) -> PatientRef:
    """The Patient's id and the hospital's own number of them."""
    return PatientRef(id_of(patient), hospital_number(patient, settings))


def hospital_number(patient: Any, settings: FhirSettings) -> str | None:
    """The identifier of the hospital's own system; where none is set, the one of the profile's type (MR or PI)."""
    system = settings.system("patient")
    if system:
        found = identifiers(patient, system)
    else:
        rows = [row for row in items(part(patient, "identifier")) if _typed(row, settings.patient_type)]
        found = [row["value"] for row in rows if isinstance(row.get("value"), str)]
    return text(found[0]) if found else None


def _typed(identifier: Resource, code: str) -> bool:
    return any(part(coding, "code") == code for coding in items(part(identifier, "type", "coding")))


def _name(patient: Resource) -> str | None:
    names = [name for name in items(part(patient, "name")) if part(name, "use") not in ("old", "nickname", "anonymous")]
    names.sort(key=lambda name: part(name, "use") != "official")
    for name in names:
        given = part(name, "given")
        words = [text(word) for word in [part(name, "family"), *(given if isinstance(given, list) else [])]]
        whole = text(part(name, "text")) or " ".join(word for word in words if word)
        if whole:
            return whole
    return None


def _birth(value: Any) -> PartialDate | None:
    try:
        return PartialDate.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _address(patient: Resource) -> str | None:
    homes = [home for home in items(part(patient, "address")) if part(home, "use") not in ("old", "billing")]
    for home in homes:
        lines = part(home, "line")
        named = [*(lines if isinstance(lines, list) else []), *(home.get(key) for key in ("district", "city", "state"))]
        whole = text(part(home, "text")) or ", ".join(word for word in map(text, named) if word)
        if whole:
            return whole
    return None


def differences(asked: Identity, known: Identity) -> tuple[str, ...]:
    """Words of name, birth_year, sex, personal_id; what either side does not know does not differ."""
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("name", asked.full_name and letters(asked.full_name), known.full_name and letters(known.full_name)),
        ("birth_year", asked.birth_date and asked.birth_date.year, known.birth_date and known.birth_date.year),
        ("sex", asked.sex, known.sex),
        ("personal_id", asked.personal_id, known.personal_id),
    )
    return tuple(word for word, ours, theirs in pairs if ours and theirs and ours != theirs)


def stands(encounter: Resource) -> bool:
    """Whether a visit was not withdrawn."""
    return part(encounter, "status") not in _WITHDRAWN


def receipt(encounter: Resource, patient_code: str | None, settings: FhirSettings) -> Receipt:
    """What an Encounter says: MA_LK, else its id; ``registration_id``: under which it is read again; the number."""
    known = [found for value in identifiers(encounter, settings.system("visit")) if (found := number(value))]
    status = part(encounter, "status")
    queued = _queue_number(encounter, settings)
    return Receipt(
        visit_id=known[0] if known else id_of(encounter),
        patient_code=patient_code,
        registration_id=f"Encounter/{id_of(encounter)}",
        tickets=(TicketLine(queued),) if queued else (),
        raw_status=number(status) if isinstance(status, str) else None,
    )


def _queue_number(encounter: Resource, settings: FhirSettings) -> str | None:
    url = settings.extensions.queue_number
    rows = [row for row in items(part(encounter, "extension")) if url and part(row, "url") == url]
    values = [value for row in rows for name, value in row.items() if name.startswith("value")]
    values += identifiers(encounter, settings.queue_number_system)
    for value in values:
        # bool is an int, and no number of anybody
        shown = str(value) if type(value) is int else text(value)
        if shown and len(shown) <= MOST_TICKET:
            return shown
    return None
