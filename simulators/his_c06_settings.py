"""Switches and clock of the C06 simulator (his-kiosk-c06.md section 11)."""

import os
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

VIETNAM = timezone(timedelta(hours=7))


class Settings(BaseModel):
    """Every switch of the simulator; the field `stt` is the environment variable `SIM_STT`, and so on.

    `sign_bhyt` and `sign_dangky_kcb` list the signed fields of the two calls whose document names none (section 6,
    row 2), comma separated. `by_card`: `/benhnhan` also finds by MA_THE_BHYT, and then needs no SO_GTTT. `first_visit`:
    what visits are counted from; a hospital system that starts again on the same day gives no id twice. A wrong value
    raises pydantic's ValidationError (a ValueError) naming the field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Literal["doc", "field"] = "doc"
    keys: Literal["upper", "camel"] = "upper"
    sex: Literal["standard", "reversed"] = "standard"
    dates: Literal["iso", "compact", "slash"] = "iso"
    slots: Literal["object", "list"] = "object"
    stt: Literal["now", "null", "after_payment", "text"] = "now"
    dup: Literal["accept", "reject", "same"] = "accept"
    dedup: Literal["none", "du_phong"] = "none"
    history: Literal["off", "on"] = "off"
    sign_error: Literal["body999", "http401", "http403_html"] = "body999"
    http_404: bool = False
    require_district: bool = False
    by_card: bool = False
    skew_s: int = Field(default=300, ge=1)
    first_visit: int = Field(default=1, ge=1, le=900_000)
    today: date | None = None
    facility: str = Field(default="99001", pattern=r"^\d{5}$")
    merchant: str = Field(default="KIOSK-TEST", min_length=1)
    secret: str = Field(default="sim-c06-secret", min_length=1, repr=False)
    sign_bhyt: tuple[str, ...] = ("SO_GTTT", "LOAI_GTTT")
    sign_dangky_kcb: tuple[str, ...] = ("MA_BN",)

    @field_validator("sign_bhyt", "sign_dangky_kcb", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read `SIM_<NAME>` variables; unset and empty ones keep their default. Raises ValueError on a wrong value."""
        return cls.model_validate(
            {name: value for name in cls.model_fields if (value := environ.get("SIM_" + name.upper()))}
        )

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """A copy with `changes`, keyed `SIM_STT` or `stt`. Raises ValueError on an unknown name or a wrong value."""
        named = {key.upper().removeprefix("SIM_").lower(): value for key, value in changes.items()}
        return self.model_validate(self.model_dump() | named)

    def public(self) -> dict[str, Any]:
        """All switches under their environment names, without the secret."""
        return {
            f"SIM_{name.upper()}": value for name, value in self.model_dump(mode="json", exclude={"secret"}).items()
        }


class Clock:
    """The simulated HIS's clock, UTC+7.

    `now` is the host's time, moved by what was set; the signature's time window uses it. `today` is the day of
    numbers and registrations: `SIM_TODAY` when given, else the day of `now`. A set day does not move `now`, so a
    client with a true clock is not refused on a simulated day.
    """

    def __init__(self, today: date | None) -> None:
        self._shift = timedelta()
        self._today = today

    def now(self) -> datetime:
        """The present moment with offset +07:00."""
        return datetime.now(VIETNAM) + self._shift

    def today(self) -> date:
        """The day that registrations belong to."""
        return self._today or self.now().date()

    def local(self) -> datetime:
        """Time of day of `now` on `today`, without offset, as this HIS writes it."""
        return datetime.combine(self.today(), self.now().time().replace(microsecond=0))

    def set(self, now: datetime | None, today: date | None) -> None:
        """Let the clock run on from `now` (None: the host's time) and fix the day (None: the day of `now`)."""
        self._shift = now - datetime.now(VIETNAM) if now else timedelta()
        self._today = today

    def set_today(self, today: date | None) -> None:
        """Fix the day alone; None: the day of `now`."""
        self._today = today
