"""Who is examined first: by birth date, or because they say so, after the rules of a file (data/priority.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from kiosk.ages import ages
from kiosk.model import Identity, Sex

CODES: Final = ("under_6", "elderly", "pregnant", "disabled", "merit")
"""The groups that the texts of the screens know."""

_Age = Annotated[int, Field(ge=0, le=150)]


class Rule(BaseModel):
    """One group. ``below`` and ``from``: by age alone, in whole years; ``said``: who says so, if ``sex`` and ``ages``
    (both included) allow it; whose birth date or sex is not known is believed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[str, Field(pattern=f"^({'|'.join(CODES)})$")]
    below: _Age | None = None
    since: Annotated[_Age | None, Field(alias="from")] = None
    said: bool = False
    sex: Sex | None = None
    ages: tuple[_Age, _Age] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Rule:
        by_age = self.below is not None or self.since is not None
        if by_age == self.said:
            raise ValueError("a rule needs an age, or said = true")
        return self

    def by_age(self, person: Identity, day: date) -> bool:
        """Whether the birth date alone gives priority, whatever of it is not known."""
        if self.said or person.birth_date is None:
            return False
        least, most = ages(person.birth_date, day)
        return (self.below is None or most < self.below) and (self.since is None or least >= self.since)

    def may_say(self, person: Identity, day: date) -> bool:
        """Whether this person may say that they belong to the group."""
        if not self.said or (self.sex is not None and person.sex not in (None, self.sex)):
            return False
        if self.ages is None or person.birth_date is None:
            return True
        least, most = ages(person.birth_date, day)
        return most >= self.ages[0] and least <= self.ages[1]


_RULES: Final = TypeAdapter(list[Rule])


@dataclass(frozen=True, slots=True)
class Priority:
    """The rules of a facility, in order: the first that fits names the group."""

    rules: Sequence[Rule] = ()

    def by_age(self, person: Identity, day: date) -> str | None:
        """The code of the group to which the birth date alone puts *person* on *day*."""
        return next((rule.code for rule in self.rules if rule.by_age(person, day)), None)

    def to_say(self, person: Identity, day: date) -> tuple[str, ...]:
        """The codes of the groups of which *person* may say that they belong to them."""
        return tuple(rule.code for rule in self.rules if rule.may_say(person, day))


def load_priority(path: Path | None = None) -> Priority:
    """The rules of *path*, or those shipped; ValueError with the reason for a file that holds none."""
    text = (resources.files("kiosk.data") / "priority.toml" if path is None else path).read_text(encoding="utf-8")
    try:
        return Priority(tuple(_RULES.validate_python(tomllib.loads(text).get("rule", []))))
    except ValidationError as error:
        where = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, where['loc']))}: {where['msg']}") from None
