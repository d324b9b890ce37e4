"""The envelope of the hisnguonmo simulator and its readers of single values (his-kiosk-c06.md 10.1)."""

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

INVALID = "DuLieuDauVaoKhongHopLe"


class Refusal(Exception):
    """The server says no, and has taken back what it had begun. `broken`: told as an exception inside."""

    def __init__(self, message: str, bug: str = INVALID, broken: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.bug = bug
        self.broken = broken


class NoEnvelope(Exception):
    """The request is none that the server understands; it answers HTTP 400."""


def packed(data: Any, refusal: Refusal | None = None) -> dict[str, Any]:
    """The envelope of an answer."""
    param = {
        "Messages": [refusal.message] if refusal and not refusal.broken else [],
        "BugCodes": [refusal.bug] if refusal else [],
        "HasException": bool(refusal and refusal.broken),
        "Start": None,
        "Limit": None,
        "Count": len(data) if isinstance(data, list) else None,
    }
    return {"Data": data, "Success": refusal is None, "Param": param}


def encoded(value: Any) -> bytes:
    """Compact UTF-8 JSON, Vietnamese letters unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def unpacked(content: bytes) -> Mapping[str, Any]:
    """The ApiData of a request's envelope. NoEnvelope when there is none."""
    try:
        found = json.loads(content)
    except ValueError:
        raise NoEnvelope from None
    if not isinstance(found, dict) or not isinstance(found.get("ApiData"), dict):
        raise NoEnvelope
    if not isinstance(found.get("CommonParam", {}), dict | None):
        raise NoEnvelope
    inner: dict[str, Any] = found["ApiData"]
    return inner


def from_query(param: str | None) -> Mapping[str, Any]:
    """The ApiData of the query field `param` of a GET. NoEnvelope when there is none."""
    try:
        return unpacked(base64.b64decode(param or "", validate=True))
    except binascii.Error:
        raise NoEnvelope from None


def time_number(moment: datetime) -> int:
    """A local moment as 14 digits."""
    return int(f"{moment:%Y%m%d%H%M%S}")


def whole(fields: Mapping[str, Any], name: str, needed: bool = True) -> int | None:
    """A whole number. Refusal when it is something else, or missing though `needed`."""
    value = fields.get(name)
    if value is None and not needed:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(f"{name} phải là số nguyên")
    return value


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """A truth value. Refusal for anything else."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise Refusal(f"{name} phải là true hoặc false")
    return value


def words(fields: Mapping[str, Any], name: str, form: str | None = None, needed: bool = False) -> str | None:
    """A text in NFC, None for a missing or empty one; `form`: what it must match as a whole. Refusal otherwise."""
    value = fields.get(name)
    if value is None or value == "":
        if needed:
            raise Refusal(f"Thiếu {name}")
        return None
    if not isinstance(value, str) or value != unicodedata.normalize("NFC", value).strip():
        raise Refusal(f"{name} không đúng dạng")
    if form is not None and not re.fullmatch(form, value, re.ASCII):
        raise Refusal(f"{name} không đúng dạng")
    return value


def moment(fields: Mapping[str, Any], name: str, needed: bool = False) -> int | None:
    """A time of 14 digits as a number. Refusal when it is no such time."""
    value = whole(fields, name, needed)
    if value is not None:
        try:
            datetime.strptime(f"{value:014d}", "%Y%m%d%H%M%S")  # noqa: DTZ007 - local, as this system writes it
        except ValueError:
            raise Refusal(f"{name} phải có dạng yyyyMMddHHmmss") from None
    return value


def written_time(fields: Mapping[str, Any], name: str) -> int | None:
    """A time `dd/MM/yyyy HH:mm:ss` as the partners' call takes it, as 14 digits. Refusal when it is none."""
    value = words(fields, name)
    if value is None:
        return None
    try:
        found = datetime.strptime(value, "%d/%m/%Y %H:%M:%S")  # noqa: DTZ007 - local, as this system writes it
    except ValueError:
        raise Refusal(f"{name} phải có dạng dd/MM/yyyy HH:mm:ss", broken=True) from None
    return time_number(found)


def names(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def masked(number: str | None) -> str | None:
    """A number of a person with all but its last three characters hidden."""
    return None if number is None else "*" * max(0, len(number) - 3) + number[-3:]
