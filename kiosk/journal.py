"""Writes the events of a check-in, each with its delivery to the province, in the transaction that made them true.

An event's ``seq`` is gapless within the ``epoch`` of this database; both are settings of the store, made at the
first start (interfaces, section 5).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from kiosk import answers, events, outbox_table, records
from kiosk.model import Eligibility, KeyKind, Lane, Method, Moment, local_day
from kiosk.records import CheckIn
from kiosk.tables import event

_EPOCH = "epoch"
_SEQ = "seq"
_FACILITY_KEY = "facility_key"


def prepare(connection: sa.Connection) -> bytes:
    """Make epoch and facility key at the first start; returns the 32-byte facility key."""
    if records.get_setting(connection, _EPOCH) is None:
        records.put_setting(connection, _EPOCH, secrets.token_hex(16))
        records.put_setting(connection, _SEQ, 0)
    if records.get_setting(connection, _FACILITY_KEY) is None:
        replace_facility_key(connection, secrets.token_bytes(32))
    return bytes.fromhex(records.get_setting(connection, _FACILITY_KEY))


def replace_facility_key(connection: sa.Connection, key: bytes) -> None:
    """Take over the facility key of another station of the same facility."""
    records.put_setting(connection, _FACILITY_KEY, key.hex())


@dataclass(frozen=True, slots=True)
class Journal:
    """Appends events under one facility key."""

    facility_key: bytes

    def lookup(
        self,
        connection: sa.Connection,
        of: CheckIn,
        answer: Eligibility,
        attempt: int,
        now: datetime,
        moment: Moment = Moment.ARRIVAL,
        *,
        again: bool = False,
    ) -> str | None:
        """Keep one lookup, those with other numbers before it, their evidence and an event each.

        *attempt* counts from 1 within the check-in. A question that is kept already, because others shared it, is not
        kept twice, unless *again*: the visit must join a lookup of its own. Returns the code of the answer's receipt,
        if it has one.
        """
        parts = (*answer.earlier, answer)
        fresh = [part for part in parts if again or not records.is_kept_itself(connection, of, part)]
        for number, part in enumerate(fresh, attempt):
            self._one_lookup(connection, of, part, number, now)
        return answers.keep(connection, self.facility_key, answer, moment, of.checkin_id)

    def _one_lookup(
        self, connection: sa.Connection, of: CheckIn, answer: Eligibility, attempt: int, now: datetime
    ) -> None:
        event_id = events.new_event_id()

        def build(epoch: str, seq: int) -> dict[str, object]:
            return events.lookup_event(
                event_id=event_id,
                epoch=epoch,
                seq=seq,
                happened_at=answer.asked_at,
                checkin_id=of.checkin_id,
                key_kind=answer.key_kind or of.key_kind,
                method=of.method,
                lane=of.lane,
                chip_verdict=of.verdict if of.method is Method.CHIP_CCCD else None,
                issuer=of.issuer if of.method is Method.CHIP_CCCD else None,
                eligibility_class=answer.status,
                result_code=answer.result_code,
                reached_gateway=answer.reached_gateway,
                latency_ms=answer.latency_ms,
                attempt=attempt,
                person_day=self._person_day(of, answer.asked_at),
            )

        self._append(
            connection, event_id, build, kind="lookup", happened_at=answer.asked_at, checkin_id=of.checkin_id, now=now
        )
        records.add_lookup(connection, of, answer, event_id=event_id, attempt=attempt)

    def visit(self, connection: sa.Connection, of: CheckIn, *, bhyt: bool, now: datetime) -> None:
        """Say that the check-in is a visit, insured or not; a later call replaces the earlier at the province.

        A visit joins its lookup there by the check-in's id: one that rests on an answer which another station's
        check-in was first given takes that lookup over.
        """
        answer = of.eligibility
        if answer is not None and answer.shared and records.lookups_of(connection, of.checkin_id) == 0:
            self._one_lookup(connection, of, answer, 1, now)
        event_id = events.new_event_id()

        def build(epoch: str, seq: int) -> dict[str, object]:
            return events.visit_event(
                event_id=event_id,
                epoch=epoch,
                seq=seq,
                happened_at=of.happened_at,
                checkin_id=of.checkin_id,
                bhyt=bhyt,
                method=of.method,
                lane=of.lane,
                not_by_chip=_not_by_chip(of),
                person_day=self._person_day(of, of.happened_at),
            )

        self._append(
            connection, event_id, build, kind="visit", happened_at=of.happened_at, checkin_id=of.checkin_id, now=now
        )

    def day_figure(
        self,
        connection: sa.Connection,
        kind: events.Kind,
        day: date,
        figures: dict[str, Any],
        origin: str,
        now: datetime,
    ) -> str:
        """Say what the facility counted of a whole *day*; returns the event's id. *figures* hold the revision too."""
        event_id = events.new_event_id()
        make = events.visit_count_event if kind is events.Kind.VISIT_COUNT else events.desk_lookups_event

        def build(epoch: str, seq: int) -> dict[str, object]:
            return make(
                event_id=event_id, epoch=epoch, seq=seq, happened_at=now, day=day, figures=figures, origin=origin
            )

        self._append(connection, event_id, build, kind=kind.value, happened_at=now, checkin_id=None, now=now)
        return event_id

    def _person_day(self, of: CheckIn, moment: datetime) -> str | None:
        if of.identity.personal_id is None:
            return None
        return events.person_day(self.facility_key, of.identity.personal_id, moment)

    @staticmethod
    def _append(
        connection: sa.Connection,
        event_id: str,
        build: Callable[[str, int], dict[str, object]],
        *,
        kind: str,
        happened_at: datetime,
        checkin_id: str | None,
        now: datetime,
    ) -> None:
        epoch: str = records.get_setting(connection, _EPOCH)
        seq: int = records.get_setting(connection, _SEQ) + 1
        connection.execute(
            event.insert().values(
                event_id=event_id,
                epoch=epoch,
                seq=seq,
                kind=kind,
                happened_at=happened_at,
                day=str(local_day(happened_at)),
                checkin_id=checkin_id,
                body=build(epoch, seq),
            )
        )
        records.put_setting(connection, _SEQ, seq)
        outbox_table.enqueue(connection, outbox_table.PROVINCE, "event", event_id, now)


