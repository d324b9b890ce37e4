"""Switches of the hisnguonmo simulator."""

import os
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Every switch; the field `token_ttl` is the environment variable `SIM_TOKEN_TTL`, and so on.

    `token_ttl`: life of a token in seconds. `login_error`: how a refused account is told. `empty_lists`: the look-up
    writes a list without rows as `[]` instead of null. A wrong value raises pydantic's ValidationError (a ValueError).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    today: date | None = None
    application: str = Field(default="HIS", min_length=1)
    user: str = Field(default="kiosk", min_length=1)
    password: str = Field(default="sim-hisnguonmo-secret", min_length=1, repr=False)
    token_ttl: float = Field(default=3600, gt=0)
    login_error: Literal["http401", "body"] = "http401"
    empty_lists: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read `SIM_<NAME>` variables; unset and empty ones keep their default. Raises ValueError on a wrong value."""
        return cls.model_validate(
            {name: value for name in cls.model_fields if (value := environ.get("SIM_" + name.upper()))}
        )

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """A copy with `changes`, keyed `SIM_TOKEN_TTL` or `token_ttl`. Raises ValueError on a wrong name or value."""
        named = {key.upper().removeprefix("SIM_").lower(): value for key, value in changes.items()}
        return self.model_validate(self.model_dump() | named)

    def public(self) -> dict[str, Any]:
        """All switches under their environment names, without the password."""
        shown = self.model_dump(mode="json", exclude={"password"})
        return {f"SIM_{name.upper()}": value for name, value in shown.items()}
