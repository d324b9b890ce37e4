"""What was handed in, by whom, and whether the hub's signature over it still holds."""

from typing import Any

import sqlalchemy as sa

from kiosk.events import verify_batch
from province.tables import hub_key
from province.upload_tables import upload, upload_batch

_MOST = 500


def list_uploads(connection: sa.Connection, *, only: str | None = None) -> list[dict[str, Any]]:
    """The newest 500 files, newest first; with *only* a facility those that have figures of it.

    Of each: id, account, kind, origin, file_sha256, uploaded_at and taken_at (ISO 8601, UTC), figures (with *only* its
    own), facilities (codes, with *only* the one).
    """
    figures: dict[str, dict[str, int]] = {}
    query = sa.select(upload)
    batches = sa.select(upload_batch.c.upload, upload_batch.c.facility, upload_batch.c.figures)
    if only is not None:
        query = query.where(upload.c.id.in_(sa.select(upload_batch.c.upload).where(upload_batch.c.facility == only)))
        batches = batches.where(upload_batch.c.facility == only)
    rows = connection.execute(query.order_by(upload.c.uploaded_at.desc(), upload.c.id.desc()).limit(_MOST)).all()
    for number, facility, count in connection.execute(batches.where(upload_batch.c.upload.in_([r.id for r in rows]))):
        counted = figures.setdefault(number, {})
        counted[facility] = counted.get(facility, 0) + count
    return [
        {
            "id": row.id,
            "account": row.account,
            "kind": row.kind,
            "origin": row.origin,
            "file_sha256": row.file_sha256,
            "uploaded_at": row.uploaded_at.isoformat(timespec="seconds"),
            "taken_at": row.taken_at.isoformat(timespec="seconds") if row.taken_at else None,
            "figures": sum(figures[row.id].values()),
            "facilities": sorted(figures[row.id]),
        }
        for row in rows
    ]


def broken_signatures(connection: sa.Connection) -> list[dict[str, Any]]:
    """The batches whose bytes are not what the hub signed: `{"upload", "facility", "number"}` of each."""
    query = sa.select(upload_batch, hub_key.c.public_key).outerjoin(hub_key, hub_key.c.key_id == upload_batch.c.key_id)
    return [
        {"upload": row.upload, "facility": row.facility, "number": row.number}
        for row in connection.execute(query.order_by(upload_batch.c.upload, upload_batch.c.facility))
        if row.public_key is None or not verify_batch(row.public_key, row.signature, row.body)
    ]
