"""Reading and writing check-ins and lookups inside a transaction of the store.

Every function takes the open connection of ``Store.run`` or ``Store.read`` and does no commit of its own.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from kiosk.audit import append
from kiosk.documents.text import same_name
from kiosk.hospital_model import PatientMatch, Receipt, Service, Slip
from kiosk.model import (
    Carrier,
    CarrierSource,
    Coverage,
    Eligibility,
    EligibilityClass,
    Guardian,
    Identity,
    KeyKind,
    Lane,
    LookupKey,
    Method,
    local_day,
)
from kiosk.tables import audit, checkin, chip_evidence, event, lookup, question, setting

_IDENTITY: Final = TypeAdapter(Identity)
_ELIGIBILITY: Final = TypeAdapter(Eligibility)
_NOT_IN_A_COLUMN: Final = {"eligibility": {"answer", "trail", "earlier"}}
"""What goes to tables of its own (kiosk.answers)."""
_PATIENT: Final = TypeAdapter(PatientMatch)
_SERVICE: Final = TypeAdapter(Service)
_RECEIPT: Final = TypeAdapter(Receipt)


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One person's passage, as the store holds it. ``state``: presented, looked_up, accepted or abandoned."""

    checkin_id: str
    station: str
    state: str
    happened_at: datetime
    day: str
    person_key: str
    document_kind: str
    method: Method
    lane: Lane
    carrier: Carrier
    carrier_source: CarrierSource
    holder_check: str
    warnings: tuple[str, ...]
    identity: Identity
    read_identity: Identity | None
    document_coverage: Coverage | None
    key_kind: KeyKind
    key_number: str
    status: EligibilityClass | None
    eligibility: Eligibility | None
    answer_origin: str | None
    patient: PatientMatch | None
    service: Service | None
    bhyt: bool | None
    registered_status: EligibilityClass | None
    accepted_at: datetime | None
    his_number: str | None
    kiosk_number: str | None
    hospital_state: str | None
    receipt: Receipt | None
    staff_reason: str | None
    staff_since: datetime | None
    closed_reason: str | None
    verdict: str | None
    issuer: str | None
    chip: dict[str, Any] | None
    not_by_chip: str | None
    lookup_receipt: str | None
    seen_at: str | None
    follows: str | None
    slip: Slip | None
    guardian: Guardian | None
    priority: str | None
    notice: str | None

    @property
    def nameless(self) -> bool:
        """True of somebody who came as an emergency and of whom no number is known yet.

        Whoever was forgotten since has no number either, and no ``person_key``.
        """
        return self.lane is Lane.EMERGENCY and not self.key_number and bool(self.person_key)

    @property
    def number(self) -> str | None:
        """The number the patient goes by: the hospital's if there is one, else the kiosk's own."""
        return self.his_number or self.kiosk_number

    @property
    def unanswered(self) -> bool:
        """True while the gateway has not said anything about the person."""
        return self.status is None or self.status.unanswered

    @property
    def registered_as(self) -> EligibilityClass:
        """The class under which the visit goes to the hospital: staff's decision is seen in ``bhyt``."""
        if self.status is None:
            return EligibilityClass.CANNOT_SAY
        return self.status if self.bhyt or self.status.unanswered else EligibilityClass.NOT_INSURED

    @property
    def coverage(self) -> Coverage | None:
        """The card to use today, when the newest answer chose one."""
        return self.eligibility.coverage if self.eligibility else None

    @property
    def lookup_key(self) -> LookupKey | None:
        """What the gateway is asked; None while name or birth date are unknown."""
        person = self.identity
        if not person.full_name or not person.birth_date:
            return None
        others = (person.personal_id,) if person.personal_id not in (None, self.key_number) else ()
        return LookupKey(self.key_number, self.key_kind, person.full_name, person.birth_date, person.sex, others)


