"""Forced modes of the FHIR simulator: what the next calls of one kind can be made to do.

Kinds of call: `transaction`, `update`, `read`, `search`, `metadata`, `token`; `*` stands for all but `token`.
Before anything is done: `reset_before`, `http_<status>` with an OperationOutcome that names a person, `http_502_html`,
`http_503` and `http_429` (Retry-After 5).
After it was done: `reset_after`, `http_500_after`, and whatever spoils the answer: `truncated`, `html_200`,
`empty_200`, `array_200`, `deep_200`, `other_resource`, `no_entries`, `odd_entries`, `bad_entry`, `no_location`,
`unknown_elements`, `nulls`, `bare` (no resources sent back), `without_version`.
"""

import json
from typing import Any

from simulators.fhir_server_check import Resource, outcome

REFUSALS = {
    "http_400": 400,
    "http_401": 401,
    "http_403": 403,
    "http_404": 404,
    "http_409": 409,
    "http_412": 412,
    "http_422": 422,
    "http_429": 429,
    "http_500": 500,
    "http_503": 503,
}
_SPOILED = {
    "truncated": b'{"resourceType": "Bundle", "type": "transa',
    "html_200": b"<!DOCTYPE html><html><body><h1>Dang nhap</h1></body></html>",
    "empty_200": b"",
    "array_200": b"[]",
    "deep_200": b'{"entry":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "other_resource": b'{"resourceType": "Basic", "id": "1"}',
    "no_entries": b'{"resourceType": "Bundle", "type": "transaction-response"}',
    "odd_entries": b'{"resourceType": "Bundle", "type": "searchset", "entry": [1, null, {"resource": "x"}, {}]}',
}
MODES = frozenset(
    {
        *REFUSALS,
        *_SPOILED,
        "reset_before",
        "reset_after",
        "http_502_html",
        "http_500_after",
        "bad_entry",
        "no_location",
        "unknown_elements",
        "nulls",
        "bare",
        "without_version",
    }
)


class Modes:
    """What waits for the next calls, by kind."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[str, int]] = {}

    def set(self, kind: str, mode: str | None, times: int) -> None:
        """Set or, with None, take back; ValueError for a mode that there is not."""
        if mode is not None and mode not in MODES:
            raise ValueError("no such mode")
        self._waiting.pop(kind, None)
        if mode is not None:
            self._waiting[kind] = (mode, times)

    def next(self, kind: str) -> str | None:
        """The mode of this call, used up once."""
        key = kind if kind in self._waiting or kind == "token" else "*"
        if key not in self._waiting:
            return None
        mode, times = self._waiting.pop(key)
        if times > 1:
            self._waiting[key] = (mode, times - 1)
        return mode


def refusal(mode: str) -> Resource:
    """The OperationOutcome of a refusal; it tells of a person, as real ones do."""
    return outcome("processing", f"{mode}: TRẦN THỊ MẪU 099190000001")


def spoiled(mode: str, body: Resource) -> bytes:
    """The bytes that are sent instead of *body*."""
    if mode in _SPOILED:
        return _SPOILED[mode]
    rows = [dict(row) for row in body.get("entry", ()) if isinstance(row, dict)]
    for row in rows:
        if mode == "bad_entry" and "response" in row:
            row["response"] = {**row["response"], "status": "422 Unprocessable"}
        elif mode in ("no_location", "bare") and "response" in row:
            row.pop("resource", None)
            drop = ("location",) if mode == "no_location" else ()
            row["response"] = {name: value for name, value in row["response"].items() if name not in drop}
    changed: dict[str, Any] = {**body, "entry": rows} if "entry" in body else dict(body)
    if mode == "unknown_elements":
        changed = _with_more(changed)
    elif mode == "nulls":
        changed = {name: None if name not in ("resourceType", "type") else value for name, value in changed.items()}
    return json.dumps(changed, ensure_ascii=False).encode()


def _with_more(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_more(inner) for name, inner in value.items()} | {"_later": {"x": [1, 2.5, None]}}
    return [_with_more(inner) for inner in value] if isinstance(value, list) else value
