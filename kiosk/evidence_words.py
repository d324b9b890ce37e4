"""The Vietnamese words of the evidence of lookups: what each code means to the insurer who reads the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MOMENTS: Final[Mapping[str, str]] = {
    "arrival": "lúc đến khám",
    "pending": "tự tra lại",
    "treatment": "trong khi điều trị",
    "closing": "trước khi kết thúc",
    "staff": "nhân viên tra lại",
}
KEY_KINDS: Final[Mapping[str, str]] = {
    "PERSONAL_12": "số căn cước / định danh",
    "BHXH_10": "mã số BHXH",
    "BHYT_15": "số thẻ BHYT (15 ký tự)",
    "BHYT_17": "số thẻ BHYT (17 ký tự)",
}
STATES: Final[Mapping[str, str]] = {
    "insured": "Đã có trả lời: thẻ còn hạn",
    "insured_new_card": "Đã có trả lời: thẻ còn hạn (thẻ mới)",
    "not_insured": "Đã có trả lời: không có thẻ còn hạn",
    "needs_staff": "Đã có trả lời: cần nhân viên xem lại",
    "cannot_say": "Chưa có trả lời của cổng",
    "misconfigured": "Chưa tra được: cổng từ chối tài khoản hoặc cán bộ tra cứu",
}
NEVER_ASKED: Final = "Chưa tra cứu"
UNSENT: Final = "không gửi được câu hỏi"

_REASONS: Final[Mapping[str, str]] = {
    "gateway_data_error": "cổng lỗi khi đọc dữ liệu thẻ",
    "gateway_error": "cổng báo lỗi máy chủ",
    "officer_unknown": "cổng chưa biết cán bộ tra cứu",
    "officer_name": "tên cán bộ tra cứu không khớp ở cổng",
    "account_refused": "cổng từ chối tài khoản",
    "account_blocked": "cổng không cho tài khoản đăng nhập",
    "no_right": "tài khoản không có quyền tra cứu",
    "net_connect": "không kết nối được tới cổng",
    "net_tls": "lỗi kết nối bảo mật tới cổng",
    "net_timeout": "cổng không trả lời trong thời gian chờ",
    "net_broken": "kết nối với cổng bị ngắt giữa chừng",
    "http_error": "cổng trả lỗi HTTP",
    "bad_answer": "trả lời của cổng không đọc được",
    "no_code": "trả lời của cổng thiếu mã kết quả",
    "answer_too_large": "trả lời của cổng quá dài",
    "login_unreadable": "trả lời đăng nhập không đọc được",
    "breaker_open": "tạm ngừng hỏi vì cổng vừa lỗi nhiều lần",
    "throttled": "quá nhiều câu hỏi đang chờ cổng",
    "no_officer": "chưa có cán bộ tra cứu trực",
    "relay_unreachable": "không kết nối được tới máy tra cứu chung của cơ sở",
    "relay_refused": "máy tra cứu chung của cơ sở không nhận khóa của máy này",
    "relay_error": "máy tra cứu chung của cơ sở trả lời không dùng được",
    "his_unavailable": "phần mềm bệnh viện không trả lời câu hỏi tra cứu",
    "his_error": "phần mềm bệnh viện không tra cứu được",
    "closed": "máy dừng khi đang hỏi",
    "outside_hours": "ngoài giờ làm việc",
}


def reason_words(reason: str) -> str:
    """What *reason* says, with the code itself; the bare code where there are no words."""
    words = _REASONS.get(reason)
    return f"{words} ({reason})" if words else reason
