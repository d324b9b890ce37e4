"""The ``[hospital]`` table of the hand-over adapter, checked at start: the form, and how the clerk's scanner types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hospital_adapters.handover_typing import Accents
from kiosk.errors import ConfigError

Key = Literal["tab", "enter"]
FieldName = Literal[
    "personal_id",
    "old_id",
    "full_name",
    "birth_date",
    "birth_year",
    "sex",
    "address",
    "province_code",
    "commune_code",
    "card",
    "registered_facility",
    "valid_from",
    "valid_to",
    "five_years_on",
    "service",
    "service_code",
    "department",
    "insured",
    "happened_at",
    "checkin_id",
    "lookup_receipt",
    "slip",
]
DateFormat = Literal["dd/mm/yyyy", "dd-mm-yyyy", "ddmmyyyy", "yyyy-mm-dd", "yyyymmdd"]
Word = Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")]
KEYS: tuple[str, ...] = get_args(Key)


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SexWords(_Words):
    """What the form wants for each; nothing is typed for a person whose sex is not known."""

    M: Word = "Nam"
    F: Word = "Nữ"


class InsuredWords(_Words):
    """How a visit is registered; ``unchecked``: as insured, while the gateway has not answered."""

    insured: Word = "BHYT"
    unchecked: Word = "BHYT"
    self_pay: Word = "Viện phí"


class SlipWords(_Words):
    """The paper that the person says to have brought."""

    referral: Word = "Giấy chuyển tuyến"
    re_examination: Word = "Giấy hẹn khám lại"
    none: Word = ""


class HandoverSettings(BaseModel):
    """All keys. ``fields``: the form's fields in its order, each at most once, and keys typed between them.

    ``between``: what is typed between two fields, ``tab``, ``enter``, ``semicolon`` or a text; keys that are listed
    between them stand in its place. ``last``: the key behind the last field. ``accents``: how the scanner types
    Vietnamese letters (hospital_adapters.handover_typing). ``birth_year_only``: what is typed as a date where only the
    year is known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: Annotated[tuple[FieldName | Key, ...], Field(min_length=1, max_length=80)]
    between: Annotated[str, Field(min_length=1, max_length=10, pattern=r"^[ -~]+$")] = "tab"
    last: Literal["none", "tab", "enter"] = "none"
    accents: Accents = "telex"
    date_format: DateFormat = "dd/mm/yyyy"
    birth_year_only: Literal["yyyy", "first_of_january", "nothing"] = "yyyy"
    sex: SexWords = SexWords()
    insured: InsuredWords = InsuredWords()
    slip: SlipWords = SlipWords()

    @model_validator(mode="after")
    def _each_once(self) -> HandoverSettings:
        named = [name for name in self.fields if name not in KEYS]
        if not named or len(set(named)) < len(named):
            raise ValueError("fields: expected each field of the form once, and at least one")
        return self


def load(settings: Mapping[str, Any]) -> HandoverSettings:
    """Check the table; ConfigError names the first wrong key and what was expected, never the value."""
    try:
        return HandoverSettings.model_validate(dict(settings))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        nested: dict[str, type[BaseModel]] = {"sex": SexWords, "insured": InsuredWords, "slip": SlipWords}
        known = nested[key.split(".")[0]] if "." in key else HandoverSettings
        raise ConfigError(f"hospital.{key}: unknown key, expected one of {', '.join(sorted(known.model_fields))}")
    raise ConfigError(f"hospital.{key}: {first['msg']}" if key else f"hospital.{first['msg'].partition(', ')[2]}")
