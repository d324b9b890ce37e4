"""The ``[hospital]`` table of the staging-table adapter, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from kiosk.errors import ConfigError

_DRIVERS = ("postgresql+psycopg", "mysql+pymysql", "mssql+pyodbc", "oracle+oracledb", "sqlite")
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$]{0,62}$")]
Seconds = Annotated[float, Field(gt=0, le=120)]


def _url(value: str) -> str:
    try:
        url = sa.make_url(value)
    except sa.exc.ArgumentError:
        raise ValueError("expected a URL such as postgresql+psycopg://kiosk@host:5432/his") from None
    if url.drivername not in _DRIVERS:
        raise ValueError(f"expected one of {', '.join(_DRIVERS)}")
    if url.password is not None:
        raise ValueError("the password belongs into password_file")
    if url.drivername == "sqlite" and not url.database:
        raise ValueError("expected a file: sqlite:////path/to/file.db")
    return value


State = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[^\x00-\x1f]{1,20}$")]


class StagingTableSettings(BaseModel):
    """All keys. ``url``: without the password, which stands in ``password_file``. ``table``: where we write and read.

    ``read_view``: where the hospital system's columns are read back, when that is not the table itself.
    ``services_view``, ``visit_count_view``, ``lookups_view``: views that the site may offer (docs/staging-table.md).
    ``services_limits``: whether ``services_view`` also says for whom a service is. ``connect``, ``statement``: seconds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_url)]
    password_file: str = ""
    db_schema: Annotated[Name | None, Field(alias="schema")] = None
    table: Name = "kiosk_visit"
    read_view: Name | None = None
    services_view: Name | None = None
    services_limits: bool = False
    visit_count_view: Name | None = None
    lookups_view: Name | None = None
    refused_states: tuple[Annotated[str, StringConstraints(to_lower=True, pattern=r"^[^\x00-\x1f]{1,20}$")], ...] = (
        "rejected",
    )
    connect: Seconds = 3
    statement: Seconds = 8


def load(settings: Mapping[str, Any]) -> StagingTableSettings:
    """Check the table; ConfigError names the first wrong key and what was expected, never the value."""
    try:
        return StagingTableSettings.model_validate(dict(settings))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = sorted(field.alias or name for name, field in StagingTableSettings.model_fields.items())
        raise ConfigError(f"hospital.{key}: unknown key, expected one of {', '.join(known)}")
    raise ConfigError(f"hospital.{key}: {first['msg']}")
