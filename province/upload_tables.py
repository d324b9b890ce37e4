"""The tables of what was handed in as files: who, when, which file, and the signed batches that it became.

`upload.taken_at` is None until all its batches are in the ledger: a hub that dies in between goes on from there.
"""

import sqlalchemy as sa

from province.tables import UtcDateTime, metadata

_CODE = sa.String(64)

upload = sa.Table(
    "upload",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("file_sha256", sa.String(64), nullable=False),
    sa.Column("figures", sa.Integer, nullable=False),
    sa.Column("uploaded_at", UtcDateTime, nullable=False),
    sa.Column("taken_at", UtcDateTime),
    sa.Index("upload_taken", "taken_at"),
)

upload_batch = sa.Table(
    "upload_batch",
    metadata,
    sa.Column("upload", sa.String(36), sa.ForeignKey("upload.id"), primary_key=True),
    sa.Column("facility", _CODE, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("station", _CODE, nullable=False),
    sa.Column("epoch", _CODE, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("figures", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("key_id", _CODE, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Index("upload_batch_station", "facility", "station"),
)
