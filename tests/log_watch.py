"""Watches every log line of a test run: none may hold a secret, a person, or an address with a query (invariant 6)."""

from __future__ import annotations

import logging
import re
from typing import Final

from kiosk.logs import JsonFormatter
from simulators.vss_people import PEOPLE

OURS: Final = ("kiosk", "hospital_adapters", "province", "httpx", "httpcore", "uvicorn", "sqlalchemy", "alembic")
"""Loggers of what we ship and of what it is built on; tests and simulators may say what they like."""

_FORMATTER: Final = JsonFormatter()
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
_SECRETS: Final = ("sim-secret", "94209bf88616d22e93de4ff94784049e", "sim-c06-secret", "cán bộ thử")
_NAMES: Final = tuple(person.name.lower() for person in PEOPLE)
_NUMBER: Final = re.compile(r"(?<![0-9a-fA-F-])(099[0-9]{9}|[A-Z]{2}[1-5]99(?:99)?[0-9]{8,12})(?![0-9a-fA-F-])")
_QUERY: Final = re.compile(r"https?://[^\s\"']*\?[^\s\"']*=")


def leaks(text: str) -> list[str]:
    """What of *text* may stand in no log, by kind."""
    lower = text.lower()
    found = [secret for secret in _SECRETS if secret in lower]
    found += [name for name in _NAMES if name in lower]
    found += ["a number"] if _NUMBER.search(text) else []
    return found + (["an address with a query"] if _QUERY.search(text) else [])


class Watch(logging.Handler):
    """Keeps, of each leaking record, the logger and what leaked."""

    def __init__(self) -> None:
        """Nothing has leaked yet."""
        super().__init__(logging.NOTSET)
        self.leaked: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at message, arguments, extras, and what our format makes of an error: its kind and place, no text."""
        if not record.name.startswith(OURS):
            return
        extras = {key: value for key, value in record.__dict__.items() if key not in _OWN}
        if found := leaks(f"{_FORMATTER.format(record)}\n{record.getMessage()}\n{extras}"):
            self.leaked.append(f"{record.name}: {', '.join(found)}")
