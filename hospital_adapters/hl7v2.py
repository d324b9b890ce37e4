"""Registers visits by HL7 v2.5.1 messages over MLLP (health-data-standards.md 4.3).

A04 opens a visit, A28 before it announces a person where the setting says so, A08 amends and A11 withdraws. An
acknowledgement carries no queue number, and there is no menu and no look-up.

==================================================  ==========================================================
End of a message                                    Outcome
==================================================  ==========================================================
no connection, no TLS                               HospitalUnavailable
AA, CA                                              done
AE, CE                                              HospitalRejected: a human must look
AR, CR for an error that stands in every repeat     HospitalRejected: table 0357, 100 to 103 and 200 to 203
any other AR, CR                                    HospitalUnavailable: not processed, the same MSH-10 again
silence, hang-up, garbage, another message's        HospitalOutcomeUnknown
==================================================  ==========================================================

Only a receiver that keeps MSH-10 makes a repeat harmless, and only its maker can know: ``receiver_deduplicates``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hospital_adapters import hl7v2_mapping as mapping
from hospital_adapters import hl7v2_settings
from hospital_adapters import hl7v2_wire as wire
from hospital_adapters.base import BaseAdapter
from hospital_adapters.hl7v2_mllp import MllpClient, NoAck
from hospital_adapters.hl7v2_settings import Hl7v2Settings
from hospital_adapters.hl7v2_wire import Ack, Segment
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Capabilities, Encounter, Idempotency, QueueNumber, Receipt
from kiosk.model import AdapterHealth
from kiosk.ports import AdapterContext, Clock

_STANDS = frozenset(("100", "101", "102", "103", "200", "201", "202", "203"))
_NAMED = _STANDS | {"204", "205", "206", "207"}
_PROBLEMS = {
    "connect_timeout": "the HL7 receiver did not take a connection in time",
    "tls": "the HL7 receiver's certificate, or ours, was refused",
    "unreachable": "the HL7 receiver cannot be reached",
}


def _now() -> datetime:
    return datetime.now(UTC)


def create(settings: Mapping[str, Any], context: AdapterContext) -> Hl7v2Adapter:
    """Entry point ``hl7v2``: *settings* as Hl7v2Settings describes them. ConfigError names a wrong key."""
    return Hl7v2Adapter(hl7v2_settings.load(settings), context.facility)


class Hl7v2Adapter(BaseAdapter):
    """One receiver of ADT messages. All errors are HospitalErrors; their texts hold no person, number or address."""

    def __init__(self, settings: Hl7v2Settings, facility: str, clock: Clock = _now) -> None:
        """*facility* is our own code; *clock* dates messages."""
        self.capabilities = Capabilities(
            new_patient=True,
            amend=True,
            cancel=True,
            idempotency=Idempotency.KEY if settings.receiver_deduplicates else Idempotency.NONE,
            queue_number=QueueNumber.NEVER,
        )
        self._settings = settings
        self._facility = facility
        self._clock = clock
        self._client = MllpClient(settings)

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def check(self) -> AdapterHealth:
        """Connect, TLS included, and hang up: a message would be a visit. Never raises. ``details``: ``tls``."""
        end = await self._client.probe()
        problems = () if end is None else (_PROBLEMS[end.reason],)
        return AdapterHealth(ok=not problems, problems=problems, details={"tls": self._settings.tls})

    async def push(self, encounter: Encounter) -> Receipt:
        """A04, before it A28 for a person without a number of the hospital's own where ``new_patient`` says so.

        ``visit_id`` is PV1-19, which we give; ``registration_id`` the person's number for `cancel`; ``raw_status`` the
        acknowledgement's code and MSH-10. Errors as in the table above and in `mapping.visit_segments`.
        """
        if not encounter.checkin_id:
            raise HospitalRejected("hl7v2.checkin_id")
        visit = wire.visit_number(encounter.checkin_id)
        ref = encounter.patient.ref if encounter.patient else None
        if ref is None and self._settings.new_patient == "a28_a04":
            person = mapping.person_segments(encounter, visit, self._facility, self._settings)
            await self._tell("A28", encounter.happened_at, person, wire.control_id(visit, "A28"))
        segments = mapping.visit_segments(encounter, visit, self._facility, self._settings)
        status = await self._tell("A04", encounter.happened_at, segments, wire.control_id(visit, "A04"))
        return Receipt(
            visit_id=visit,
            patient_code=ref.code if ref else None,
            registration_id=mapping.known_as(encounter, visit),
            raw_status=status,
        )

    async def amend(self, receipt: Receipt, encounter: Encounter) -> Receipt:
        """A08 with all that is known now. Errors as for `push`.

        Its MSH-10 stands for what it says and for the message acknowledged before it, so that a repeat has the same
        and every later revision another, also one that takes an earlier one back.
        """
        visit = receipt.visit_id or wire.visit_number(encounter.checkin_id)
        segments = mapping.visit_segments(encounter, visit, self._facility, self._settings)
        content = wire.encode(segments) + (receipt.raw_status or "")
        status = await self._tell("A08", self._clock(), segments, wire.control_id(visit, "A08", content))
        known_as = mapping.known_as(encounter, visit)
        return replace(receipt, visit_id=visit, registration_id=known_as, raw_status=status)

    async def cancel(self, receipt: Receipt, reason: str) -> None:
        """A11 for the visit of *receipt*. The *reason* stays here: no field of an A11 takes free text.

        Errors as for `push`; HospitalRejected ``hl7v2.no_visit`` for a receipt without a visit.
        """
        segments = mapping.withdrawal_segments(receipt, self._facility, self._settings)
        await self._tell("A11", self._clock(), segments, wire.control_id(receipt.visit_id or "", "A11"))

    async def _tell(self, event: str, at: datetime, segments: Sequence[Segment], control_id: str) -> str:
        header = mapping.header(event, control_id, self._clock(), self._facility, self._settings)
        message = wire.encode([header, mapping.event_segment(event, at), *segments])
        code = _judge(await self._client.exchange(message, control_id))
        return f"{code} {control_id}"


def _judge(end: Ack | NoAck) -> str:
    if isinstance(end, NoAck):
        if end.sent:
            raise HospitalOutcomeUnknown(f"hl7v2.{end.reason}")
        raise HospitalUnavailable(f"hl7v2.{end.reason}")
    # Anything but the standard's own codes could be a person's number, and reasons reach logs.
    reason = f"hl7v2.{end.code.lower()}" + (f"_{end.error}" if end.error in _NAMED else "")
    match end.code:
        case "AA" | "CA":
            return end.code
        case "AE" | "CE":
            raise HospitalRejected(reason, end.text)
        case "AR" | "CR":
            if end.error in _STANDS:
                raise HospitalRejected(reason, end.text)
            raise HospitalUnavailable(reason)
    raise HospitalOutcomeUnknown("hl7v2.other_code")
