"""Which services a person may choose from: those that are open, and for somebody of their age and sex."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from kiosk.hospital_model import Availability, Service
from kiosk.model import Identity, PartialDate


def offered(services: Iterable[Service], person: Identity, day: date, *, insured: bool) -> list[Service]:
    """The services of *services*, in their order, for an *insured* or self-paid visit of *person* on *day*.

    Whose birth date or sex is not known is not held back by it.
    """
    return [
        service
        for service in services
        if service.insured is insured and service.available is not Availability.NO and _is_for(service, person, day)
    ]


def _is_for(service: Service, person: Identity, day: date) -> bool:
    if service.sex is not None and person.sex is not None and service.sex is not person.sex:
        return False
    if person.birth_date is None:
        return True
    youngest, oldest = _ages(person.birth_date, day)
    too_young = service.age_from is not None and oldest < service.age_from
    return not (too_young or (service.age_to is not None and youngest > service.age_to))


def _ages(born: PartialDate, day: date) -> tuple[int, int]:
    """The least and the most whole years that somebody born then can have on *day*."""
    earliest = (born.month or 1, born.day or 1)
    latest = (born.month or 12, born.day or 31)
    age = day.year - born.year
    today = (day.month, day.day)
    return age - (today < latest), age - (today < earliest)
