"""The proof that a visit's lookups were made and failed: who came when, and each question with what became of it.

Decree 188/2025 article 38 wants it from a facility whose lookup still fails when the visit ends (insurance-gateway.md
6). The file names the patient, because it goes to the insurer; each making of one is in the audit.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from kiosk import evidence_words as words
from kiosk import outbox_table
from kiosk.evidence_pdf import Page
from kiosk.model import VIETNAM, KeyKind
from kiosk.records import CheckIn
from kiosk.tables import lookup, question

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

VISIT_HEADINGS: Final = (
    "Mã cơ sở KCB",
    "Mã lượt trên máy",
    "Mã lượt khám HIS",
    "Số thứ tự",
    "Họ và tên",
    "Ngày sinh",
    "Số giấy tờ",
    "Số thẻ BHYT",
    "Thời điểm đến khám",
)
LINE_HEADINGS: Final = (
    "Lần",
    "Thời điểm tra cứu",
    "Khi nào",
    "Loại số",
    "Kết quả",
    "HTTP",
    "maKetQua",
    "Thời gian chờ (ms)",
    "Mã yêu cầu",
)
END_HEADINGS: Final = ("Trạng thái cuối", "Thời điểm trạng thái", "Người lập", "Thời điểm lập", "SHA-256 danh sách")

_TITLE: Final = "BẢNG KÊ CÁC LẦN TRA CỨU THẺ BHYT"
_SUBTITLE: Final = (
    "Lưu làm bằng chứng theo Điều 38 Nghị định 188/2025/NĐ-CP. Có dữ liệu cá nhân: chỉ dùng trong hồ sơ của cơ sở "
    "khám chữa bệnh và cơ quan BHXH."
)
_SIGNATURES: Final = ("Người lập (ký, ghi rõ họ tên)", "Đại diện cơ sở (ký, đóng dấu)")
_WIDTHS: Final = (8.0, 27.0, 18.0, 22.0, 40.0, 10.0, 16.0, 15.0, 34.0)


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """The evidence of one visit, each part as it is printed.

    ``visit``: cells under VISIT_HEADINGS. ``lines``: one tuple under LINE_HEADINGS a question, oldest first. ``end``:
    cells under END_HEADINGS without the digest.
    """

    visit: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    end: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256, hex, of the list as UTF-8: its cells joined by ``|``, each line ended by a line feed."""
        text = "".join("|".join(line) + "\n" for line in self.lines)
        return hashlib.sha256(text.encode()).hexdigest()


def gather(connection: sa.Connection, of: CheckIn, *, facility: str, who: str, now: datetime) -> EvidenceFile:
    """The evidence of check-in *of*, made by *who* at *now*. A person forgotten since has empty cells."""
    person = of.identity
    by_card = of.key_kind in (KeyKind.BHYT_15, KeyKind.BHYT_17)
    card = of.coverage.number if of.coverage else of.key_number if by_card else ""
    visit = (
        facility,
        of.checkin_id,
        (of.receipt.visit_id if of.receipt else None) or "",
        of.number or "",
        person.full_name or "",
        str(person.birth_date) if person.birth_date else "",
        person.personal_id or ("" if by_card else of.key_number),
        card,
        _moment(of.happened_at),
    )
    lines = [(str(number), *line) for number, line in enumerate(_lines(connection, of), 1)]
    return EvidenceFile(visit, tuple(lines), (*_state(connection, of), who, _moment(now)))


def to_csv(files: Sequence[EvidenceFile]) -> bytes:
    """All *files* as one table: UTF-8 with BOM, comma, Vietnamese headings, a row for each question.

    A visit without any question has one row. Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow((*VISIT_HEADINGS, *LINE_HEADINGS, *END_HEADINGS))
    for file in files:
        for line in file.lines or (("",) * len(LINE_HEADINGS),):
            writer.writerow([_safe(cell) for cell in (*file.visit, *line, *file.end, file.digest)])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")


def page_of(file: EvidenceFile) -> Page:
    """*file* as one sheet of paper."""
    state, since, who, when = file.end
    closing = (
        (END_HEADINGS[0], state),
        (END_HEADINGS[1], since),
        (END_HEADINGS[2], who),
        (END_HEADINGS[3], when),
        (END_HEADINGS[4], file.digest),
    )
    return Page(
        _TITLE,
        _SUBTITLE,
        tuple(zip(VISIT_HEADINGS, file.visit, strict=True)),
        LINE_HEADINGS,
        _WIDTHS,
        file.lines,
        closing,
        _SIGNATURES,
    )


def _lines(connection: sa.Connection, of: CheckIn) -> list[tuple[str, ...]]:
    """Each call, and each question that never left this machine."""
    calls = sa.select(question).where(question.c.checkin_id == of.checkin_id)
    found: list[tuple[datetime, tuple[str, ...]]] = [
        (
            row.asked_at,
            (
                _moment(row.asked_at),
                words.MOMENTS.get(row.moment, row.moment),
                words.KEY_KINDS.get(row.key_kind, row.key_kind),
                words.reason_words(row.reason),
                "" if row.http_status is None else str(row.http_status),
                row.result_code or "",
                str(row.latency_ms),
                row.request_id,
            ),
        )
        for row in connection.execute(calls)
    ]
    unsent = sa.select(lookup.c.asked_at, lookup.c.eligibility).where(
        lookup.c.checkin_id == of.checkin_id, lookup.c.eligibility["attempts"].as_integer() == 0
    )
    for row in connection.execute(unsent):
        why = f"{words.UNSENT}: {words.reason_words(row.eligibility['reason'])}"
        found.append((row.asked_at, (_moment(row.asked_at), "", "", why, "", "", "", "")))
    return [line for _, line in sorted(found)]


def _state(connection: sa.Connection, of: CheckIn) -> tuple[str, str]:
    """The state of the lookup now, and since when: of the newest question, or of the arrival before any."""
    if of.status is None:
        return words.NEVER_ASKED, _moment(of.happened_at)
    said = words.STATES[of.status.value]
    row = outbox_table.of_ref(connection, outbox_table.GATEWAY, of.checkin_id)
    if of.status.unanswered and row is not None and row.state == "waiting" and row.reason:
        said = f"{said}; đang chờ tra lại: {words.reason_words(row.reason)}"
    newest = sa.select(sa.func.max(lookup.c.asked_at)).where(lookup.c.checkin_id == of.checkin_id)
    asked_at = of.eligibility.asked_at if of.eligibility else connection.execute(newest).scalar()
    return said, _moment(asked_at or of.happened_at)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%d/%m/%Y %H:%M:%S} +07:00"


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell
