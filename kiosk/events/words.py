"""The closed and open word lists of the event format, its limits, and the classes of gateway result codes.

Source: interfaces.md sections 4-6; health-data-standards.md 3.2.
"""

import csv
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from typing import Final

from kiosk.model import Method

SCHEMA: Final = 1
MAX_EVENTS: Final = 1000
MAX_BYTES: Final = 2 * 1024 * 1024
MAX_COUNT: Final = 2**31 - 1
MAX_SEQ: Final = 2**63 - 1


class Kind(StrEnum):
    """Event kinds (interfaces.md 5)."""

    LOOKUP = "lookup"
    VISIT = "visit"
    VISIT_COUNT = "visit_count"
    DESK_LOOKUPS = "desk_lookups"
    HEARTBEAT = "heartbeat"


class NotByChip(StrEnum):
    """Why a visit was not read by chip (interfaces.md 5, kind `visit`)."""

    NO_CARD = "NO_CARD"
    CHILD = "CHILD"
    CHIP_FAILED = "CHIP_FAILED"
    READER_DOWN = "READER_DOWN"
    CHIP_NOT_ASKED = "CHIP_NOT_ASKED"
    PATIENT_CHOSE_QR = "PATIENT_CHOSE_QR"
    STAFF_TYPED = "STAFF_TYPED"
    GATEWAY_DOWN = "GATEWAY_DOWN"
    EMERGENCY = "EMERGENCY"


class Origin(StrEnum):
    """Who counted a day's visits or desk lookups; the order here is the order of trust (interfaces.md 6)."""

    HIS = "his"
    PORTAL_FILE = "portal_file"
    MANUAL = "manual"


DOCUMENT_METHODS: Final = frozenset({Method.CHIP_CCCD, Method.QR_CCCD, Method.VNEID_TOKEN})
"""Methods whose number was read from a document (r3)."""
CHIP_VERDICTS: Final = frozenset({"genuine", "data_authentic", "cannot_tell"})
"""Chip verdicts with which a lookup counts as a chip lookup (r4)."""
SUCCESS_CLASSES: Final = frozenset({"success", "success_with_check", "found_not_eligible"})
"""KPI classes that are a success (S)."""
OWN_FAULT_CLASSES: Final = frozenset({"failed_input", "failed_account"})
"""KPI classes that are our own fault and not an answer about the patient: not counted in L."""
UNKNOWN_CODE_CLASS: Final = "failed_other"


def _load_result_classes() -> dict[str, str]:
    table = resources.files("kiosk.data").joinpath("portal-lookup-result-classes.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    return {row["ma_ket_qua"]: row["kpi_class"] for row in rows}


RESULT_CLASSES: Final[Mapping[str, str]] = _load_result_classes()
"""Gateway result code -> KPI class, from `data/portal-lookup-result-classes.csv`."""


def result_kpi_class(result_code: str) -> str:
    """The KPI class of a gateway result code (`maKetQua`, three digits as text).

    Returns success, success_with_check, found_not_eligible or a failed_* class; an unknown code is `failed_other`.
    Source: health-data-standards.md 3.2 and its data file.
    """
    return RESULT_CLASSES.get(result_code, UNKNOWN_CODE_CLASS)
