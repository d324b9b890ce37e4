"""Makes evidence of lookups as a file, for one visit or for all of a day that have no answer; each is in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from kiosk import records
from kiosk.checkin import CheckIns
from kiosk.evidence_pdf import as_pdf
from kiosk.lookup_evidence import EvidenceFile, gather, page_of, to_csv
from kiosk.pending import pending_of
from kiosk.records import CheckIn

Format = Literal["csv", "pdf"]
_TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file to hand out; its name holds no person."""

    content: bytes
    media_type: str
    name: str


async def evidence_of(checkins: CheckIns, checkin_id: str, form: Format, who: str) -> MadeFile | None:
    """The evidence of one visit as CSV or PDF; None if there is no such check-in. PdfUnavailable, StoreError."""

    def work(connection: sa.Connection) -> EvidenceFile | None:
        checkin = records.get(connection, checkin_id)
        if checkin is None:
            return None
        (file,) = _files(connection, checkins, [checkin], who)
        _audit(connection, checkins, who, checkin_id, {"format": form, "sha256": file.digest})
        return file

    file = await checkins.store.run(work)
    if file is None:
        return None
    content = to_csv([file]) if form == "csv" else await as_pdf(page_of(file))
    return MadeFile(content, _TYPES[form], f"bang-ke-tra-cuu-{checkin_id}.{form}")


async def evidence_of_day(checkins: CheckIns, day: str, who: str) -> MadeFile:
    """One CSV of all visits of *day* (ISO) that have no answer. StoreError."""

    def work(connection: sa.Connection) -> list[EvidenceFile]:
        found = [pending.checkin for pending in pending_of(connection, day)]
        _audit(connection, checkins, who, None, {"format": "csv", "day": day, "visits": len(found)})
        return _files(connection, checkins, found, who)

    content = to_csv(await checkins.store.run(work))
    return MadeFile(content, _TYPES["csv"], f"bang-ke-tra-cuu-{day}.csv")


def _files(connection: sa.Connection, checkins: CheckIns, found: list[CheckIn], who: str) -> list[EvidenceFile]:
    now, facility = checkins.clock(), checkins.policy.facility
    return [gather(connection, checkin, facility=facility, who=who, now=now) for checkin in found]


def _audit(
    connection: sa.Connection, checkins: CheckIns, who: str, checkin_id: str | None, detail: dict[str, Any]
) -> None:
    records.add_audit(connection, checkins.clock(), who, "evidence_made", checkin_id, detail)
