"""The ``[hospital]`` table of the GNU Health adapter, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kiosk.errors import ConfigError
from kiosk.loopback import is_loopback

Seconds = Annotated[float, Field(gt=0, le=120)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


def _server_url(value: str) -> str:
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.port == 0:
        raise ValueError("expected a port from 1 to 65535")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("expected https://... (http only to this machine itself)")
    if not host or not all(0 < len(label) < 64 for label in host.split(".")) or not host.isascii():
        raise ValueError("expected a URL with a host name in ASCII")
    if parts.username is not None or parts.query or parts.fragment or not value.isprintable() or " " in value:
        raise ValueError("expected a URL without account, query or fragment")
    return value.rstrip("/")


class Timeouts(BaseModel):
    """Seconds for one call: ``ask`` for questions and preparations, ``visit`` for what registers a visit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connect: Seconds = 3
    ask: Seconds = 8
    visit: Seconds = 20


class GnuHealthSettings(BaseModel):
    """All keys.

    ``url``: of the Tryton server, without the database. ``user``: an account of the group "Health Front Desk".
    ``institution``: CODE of the institution whose specialties are the menu. ``insurer``: PUID of the party that is the
    social insurance. ``name_split``: where a name is cut into given and family names, ``whole`` keeps it in one piece
    in the given name. ``prefix``: country code of federation accounts. ``self_pay``: offer each specialty without
    insurance too. ``ca_file``: PEM of the hospital's own authority, instead of the public ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_server_url)]
    database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$")]
    user: Annotated[str, Field(pattern=r"^[^:\x00-\x20\x7f]{1,100}$")]
    password_file: Annotated[str, Field(min_length=1)]
    institution: Name
    insurer: Name
    name_split: Literal["whole", "last", "first"] = "whole"
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "VNM"
    self_pay: bool = True
    timeouts: Timeouts = Timeouts()
    ca_file: str = ""


def load(settings: Mapping[str, Any]) -> GnuHealthSettings:
    """Check the table; ConfigError names the first wrong key and what was expected, never the value."""
    try:
        return GnuHealthSettings.model_validate(dict(settings))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = Timeouts.model_fields if "." in key else GnuHealthSettings.model_fields
        raise ConfigError(f"hospital.{key}: unknown key, expected one of {', '.join(sorted(known))}")
    raise ConfigError(f"hospital.{key}: {first['msg']}")
