"""The letters of Tryton's JSON-RPC: dates and amounts in their own form, and the shapes of answer and error.

Pure functions; nothing here knows a model. Source: components.md 5, and what Tryton 7.0 sends. A date-time has no time
zone on the wire; it is UTC. Errors come with HTTP 200.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NoReturn

_ERROR_TEXT_LIMIT = 500
_DATE = ("year", "month", "day")
_TIME = ("hour", "minute", "second", "microsecond")


class Failure(StrEnum):
    """What an error in an answer means; in each of them the server has rolled its transaction back, but LOST."""

    USER_ERROR = "user_error"
    USER_WARNING = "user_warning"
    LOGIN = "login"
    CONCURRENCY = "concurrency"
    DATABASE_BUSY = "database_busy"
    LOST = "database_lost"
    SERVER_ERROR = "server_error"


_TYPED = {
    "UserError": Failure.USER_ERROR,
    "UserWarning": Failure.USER_WARNING,
    "LoginException": Failure.LOGIN,
    "ConcurrencyException": Failure.CONCURRENCY,
}
# Errors without a type carry only the text of the database, in English or in its own language.
_BUSY = ("could not serialize access", "deadlock detected", "could not obtain lock", "database is locked")
_LOST = ("server closed the connection", "connection already closed", "terminating connection", "could not connect")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error that the server reports. ``text``: its words, for staff only, because they may name a person."""

    failure: Failure
    text: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The value of a call, dates and amounts decoded."""

    value: Any


def request(number: int, method: str, params: Sequence[Any]) -> bytes:
    """The body of a call. *params*: JSON values, dates, aware date-times and Decimals."""
    return json.dumps({"id": number, "method": method, "params": list(params)}, default=_encode).encode()


def parse(body: bytes, number: int) -> Result | Problem | None:
    """What the answer to call *number* says; None when it is none: no strict JSON, another number, neither or both."""
    try:
        root = json.loads(body.decode("utf-8-sig"), object_hook=_decode, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, InvalidOperation):
        return None
    if not isinstance(root, dict) or type(root.get("id")) is not int or root["id"] != number:
        return None
    if "error" in root:
        return None if "result" in root else _problem(root["error"])
    return Result(root["result"]) if "result" in root else None


def utc(moment: datetime) -> datetime:
    """An aware *moment* as it is kept there: in UTC, to the second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _encode(value: Any) -> dict[str, Any]:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return {"__class__": "datetime"} | {name: getattr(moment, name) for name in (*_DATE, *_TIME)}
    if isinstance(value, date):
        return {"__class__": "date"} | {name: getattr(value, name) for name in _DATE}
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    raise TypeError(type(value).__name__)


def _decode(found: dict[str, Any]) -> Any:
    """A value in Tryton's own form; what is not in it, or of a kind that we never ask for, stays as it is."""
    kind = found.get("__class__")
    try:
        if kind == "date":
            return date(*_numbers(found, _DATE))
        if kind == "datetime":
            year, month, day, hour, minute, second, micro = _numbers(found, (*_DATE, *_TIME))
            return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
        if kind == "Decimal":
            return Decimal(str(found["decimal"]))
    except (KeyError, TypeError, ValueError, OverflowError, InvalidOperation):
        return found
    return found


def _numbers(found: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    values = [found[name] for name in names]
    if not all(type(value) is int for value in values):
        raise TypeError
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _problem(error: Any) -> Problem | None:
    """``["UserError", [message, description, domain]]``, or ``[text, traceback]`` for what nobody foresaw there."""
    if not isinstance(error, list) or not error or not isinstance(error[0], str):
        return None
    detail = error[1] if len(error) > 1 else ""
    if error[0] in _TYPED:
        words = detail[:2] if isinstance(detail, list) else [detail]
        text = " ".join(word for word in words if isinstance(word, str) and word)
        return Problem(_TYPED[error[0]], text[:_ERROR_TEXT_LIMIT])
    text = error[0][:_ERROR_TEXT_LIMIT]
    if any(sign in text for sign in _BUSY):
        return Problem(Failure.DATABASE_BUSY, text)
    if any(sign in text for sign in _LOST):
        return Problem(Failure.LOST, text)
    return Problem(Failure.SERVER_ERROR, text)
