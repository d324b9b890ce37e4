"""An accepted file becomes events in the ledger, signed by the hub for the account that handed it in.

First the signed batches are kept, all in one transaction; then each goes into the ledger, which takes an event once
however often it is sent. A hub that dies in between goes on with `finish_pending`: a file is taken whole or not at all.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.events import (
    MAX_EVENTS,
    VIETNAM,
    Kind,
    check_event,
    desk_lookups_event,
    new_event_id,
    parse_signature,
    sign_batch,
    visit_count_event,
)
from province.access.caller import Caller
from province.enrolment import StationKey
from province.facilities import read_registry
from province.hub_key import HubKey
from province.ingest import open_envelope, take_batch
from province.store import Store
from province.tables import hub_key
from province.upload_tables import upload, upload_batch
from province.uploads.changes import Change, changes_of
from province.uploads.kinds import UploadKind
from province.uploads.known import KnownFigures
from province.uploads.reading import Figure, Rules, read_figures

STATION_PREFIX: Final = "upload:"
_MAX_STATION: Final = 64


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a file. ``upload``: its id, None for a dry run and for a file that says nothing new."""

    upload: str | None
    sha256: str
    changes: tuple[Change, ...]
    unchanged: int


def hand_in(
    store: Store, key: HubKey, caller: Caller, content: bytes, kind: UploadKind, now: datetime, *, dry_run: bool
) -> Receipt:
    """Take a file, or with *dry_run* only say what it would change.

    When this returns, the figures are in the ledger and in the rates. `now` is an aware time. Raises UploadRefused,
    and SQLAlchemy's errors: then handing in the same file again is safe.
    """
    with store.read() as connection:
        registry = read_registry(connection)
    figures = read_figures(content, kind, Rules(registry, now.astimezone(VIETNAM).date(), caller.facility))
    digest = hashlib.sha256(content).hexdigest()
    if dry_run:
        with store.read() as connection:
            changes = changes_of(figures, kind, KnownFigures(connection, figures))
        return Receipt(None, digest, tuple(changes), len(figures) - len(changes))
    key.make_known(store)
    planned: Receipt | None = None
    while planned is None:
        finish_pending(store)
        planned = _keep(store, key, caller.name, figures, kind, digest, now)
    finish_pending(store)
    return planned


def finish_pending(store: Store) -> int:
    """Put into the ledger what was handed in and is not wholly there yet; returns how many files."""
    with store.read() as connection:
        waiting = connection.scalars(sa.select(upload.c.id).where(upload.c.taken_at.is_(None))).all()
    for number in waiting:
        _into_ledger(store, number)
    return len(waiting)


def _keep(
    store: Store, key: HubKey, account: str, figures: Sequence[Figure], kind: UploadKind, digest: str, now: datetime
) -> Receipt | None:
    """Keep the file's batches; None when another file is on its way and its revisions are not known yet."""
    with store.write() as connection:
        store.lock_facility(connection, "uploads")
        if connection.scalar(sa.select(upload.c.id).where(upload.c.taken_at.is_(None)).limit(1)) is not None:
            return None
        changes = changes_of(figures, kind, KnownFigures(connection, figures))
        if not changes:
            return Receipt(None, digest, (), len(figures))
        number = new_event_id()
        values = {
            "id": number,
            "account": account,
            "kind": kind,
            "origin": kind.origin,
            "file_sha256": digest,
            "figures": len(changes),
            "uploaded_at": now,
        }
        connection.execute(sa.insert(upload).values(values))
        by_facility: dict[str, list[Change]] = {}
        for change in changes:
            by_facility.setdefault(change.figure.facility, []).append(change)
        station = f"{STATION_PREFIX}{account}"[:_MAX_STATION]
        rows = [
            row
            for facility, mine in sorted(by_facility.items())
            for row in _batches(connection, key, station, facility, mine, now)
        ]
        connection.execute(sa.insert(upload_batch), [row | {"upload": number} for row in rows])
    return Receipt(number, digest, tuple(changes), len(figures) - len(changes))


def _batches(
    connection: sa.Connection, key: HubKey, station: str, facility: str, changes: Sequence[Change], now: datetime
) -> list[dict[str, Any]]:
    epoch, seq = _place(connection, station, facility)
    rows = []
    for number, start in enumerate(range(0, len(changes), MAX_EVENTS), start=1):
        events = []
        for change in changes[start : start + MAX_EVENTS]:
            seq += 1
            events.append(_event(change, epoch, seq, now))
            if check_event(events[-1]) is not None:
                raise ValueError("the ledger would refuse this event")
        body = json.dumps({"facility": facility, "station": station, "events": events}).encode()
        signed = parse_signature(sign_batch(key.private, key.key_id, body))
        if signed is None:
            raise ValueError("the hub's own signature cannot be read")
        rows.append(
            {
                "facility": facility,
                "number": number,
                "station": station,
                "epoch": epoch,
                "last_seq": seq,
                "figures": len(events),
                "body": body,
                "key_id": key.key_id,
                "signature": signed.signature,
            }
        )
    return rows


def _place(connection: sa.Connection, station: str, facility: str) -> tuple[str, int]:
    """Where the numbering goes on: of each account and facility it is gapless in an epoch of its own."""
    mine = (upload_batch.c.facility == facility) & (upload_batch.c.station == station)
    query = sa.select(upload_batch.c.epoch, upload_batch.c.last_seq).where(mine)
    last = connection.execute(query.order_by(upload_batch.c.last_seq.desc()).limit(1)).first()
    return (last.epoch, last.last_seq) if last else (new_event_id(), 0)


def _event(change: Change, epoch: str, seq: int, now: datetime) -> dict[str, object]:
    make = visit_count_event if change.figure.kind is Kind.VISIT_COUNT else desk_lookups_event
    return make(
        event_id=new_event_id(),
        epoch=epoch,
        seq=seq,
        happened_at=now,
        day=change.figure.day,
        figures={**change.figure.counts, "revision": change.revision},
        origin=change.origin,
    )


def _into_ledger(store: Store, number: str) -> None:
    with store.read() as connection:
        mine = sa.select(upload_batch, hub_key.c.public_key).join(hub_key, hub_key.c.key_id == upload_batch.c.key_id)
        order = upload_batch.c.facility, upload_batch.c.number
        batches = connection.execute(mine.where(upload_batch.c.upload == number).order_by(*order)).all()
    for batch in batches:
        sender = StationKey(batch.key_id, batch.facility, batch.station, batch.public_key)
        opened = open_envelope(batch.body, sender)
        take_batch(store, sender, opened.events, datetime.now(UTC), storable=opened.storable)
    with store.write() as connection:
        done = sa.update(upload).where(upload.c.id == number, upload.c.taken_at.is_(None))
        connection.execute(done.values(taken_at=datetime.now(UTC)))
