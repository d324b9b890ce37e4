"""Rooms to choose from, and appointments, as a FHIR server states them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from hospital_adapters import fhir_read as read
from hospital_adapters.fhir_read import Resource
from hospital_adapters.fhir_settings import FhirSettings
from kiosk.hospital_model import Appointment, Availability, Service

SELF_PAY = "self-pay"
"""What parts the id of a room, offered a second time for people who pay themselves, from the resource's own."""
_OPEN = ("proposed", "pending", "booked", "waitlist")


def menu(rooms: Iterable[Resource], settings: FhirSettings) -> tuple[Service, ...]:
    """The rooms in use, by name, without prices: FHIR has none for them.

    Where nothing in the server tells rooms for insured people, each is offered both ways, insured first.
    """
    named = [service for room in rooms if (service := _service(room, settings)) is not None]
    named.sort(key=lambda service: (service.department, service.name, service.id))
    if settings.menu_insured:
        return tuple(named)
    return tuple(named) + tuple(replace(service, id=f"{service.id}#{SELF_PAY}", insured=False) for service in named)


def appointments(found: Iterable[Resource], patient: str, day: date) -> tuple[Appointment, ...]:
    """The unused appointments of *patient* (an id) on *day*, in their order of time."""
    rows: list[tuple[str, Appointment]] = []
    for resource in found:
        actors = [read.part(row, "actor") for row in read.items(resource.get("participant"))]
        theirs = any(read.reference_id(actor, "Patient") == patient for actor in actors)
        if theirs and resource.get("status") in _OPEN and read.day(resource.get("start")) == day:
            appointment = Appointment(read.id_of(resource), day, _booked(actors))
            rows.append((str(resource.get("start")), appointment))
    return tuple(appointment for _, appointment in sorted(rows, key=lambda row: (row[0], row[1].id)))


def _booked(actors: list[Any]) -> str | None:
    """The id in the menu of what was booked."""
    for kind in ("HealthcareService", "Location"):
        for actor in actors:
            if id_ := read.reference_id(actor, kind):
                return f"{kind}/{id_}"
    return None


def _service(room: Resource, settings: FhirSettings) -> Service | None:
    kind, name = room["resourceType"], read.text(room.get("name"))
    if kind == "HealthcareService":
        places = list(read.items(room.get("location")))
        place = read.reference_id(places[0], "Location") if places else ""
        usable, department = room.get("active") is not False, read.text(read.part(room, "providedBy", "display"))
        located, shown = f"Location/{place}" if place else "", read.text(places[0].get("display")) if places else None
        department = shown or department
    else:
        usable, located = room.get("status") in (None, "active"), f"Location/{read.id_of(room)}"
        department = read.text(read.part(room, "managingOrganization", "display"))
    if name is None or not usable or room.get("mode") == "kind":
        return None
    codes = list(_codes(room))
    return Service(
        id=f"{kind}/{read.id_of(room)}",
        code=codes[0] if codes else "",
        name=name,
        department_id=located,
        department=department or "",
        exam_type="",
        insured=not settings.menu_insured or not set(settings.menu_insured).isdisjoint(codes),
        available=Availability.UNKNOWN,
    )


def _codes(room: Resource) -> Iterator[str]:
    """Codes of what the room is, then its identifiers' values."""
    for element in ("type", "category", "program"):
        for concept in read.items(room.get(element)):
            for coding in read.items(concept.get("coding")):
                if code := read.text(coding.get("code")):
                    yield code
    for identifier in read.items(room.get("identifier")):
        if value := read.text(identifier.get("value")):
            yield value
