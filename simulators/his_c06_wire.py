"""How the C06 simulator writes: key case, date forms, sex codes, envelopes; and how it signs and masks.

Answers are built with rich values (`date`, `datetime`, `SexCode`) and written out last, so every switch of
his-kiosk-c06.md section 11 acts in one place.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from simulators.his_c06_data import Sex
from simulators.his_c06_settings import Settings

_DATE_FORMS = {
    "iso": ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"),
    "compact": ("%Y%m%d", "%Y%m%d%H%M"),
    "slash": ("%d/%m/%Y", "%d/%m/%Y %H:%M:%S"),
}


class Refusal(Exception):
    """The HIS says no: `code` 999 (failed) or 404 (not found) and a Vietnamese `message` for the answer."""

    def __init__(self, message: str, code: str = "999") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True)
class SexCode:
    """A sex to be written: 1/2/3 in patient data, 0/1 in insurance data (his-kiosk-c06.md 6, row 1)."""

    sex: Sex | None
    insurance: bool = False

    def write(self, coding: str) -> int:
        """The number under `coding` `standard` or `reversed` (1 female, 2 male everywhere)."""
        if self.sex is None:
            return 3
        if coding == "reversed":
            return 1 if self.sex == "F" else 2
        if self.insurance:
            return 0 if self.sex == "F" else 1
        return 2 if self.sex == "F" else 1


def read_sex(value: object, coding: str) -> Sex | None:
    """The sex behind a request's GIOI_TINH (1, 2 or 3, number or its text). Raises Refusal for anything else."""
    known: dict[str, Sex | None] = {"1": "M", "2": "F", "3": None}
    if coding == "reversed":
        known |= {"1": "F", "2": "M"}
    if str(value) not in known:
        raise Refusal("GIOI_TINH phải là 1, 2 hoặc 3")
    return known[str(value)]


def birth_value(text: str) -> date | str:
    """A stored birth date as a date to be written in the switched form; a bare year stays as it is."""
    return text if len(text) == 4 else date.fromisoformat(text)


def camel(key: str) -> str:
    """A capitals key as .NET's camel-case policy mangles it: `PHAN_TUYEN` -> `phaN_TUYEN` (section 6, row 10)."""
    if key == "MA_DOITUONG_KCB":
        return "madt"
    if not key[:1].isupper():
        return key
    letters = list(key)
    for at, letter in enumerate(letters):
        if at > 0 and at + 1 < len(letters) and not letters[at + 1].isupper():
            break
        letters[at] = letter.lower()
    return "".join(letters)


def written(value: Any, settings: Settings) -> Any:
    """`value` as JSON-ready data under the switches SIM_KEYS, SIM_DATES and SIM_SEX."""
    day_form, moment_form = _DATE_FORMS[settings.dates]
    match value:
        case dict():
            change = camel if settings.keys == "camel" else str
            return {change(key): written(item, settings) for key, item in value.items()}
        case list() | tuple():
            return [written(item, settings) for item in value]
        case SexCode():
            return value.write(settings.sex)
        case datetime():
            return value.strftime(moment_form)
        case date():
            return value.strftime(day_form)
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
    return value


def envelope(data: Any, settings: Settings, code: str = "000", message: str = "OK") -> dict[str, Any]:
    """`{code, message, data}`; lists get page, pageSize and count (number of pages), the field profile zeros."""
    answer: dict[str, Any] = {"code": code, "message": message}
    if isinstance(data, list):
        answer |= {"page": 1, "pageSize": 50, "count": max(1, -(-len(data) // 50))}
    elif settings.profile == "field":
        answer |= {"page": 0, "pageSize": 0, "count": 0}
    return answer | {"data": data}


def encoded(value: Any) -> bytes:
    """Compact UTF-8 JSON, Vietnamese letters unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sign(secret: str, merchant: str, timestamp_ms: str, values: Iterable[str | None] = ()) -> str:
    """Lower-case hex HMAC-SHA256 over the values joined by bars, absent ones empty (his-kiosk-c06.md section 1)."""
    message = "|".join([merchant, timestamp_ms, *(value or "" for value in values)])
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def masked(number: str | None) -> str | None:
    """A document or card number with all but its last three characters hidden."""
    return None if number is None else "*" * max(0, len(number) - 3) + number[-3:]