_FROM_JSON: Final[dict[str, TypeAdapter[Any]]] = {
    "identity": _IDENTITY,
    "read_identity": _IDENTITY,
    "document_coverage": TypeAdapter(Coverage),
    "eligibility": _ELIGIBILITY,
    "patient": _PATIENT,
    "service": _SERVICE,
    "receipt": _RECEIPT,
    "guardian": TypeAdapter(Guardian),
}
_FROM_TEXT: Final[dict[str, Any]] = {
    "method": Method,
    "lane": Lane,
    "carrier": Carrier,
    "carrier_source": CarrierSource,
    "key_kind": KeyKind,
    "status": EligibilityClass,
    "registered_status": EligibilityClass,
    "warnings": tuple,
    "slip": Slip,
}


_UNANSWERED: Final = tuple(status.value for status in EligibilityClass if status.unanswered)


def _from_row(row: sa.Row[Any]) -> CheckIn:
    values = dict(row._mapping)
    for name, adapter in _FROM_JSON.items():
        if values[name] is not None:
            values[name] = adapter.validate_python(values[name])
    for name, kind in _FROM_TEXT.items():
        if values[name] is not None:
            values[name] = kind(values[name])
    return CheckIn(**values)


def _to_columns(changes: dict[str, Any]) -> dict[str, Any]:
    columns = dict(changes)
    for name, adapter in _FROM_JSON.items():
        if name in columns:
            value = columns[name]
            columns[name] = (
                sa.null()
                if value is None
                else adapter.dump_python(value, mode="json", exclude=_NOT_IN_A_COLUMN.get(name))
            )
    if "warnings" in columns:
        columns["warnings"] = list(columns["warnings"])
    if columns.get("chip", ...) is None:
        columns["chip"] = sa.null()
    return columns


def person_key(facility_key: bytes, number: str) -> str:
    """Keyed hash of the number that was read: finds the same person again without a plain index of numbers."""
    return hmac.new(facility_key, number.encode("ascii"), hashlib.sha256).hexdigest()


def insert(connection: sa.Connection, **values: Any) -> None:
    """Write a new check-in in state ``presented``; ``day`` follows from ``happened_at``."""
    columns = _to_columns({"state": "presented", "day": str(local_day(values["happened_at"])), **values})
    connection.execute(checkin.insert().values(**columns))


def update(connection: sa.Connection, checkin_id: str, **changes: Any) -> None:
    """Change columns of one check-in; dataclasses are stored as JSON."""
    connection.execute(checkin.update().where(checkin.c.checkin_id == checkin_id).values(**_to_columns(changes)))


def get(connection: sa.Connection, checkin_id: str) -> CheckIn | None:
    """One check-in by id."""
    row = connection.execute(sa.select(checkin).where(checkin.c.checkin_id == checkin_id)).first()
    return None if row is None else _from_row(row)


def accepted_today(connection: sa.Connection, key: str, identity: Identity, day: str) -> CheckIn | None:
    """The newest accepted, not cancelled check-in of this very person on *day*.

    A number alone is not enough: whoever knows it must neither see another's ticket nor take another's place.
    """
    rows = connection.execute(
        sa.select(checkin)
        .where(
            checkin.c.person_key == key,
            checkin.c.day == day,
            checkin.c.state == "accepted",
            checkin.c.closed_reason.is_(None),
        )
        .order_by(checkin.c.happened_at.desc())
    )
    found = (_from_row(row) for row in rows)
    return next(
        (earlier for earlier in found if same_person(earlier.read_identity or earlier.identity, identity)), None
    )


def typed_and_unregistered(connection: sa.Connection, key: str, day: str) -> CheckIn | None:
    """The newest typed entry of *day* under a number of which nothing has gone to the hospital yet."""
    row = connection.execute(
        sa.select(checkin)
        .where(
            checkin.c.person_key == key,
            checkin.c.day == day,
            checkin.c.state == "accepted",
            checkin.c.method.in_((Method.MANUAL_ID.value, Method.CARD_NUMBER.value)),
            checkin.c.hospital_state.is_(None),
            checkin.c.closed_reason.is_(None),
        )
        .order_by(checkin.c.happened_at.desc())
        .limit(1)
    ).first()
    return None if row is None else _from_row(row)