def _not_by_chip(of: CheckIn) -> str | None:
    """Why the chip was not read: what the station saw, else what the way of the number tells."""
    if of.method is Method.CHIP_CCCD:
        return None
    if of.lane is Lane.EMERGENCY:
        return str(events.NotByChip.EMERGENCY)
    if of.not_by_chip == events.NotByChip.CHILD:
        return str(events.NotByChip.CHILD)
    if of.method is Method.MANUAL_ID or (of.method is Method.CARD_NUMBER and of.key_kind is KeyKind.PERSONAL_12):
        return str(events.NotByChip.STAFF_TYPED)
    if of.method in (Method.CARD_NUMBER, Method.BHYT_QR):
        return str(events.NotByChip.NO_CARD)
    return of.not_by_chip or str(events.NotByChip.CHIP_NOT_ASKED)


def bodies(connection: sa.Connection, event_ids: list[str]) -> dict[str, dict[str, Any]]:
    """The JSON bodies of events by id."""
    rows = connection.execute(sa.select(event.c.event_id, event.c.body).where(event.c.event_id.in_(event_ids)))
    return {row.event_id: row.body for row in rows}


def of_days(connection: sa.Connection, first: str, last: str) -> list[dict[str, Any]]:
    """The bodies of all events that happened from day *first* to *last* (ISO, UTC+7, inclusive), in order.

    With them come later lookups of those days' visits: a visit belongs to its own day even if its lookup succeeds
    later (interfaces, section 6).
    """
    of_those_days = event.c.day.between(first, last)
    visits = sa.select(event.c.checkin_id).where(of_those_days, event.c.kind == "visit")
    late = sa.and_(event.c.kind == "lookup", event.c.day > last, event.c.checkin_id.in_(visits))
    rows = connection.execute(
        sa.select(event.c.body).where(sa.or_(of_those_days, late)).order_by(event.c.epoch, event.c.seq)
    )
    return [row.body for row in rows]
