"""Takes accepted visits to the hospital, each at most once unless a repeat is surely harmless.

What may be repeated after a lost answer depends on the adapter (his-kiosk-c06.md 8): with a key the same request
again; with a history the look-up first; with neither, staff decide. A row found in ``sending`` after a crash is the
same case.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import sqlalchemy as sa

from kiosk import outbox_table, records, withdrawal
from kiosk.amendment import bring_to_hospital
from kiosk.documents.text import clean, tidy
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable, StoreError
from kiosk.hospital_model import Encounter, Idempotency, MatchKind, Receipt
from kiosk.later_number import look_for_number
from kiosk.model import EligibilityClass, local_day
from kiosk.outbox import Done, Effect, Outcome, Park, Retry
from kiosk.outbox_table import OutboxRow
from kiosk.ports import Clock, HospitalAdapter
from kiosk.records import CheckIn
from kiosk.store import Store
from kiosk.to_hospital import encounter_of, send_visit
from kiosk.visit_owner import holders

log = logging.getLogger(__name__)


class HospitalPush:
    """The delivery of destination ``hospital``: kinds ``push``, ``amend`` and ``cancel``."""

    destination = outbox_table.HOSPITAL
    batch = 1

    def __init__(
        self,
        store: Store,
        adapter: HospitalAdapter,
        clock: Clock,
        *,
        facility: str,
        grace: float = 60.0,
        workers: int = 4,
        observe: Callable[[str], None] = lambda outcome: None,
        renumbered: Callable[[sa.Connection, str], None] = lambda connection, checkin_id: None,
        withdrawn: Callable[[sa.Connection, str], None] = lambda connection, checkin_id: None,
    ) -> None:
        """*grace*: seconds before a lost registration can be looked for in the hospital's history.

        *renumbered*: called in the transaction in which a check-in gets the hospital's number after one of our own.
        *withdrawn*: called in the one that learns that its visit no longer stands.
        """
        self._store = store
        self._adapter = adapter
        self._clock = clock
        self._facility = facility
        self._grace = grace
        self._observe = observe
        self._renumbered = renumbered
        self._withdrawn = withdrawn
        self._persons: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._given: dict[tuple[str, str | None], str] = {}
        self.workers = workers

    async def deliver(self, rows: Sequence[OutboxRow]) -> Sequence[Outcome]:
        """One visit a row."""
        return [await self._one(row) for row in rows]

    async def _one(self, row: OutboxRow) -> Outcome:
        checkin = await self._store.read(lambda c: records.get(c, row.ref))
        if checkin is None or checkin.service is None or checkin.closed_reason is not None:
            return Done()
        try:
            # one registration in flight a person: two of a new one at once would make two patients (8.1)
            async with self._persons.setdefault(checkin.person_key, asyncio.Lock()):
                match row.kind:
                    case "amend":
                        outcome = await self._amend(checkin)
                    case withdrawal.KIND:
                        outcome = await self._withdraw(row, checkin)
                    case _:
                        outcome = await self._push(row, checkin)
        except HospitalUnavailable as exc:
            outcome = Retry(exc.reason, after=exc.retry_after, down=True)
        except HospitalRejected as exc:
            outcome = self._park(row, exc.reason, "hospital_rejected", hospital_says=exc.text)
        except HospitalOutcomeUnknown as exc:
            outcome = self._unknown(row, exc.evidence)
        except StoreError:
            raise
        except Exception:  # a fault of the adapter; nobody knows what it had sent by then
            log.exception("hospital adapter failed")
            outcome = self.give_up(row)
        self._observe(type(outcome).__name__.lower())
        return outcome

    def give_up(self, row: OutboxRow) -> Park:
        """A fault of ours: nobody knows what had been sent by then, so staff must look."""
        return self._park(row, "internal_error", "hospital_outcome_unknown", uncertain=True)

    async def _push(self, row: OutboxRow, checkin: CheckIn) -> Outcome:
        if row.uncertain:
            settled = await self._settle_uncertain(row, checkin)
            if settled is not None:
                return settled
        if self._adapter.capabilities.hand_over:  # written while another adapter was configured
            able, now = self._adapter.capabilities, self._clock()
            return Done(lambda connection: send_visit(connection, able, checkin.checkin_id, now))
        encounter = await self._encounter(checkin)
        told = _told(row, checkin, encounter)
        if (encounter.patient, told) != (checkin.patient, checkin.registered_status):
            changes = {"patient": encounter.patient, "registered_status": told.value}
            await self._store.run(lambda c: records.update(c, checkin.checkin_id, **changes))
        if encounter.patient is not None and encounter.patient.kind in (MatchKind.MANY, MatchKind.MISMATCH):
            return self._park(row, "patient_unclear", "hospital_patient_differs")
        receipt = await self._adapter.push(encounter)
        await self._keep_apart(checkin, receipt)
        return Done(self._registered(checkin.checkin_id, receipt, told))

    async def _keep_apart(self, checkin: CheckIn, receipt: Receipt) -> None:
        """HospitalOutcomeUnknown when the answer names the visit of another person: it is not about this one.

        A visit of the same id with another queue number is one of a system that gives its visits no ids of their own.
        """
        visit_id, number = receipt.visit_id, receipt.number
        if visit_id is None:
            return
        # two answers at once, neither written yet
        given = self._given.setdefault((visit_id, number), checkin.person_key)
        if given != checkin.person_key:
            raise HospitalOutcomeUnknown(_WRONG_PERSON)
        others = await self._store.read(lambda c: holders(c, checkin, visit_id))
        if any(other.his_number == number for other in others):
            self._given.pop((visit_id, number), None)
            raise HospitalOutcomeUnknown(_WRONG_PERSON)

    async def _settle_uncertain(self, row: OutboxRow, checkin: CheckIn) -> Outcome | None:
        """Find out about an earlier attempt; None: pushing (again) is right."""
        capabilities = self._adapter.capabilities
        if capabilities.history:
            ref = checkin.patient.ref if checkin.patient else None
            visits = await self._adapter.find_visits(checkin.identity, ref, local_day(checkin.happened_at))
            for checkin_id, receipt in visits:
                if checkin_id == checkin.checkin_id:
                    told = checkin.registered_status or EligibilityClass.CANNOT_SAY
                    return Done(self._registered(checkin.checkin_id, receipt, told))
            if any(not checkin_id for checkin_id, _ in visits):
                # a visit of this person that carries no id may be ours: only a human can tell
                return self._park(row, "visit_without_our_id", "hospital_outcome_unknown", uncertain=True)
            return None
        if capabilities.idempotency is Idempotency.KEY:
            return None
        return self._unknown(row, row.reason or "interrupted")

    def _unknown(self, row: OutboxRow, evidence: str) -> Outcome:
        """An answer was lost: repeat where that is harmless, else leave it to staff."""
        capabilities = self._adapter.capabilities
        keyed = capabilities.idempotency is Idempotency.KEY and row.kind != withdrawal.KIND
        harmless = capabilities.history or keyed
        if not harmless or evidence.endswith(_ONLY_STAFF_CAN_SEE):
            return self._park(row, evidence, "hospital_outcome_unknown", uncertain=True)
        after = self._grace if capabilities.history else None
        effect = self._call_staff(row) if row.attempts >= _PATIENCE else None
        return Retry(evidence, after=after, uncertain=True, effect=effect)

    def _call_staff(self, row: OutboxRow) -> Effect:
        """Let staff see a visit that goes on being tried without an answer."""
        reason = withdrawal.UNKNOWN if row.kind == withdrawal.KIND else "hospital_outcome_unknown"
        return lambda connection: records.call_staff(connection, row.ref, reason, self._clock())

    def _park(
        self, row: OutboxRow, reason: str, staff_reason: str, *, hospital_says: str = "", uncertain: bool = False
    ) -> Park:
        """Leave it to staff; a visit that could not be amended or withdrawn stays registered."""

        def effect(connection: sa.Connection) -> None:
            now = self._clock()
            if row.kind == "amend":
                records.call_staff(connection, row.ref, _to_enter(records.get(connection, row.ref)), now)
            elif row.kind == withdrawal.KIND:
                records.call_staff(connection, row.ref, withdrawal.UNKNOWN if uncertain else withdrawal.REFUSED, now)
            else:
                records.update(connection, row.ref, hospital_state="parked")
                records.call_staff(connection, row.ref, staff_reason, now)
            if words := tidy(clean(hospital_says[:500])):
                records.add_audit(connection, now, "hospital", "refused", row.ref, {"text": words})

        return Park(reason, "staff", uncertain, effect)

    async def _encounter(self, checkin: CheckIn) -> Encounter:
        if checkin.service is None:
            raise HospitalRejected("checkin.no_service")
        patient, card = checkin.patient, checkin.coverage.number if checkin.coverage else None
        unasked = patient is not None and patient.kind is MatchKind.NONE and not patient.decided and card is not None
        nobody = patient is None or (unasked and not checkin.receipt)
        numbers = checkin.identity.personal_id or checkin.identity.old_id or card
        if nobody and numbers and self._adapter.capabilities.find_patient:
            patient = await self._adapter.find_patient(checkin.identity, card)
        return encounter_of(checkin, checkin.service, self._facility, patient)

    def _registered(self, checkin_id: str, receipt: Receipt, told: EligibilityClass) -> Effect:
        def effect(connection: sa.Connection) -> None:
            before = records.get(connection, checkin_id)
            self._given.pop((receipt.visit_id or "", receipt.number), None)
            changes: dict[str, Any] = {"hospital_state": "accepted", "receipt": receipt}
            if receipt.number is not None:
                changes["his_number"] = receipt.number
            if before is not None and before.staff_reason in _SOLVED_BY_REGISTRATION:
                changes |= {"staff_reason": None, "staff_since": None}
            records.update(connection, checkin_id, registered_status=told.value, **changes)
            if before is not None and before.kiosk_number is not None and receipt.number is not None:
                self._renumbered(connection, checkin_id)
            if receipt.visit_id is None and receipt.number is None:
                records.call_staff(connection, checkin_id, "receipt_unusable", self._clock())
            after = records.get(connection, checkin_id)
            if after is not None:
                able = self._adapter.capabilities
                bring_to_hospital(connection, after, can_amend=able.amend, now=self._clock())
                look_for_number(connection, able, after, self._clock())

        return effect

    async def _amend(self, checkin: CheckIn) -> Outcome:
        encounter = await self._encounter(checkin)
        receipt = await self._adapter.amend(checkin.receipt or Receipt(), encounter)
        return Done(self._registered(checkin.checkin_id, receipt, encounter.eligibility))

    async def _withdraw(self, row: OutboxRow, checkin: CheckIn) -> Outcome:
        reason = await self._store.read(lambda c: withdrawal.reason_of(c, checkin.checkin_id))
        await withdrawal.withdraw(self._adapter, row, checkin, reason)
        return Done(lambda connection: self._withdrawn(connection, checkin.checkin_id))


def _to_enter(checkin: CheckIn | None) -> str:
    """What staff must type where an amendment did not arrive: the card, or fields that they accepted since."""
    settled = checkin is not None and checkin.registered_status is not None and not checkin.registered_status.unanswered
    return "fields_to_enter" if settled else "coverage_to_enter"


def _told(row: OutboxRow, checkin: CheckIn, encounter: Encounter) -> EligibilityClass:
    """What the hospital surely knows of the coverage once this attempt has arrived; kept before it is made.

    If an earlier attempt may have arrived without an answer, it may be the one that counts there.
    """
    earlier = checkin.registered_status
    return earlier if row.uncertain and earlier is not None and earlier.unanswered else encounter.eligibility


_PATIENCE = 5
"""Unanswered attempts after which staff hear of it, although they go on."""
_ONLY_STAFF_CAN_SEE = ".wrong_person"
_WRONG_PERSON = f"hospital{_ONLY_STAFF_CAN_SEE}"
_SOLVED_BY_REGISTRATION = ("hospital_outcome_unknown", "hospital_rejected", "hospital_patient_differs")