def left_after_answer(connection: sa.Connection, key: str, day: str, since: datetime) -> CheckIn | None:
    """The newest check-in of *day* that the person left although a question asked since *since* was answered."""
    answered = sa.exists().where(
        lookup.c.checkin_id == checkin.c.checkin_id, lookup.c.asked_at >= since, lookup.c.status.not_in(_UNANSWERED)
    )
    row = connection.execute(
        sa.select(checkin)
        .where(checkin.c.person_key == key, checkin.c.day == day, checkin.c.state == "abandoned", answered)
        .where(checkin.c.closed_reason.is_(None))
        .order_by(checkin.c.happened_at.desc())
        .limit(1)
    ).first()
    return None if row is None else _from_row(row)


def find(connection: sa.Connection, *, day: str | None = None, needs_staff: bool = False) -> list[CheckIn]:
    """All check-ins of one day, newest first, or all that wait for staff, oldest first."""
    query = sa.select(checkin)
    if day is not None:
        query = query.where(checkin.c.day == day)
    if needs_staff:
        query = query.where(checkin.c.staff_reason.is_not(None)).order_by(checkin.c.staff_since)
    else:
        query = query.order_by(checkin.c.happened_at.desc())
    return [_from_row(row) for row in connection.execute(query)]


def remove_unasked(connection: sa.Connection, checkin_id: str) -> bool:
    """Remove a check-in of which nobody was asked anything and to which nothing points; whether that was so."""
    for table in (lookup, question, audit, event, chip_evidence):
        if connection.execute(sa.select(1).select_from(table).where(table.c.checkin_id == checkin_id)).first():
            return False
    connection.execute(checkin.delete().where(checkin.c.checkin_id == checkin_id))
    return True


def abandon_open(connection: sa.Connection) -> int:
    """After a restart no station remembers its person: open check-ins end ``abandoned``, their lookups count."""
    return connection.execute(
        checkin.update().where(checkin.c.state.in_(("presented", "looked_up"))).values(state="abandoned")
    ).rowcount


def call_staff(connection: sa.Connection, checkin_id: str, reason: str, now: datetime) -> None:
    """Put a check-in on the staff list; the time of the first reason is kept."""
    connection.execute(
        checkin.update()
        .where(checkin.c.checkin_id == checkin_id)
        .values(staff_reason=reason, staff_since=sa.func.coalesce(checkin.c.staff_since, now_literal(now)))
    )


def now_literal(now: datetime) -> sa.BindParameter[datetime]:
    """*now* as a parameter of the column type."""
    return sa.bindparam(None, now, type_=checkin.c.staff_since.type)


def add_lookup(connection: sa.Connection, of: CheckIn, answer: Eligibility, *, event_id: str, attempt: int) -> None:
    """Keep one question with its answer; the event of the same question is written by the caller."""
    connection.execute(
        lookup.insert().values(
            checkin_id=of.checkin_id,
            person_key=of.person_key,
            asked_at=answer.asked_at,
            day=str(local_day(answer.asked_at)),
            attempt=attempt,
            status=answer.status.value,
            result_code=answer.result_code,
            reached_gateway=answer.reached_gateway,
            latency_ms=answer.latency_ms,
            eligibility=_ELIGIBILITY.dump_python(answer, mode="json", exclude=_NOT_IN_A_COLUMN["eligibility"]),
            event_id=event_id,
        )
    )


def lookups_of(connection: sa.Connection, checkin_id: str) -> int:
    """How many questions this check-in has cost."""
    count = sa.select(sa.func.count()).select_from(lookup).where(lookup.c.checkin_id == checkin_id)
    return connection.execute(count).scalar_one()


