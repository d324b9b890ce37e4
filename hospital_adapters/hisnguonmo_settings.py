"""The ``[hospital]`` table of the hisnguonmo adapter, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from kiosk.errors import ConfigError
from kiosk.loopback import is_loopback

Seconds = Annotated[float, Field(gt=0, le=120)]
Code = Annotated[str, Field(min_length=1, max_length=20)]
Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~/-]+$")]


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("expected https://... (http only to this machine itself)")
    if not host or not host.isascii() or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("expected a URL with a host name in ASCII, without account, query or fragment")
    return value.rstrip("/")


class Timeouts(BaseModel):
    """Seconds; the product's own client waits 60 for any call (his-kiosk-c06.md 10.1)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connect: Seconds = 3
    get: Seconds = 8
    post: Seconds = 20


class Paths(BaseModel):
    """Where the calls are, below ``url``. The login and the catalogues are of one installation, others may differ."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    login: Path = "api/Token/Login"
    find: Path = "api/HisPatient/GetInformationForKiosk"
    register_own: Path = "api/HisServiceReq/ExamRegisterKiosk"
    register_partner: Path = "api/HisServiceReq/RegisterKiosk"
    rooms: Path = "api/HisRoom/GetView"
    service_rooms: Path = "api/HisServiceRoom/GetView"
    prices: Path = "api/HisServicePaty/GetView"
    patient_types: Path = "api/HisPatientType/Get"


class HisnguonmoSettings(BaseModel):
    """All keys, with the defaults of his-kiosk-c06.md 10.1.

    ``mode``: which call registers: ``own`` that of the product's own kiosk, ``partner`` the one made for partners,
    which takes only people whom the system knows. ``request_room``: code of the reception room that the kiosk stands
    for. ``user`` with ``password_file``, or ``token_file``: a token that does not end. ``insured_type`` and
    ``fee_type``: codes of the patient types of insured and of paying people. ``right_route_code``: sent for insured
    people who are registered at this facility, empty: staff decide. ``five_years_code``: sent with cards of five years
    without a gap, empty: staff decide. ``male``, ``female``: the system's numbers of the sexes. ``login_url``: where
    accounts are kept apart, as they mostly are; without: at ``url`` too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_base_url)]
    login_url: Annotated[str, AfterValidator(_base_url)] | None = None
    mode: Literal["own", "partner"] = "own"
    request_room: Code
    user: str = ""
    password_file: str = ""
    token_file: str = ""
    application_code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,40}$")] = "HIS"
    token_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "TokenCode"
    application_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "ApplicationCode"
    insured_type: Code = "01"
    fee_type: Code = "02"
    right_route_code: Annotated[str, Field(max_length=10)] = ""
    five_years_code: Annotated[str, Field(max_length=10)] = ""
    male: Annotated[int, Field(ge=0, le=99)] = 2
    female: Annotated[int, Field(ge=0, le=99)] = 1
    menu_seconds: Annotated[float, Field(gt=0, le=86_400)] = 600
    paths: Paths = Paths()
    timeouts: Timeouts = Timeouts()
    ca_file: str | None = None

    @model_validator(mode="after")
    def _can_sign_in(self) -> Self:
        if bool(self.token_file) is bool(self.user and self.password_file):
            raise ValueError("expected either user with password_file, or token_file")
        if self.male == self.female:
            raise ValueError("male, female: expected two numbers")
        return self


def load(settings: Mapping[str, Any]) -> HisnguonmoSettings:
    """Check the table; ConfigError names the first wrong key and what was expected, never the value."""
    try:
        return HisnguonmoSettings.model_validate(dict(settings))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        nested = {"timeouts": Timeouts.model_fields, "paths": Paths.model_fields}
        known = nested[key.split(".")[0]] if "." in key else HisnguonmoSettings.model_fields
        raise ConfigError(f"hospital.{key}: unknown key, expected one of {', '.join(sorted(known))}")
    raise ConfigError(f"hospital.{key}: {first['msg']}" if key else f"hospital: {first['msg']}")
