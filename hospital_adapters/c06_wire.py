"""The letters of the C06 interface: signature, query string, and a tolerant reading of what comes back.

Pure functions; nothing here knows an endpoint. Source: his-kiosk-c06.md sections 1 and 6 (rows 10, 11, 19, 20).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from kiosk.model import VIETNAM, PartialDate

_TEXT_LIMIT = 1000
_MONEY = re.compile(r"\d{1,15}(\.\d{1,2})?", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{4}|\d{6})?", re.ASCII)
_SLASHED = re.compile(r"(\d{2})/(\d{2})/(\d{4})( \d{2}:\d{2}(:\d{2})?)?", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)


def sign(secret: str, *values: str | None) -> str:
    """HMAC-SHA256 over the raw *values* joined by bars, lower-case hex; None counts as empty and keeps its bar.

    *values* are merchant, time stamp and the fields that the endpoint signs (his-kiosk-c06.md 1 and 2).
    """
    message = "|".join(value or "" for value in values)
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def query(fields: Mapping[str, str]) -> str:
    """A query string in UTF-8 with %20 for blanks, because date-times hold them (his-kiosk-c06.md 1)."""
    return urlencode(fields, quote_via=quote, safe="")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outer shape of every answer.

    ``code`` has three digits (None when absent), ``message`` is for staff only and never decides anything, ``data`` has
    upper-case keys. ``pages`` is the field ``count``, which is a number of pages although it reads like one of rows.
    """

    code: str | None
    message: str
    data: Any
    pages: int


def parse(body: bytes) -> Envelope | None:
    """Read an answer; None when it is not strict JSON in UTF-8 with an object outside. A byte order mark may lead."""
    try:
        root = _fold_keys(json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse))
    except (ValueError, RecursionError, InvalidOperation):
        return None
    if not isinstance(root, dict):
        return None
    pages = count(root.get("COUNT")) or 0
    return Envelope(_code(root.get("CODE")), text(root.get("MESSAGE")) or "", root.get("DATA"), pages)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_ALIASES = {"MADT": "MA_DOITUONG_KCB", "MATINH_CU_TRU": "MATINH_CUTRU"}
"""Other names of fields (his-kiosk-c06.md 6, rows 4 and 10)."""


def _fold_keys(value: Any) -> Any:
    """Upper-case all keys: a .NET policy mangles them to ``mA_THE_BHYT``. Of two that collide, the filled one stays."""
    if isinstance(value, list):
        return [_fold_keys(item) for item in value]
    if not isinstance(value, dict):
        return value
    folded: dict[str, Any] = {}
    for key, item in value.items():
        name = _ALIASES.get(key.upper(), key.upper())
        if folded.get(name) is None:
            folded[name] = _fold_keys(item)
    return folded


def _code(value: Any) -> str | None:
    code = text(value)
    return code.zfill(3) if code is not None and code.isdigit() else code


def text(value: Any) -> str | None:
    """A scalar as stripped NFC text without control characters.

    Numbers become their digits. None for null, blank, truth values, objects, and what is absurdly long.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return None if not value.is_finite() or abs(value.adjusted()) > 30 else _plain(value)
    if not isinstance(value, int | str):
        return None
    shown = "".join(
        " " if unicodedata.category(char) in ("Cc", "Cs") else char for char in str(value)[: _TEXT_LIMIT + 1]
    )
    shown = unicodedata.normalize("NFC", shown).strip()
    return shown if 0 < len(shown) <= _TEXT_LIMIT else None


def _plain(value: Decimal) -> str:
    return format(value.to_integral_value() if value == value.to_integral_value() else value, "f")


def money(value: Any) -> Decimal | None:
    """An amount in đồng, exactly; None unless it is plain digits with at most two decimals ("45.000" is doubtful)."""
    shown = text(value)
    return Decimal(shown) if shown is not None and _MONEY.fullmatch(shown) else None


def count(value: Any) -> int | None:
    """A whole number of at most nine digits; None for anything else."""
    shown = text(value) or ""
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else None


def truth(value: Any) -> bool | None:
    """0/1, "0"/"1", true/false or their texts (his-kiosk-c06.md 6, row 20); None for anything else."""
    if isinstance(value, bool):
        return value
    return {"1": True, "true": True, "0": False, "false": False}.get((text(value) or "").lower())


def day(value: Any) -> PartialDate | None:
    """Any of the date forms met in the field, or only a year; None for what is empty or no date.

    ``yyyy-MM-dd`` with or without a time, ``yyyyMMdd[HHmm[ss]]``, ``dd/MM/yyyy[ HH:mm[:ss]]``, ``yyyy``. Times without
    an offset are Vietnamese ones (his-kiosk-c06.md 6, rows 11 and 12).
    """
    shown = text(value) or ""
    try:
        if _YEAR.fullmatch(shown):
            return PartialDate(int(shown))
        if found := _COMPACT.fullmatch(shown):
            return PartialDate(int(found[1]), int(found[2]), int(found[3]))
        if found := _SLASHED.fullmatch(shown):
            return PartialDate(int(found[3]), int(found[2]), int(found[1]))
        if _ISO.fullmatch(shown):
            moment = datetime.fromisoformat(shown)
            exact = moment.date() if moment.tzinfo is None else moment.astimezone(VIETNAM).date()
            return PartialDate(exact.year, exact.month, exact.day)
    except (ValueError, OverflowError):
        return None
    return None


def iso(value: date | None) -> str | None:
    """``yyyy-MM-dd``, or None for None."""
    return value.isoformat() if value else None
