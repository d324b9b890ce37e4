"""Settings of the simulated gateway, and their environment variables."""

import os
from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from simulators.vss_people import DEFAULT_FACILITY


class Settings(BaseModel):
    """What can be set from outside (insurance-gateway.md 8.1, 8.2), by field name or by environment variable.

    `today` None is the real day in UTC+7. `trust_forwarded_for` takes the caller's address from `X-Forwarded-For`.
    `refusal_shape` is how a refused token is answered: HTTP 401 with JSON, HTTP 200 with the same JSON, or HTTP 401
    without a body. `eight_digit_dates` lets birth dates `ddmmyyyy` pass.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    today: date | None = Field(default=None, validation_alias="SIM_TODAY")
    token_ttl_s: int = Field(default=600, ge=1, le=31_536_000, validation_alias="SIM_TOKEN_TTL")
    bind_ip: bool = Field(default=True, validation_alias="SIM_BIND_IP")
    trust_forwarded_for: bool = Field(default=False, validation_alias="SIM_FORWARDED_FOR")
    refusal_shape: Literal["http_json", "body", "http_empty"] = Field(
        default="http_json", validation_alias="SIM_401_SHAPE"
    )
    eight_digit_dates: bool = Field(default=False, validation_alias="SIM_DOB8")
    facility: str = Field(default=DEFAULT_FACILITY, pattern=r"^[0-9A-Z]{5}$", validation_alias="SIM_FACILITY")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Settings from the variables that `kiosk-sim gateway --help` lists; an empty one counts as absent.

        Raises pydantic's ValidationError (a ValueError), which names the variable and what was expected.
        """
        names = {str(field.validation_alias) for field in cls.model_fields.values()}
        return cls.model_validate({name: value for name, value in environ.items() if name in names and value})
