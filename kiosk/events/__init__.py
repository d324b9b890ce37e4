"""The wire format of events between kiosk and province: what both sides must agree on, and nothing else.

Source: interfaces.md sections 4-6; health-data-standards.md 3.2 (result classes). No personal data travels in an
event: a person appears only as `person_day`, a keyed digest whose key stays at the facility.
The province, on another machine, imports it too: so it rests on the plain words of `kiosk.model` and nothing else.
"""

from kiosk.events.build import (
    desk_lookups_event,
    heartbeat,
    lookup_event,
    new_event_id,
    person_day,
    visit_count_event,
    visit_event,
)
from kiosk.events.check import check_event, parse_day, parse_happened_at, surely_storable
from kiosk.events.signing import ParsedSignature, parse_signature, sign_batch, verify_batch
from kiosk.events.words import (
    CHIP_VERDICTS,
    DOCUMENT_METHODS,
    MAX_BYTES,
    MAX_COUNT,
    MAX_EVENTS,
    MAX_SEQ,
    OWN_FAULT_CLASSES,
    RESULT_CLASSES,
    SCHEMA,
    SUCCESS_CLASSES,
    UNKNOWN_CODE_CLASS,
    Kind,
    NotByChip,
    Origin,
    result_kpi_class,
)
from kiosk.model import VIETNAM, EligibilityClass, KeyKind, Lane, Method

__all__ = [
    "CHIP_VERDICTS",
    "DOCUMENT_METHODS",
    "MAX_BYTES",
    "MAX_COUNT",
    "MAX_EVENTS",
    "MAX_SEQ",
    "OWN_FAULT_CLASSES",
    "RESULT_CLASSES",
    "SCHEMA",
    "SUCCESS_CLASSES",
    "UNKNOWN_CODE_CLASS",
    "VIETNAM",
    "EligibilityClass",
    "KeyKind",
    "Kind",
    "Lane",
    "Method",
    "NotByChip",
    "Origin",
    "ParsedSignature",
    "check_event",
    "desk_lookups_event",
    "heartbeat",
    "lookup_event",
    "new_event_id",
    "parse_day",
    "parse_happened_at",
    "parse_signature",
    "person_day",
    "result_kpi_class",
    "sign_batch",
    "surely_storable",
    "verify_batch",
    "visit_count_event",
    "visit_event",
]
