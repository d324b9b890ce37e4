"""What can become of a visit at a kiosk, and what each outcome adds to a day's sums (definitions: interfaces.md 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kiosk.events import (
    CHIP_VERDICTS,
    DOCUMENT_METHODS,
    OWN_FAULT_CLASSES,
    RESULT_CLASSES,
    SUCCESS_CLASSES,
    KeyKind,
    Lane,
    Method,
    NotByChip,
)
from province.measures import Measures
from province.rollup_table import UNEXPLAINED

_FAILED_SUM: Final = {
    "failed_not_found": "fail_not_found",
    "failed_mismatch": "fail_mismatch",
    "failed_technical": "fail_technical",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which a visit goes; `method` None: nothing was looked up.

    ``code``: the gateway's result code. ``reached``: whether the question got out. ``reason``: why not by chip.
    """

    method: Method | None
    code: str | None = "000"
    verdict: str | None = None
    reached: bool = True
    key_kind: KeyKind = KeyKind.PERSONAL_12
    reason: NotByChip | None = None
    lane: Lane = Lane.SELF

    @property
    def counted(self) -> bool:
        """Whether its lookup counts."""
        asked = self.method is not None and self.reached and self.key_kind is KeyKind.PERSONAL_12
        return asked and self._class not in OWN_FAULT_CLASSES

    @property
    def success(self) -> bool:
        """Whether its lookup counts and succeeded."""
        return self.counted and self._class in SUCCESS_CLASSES

    @property
    def _class(self) -> str:
        return RESULT_CLASSES[self.code] if self.code else "failed_technical"


_CHIP, _QR = Method.CHIP_CCCD, Method.QR_CCCD

OUTCOMES: Final[Mapping[str, Outcome]] = {
    "chip": Outcome(_CHIP, verdict="genuine"),
    "chip_data": Outcome(_CHIP, verdict="data_authentic"),
    "chip_check": Outcome(_CHIP, code="001", verdict="genuine"),
    "chip_expired": Outcome(_CHIP, code="010", verdict="genuine"),
    "chip_not_found": Outcome(_CHIP, code="050", verdict="genuine", reason=NotByChip.NO_CARD),
    "chip_mismatch": Outcome(_CHIP, code="060", verdict="genuine"),
    "qr": Outcome(_QR, reason=NotByChip.PATIENT_CHOSE_QR),
    "vneid": Outcome(Method.VNEID_TOKEN, reason=NotByChip.CHIP_NOT_ASKED),
    "chip_failed": Outcome(_QR, reason=NotByChip.CHIP_FAILED),
    "reader_down": Outcome(_QR, reason=NotByChip.READER_DOWN),
    "typed": Outcome(Method.MANUAL_ID, reason=NotByChip.STAFF_TYPED, lane=Lane.DESK),
    "old_card": Outcome(Method.BHYT_QR, key_kind=KeyKind.BHYT_15, reason=NotByChip.NO_CARD),
    "child": Outcome(Method.MANUAL_ID, code="130", reason=NotByChip.CHILD, lane=Lane.GUARDIAN),
    "emergency": Outcome(None, reason=NotByChip.EMERGENCY, lane=Lane.EMERGENCY),
    "gateway_down": Outcome(_QR, code=None, reached=False, reason=NotByChip.GATEWAY_DOWN),
    "gateway_error": Outcome(_QR, code="500", reason=NotByChip.GATEWAY_DOWN),
    "account": Outcome(_QR, code="401", reason=NotByChip.GATEWAY_DOWN),
    "unexplained": Outcome(_QR),
}


def add(sums: Measures, outcome: Outcome, number: int) -> None:
    """Add *number* visits of different people with this outcome to a day's sums."""
    sums.visits_looked_up += number * outcome.counted
    sums.visits_by_document += number * (outcome.success and outcome.method in DOCUMENT_METHODS)
    by_chip = outcome.success and outcome.method is _CHIP
    first_by_chip = number * (by_chip and outcome.verdict in CHIP_VERDICTS)
    sums.visits_by_chip += first_by_chip
    if not by_chip:
        sums.not_by_chip[str(outcome.reason or UNEXPLAINED)] += number
    if outcome.reason in (NotByChip.CHILD, NotByChip.EMERGENCY):
        sums.classes[f"{outcome.reason}.visits"] += number
        sums.classes[f"{outcome.reason}.looked_up"] += number * outcome.counted
    if outcome.method is not None:
        _add_lookups(sums, outcome, number)


def _add_lookups(sums: Measures, outcome: Outcome, number: int) -> None:
    if not outcome.reached:
        sums.not_sent += number
    elif outcome.key_kind is not KeyKind.PERSONAL_12:
        sums.other_key += number
    elif not outcome.counted:
        sums.not_counted += number
    else:
        sums.counted += number
        sums.persons += number
        sums.by_method[str(outcome.method)] += number
        sums.success += number * outcome.success
        result = RESULT_CLASSES[outcome.code or ""]
        sums.not_eligible += number * (result == "found_not_eligible")
        if result in _FAILED_SUM:
            setattr(sums, _FAILED_SUM[result], getattr(sums, _FAILED_SUM[result]) + number)
