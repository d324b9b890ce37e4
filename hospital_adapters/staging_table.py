"""Writes visits into a table of the site's own database, from which its hospital system takes them.

The table is described in `staging_table_schema`; what the system writes back is read from it, or from a view beside it.
A check-in id is written once (primary key), so a repeat changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from hospital_adapters import staging_table_settings
from hospital_adapters import staging_table_told as told
from hospital_adapters.base import BaseAdapter
from hospital_adapters.staging_table_database import Database
from hospital_adapters.staging_table_schema import READ_BACK, table
from hospital_adapters.staging_table_settings import StagingTableSettings
from kiosk.addresses.parse import parse_address
from kiosk.errors import ConfigError, HospitalError, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import (
    MOST_TICKET,
    Capabilities,
    DeskLookups,
    Encounter,
    Idempotency,
    PatientRef,
    QueueNumber,
    Receipt,
    Service,
    TicketLine,
    VisitCount,
)
from kiosk.model import VIETNAM, AdapterHealth, Identity, local_day
from kiosk.ports import AdapterContext

_TRIAL = "NGUYỄN THỊ ƯỚM THỬ Ẵ"
_SERVICE = ("id", "name", "department", "insured", "price")
_FOR_WHOM = ("age_from", "age_to", "sex")
_OF_THE_CARD = (
    "insured",
    "status",
    "card_number",
    "registered_facility",
    "valid_from",
    "valid_to",
    "slip",
    "lookup_receipt",
    "personal_id",
    "old_id",
    "full_name",
    "birth_date",
    "sex",
    "address",
)
"""What a later answer, or a field that staff accepted, can change."""


def create(settings: Mapping[str, Any], context: AdapterContext) -> StagingTableAdapter:
    """Entry point ``staging_table``: *settings* as StagingTableSettings describes. ConfigError names a wrong one."""
    checked = staging_table_settings.load(settings)
    password = context.secret(checked.password_file).strip() if checked.password_file else None
    if password == "":
        raise ConfigError("hospital.password_file: expected a file that holds the password, it is empty")
    return StagingTableAdapter(checked, password)


class StagingTableAdapter(BaseAdapter):
    """One table. The queue number comes later, when the system has written it."""

    def __init__(self, settings: StagingTableSettings, password: str | None) -> None:
        """Nothing is opened yet."""
        self.capabilities = Capabilities(
            menu=settings.services_view is not None,
            history=True,
            new_patient=True,
            amend=True,
            cancel=True,
            visit_count=settings.visit_count_view is not None,
            lookups=settings.lookups_view is not None,
            idempotency=Idempotency.KEY,
            queue_number=QueueNumber.LATER,
        )
        self._settings = settings
        self._database = Database(settings, password)
        self._table = table(settings.table, settings.db_schema)
        view = settings.read_view
        columns = ("checkin_id", "personal_id", "old_id", "full_name", "day", "state", *READ_BACK)
        self._view: sa.FromClause = (
            sa.table(view, *(sa.column(name) for name in columns), schema=settings.db_schema) if view else self._table
        )

    async def close(self) -> None:
        """Release everything."""
        self._database.dispose()

    async def check(self) -> AdapterHealth:
        """Write a row of nobody, read it back and undo it: rights, columns, letters with accents. Never raises."""
        problems: list[str] = []
        try:
            if await self._database.read(self._trial) != _TRIAL:
                problems.append("the database changes letters with accents: its encoding must be UTF-8 (utf8mb4)")
            for name, columns in self._views():
                await self._database.read(lambda c, name=name, columns=columns: self._rows(c, name, columns, limit=1))  # type: ignore[misc]
        except HospitalError as failure:
            problems.append(_problem(str(failure)))
        return AdapterHealth(ok=not problems, problems=tuple(problems))

    async def services(self, day: date) -> tuple[Service, ...]:
        """The rows of ``services_view``; the same every day. HospitalUnavailable."""
        if self._settings.services_view is None:
            return await super().services(day)
        view, limits = self._settings.services_view, self._settings.services_limits
        rows = await self._database.read(lambda c: self._rows(c, view, self._service_columns))
        return tuple(
            Service(
                id=service_id,
                code=service_id,
                name=name,
                department_id="",
                department=told.text(row.department) or "",
                exam_type="",
                insured=told.truth(row.insured),
                price=told.money(row.price),
                age_from=told.count(row.age_from) if limits else None,
                age_to=told.count(row.age_to) if limits else None,
                sex=told.sex(row.sex) if limits else None,
            )
            for row in rows
            if (service_id := told.text(row.id)) and (name := told.text(row.name))
        )

    async def find_visits(
        self, identity: Identity, ref: PatientRef | None, day: date
    ) -> tuple[tuple[str, Receipt], ...]:
        """Our rows of the person on *day* that were not cancelled, each with what the system wrote back."""
        view = self._view.c
        person = (
            view.personal_id == identity.personal_id
            if identity.personal_id
            else view.old_id == identity.old_id
            if identity.old_id
            else view.full_name == _name(identity)
        )
        query = sa.select(self._view).where(person, view.day == str(day), view.state != "cancelled")
        rows = await self._database.read(lambda c: c.execute(query.order_by(view.checkin_id)).all())
        return tuple((str(row.checkin_id), self._receipt(row)) for row in rows)

    async def push(self, encounter: Encounter) -> Receipt:
        """Write the visit; one that is there already is left as it is. All three hospital errors.

        HospitalRejected ``staging_table.text`` for text that no database keeps, ``staging_table.too_long``.
        """
        values = self._values(encounter) | {"state": "new", "revision": 1}

        def work(connection: sa.Connection) -> Receipt:
            if not self._stands(connection, encounter.checkin_id):
                connection.execute(self._table.insert().values(**values))
            return self._receipt_of(connection, encounter.checkin_id)

        try:
            return await self._database.write(work)
        except HospitalRejected as refused:
            if refused.reason != "staging_table.constraint":
                raise
        # two attempts of the same visit at once: the other one has it
        if not await self._database.read(lambda c: self._stands(c, encounter.checkin_id)):
            raise HospitalRejected("staging_table.constraint")
        return await self._database.read(lambda c: self._receipt_of(c, encounter.checkin_id))

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        """Write what was learnt since into the visit's row. HospitalRejected ``staging_table.no_row``."""
        values = self._values(encounter)
        changes = {name: values[name] for name in _OF_THE_CARD} | {"state": "amended"}

        def work(connection: sa.Connection) -> Receipt:
            self._change(connection, encounter.checkin_id, changes)
            return self._receipt_of(connection, encounter.checkin_id)

        return await self._database.write(work)

    async def cancel(self, receipt: Receipt, reason: str) -> None:
        """Mark the visit's row as cancelled. HospitalRejected ``staging_table.no_row``."""
        changes = {"state": "cancelled", "reason": reason.replace("\x00", "")[:200]}
        await self._database.write(lambda c: self._change(c, receipt.registration_id or "", changes))

    async def visit_count(self, day: date) -> VisitCount | None:
        """The row of *day* in ``visit_count_view``; None when there is none. HospitalUnavailable."""
        if self._settings.visit_count_view is None:
            return await super().visit_count(day)
        row = await self._of_day(self._settings.visit_count_view, ("bhyt_visits",), day)
        return None if row is None else VisitCount(day, _count(row.bhyt_visits))

    async def lookups(self, day: date) -> DeskLookups | None:
        """The row of *day* in ``lookups_view``; None when there is none. HospitalUnavailable."""
        if self._settings.lookups_view is None:
            return await super().lookups(day)
        columns = ("lookups", "visits_looked_up", "visits_success")
        row = await self._of_day(self._settings.lookups_view, columns, day)
        return None if row is None else DeskLookups(day, *(_count(getattr(row, name)) for name in columns))

    # -- rows ----------------------------------------------------------------------------------------------------

    def _values(self, encounter: Encounter) -> dict[str, Any]:
        who, card = encounter.identity, encounter.coverage
        home = parse_address(who.address).new if who.address else None
        values: dict[str, Any] = {
            "checkin_id": encounter.checkin_id,
            "facility": encounter.facility,
            "happened_at": encounter.happened_at.astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S"),
            "day": str(local_day(encounter.happened_at)),
            "personal_id": who.personal_id,
            "old_id": who.old_id,
            "full_name": _name(who),
            "birth_date": str(who.birth_date) if who.birth_date else None,
            "sex": who.sex.value if who.sex else None,
            "address": who.address,
            "province_code": home.province.code if home else None,
            "commune_code": home.commune.code if home and home.commune else None,
            "service_id": encounter.service.id,
            "service_name": encounter.service.name,
            "department": encounter.service.department,
            "insured": int(encounter.service.insured),
            "status": encounter.eligibility.value,
            "card_number": card.number if card else None,
            "registered_facility": card.registered_facility if card else None,
            "valid_from": str(card.valid_from) if card and card.valid_from else None,
            "valid_to": str(card.valid_to) if card and card.valid_to else None,
            "slip": encounter.slip.value if encounter.slip else None,
            "follows": encounter.follows,
            "lookup_receipt": encounter.lookup_receipt,
        }
        for name, value in values.items():
            if isinstance(value, str):
                self._fits(name, value)
        return values

    def _fits(self, name: str, value: str) -> None:
        if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in value):
            raise HospitalRejected("staging_table.text")
        longest = getattr(self._table.c[name].type, "length", None)
        if longest is not None and len(value) > longest:
            raise HospitalRejected("staging_table.too_long")

    def _stands(self, connection: sa.Connection, checkin_id: str) -> bool:
        """Whether the visit is in the table; a view may show only those that the system has taken."""
        query = sa.select(self._table.c.checkin_id).where(self._table.c.checkin_id == checkin_id)
        return connection.execute(query).first() is not None

    def _receipt_of(self, connection: sa.Connection, checkin_id: str) -> Receipt:
        """What stands in the visit's row; nothing but our own id while the view does not show it."""
        row = connection.execute(sa.select(self._view).where(self._view.c.checkin_id == checkin_id)).first()
        return Receipt(checkin_id, registration_id=checkin_id) if row is None else self._receipt(row)

    def _change(self, connection: sa.Connection, checkin_id: str, changes: Mapping[str, Any]) -> None:
        ours = self._table.c.checkin_id == checkin_id
        revised = self._table.update().where(ours).values(**changes, revision=self._table.c.revision + 1)
        if connection.execute(revised).rowcount != 1:
            raise HospitalRejected("staging_table.no_row")

    def _trial(self, connection: sa.Connection) -> str:
        values: dict[str, Any] = dict.fromkeys(self._table.c.keys())
        values |= dict.fromkeys(("facility", "service_id", "service_name", "status"), "-")
        values |= {"checkin_id": "kiosk-check", "happened_at": "2000-01-01 00:00:00", "day": "2000-01-01"}
        values |= {"full_name": _TRIAL, "insured": 0, "state": "cancelled", "revision": 0}
        connection.execute(self._table.insert().values(**values))
        ours = self._table.c.checkin_id == "kiosk-check"
        connection.execute(self._table.update().where(ours).values(revision=1))
        name: str = connection.execute(sa.select(self._table.c.full_name).where(ours)).scalar_one()
        connection.rollback()
        return name

    def _views(self) -> list[tuple[str, tuple[str, ...]]]:
        wanted = (
            (self._settings.read_view, ("checkin_id", *READ_BACK)),
            (self._settings.services_view, self._service_columns),
            (self._settings.visit_count_view, ("day", "bhyt_visits")),
            (self._settings.lookups_view, ("day", "lookups", "visits_looked_up", "visits_success")),
        )
        return [(name, columns) for name, columns in wanted if name is not None]

    @property
    def _service_columns(self) -> tuple[str, ...]:
        return _SERVICE + (_FOR_WHOM if self._settings.services_limits else ())

    def _receipt(self, row: sa.Row[Any]) -> Receipt:
        return _receipt(row, self._settings.refused_states)

    def _rows(
        self, connection: sa.Connection, view: str, columns: tuple[str, ...], *, limit: int = 2000
    ) -> list[sa.Row[Any]]:
        source = sa.table(view, *(sa.column(name) for name in columns), schema=self._settings.db_schema)
        return list(connection.execute(sa.select(source).limit(limit)))

    async def _of_day(self, view: str, columns: tuple[str, ...], day: date) -> sa.Row[Any] | None:
        source = sa.table(view, *(sa.column(name) for name in ("day", *columns)), schema=self._settings.db_schema)
        query = sa.select(source).where(source.c.day == str(day)).limit(1)
        return await self._database.read(lambda c: c.execute(query).first())


