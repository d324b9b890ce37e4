"""What a person is offered to choose from: open services for their age and sex, those that are likely first, and the
question for papers where it matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from kiosk.ages import ages
from kiosk.hospital_model import Appointment, Availability, Service, Slip
from kiosk.model import Identity

_APPOINTMENT = "appointment:"


class Why(StrEnum):
    """Why a service is proposed first."""

    APPOINTMENT = "appointment"
    LAST_TIME = "last_time"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A service that the person probably came for. ``id``: what choosing it is called; ``follows``: an appointment."""

    id: str
    why: Why
    service: Service
    follows: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """All that one person may choose from. ``asks_slip``: whether they are asked for papers before.

    ``groups``: of those examined first, the ones they may say they belong to; ``priority``: the one known or said.
    """

    insured: bool = True
    services: tuple[Service, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    asks_slip: bool = False
    slip: Slip | None = None
    groups: tuple[str, ...] = ()
    priority: str | None = None

    @property
    def open_question(self) -> bool:
        """Whether the question for papers must be answered first."""
        return self.asks_slip and self.slip is None

    def picked(self, service_id: str | None) -> tuple[Service, str | None] | None:
        """The service that *service_id* names and the appointment it keeps; None when it names nothing here."""
        for proposal in self.proposals:
            if proposal.id == service_id:
                return proposal.service, proposal.follows
        return next(((service, None) for service in self.services if service.id == service_id), None)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of somebody who was here before."""

    appointments: Sequence[Appointment] = field(default=())
    last: Service | None = None


def choice_of(
    menu: Iterable[Service], person: Identity, day: date, known: Known, *, insured: bool, asks_slip: bool
) -> Choice:
    """The choice of *person* on *day* from *menu*. Only what can be chosen today is proposed."""
    services = tuple(offered(menu, person, day, insured=insured))
    by_id = {service.id: service for service in services}
    proposals = [
        Proposal(f"{_APPOINTMENT}{kept.id}", Why.APPOINTMENT, by_id[kept.service_id], kept.id)
        for kept in known.appointments
        if kept.day == day and kept.service_id in by_id
    ]
    if known.last is not None and known.last.id in by_id and len(services) > 1:
        last = by_id[known.last.id]
        if last not in [proposal.service for proposal in proposals]:
            proposals.append(Proposal(last.id, Why.LAST_TIME, last))
    return Choice(insured, services, tuple(proposals), asks_slip)


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
    youngest, oldest = ages(person.birth_date, day)
    too_young = service.age_from is not None and oldest < service.age_from
    return not (too_young or (service.age_to is not None and youngest > service.age_to))
