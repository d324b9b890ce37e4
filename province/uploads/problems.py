"""Why a file is not taken, cell by cell, in words for who filled it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MOST: Final = 50
WORDS: Final = {
    "TOO_LARGE": "tệp quá lớn (tối đa 2 MiB, và 16 MiB khi giải nén).",
    "NOT_A_TABLE": "không đọc được tệp; cần tệp CSV mã hóa UTF-8 hoặc tệp Excel (.xlsx).",
    "WRONG_HEADINGS": "dòng tiêu đề không đúng mẫu; xin tải lại tệp mẫu và giữ nguyên các cột.",
    "TOO_MANY_ROWS": "tệp có quá nhiều dòng (tối đa 5.000); xin chia thành nhiều tệp.",
    "NO_FIGURES": "tệp chưa có số liệu nào.",
    "FACILITY_MISSING": "thiếu mã cơ sở.",
    "UNKNOWN_FACILITY": "mã cơ sở không có trong danh mục; cần đúng mã đủ chữ số, kể cả số 0 ở đầu.",
    "NOT_YOUR_FACILITY": "dòng này là của cơ sở khác; tài khoản chỉ được nộp cho cơ sở của mình.",
    "FACILITY_NOT_ACTIVE": "theo danh mục, cơ sở không hoạt động vào ngày này.",
    "DAY_MISSING": "thiếu ngày.",
    "NOT_A_DAY": "cần một ngày dạng ngày/tháng/năm, ví dụ 05/03/2026.",
    "DAY_IN_FUTURE": "ngày chưa tới; chỉ nhận số liệu đến hôm nay.",
    "DAY_TOO_OLD": "ngày đã quá ba năm; xin kiểm tra lại năm.",
    "ROW_TWICE": "cơ sở và ngày này đã có ở một dòng phía trên.",
    "FACILITY_TWICE": "cơ sở này đã có ở một dòng phía trên.",
    "NUMBER_MISSING": "thiếu số; cần đủ cả hai số, hoặc để trống cả hai.",
    "TOO_MANY_CELLS": "dòng có nhiều ô hơn số cột của mẫu.",
    "NOT_A_COUNT": "cần một số nguyên từ 0 trở lên, không có dấu chấm hay dấu phẩy ngăn hàng nghìn.",
    "INCOMPLETE": "thiếu số; phần tra cứu tại quầy cần đủ cả ba số, hoặc để trống cả ba.",
    "LOOKED_UP_OVER_LOOKUPS": "số lượt đã tra cứu không thể lớn hơn số lần tra cứu.",
    "SUCCESS_OVER_LOOKED_UP": "số lượt tra cứu được không thể lớn hơn số lượt đã tra cứu.",
    "LOOKED_UP_OVER_VISITS": "số lượt đã tra cứu của ngày này không thể lớn hơn số lượt khám BHYT cùng nguồn.",
    "REVISIONS_SPENT": "số liệu của ngày này không sửa được nữa; xin báo đơn vị vận hành.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong where. ``row``: as a spreadsheet counts, 0: the whole file; ``column``: from 1, 0: the whole row.

    ``code`` is one of `WORDS`, ``heading`` that of the column or empty.
    """

    row: int
    column: int
    code: str
    heading: str = ""

    @property
    def words(self) -> str:
        """What was expected, in Vietnamese; nothing from the file itself is repeated."""
        where = [f"dòng {self.row}"] if self.row else ["cả tệp"]
        if self.heading:
            where.append(f"cột {self.column} ({self.heading})")
        text = f"{', '.join(where)}: {WORDS[self.code]}"
        return text[0].upper() + text[1:]

    def as_json(self) -> dict[str, object]:
        """`{"row", "column", "code", "message"}`."""
        return {"row": self.row, "column": self.column, "code": self.code, "message": self.words}


class UploadRefused(Exception):
    """The file is not taken; ``problems``: at least one, in the order of the rows, at most 50.

    ``foreign``: it has lines of a facility that the caller may not speak for, and these are the problems.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the first fifty: whoever has more has the wrong file.

        Lines of facilities that are not the caller's go alone: whoever hands in the wrong file learns nothing else.
        """
        foreign = [problem for problem in problems if problem.code == "NOT_YOUR_FACILITY"]
        self.foreign = bool(foreign)
        self.problems = tuple(sorted(foreign or problems, key=lambda each: (each.row, each.column))[:_MOST])
        super().__init__(self.problems[0].code)
