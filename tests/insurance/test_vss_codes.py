"""The result-code table against the reference and the province's classes."""

import pytest

from kiosk.insurance.vss_codes import REPEATABLE, RESULT_CODES, Action, Reason, rule_for
from kiosk.model import EligibilityClass as Class

SECTION_3 = (
    "000:E 001:S 002:S 003:N 004:E/N 010:X 050:X/S 051:S 052:S 053:S 054:A 055:A 060:S 061:S 070:S 080:S 090:S 100:R "
    "101:R 110:X 120:X 121:X/S 122:X/S 123:X/S 124:X 130:S 205:A 401:R->A 403:A 500:R"
)
BY_ACTION = {
    Action.E: Class.INSURED,
    Action.E_OR_N: Class.INSURED,
    Action.N: Class.INSURED_NEW_CARD,
    Action.X: Class.NOT_INSURED,
    Action.S: Class.NEEDS_STAFF,
    Action.X_OR_S: Class.NEEDS_STAFF,
    Action.R: Class.CANNOT_SAY,
    Action.A: Class.MISCONFIGURED,
    Action.R_THEN_A: Class.MISCONFIGURED,
}


def test_every_code_of_section_3_with_its_action() -> None:
    table = {code: row.action.replace(" ", "") for code, row in RESULT_CODES.items()}
    assert table == dict(item.split(":") for item in SECTION_3.split()) | {"402": "A"}


@pytest.mark.parametrize("code", sorted(RESULT_CODES))
def test_class_from_action(code: str) -> None:
    row = RESULT_CODES[code]
    expected = Class.NEEDS_STAFF if code == "205" else BY_ACTION[row.action]
    assert (row.code, row.status) == (code, expected)
    assert row.meaning and row.kiosk


def test_only_what_may_be_repeated_is_repeated() -> None:
    assert {code for code, row in RESULT_CODES.items() if row.action is Action.R} == REPEATABLE


def test_an_unknown_code_is_for_staff() -> None:
    row = rule_for("777")
    assert (row.status, row.reason, row.code) == (Class.NEEDS_STAFF, Reason.UNKNOWN_CODE, "777")