def _receipt(row: sa.Row[Any], refused_states: Collection[str]) -> Receipt:
    """What stands in a row; until the system has given the visit an id of its own, ours is it."""
    number, state, ours = told.text(row.queue_number), told.text(row.his_state), str(row.checkin_id)
    return Receipt(
        visit_id=told.text(row.visit_id) or ours,
        patient_code=told.text(row.patient_code),
        registration_id=ours,
        tickets=(TicketLine(number, told.text(row.room)),) if number and len(number) <= MOST_TICKET else (),
        raw_status=state,
        refused=(state or "").lower() in refused_states,
    )


def _name(who: Identity) -> str:
    return (who.full_name or "").upper() or "?"


def _count(value: Any) -> int:
    count = told.count(value)
    if count is None:
        raise HospitalUnavailable("staging_table.not_a_count")
    return count


def _problem(reason: str) -> str:
    return {
        "staging_table.unreachable": "the database cannot be reached, or is busy: check url, account and network",
        "staging_table.timeout": "the database does not answer in time: is something locking the table?",
        "staging_table.refused": "the account lacks a right to the table, or a column is missing: compare the schema",
        "staging_table.constraint": "the table refuses our rows: compare its columns with the schema",
        "staging_table.does_not_fit": "a column of the table is too short: compare the schema",
    }.get(reason, f"the database does not behave as agreed ({reason})")
