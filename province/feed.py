"""The feed's formats: JSON, and CSV that a spreadsheet opens rightly and never executes (interfaces.md 6)."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Final

from province.rates import Row

_RATE_NAMES: Final = {
    "r1": "R1 tỷ lệ lượt khám được tra cứu",
    "r1_raw": "R1 thô (mọi lần tra cứu / lượt khám)",
    "r2": "R2 tỷ lệ tra cứu thành công",
    "r3": "R3 tra cứu thành công từ giấy tờ",
    "r4": "R4 lần thành công đầu bằng chip",
    "r5": "R5 tỷ lệ cơ sở có tra cứu",
}

LOOKUP_RATE_COLUMNS: Final[dict[str, str]] = {
    "period_start": "Từ ngày",
    "period_end": "Đến ngày",
    "period_type": "Loại kỳ",
    "level": "Cấp",
    "unit_code": "Mã đơn vị",
    "unit_name": "Tên đơn vị",
    "parent_code": "Mã đơn vị cấp trên",
    "visits_bhyt": "Lượt khám BHYT",
    "visits_bhyt_origin": "Nguồn số lượt khám",
    "visits_bhyt_portal": "Lượt khám theo Cổng giám định",
    "lookups_total": "Tổng số lần tra cứu",
    "lookups_desk": "Tra cứu ngoài kiosk",
    "lookups_success": "Tra cứu thành công",
    "lookups_not_eligible": "Có thẻ nhưng không được hưởng",
    "lookups_fail_not_found": "Lỗi không tìm thấy",
    "lookups_fail_mismatch": "Lỗi sai thông tin",
    "lookups_fail_technical": "Lỗi kỹ thuật",
    "lookups_fail_other": "Lỗi khác",
    "lookups_not_counted": "Không tính (lỗi phía cơ sở)",
    "lookups_other_key": "Tra cứu bằng số khác",
    "attempted_not_sent": "Chưa gửi được",
    "persons_looked_up": "Số người được tra cứu",
    "by_method": "Theo phương thức",
    **{
        f"{rate}_{part}": f"{name} - {label}"
        for rate, name in _RATE_NAMES.items()
        for part, label in (("pct", "%"), ("numerator", "tử số"), ("denominator", "mẫu số"))
    },
    "target_pct": "Chỉ tiêu (%)",
    "target_met": "Đạt chỉ tiêu",
    "facilities_reporting": "Số cơ sở có báo cáo",
    "facilities_active": "Số cơ sở hoạt động",
    "status": "Trạng thái",
    "revision": "Lần sửa đổi",
    "generated_at": "Thời điểm lập",
    "registry_version": "Phiên bản danh mục",
    "visits_excluded": "Lượt khám không tính",
    "portal_gap": "Chênh lệch với Cổng",
    "portal_gap_pct": "Chênh lệch với Cổng (%)",
    "adjustment": "Thay đổi sau khi chốt",
    "simulated": "Có số liệu mô phỏng",
}
"""Row field -> Vietnamese heading, in the order of the row in interfaces.md 6."""

WHY_NOT_COLUMNS: Final[dict[str, str]] = {
    "period_start": "Từ ngày",
    "period_end": "Đến ngày",
    "period_type": "Loại kỳ",
    "level": "Cấp",
    "unit_code": "Mã đơn vị",
    "unit_name": "Tên đơn vị",
    "reason": "Lý do không dùng chip",
    "visits": "Số lượt khám",
    "simulated": "Có số liệu mô phỏng",
}

# The full-width forms run as formulas in East Asian spreadsheets.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(rows: Sequence[Row], columns: dict[str, str]) -> bytes:
    """Rows as CSV: UTF-8 with BOM, comma, decimal point, Vietnamese headings, one column per entry of `columns`.

    None is an empty cell, a mapping is JSON in its one cell, percentages have two decimals, and text that a
    spreadsheet would run as a formula gets a leading apostrophe. Raises KeyError for a row without a column's field.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns.values())
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return plain_text(str(value))


def plain_text(text: str) -> str:
    """The text with an apostrophe before it when a spreadsheet would run it as a formula (interfaces.md 6: CSV)."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
