"""This kiosk's own rates, by the province's definitions."""

import pytest

from kiosk.kpi import not_by_chip, own_rates, percent


def lookup(checkin: str, code: str | None, *, reached: bool = True, kind: str = "PERSONAL_12") -> dict:
    return {"kind": "lookup", "checkin_id": checkin, "result_code": code, "reached_gateway": reached, "key_kind": kind}


def visit(checkin: str, *, bhyt: bool = True) -> dict:
    return {"kind": "visit", "checkin_id": checkin, "bhyt": bhyt}


def test_a_day_with_everything():
    rates = own_rates(
        [
            lookup("a", "000"),
            visit("a"),
            lookup("b", "101"),
            lookup("b", "000"),
            visit("b"),
            lookup("c", "010"),
            visit("c", bhyt=False),
            lookup("d", None, reached=False),
            visit("d"),
            lookup("e", "000", kind="BHYT_15"),
            visit("e"),
            lookup("f", "054"),
            visit("f"),
            lookup("g", "777"),
            lookup("h", None),
            visit("h"),
            visit("h", bhyt=False),
        ]
    )
    assert rates == {
        "visits_bhyt": 5,
        "lookups_total": 6,
        "lookups_success": 3,
        "lookups_not_counted": 1,
        "lookups_other_key": 1,
        "attempted_not_sent": 1,
        "r1_numerator": 2,
        "r1_denominator": 5,
        "r1_pct": 40.0,
        "r2_numerator": 3,
        "r2_denominator": 6,
        "r2_pct": 50.0,
    }


def test_an_empty_day_has_no_rates():
    rates = own_rates([])
    assert rates["r1_pct"] is None and rates["r2_pct"] is None and rates["visits_bhyt"] == 0


@pytest.mark.parametrize(
    ("numerator", "denominator", "wanted"),
    [(1, 3, 33.33), (2, 3, 66.67), (1, 800, 0.13), (3, 800, 0.38), (20_001, 20_000, 100.01), (0, 5, 0.0), (5, 0, None)],
)
def test_percentages_have_two_decimals_rounded_half_up(numerator, denominator, wanted):
    assert percent(numerator, denominator) == wanted


def test_why_no_chip_was_read():
    def chip(checkin: str, code: str | None, **more: object) -> dict:
        return lookup(checkin, code) | {"method": "CHIP_CCCD"} | more

    def why(checkin: str, reason: str | None, *, bhyt: bool = True) -> dict:
        return visit(checkin, bhyt=bhyt) | {"not_by_chip": reason}

    found = not_by_chip(
        [
            *(chip("read", "000"), why("read", "CHIP_FAILED")),  # it went well in the end
            *(chip("failed", "101"), why("failed", "CHIP_FAILED")),
            *(lookup("qr", "000") | {"method": "QR_CCCD"}, why("qr", "CHIP_FAILED")),
            *(chip("unsent", None, reached_gateway=False), why("unsent", None)),
            *(why("changed", "NO_CARD"), why("changed", "CHILD")),
            *(why("paying", "NO_CARD"), why("paying", "NO_CARD", bhyt=False)),
        ]
    )
    assert list(found.items()) == [("CHIP_FAILED", 2), ("CHILD", 1), ("UNEXPLAINED", 1)]
