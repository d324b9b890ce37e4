"""What stations and their facility's relay say to each other: JSON under ``/api/v1/relay/``.

Both ends are ours, of the same version; each checks what comes all the same.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from kiosk.model import Eligibility, Identity, KeyKind, LookupKey, Moment, PartialDate, Sex
from kiosk.register_model import Elsewhere, Handed, Passage

LOOKUP: Final = "/api/v1/relay/lookup"
CHECK: Final = "/api/v1/relay/check"
FACILITY_KEY: Final = "/api/v1/relay/facility-key"
FIND: Final = "/api/v1/relay/register/find"
CLAIM: Final = "/api/v1/relay/register/claim"
ACCEPTED: Final = "/api/v1/relay/register/accepted"
ENDED: Final = "/api/v1/relay/register/ended"
PATHS: Final = (LOOKUP, CHECK, FIND, CLAIM, ACCEPTED, ENDED)
"""All that is posted."""

Number = Annotated[str, Field(pattern=r"^[0-9A-Z]{1,20}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Born = Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}$")]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,40}$")]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class Nothing(_Wire):
    """The body of a question that needs none."""


class Question(_Wire):
    """A lookup for a visit on ``visit_day`` (Vietnam's calendar), to be answered within ``seconds``.

    ``birth_date``: ISO, partial where it is so.
    """

    number: Annotated[str, Field(max_length=40)]
    kind: KeyKind
    full_name: Name
    birth_date: Born
    sex: Sex | None = None
    other_numbers: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=8)] = ()
    visit_day: date
    moment: Moment = Moment.ARRIVAL
    seconds: Annotated[float, Field(gt=0, le=15)]

    @classmethod
    def of(cls, key: LookupKey, visit_day: date, moment: Moment, seconds: float) -> Self:
        """The question about *key*."""
        return cls(
            number=key.number,
            kind=key.kind,
            full_name=key.full_name,
            birth_date=str(key.birth_date),
            sex=key.sex,
            other_numbers=key.other_numbers,
            visit_day=visit_day,
            moment=moment,
            seconds=seconds,
        )

    def key(self) -> LookupKey:
        """Back to our words; ValueError for a birth date that no calendar has."""
        born = PartialDate.parse(self.birth_date)
        return LookupKey(self.number, self.kind, self.full_name, born, self.sex, self.other_numbers)


class Reply(_Wire):
    """The answer with its evidence and the untouched body (base64)."""

    eligibility: Eligibility


class Person(_Wire):
    """By what the register knows a person beside the numbers."""

    full_name: Name | None = None
    birth_date: Born | None = None
    sex: Sex | None = None


class Told(_Wire):
    """One passage at ``station``, which must be the key's own."""

    checkin_id: Id
    station: Annotated[str, Field(max_length=40)]
    day: date
    numbers: Annotated[tuple[Number, ...], Field(min_length=1, max_length=8)]
    person: Person
    another: bool = False
    ticket: Handed | None = None

    @classmethod
    def of(cls, passage: Passage, station: str, ticket: Handed | None = None) -> Self:
        """What *station* tells of *passage*."""
        who = passage.identity
        born = str(who.birth_date) if who.birth_date else None
        return cls(
            checkin_id=passage.checkin_id,
            station=station,
            day=date.fromisoformat(passage.day),
            numbers=passage.numbers,
            person=Person(full_name=who.full_name, birth_date=born, sex=who.sex),
            another=passage.another,
            ticket=ticket,
        )

    def passage(self) -> Passage:
        """Back to our words; ValueError for a birth date that no calendar has."""
        born = PartialDate.parse(self.person.birth_date) if self.person.birth_date else None
        who = Identity(full_name=self.person.full_name, birth_date=born, sex=self.person.sex)
        return Passage(self.checkin_id, str(self.day), self.numbers, who, self.another)


class Ended(_Wire):
    """A passage of ``station`` that came to nothing."""

    checkin_id: Id
    station: Annotated[str, Field(max_length=40)]


class Registered(_Wire):
    """``first``: the visit is the asker's; else, or beside it, where the same person is or was."""

    first: bool
    elsewhere: Elsewhere | None = None


class Checked(_Wire):
    """How the relay's own probe of the gateway ended."""

    ok: bool
    problems: tuple[str, ...] = ()
    details: dict[str, int | str] = {}
