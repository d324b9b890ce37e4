"""Logging: one JSON object a line on stderr, with allow-listed fields only (invariant 6)."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_FIELDS = ("code", "day", "destination", "hash", "kind", "reason", "reader", "rows", "seconds")


class JsonFormatter(logging.Formatter):
    """Message, level, logger, the allow-listed fields, and of an exception its type and place, never its text.

    Texts of foreign exceptions can quote what was being handled; line breaks cannot end a record early in JSON.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        entry |= {name: str(value) for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0]:
            entry["error"] = record.exc_info[0].__name__
            entry["where"] = _places(record)
        return json.dumps(entry, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """The message; of asyncio's reports only the first line, because the others quote exceptions and arguments."""
    text = record.getMessage()
    return text.partition("\n")[0] if record.name == "asyncio" else text


def _places(record: logging.LogRecord) -> list[str]:
    trace = record.exc_info[2] if record.exc_info else None
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-6:]


def set_up() -> None:
    """Send everything from INFO up to stderr; libraries that print addresses or requests only from WARNING up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "alembic", "sse_starlette", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
