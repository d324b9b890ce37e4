"""A check-in as staff see it (interfaces, section 4): masked unless revealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.accepted_fields import differences_of
from kiosk.hospital_model import Receipt, Service
from kiosk.insurance.bhyt_number import CardHints, hints_of
from kiosk.model import Coverage, Eligibility, Guardian
from kiosk.outbox_table import OutboxRow
from kiosk.privacy import mask_name, mask_number
from kiosk.records import CheckIn
from kiosk.seen_elsewhere import seen_at_view
from kiosk.web.rules_view import rules_view


def views(connection: sa.Connection, checkins: Sequence[CheckIn]) -> list[dict[str, Any]]:
    """Each check-in in its whole shape, with the state of its delivery and its audit."""
    ids = [checkin.checkin_id for checkin in checkins]
    rows = outbox_table.of_refs(connection, outbox_table.HOSPITAL, ids)
    audits = records.audits_of(connection, ids)
    return [_view(item, rows.get(item.checkin_id), audits.get(item.checkin_id, [])) for item in checkins]


def _view(checkin: CheckIn, row: OutboxRow | None, audit: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "checkin_id": checkin.checkin_id,
        "happened_at": checkin.happened_at.isoformat(),
        "station": checkin.station,
        "state": checkin.state,
        "document": checkin.document_kind,
        "seen_at": seen_at_view(checkin.seen_at),
        "method": checkin.method,
        "lane": checkin.lane,
        "carrier": checkin.carrier,
        "carrier_source": checkin.carrier_source,
        "verdict": checkin.verdict,
        "chip": checkin.chip,
        "not_by_chip": checkin.not_by_chip,
        "holder_check": checkin.holder_check,
        "guardian": _guardian(checkin.guardian),
        "priority": checkin.priority,
        "nameless": checkin.nameless,
        "identity": masked(checkin),
        "eligibility": _eligibility(checkin.eligibility, checkin.answer_origin),
        "lookup_receipt": checkin.lookup_receipt,
        "rules": rules_view(checkin),
        "differences": [each.id for each in differences_of(checkin)],
        "card_hints": _card_hints(_card_of(checkin)),
        "service": _service(checkin.service),
        "bhyt": checkin.bhyt,
        "ticket": {
            "number": checkin.number,
            "issued_by": ("his" if checkin.his_number else "kiosk") if checkin.number else None,
            "kiosk_number": checkin.kiosk_number,
            "his_number": checkin.his_number,
        },
        "hospital": {
            "state": checkin.hospital_state,
            "receipt": _receipt(checkin.receipt),
            "attempts": row.attempts if row else 0,
            "last_error": row.reason if row else None,
            "outbox_state": row.state if row else None,
        },
        "needs_staff": (
            {"reason": checkin.staff_reason, "since": checkin.staff_since.isoformat()}
            if checkin.staff_reason and checkin.staff_since
            else None
        ),
        "patient_match": checkin.patient.kind if checkin.patient else None,
        "closed_reason": checkin.closed_reason,
        "audit": [entry | {"at": entry["at"].isoformat()} for entry in audit],
    }


def revealed(checkin: CheckIn) -> dict[str, Any]:
    """The person in full, for the one who asked for it."""
    person = checkin.identity
    return {
        "personal_id": person.personal_id,
        "old_id": person.old_id,
        "full_name": person.full_name,
        "birth_date": str(person.birth_date) if person.birth_date else None,
        "sex": person.sex,
        "address": person.address,
        "issued_on": person.issued_on.isoformat() if person.issued_on else None,
        "card_number": checkin.coverage.number if checkin.coverage else None,
        "card_object": _card_object(_card_of(checkin)),
        "key_number": checkin.key_number,
        "guardian": asdict(checkin.guardian) if checkin.guardian else None,
    }


def _guardian(guardian: Guardian | None) -> dict[str, Any] | None:
    if guardian is None:
        return None
    return {"name": mask_name(guardian.full_name), "relation": guardian.relation}


def masked(checkin: CheckIn) -> dict[str, Any]:
    """The person as a list shows them."""
    person = checkin.identity
    return {
        "name": mask_name(person.full_name) if person.full_name else None,
        "birth_year": person.birth_date.year if person.birth_date else None,
        "number": mask_number(checkin.key_number),
        "sex": person.sex,
    }


def _eligibility(answer: Eligibility | None, origin: str | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {
        "class": answer.status,
        "reason": answer.reason,
        "result_code": answer.result_code,
        "coverage": _coverage(answer.coverage),
        "asked_at": answer.asked_at.isoformat(),
        "origin": origin,
    }


def _coverage(coverage: Coverage | None) -> dict[str, Any] | None:
    if coverage is None:
        return None
    return {
        "number": mask_number(coverage.number),
        "registered_facility": coverage.registered_facility,
        "valid_from": coverage.valid_from.isoformat() if coverage.valid_from else None,
        "valid_to": coverage.valid_to.isoformat() if coverage.valid_to else None,
        "benefit_level": coverage.benefit_level,
    }


def _card_of(checkin: CheckIn) -> CardHints | None:
    """Hints on the card that the gateway named, else on the one that was read or typed."""
    answered = checkin.eligibility.coverage if checkin.eligibility else None
    coverage = answered or checkin.coverage
    return hints_of(coverage.number if coverage else checkin.key_number)


def _card_hints(hints: CardHints | None) -> dict[str, Any] | None:
    """What staff may see at a glance: not the object, which tells of poverty or merit (insurance-gateway.md 7)."""
    if hints is None or hints.level is None:
        return None
    return {"level": hints.level_words, "province": hints.province_name, "doubts": list(hints.doubts)}


def _card_object(hints: CardHints | None) -> str | None:
    if hints is None or hints.object_code is None:
        return None
    return f"{hints.object_code} – {hints.object_words}" if hints.object_words else hints.object_code


def _service(service: Service | None) -> dict[str, Any] | None:
    return {"id": service.id, "name": service.name, "department": service.department} if service else None


def _receipt(receipt: Receipt | None) -> dict[str, Any] | None:
    if receipt is None:
        return None
    return {"visit_id": receipt.visit_id, "patient_code": receipt.patient_code, "number": receipt.number}