def is_kept(connection: sa.Connection, of: CheckIn, answer: Eligibility) -> bool:
    """Whether *answer*, and each before it, came from a question kept already: equal ones may share a call."""
    return all(is_kept_itself(connection, of, part) for part in (*answer.earlier, answer))


def is_kept_itself(connection: sa.Connection, of: CheckIn, answer: Eligibility) -> bool:
    """The same of *answer* alone, whatever was asked before it."""
    same = (lookup.c.person_key == of.person_key, lookup.c.asked_at == answer.asked_at)
    return connection.execute(sa.select(lookup.c.id).where(*same).limit(1)).first() is not None


def same_person(one: Identity, other: Identity) -> bool:
    """Whether two readings of one number name the same person: folded name, birth date, and sex if both know it."""
    return (
        same_name(one.full_name or "", other.full_name or "")
        and (one.birth_date is None) is (other.birth_date is None)
        and (one.birth_date is None or other.birth_date is None or one.birth_date.agrees_with(other.birth_date))
        and (one.sex is None or other.sex is None or one.sex is other.sex)
    )


def recent_answer(connection: sa.Connection, of: CheckIn, now: datetime, within: timedelta) -> Eligibility | None:
    """The newest real answer of today about this very person, not older than *within* (insurance-gateway.md 6).

    A number alone is not enough: the answer was judged against the name, birth date and sex that it was asked with.
    """
    rows = connection.execute(
        sa.select(lookup.c.eligibility, checkin.c.identity)
        .join(checkin, checkin.c.checkin_id == lookup.c.checkin_id)
        .where(
            lookup.c.person_key == of.person_key,
            lookup.c.day == str(local_day(now)),
            lookup.c.asked_at >= now - within,
            lookup.c.asked_at <= now,
            lookup.c.eligibility.is_not(None),
            lookup.c.status.not_in(_UNANSWERED),
        )
        .order_by(lookup.c.asked_at.desc())
    )
    for answer, identity in rows:
        if same_person(_IDENTITY.validate_python(identity), of.identity):
            return _ELIGIBILITY.validate_python(answer)
    return None


def add_audit(
    connection: sa.Connection, now: datetime, who: str, action: str, checkin_id: str | None, detail: dict[str, Any]
) -> None:
    """Append to the audit: who did what to which check-in. *detail* holds codes and notes, no copies of identities."""
    append(connection, now, who, action, checkin_id, detail)


def audits_of(connection: sa.Connection, checkin_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The audit of each check-in, oldest first, in few questions."""
    found: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(checkin_ids), 500):
        some = checkin_ids[start : start + 500]
        rows = connection.execute(sa.select(audit).where(audit.c.checkin_id.in_(some)).order_by(audit.c.id))
        for row in rows:
            entry = {"at": row.at, "who": row.who, "action": row.action, "detail": row.detail}
            found.setdefault(row.checkin_id, []).append(entry)
    return found


def keep_notice(connection: sa.Connection, text: str | None) -> str | None:
    """The SHA-256 of a notice in hex, under which its *text* is found for ever as the setting ``notice:<digest>``."""
    if text is None:
        return None
    digest = hashlib.sha256(text.encode()).hexdigest()
    if get_setting(connection, f"notice:{digest}") is None:
        put_setting(connection, f"notice:{digest}", text)
    return digest


def get_setting(connection: sa.Connection, name: str) -> Any:
    """A stored setting, or None."""
    return connection.execute(sa.select(setting.c.value).where(setting.c.name == name)).scalar()


def put_setting(connection: sa.Connection, name: str, value: Any) -> None:
    """Store a setting, replacing the old value."""
    if connection.execute(setting.update().where(setting.c.name == name).values(value=value)).rowcount == 0:
        connection.execute(setting.insert().values(name=name, value=value))
