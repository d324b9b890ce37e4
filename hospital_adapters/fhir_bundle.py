"""The transaction Bundles of a registration and an amendment, and what a server answers to one. Pure.

FHIR R4 3.1.0.11 (transactions), 3.1.0.8.1 (``ifNoneExist``), 3.1.0.7.2 (``ifMatch``). A person whom the hospital holds
is only referred to: nothing here ever writes over a Patient.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from hospital_adapters import fhir_build as build
from hospital_adapters import fhir_read as read
from hospital_adapters.fhir_check import check_bundle, check_codes
from hospital_adapters.fhir_read import Resource
from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import query
from kiosk.hospital_model import Encounter


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry: the id of the resource, and the resource where the server sent it along."""

    id: str
    resource: Resource | None


@dataclass(frozen=True, slots=True)
class Held:
    """References to what the hospital holds already: the person, and the Coverage of this card; None: to be made."""

    patient: str | None = None
    card: str | None = None


def registration(encounter: Encounter, held: Held, facility: str, now: datetime, settings: FhirSettings) -> Resource:
    """The Bundle that opens a visit.

    HospitalRejected ``fhir.not_valid`` for what FHIR does not allow.
    """
    entries: list[Resource] = []
    subject = held.patient
    if subject is None:
        subject = _urn(encounter, "patient")
        key = build.person_key(encounter, settings)
        entries.append(_create(subject, build.patient(encounter, settings), _identifier(key)))
    about, card = _about_insurance(encounter, held, subject, now, settings)
    own = (settings.system("checkin"), encounter.checkin_id)
    visit = build.visit(encounter, subject, card, facility, settings)
    entries += [*about, _create(_urn(encounter, "visit"), visit, _identifier(own))]
    return _checked(entries)


def amendment(
    encounter: Encounter, visit: Resource, patient: str, card: str | None, now: datetime, settings: FhirSettings
) -> Resource:
    """The Bundle that writes what is now known of the card into *visit*, as it was read.

    *patient*: reference to its person; *card*: to the Coverage of this card where the hospital holds it.

    It is refused by the server (412) when the visit has changed since. HospitalRejected ``fhir.not_valid``.
    """
    about, reference = _about_insurance(encounter, Held(patient, card), patient, now, settings)
    changed = build.with_coverage(visit, encounter, reference, settings)
    check_codes(changed)
    bundle = _checked(about)
    request = {"method": "PUT", "url": f"Encounter/{read.id_of(visit)}", "ifMatch": if_match(visit)}
    full = _urn(encounter, "visit")
    return {**bundle, "entry": [*about, {"fullUrl": full, "resource": changed, "request": request}]}


def if_match(resource: Resource) -> str:
    """The ETag of a resource's version, empty where the server keeps none."""
    version = read.part(resource, "meta", "versionId")
    return f'W/"{version}"' if isinstance(version, str) and version else ""


def answered(answer: Resource | None, sent: Resource, kind: str) -> Outcome | None:
    """What became of the entry of type *kind* in the Bundle *sent*; None unless *answer* says that all are done.

    An Outcome without id where *sent* holds no such entry.
    """
    rows = list(read.items(read.part(answer, "entry")))
    entries = sent["entry"]
    if not read.is_bundle(answer, "transaction-response") or len(rows) != len(entries):
        return None
    outcome = Outcome("", None)
    for row, entry in zip(rows, entries, strict=True):
        status = read.part(row, "response", "status")
        if not isinstance(status, str) or status[:3] not in ("200", "201"):
            return None
        if entry["resource"]["resourceType"] == kind:
            resource = read.part(row, "resource")
            given = resource if read.part(resource, "resourceType") == kind else None
            id_ = read.reference_id(read.part(row, "response", "location"), kind) or read.id_of(given)
            outcome = Outcome(id_, given)
    return outcome


def _about_insurance(
    encounter: Encounter, held: Held, subject: str, now: datetime, settings: FhirSettings
) -> tuple[list[Resource], str | None]:
    """Entries for the confirmed card and the insurer's answer, and the reference to the card."""
    card, entries = build.confirmed_card(encounter), []
    reference = held.card if card is not None else None
    if card is not None and reference is None:
        reference = _urn(encounter, "coverage")
        search = _identifier((settings.system("card"), card.number))
        if held.patient is not None:
            search = f"{search}&{query([('beneficiary', held.patient)])}"
        else:
            # a card of this number would be in somebody else's record: only a repeat of ours may match
            search = _identifier((settings.system("checkin"), encounter.checkin_id))
        entries.append(_create(reference, build.coverage(card, subject, encounter, settings), search))
    if settings.eligibility_response and encounter.service.insured and not encounter.eligibility.unanswered:
        answer = build.eligibility(encounter, subject, reference, now, settings)
        key = build.answer_key(encounter, settings)
        entries.append(_create(_urn(encounter, "answer"), answer, _identifier(key)))
    return entries, reference


def _checked(entries: list[Resource]) -> Resource:
    bundle: Resource = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    check_bundle(bundle)
    return bundle


def _create(full_url: str, resource: Resource, search: str) -> Resource:
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": search}
    return {"fullUrl": full_url, "resource": resource, "request": request}


def _identifier(key: tuple[str, str]) -> str:
    return query([("identifier", "|".join(key))])


def _urn(encounter: Encounter, part: str) -> str:
    """The same in every repeat."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{encounter.checkin_id}/{part}").urn
