"""The province closes a month: its published figures in one signed document, kept with its digest.

The document is canonical JSON (sorted keys, no blanks, UTF-8); the signature is Ed25519 by the hub's key over exactly
these bytes, written as the header of a signed batch is (interfaces.md 5).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from kiosk.events import parse_signature, sign_batch, verify_batch
from province.hub_key import HubKey
from province.measures import to_row
from province.month_tables import month_snapshot
from province.months.confirmations import confirmations, unconfirmed
from province.months.rules import MonthRefused, kept_text, month_name, refuse_not_over
from province.months.sums import canonical, digest, from_document, published, to_document
from province.periods import PeriodType, month_end
from province.rates import lookup_rate, why_not_by_chip
from province.rollups import close_month, closed_months, is_closed
from province.rules import read_rules
from province.store import Store
from province.tables import hub_key
from province.units import Level, units_of


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A closed month's document as it was signed. ``signature``: a `Signature` header (interfaces.md 5)."""

    month: date
    closed_at: datetime
    document: bytes
    sha256: str
    signature: str


def close(
    store: Store, key: HubKey, month: date, name: str, reason: str = "", now: datetime | None = None
) -> dict[str, Any]:
    """Close a month for all facilities; the answer is what `summary` of its snapshot says.

    *name*: who closes. *reason*: needed when a facility has not confirmed its figures; it is published. Raises
    MonthRefused `month_not_over`, `month_closed`, `not_confirmed` (its detail names the codes) or `bad_text`.
    """
    refuse_not_over(month, now)
    why = kept_text(reason)
    key.make_known(store)
    with store.write() as connection:
        if not store.is_sqlite:
            # Batches that are being taken end first, later ones wait: none may change what is being signed.
            connection.execute(sa.text("LOCK TABLE rollup IN EXCLUSIVE MODE"))
        if is_closed(connection, month):
            raise MonthRefused("month_closed")
        missing = unconfirmed(connection, month)
        if missing and not why:
            raise MonthRefused("not_confirmed", ", ".join(missing))
        close_month(connection, month)
        closed_at = now or datetime.now(UTC)
        document = canonical(_document(connection, month, closed_at, name, why, missing))
        row = {"month": month, "closed_at": closed_at, "document": document.decode(), "sha256": digest(document)}
        row |= {"signature": sign_batch(key.private, key.key_id, document)}
        connection.execute(sa.insert(month_snapshot).values(row))
    return {"month": month_name(month), "sha256": digest(document), "unconfirmed": missing, "reason": why}


def snapshot(connection: sa.Connection, month: date) -> Snapshot | None:
    """The snapshot of a month; None while it is open."""
    row = connection.execute(sa.select(month_snapshot).where(month_snapshot.c.month == month)).one_or_none()
    return None if row is None else _snapshot(row)


def snapshots(connection: sa.Connection) -> list[Snapshot]:
    """All snapshots, oldest first."""
    return [_snapshot(row) for row in connection.execute(sa.select(month_snapshot).order_by(month_snapshot.c.month))]


def verify(connection: sa.Connection, key: HubKey | None = None) -> list[dict[str, object]]:
    """Every closed month with its faults: `no_snapshot`, `wrong_digest`, `unknown_key`, `wrong_signature`,
    `wrong_month` (signed, but for another month) and `figures_changed` (the hub publishes other figures than signed).

    *key*: the hub's own key as its file has it; under its id no other public key is believed.
    """
    keys = _known_keys(connection, key)
    found = {each.month: each for each in snapshots(connection)}
    return [
        {"month": month_name(month), "faults": _faults(connection, month, found.get(month), keys)}
        for month in sorted(closed_months(connection) | set(found))
    ]


def verify_month(connection: sa.Connection, month: date, key: HubKey | None = None) -> Sequence[str]:
    """The faults of one closed month, as `verify` names them."""
    return _faults(connection, month, snapshot(connection, month), _known_keys(connection, key))


def _known_keys(connection: sa.Connection, key: HubKey | None) -> dict[str, bytes]:
    keys = {row.key_id: bytes(row.public_key) for row in connection.execute(sa.select(hub_key))}
    return keys if key is None else keys | {key.key_id: key.public_key}


def _faults(connection: sa.Connection, month: date, found: Snapshot | None, keys: dict[str, bytes]) -> Sequence[str]:
    if found is None:
        return ["no_snapshot"]
    faults = []
    if digest(found.document) != found.sha256:
        faults.append("wrong_digest")
    signature = parse_signature(found.signature)
    if signature is None or signature.key_id not in keys:
        faults.append("unknown_key")
    elif not verify_batch(keys[signature.key_id], signature.signature, found.document):
        faults.append("wrong_signature")
    if faults:
        return faults
    document = json.loads(found.document)
    if document["month"] != month_name(month):
        return ["wrong_month"]
    signed = {code: to_row(from_document(each)) for code, each in document["sums"].items()}
    now = {code: to_row(each) for code, each in published(connection, month).items()}
    return [] if signed == now else ["figures_changed"]


def _snapshot(row: Any) -> Snapshot:
    return Snapshot(row.month, row.closed_at, row.document.encode(), row.sha256, row.signature)


def _document(
    connection: sa.Connection, month: date, closed_at: datetime, name: str, reason: str, missing: Sequence[str]
) -> dict[str, Any]:
    last = month_end(month)
    rules = read_rules(connection)
    return {
        "schema": 1,
        "month": month_name(month),
        "closed_at": closed_at.isoformat(),
        "closed_by": name,
        "reason": reason,
        "unconfirmed": list(missing),
        "confirmed": {
            code: {"at": each.confirmed_at.isoformat(), "by": each.confirmed_by, "current": each.current}
            for code, each in confirmations(connection, month).items()
        },
        "registry_version": units_of(connection).registry.version,
        "rules": {
            "targets": [_dated(asdict(each)) for each in rules.targets],
            "exclusions": [_dated(asdict(each)) for each in rules.exclusions],
            "successions": [_dated(asdict(each)) for each in rules.successions],
        },
        "sums": {code: to_document(each) for code, each in published(connection, month).items()},
        "rows": {str(level): lookup_rate(connection, month, last, level, PeriodType.MONTH) for level in Level},
        "why_not": {str(level): why_not_by_chip(connection, month, last, level, PeriodType.MONTH) for level in Level},
    }


def _dated(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in rule.items()}
