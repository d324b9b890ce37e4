"""The tables of a kiosk (architecture, section 4).

The whole file is encrypted. Personal data stand in ``checkin``, ``lookup``, the typed words of ``audit`` and, as what
identifies a card, in ``chip_evidence``, where ``kiosk.retention`` empties them; ``chip_seen`` knows people by a keyed
hash, all other tables by check-in id.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment as UTC microseconds since 1970: SQLite would drop the offset of a text date silently."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """Refuse naive times (ValueError)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs an offset")
        delta = value - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """Back to an aware datetime in UTC."""
        if value is None:
            return None
        seconds, micros = divmod(value, 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

metadata = sa.MetaData()

checkin = sa.Table(
    "checkin",
    metadata,
    sa.Column("checkin_id", sa.Text, primary_key=True),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # presented looked_up accepted abandoned
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Text, nullable=False),  # of happened_at, UTC+7
    sa.Column("person_key", sa.Text, nullable=False),  # keyed hash of the number that was read
    sa.Column("document_kind", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("carrier_source", sa.Text, nullable=False, default="none"),  # camera asked none
    sa.Column("holder_check", sa.Text, nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("identity", sa.JSON, nullable=False),
    sa.Column("read_identity", sa.JSON),  # what the document said, once staff accepted other fields
    sa.Column("document_coverage", sa.JSON),  # the insurance card as it was read
    sa.Column("key_kind", sa.Text, nullable=False),
    sa.Column("key_number", sa.Text, nullable=False),
    sa.Column("status", sa.Text),  # class of the newest answer
    sa.Column("eligibility", sa.JSON),
    sa.Column("answer_origin", sa.Text),  # live remembered pending
    sa.Column("patient", sa.JSON),
    sa.Column("service", sa.JSON),
    sa.Column("bhyt", sa.Boolean),  # registered as an insured visit; None: no visit yet
    sa.Column("registered_status", sa.Text),  # class under which the visit went to the hospital
    sa.Column("accepted_at", UtcDateTime),
    sa.Column("his_number", sa.Text),
    sa.Column("kiosk_number", sa.Text),
    sa.Column("hospital_state", sa.Text),  # waiting accepted parked; None: nothing to push
    sa.Column("receipt", sa.JSON),
    sa.Column("staff_reason", sa.Text),  # why a human must look; None: nobody must
    sa.Column("staff_since", UtcDateTime),
    sa.Column("closed_reason", sa.Text),  # cancelled, by whom is in the audit
    sa.Column("verdict", sa.Text),  # of the chip; None: no chip was read
    sa.Column("issuer", sa.Text),  # of the chip: first 16 hex digits of SHA-256 of its document signer's certificate
    sa.Column("chip", sa.JSON),  # checks, findings, mismatches: codes only
    sa.Column("not_by_chip", sa.Text),  # why no chip was read, as the station knows it
    sa.Column("lookup_receipt", sa.Text),  # code of the newest answer's receipt
    sa.Column("seen_at", sa.Text),  # another station at which the same person stood within five minutes
    sa.Column("follows", sa.Text),  # id of the hospital's appointment that the visit keeps
    sa.Column("slip", sa.Text),  # referral re_examination none; None: nobody was asked
    sa.Column("guardian", sa.JSON),  # who answers for the patient, as staff typed it
    sa.Column("priority", sa.Text),  # code of the rule of kiosk.priority; None: no priority
    sa.Column("notice", sa.Text),  # SHA-256 of the notice that stood on the screen, hex; None: at no screen of ours
    sa.Index("checkin_day", "day"),
    sa.Index("checkin_person", "person_key", "day"),
    sa.Index("checkin_staff", "staff_since", sqlite_where=sa.text("staff_reason IS NOT NULL")),
)

lookup = sa.Table(
    "lookup",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("checkin_id", sa.Text, sa.ForeignKey("checkin.checkin_id"), nullable=False),
    sa.Column("person_key", sa.Text, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("result_code", sa.Text),
    sa.Column("reached_gateway", sa.Boolean, nullable=False),
    sa.Column("latency_ms", sa.Integer, nullable=False),
    sa.Column("eligibility", sa.JSON),  # None once the person is forgotten
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Index("lookup_person", "person_key", "asked_at"),
    sa.Index("lookup_checkin", "checkin_id"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("destination", sa.Text, nullable=False),  # hospital gateway province
    sa.Column("kind", sa.Text, nullable=False),  # push amend recheck event
    sa.Column("ref", sa.Text, nullable=False),  # checkin_id or event_id
    sa.Column("state", sa.Text, nullable=False),  # waiting sending parked done
    sa.Column("uncertain", sa.Boolean, nullable=False),  # an earlier attempt may have arrived
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("next_at", UtcDateTime, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("owner", sa.Text),  # who must solve a parked row
    sa.Index("outbox_due", "destination", "state", "next_at"),
    sa.Index("outbox_ref", "ref"),
    sqlite_autoincrement=True,
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("happened_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("checkin_id", sa.Text),
    sa.Column("body", sa.JSON, nullable=False),
    sa.UniqueConstraint("epoch", "seq"),
    sa.Index("event_day", "day"),
)

ticket_series = sa.Table(
    "ticket_series",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("prefix", sa.Text, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("checkin_id", sa.Text),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("salt", sa.Text, nullable=False),  # of the digest; empty once the detail is emptied
    sa.Column("digest", sa.Text, nullable=False),  # of salt and detail
    sa.Column("hash", sa.Text, nullable=False),  # over the row before and this one, kiosk.audit
    sa.Index("audit_checkin", "checkin_id"),
    sqlite_autoincrement=True,
)

audit_anchor = sa.Table(  # the end of a day, signed and told outside
    "audit_anchor",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)

staff_user = sa.Table(
    "staff_user",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),  # receptionist supervisor technician
    sa.Column("pin_hash", sa.Text),  # for the quick unlock of an open session only
    sa.Column("totp_secret", sa.Text),
    sa.Column("totp_step", sa.Integer, nullable=False, default=0),  # of the newest code that was taken
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
    sa.Column("must_change", sa.Boolean, nullable=False, default=False),  # the password was chosen by somebody else
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("locked_until", UtcDateTime),
    sa.Column("seen_at", UtcDateTime),
)

override_decision = sa.Table(  # what staff decided against the answer, and what a supervisor says of it
    "override_decision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("checkin_id", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("insured", sa.Boolean, nullable=False),
    sa.Column("due", sa.Text, nullable=False),
    sa.Column("agreed", sa.Boolean),  # None: nobody has looked yet
    sa.Column("signed_by", sa.Text),
    sa.Column("signed_at", UtcDateTime),
    sa.Index("override_open", "due", sqlite_where=sa.text("agreed IS NULL")),
    sqlite_autoincrement=True,
)

chip_evidence = sa.Table(
    "chip_evidence",
    metadata,
    sa.Column("checkin_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # one signed record, kiosk.evidence
)

chip_seen = sa.Table(
    "chip_seen",
    metadata,
    sa.Column("person_key", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, nullable=False),  # of the newest chip that was read and not doubted
)

question = sa.Table(  # each call to the gateway, without the person: the evidence of Decree 188/2025 article 38
    "question",
    metadata,
    sa.Column("request_id", sa.Text, primary_key=True),
    sa.Column("checkin_id", sa.Text),  # None: asked by the hospital for a visit of its own
    sa.Column("moment", sa.Text, nullable=False),  # arrival pending treatment closing staff
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("key_kind", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("result_code", sa.Text),
    sa.Column("http_status", sa.Integer),
    sa.Column("latency_ms", sa.Integer, nullable=False),
    sa.Index("question_checkin", "checkin_id"),
    sa.Index("question_day", "day"),
)

gateway_answer = sa.Table(  # untouched, because the facility must keep it (Circular 12/2026 article 4)
    "gateway_answer",
    metadata,
    sa.Column("request_id", sa.Text, primary_key=True),
    sa.Column("checkin_id", sa.Text),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # SHA-256 of the body before compression, hex
    sa.Column("body", sa.LargeBinary, nullable=False),  # zlib
    sa.Index("gateway_answer_day", "day"),
)

lookup_receipt = sa.Table(
    "lookup_receipt",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("checkin_id", sa.Text),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("result_code", sa.Text),
    sa.Column("digest", sa.Text, nullable=False),
)

officer = sa.Table(
    "officer",
    metadata,
    sa.Column("officer_id", sa.Text, primary_key=True),
    sa.Column("full_name", sa.Text, nullable=False),
    sa.Column("citizen_number", sa.Text, nullable=False, unique=True),
    sa.Column("designated", sa.Boolean, nullable=False),  # stands in when nobody has signed on
    sa.Column("active", sa.Boolean, nullable=False),
)

duty = sa.Table(
    "duty",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("officer_id", sa.Text, sa.ForeignKey("officer.officer_id"), nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),  # None: on duty
    sa.Column("signed_by", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

visit_register = sa.Table(  # of a relay: who is being served where, across the facility's stations
    "visit_register",
    metadata,
    sa.Column("checkin_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("person_key", sa.Text, nullable=False),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # presented claimed accepted ended
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("identity", sa.JSON, nullable=False),
    sa.Column("number", sa.Text),  # of the ticket, with who gave it
    sa.Column("issued_by", sa.Text),  # his kiosk
    sa.Column("ticket", sa.JSON),  # the rest of what the person was handed
    sa.Index("visit_register_person", "person_key", "day"),
)

day_figure = sa.Table(  # what the facility says of a whole day, each revision of it
    "day_figure",
    metadata,
    sa.Column("event_id", sa.Text, primary_key=True),  # of the event that told the province
    sa.Column("kind", sa.Text, nullable=False),  # visit_count desk_lookups
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),  # his manual portal_file
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.UniqueConstraint("kind", "day", "origin", "revision"),
)

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
