"""Anchors of the audit: the end of each day, signed with the station's key and told outside the store."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.errors import StoreError
from kiosk.model import local_day
from kiosk.ports import Clock
from kiosk.station_key import signing_key
from kiosk.store import Store
from kiosk.tables import audit, audit_anchor

log = logging.getLogger(__name__)

FILE: Final = "audit-anchors.jsonl"


def close_days(connection: sa.Connection, now: datetime) -> list[dict[str, Any]]:
    """Sign the end of the newest day before today that has rows and no anchor yet; returns the new anchors.

    One suffices after a standstill: each hash stands for all rows before it.
    """
    today = local_day(now)
    newest = sa.select(audit.c.id, audit.c.at, audit.c.hash).order_by(audit.c.id.desc())
    last = next((row for row in connection.execute(newest) if local_day(row.at) < today), None)
    if last is None:
        return []
    known = connection.execute(sa.select(sa.func.max(audit_anchor.c.number))).scalar()
    if known is not None and known >= last.id:
        return []
    key_id, private = signing_key(connection)
    fields = {"day": str(local_day(last.at)), "number": last.id, "hash": last.hash}
    anchor = fields | {
        "key_id": key_id,
        "public_key": base64.b64encode(private.public_key().public_bytes_raw()).decode("ascii"),
        "signature": base64.b64encode(private.sign(_signed(fields))).decode("ascii"),
    }
    connection.execute(audit_anchor.insert().values(**anchor))
    return [anchor]


async def close_days_for_ever(store: Store, folder: Path, clock: Clock) -> None:
    """Once an hour: sign what is closed, and tell it in the file in *folder* and in the log."""
    while True:
        try:
            anchors = await store.run(lambda c: close_days(c, clock()))
            await asyncio.to_thread(tell, folder, anchors)
        except (OSError, StoreError) as exc:
            log.warning("the audit's day could not be closed", extra={"kind": type(exc).__name__})
        else:
            for anchor in anchors:
                told = {"day": anchor["day"], "rows": anchor["number"], "hash": anchor["hash"]}
                log.info("audit anchor", extra=told)
        await asyncio.sleep(3600)


def tell(folder: Path, anchors: list[dict[str, Any]]) -> None:
    """Append *anchors* to the file that operators copy elsewhere. OSError."""
    if not anchors:
        return
    handle = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="ascii") as file:
        file.writelines(json.dumps(anchor) + "\n" for anchor in anchors)
        file.flush()
        os.fsync(file.fileno())


def kept(connection: sa.Connection) -> list[dict[str, Any]]:
    """All anchors of the store, oldest first."""
    rows = connection.execute(sa.select(audit_anchor).order_by(audit_anchor.c.number))
    return [dict(row._mapping) for row in rows]


def is_signed(anchor: Mapping[str, Any]) -> bool:
    """Whether the signature in *anchor* is of the key that it names."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(anchor["public_key"], validate=True))
        public.verify(base64.b64decode(anchor["signature"], validate=True), _signed(anchor))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def _signed(anchor: Mapping[str, Any]) -> bytes:
    return json.dumps(["audit anchor", anchor["day"], anchor["number"], anchor["hash"]]).encode("ascii")
