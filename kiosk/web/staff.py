"""Routes of the staff screen (interfaces, section 4): session, lists, and one route for each decision."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kiosk import holder_check, overrides, records
from kiosk.calls import Calls
from kiosk.checkin import CheckIns
from kiosk.documents.as_json import decode_report
from kiosk.documents.text import fold
from kiosk.duty import Duty
from kiosk.hospital_model import Service
from kiosk.model import Sex, local_day
from kiosk.patient_choice import can_choose
from kiosk.portraits import Portraits
from kiosk.printing import Printing
from kiosk.records import CheckIn
from kiosk.staff_lanes import GuardianEntry, StaffLanes
from kiosk.staffwork import Entry, StaffRefusal, StaffWork
from kiosk.web.staff_accounts import StaffAccounts
from kiosk.web.staff_board import board_api
from kiosk.web.staff_calls import calls_api
from kiosk.web.staff_duty import duty_router
from kiosk.web.staff_figures import figures_api
from kiosk.web.staff_hand_over import hand_over_api
from kiosk.web.staff_overrides import overrides_api
from kiosk.web.staff_patient import patient_api
from kiosk.web.staff_pending import pending_api
from kiosk.web.staff_rules import rules_api
from kiosk.web.staff_session_api import session_api, signed_in
from kiosk.web.staff_tickets import tickets_api
from kiosk.web.staff_view import revealed, views

__all__ = ["UNPROCESSABLE", "signed_in", "staff_api"]

Text = Annotated[str, Field(max_length=500)]
Decided = Literal["known", "new"] | None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Search(_Body):
    """Part of a name, or the last digits of a number."""

    name: Text = ""
    number_tail: Text = ""


class TypedGuardian(_Body):
    """Who answers for the patient."""

    full_name: Text
    relation: Text
    number: Text = ""


class ManualEntry(_Body):
    """A typed person; of an emergency nothing needs to be known."""

    kind: Literal["manual", "guardian", "emergency"] = "manual"
    guardian: TypedGuardian | None = None
    number: Text = ""
    full_name: Text = ""
    birth_date: Text = ""
    sex: Sex | None = None


class Override(_Body):
    """What the visit shall be."""

    decision: Literal["insured", "self_pay"]
    service_id: Text
    reason: Text = ""
    patient: Decided = None


class Push(_Body):
    """Staff looked into the hospital system: the visit is not there."""

    confirmed_absent: Literal[True]
    patient: Decided = None


class Amend(_Body):
    """The registration found in the hospital system, or the word that all was entered by hand."""

    visit_id: Text = ""
    number: Text = ""
    done: bool = False


class Recheck(_Body):
    """Another number of the person."""

    number: Text = ""


class Cancel(_Body):
    """Why; or, after a withdrawal that failed, whether the visit still stands in the hospital system."""

    reason: Text = ""
    stands: bool | None = None


class HolderCheck(_Body):
    """Whether the portrait of the chip is of the person who came."""

    same_person: bool


class Note(_Body):
    """A remark for colleagues."""

    text: Annotated[str, Field(min_length=1, max_length=500)]


def staff_api(
    checkins: CheckIns,
    accounts: StaffAccounts,
    status: Callable[[], Awaitable[dict[str, Any]]],
    *,
    secure: bool,
    portraits: Portraits | None = None,
    duty: Duty | None = None,
    printing: Printing | None = None,
    calls: Calls | None = None,
) -> APIRouter:
    """All routes under ``/api/v1/staff``. *status*: the state of everything around, *secure*: cookies only over TLS.

    *portraits*: those of chips read just now, where staff may glance at them. *duty*: who answers for lookups, unless
    that is settled elsewhere.
    """
    work = StaffWork(checkins)
    lanes = StaffLanes(checkins, work)
    router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
    user_of = signed_in(accounts)
    Who = Annotated[str, Depends(user_of)]
    router.include_router(session_api(accounts, secure=secure))
    router.include_router(board_api(checkins, user_of))
    router.include_router(overrides_api(checkins, user_of))
    router.include_router(pending_api(checkins, user_of))
    router.include_router(figures_api(checkins, user_of))
    router.include_router(hand_over_api(checkins, user_of))
    if calls is not None:
        router.include_router(calls_api(calls, user_of))
    if duty is not None:
        router.include_router(duty_router(checkins, duty, user_of))

    async def shown(checkin: CheckIn) -> dict[str, Any]:
        view = await checkins.store.read(lambda c: views(c, [checkin])[0])
        return view | {
            "portrait": portraits is not None and portraits.holds(checkin.checkin_id),
            "can_reprint": printing is not None and checkin.number is not None,
            "can_withdraw": checkins.hospital.capabilities.cancel,
            "can_choose_patient": can_choose(checkins, checkin),
        }

    router.include_router(rules_api(checkins, work, user_of, shown))
    router.include_router(tickets_api(checkins, printing, user_of, shown))
    router.include_router(patient_api(checkins, user_of, shown))

    async def service(service_id: str) -> Service:
        for candidate in await checkins.menu():
            if candidate.id == service_id:
                return candidate
        raise StaffRefusal("NO_SUCH_SERVICE")

    @router.post("/decode")
    async def decode(_: Who, request: Request) -> dict[str, Any]:
        """What the raw bytes of a scan say (interfaces, section 2); nothing is kept."""
        return decode_report(await request.body())

    @router.get("/status")
    async def around(_: Who) -> dict[str, Any]:
        """Gateway, hospital, province, outbox and reader."""
        today = local_day(checkins.clock())
        counts = await checkins.store.read(lambda c: overrides.counts(c, today))
        return await status() | {"overrides": counts}

    @router.get("/services")
    async def services(_: Who) -> dict[str, Any]:
        """Today's menu."""
        return {"services": [_service(item) for item in await checkins.menu(keep=False)]}

    @router.get("/check-ins")
    async def listed(_: Who, date: date | None = None, status: Literal["all", "needs_staff"] = "all") -> dict[str, Any]:
        """The check-ins of a day (default today), or all that wait for staff."""
        day = str(date or local_day(checkins.clock()))

        def work(connection: sa.Connection) -> list[dict[str, Any]]:
            found = (
                records.find(connection, needs_staff=True)
                if status == "needs_staff"
                else records.find(connection, day=day)
            )
            return views(connection, found)

        return {"check_ins": await checkins.store.read(work)}

    @router.post("/check-ins/search")
    async def search(_: Who, body: Search) -> dict[str, Any]:
        """Today's check-ins by part of a name or by the last digits of a number or ticket."""
        day = str(local_day(checkins.clock()))

        def work(connection: sa.Connection) -> list[dict[str, Any]]:
            return views(connection, [item for item in records.find(connection, day=day) if _matches(item, body)])

        return {"check_ins": await checkins.store.read(work)}

    @router.post("/check-ins", status_code=201)
    async def enter(who: Who, body: ManualEntry, response: Response) -> dict[str, Any]:
        """Check a person in by typed number; ``kind``: for whom a guardian answers, or an emergency."""
        entry = Entry(body.number, body.full_name, body.birth_date, body.sex)
        if body.kind == "emergency":
            return await shown(await lanes.emergency(who))
        if body.kind == "guardian":
            if body.guardian is None:
                raise StaffRefusal("BAD_GUARDIAN")
            guardian = GuardianEntry(body.guardian.full_name, body.guardian.relation, body.guardian.number)
            checkin, new = await lanes.guarded(entry, guardian, who)
        else:
            checkin, new = await work.enter(entry, who)
        response.status_code = 201 if new else 200
        return await shown(checkin)

    @router.post("/check-ins/{checkin_id}/identify")
    async def identify(who: Who, checkin_id: str, body: ManualEntry) -> dict[str, Any]:
        """Say who an emergency is."""
        entry = Entry(body.number, body.full_name, body.birth_date, body.sex)
        return await shown(await lanes.identify(checkin_id, entry, who))

    @router.get("/check-ins/{checkin_id}")
    async def one(_: Who, checkin_id: str) -> dict[str, Any]:
        """One check-in."""
        checkin = await checkins.store.read(lambda c: records.get(c, checkin_id))
        if checkin is None:
            raise StaffRefusal("NO_SUCH_CHECK_IN")
        return await shown(checkin)

    @router.post("/check-ins/{checkin_id}/reveal")
    async def reveal(who: Who, checkin_id: str) -> dict[str, Any]:
        """The person in full; kept in the audit."""
        return {"identity": revealed(await work.reveal(checkin_id, who))}

    @router.post("/check-ins/{checkin_id}/portrait", response_class=Response)
    async def portrait(who: Who, checkin_id: str) -> Response:
        """The portrait of the chip for as long as it is there; who looked is kept in the audit."""
        found = await portraits.get(checkin_id) if portraits else None
        if found is None:
            raise HTTPException(404, "NO_PORTRAIT")
        await holder_check.portrait_seen(checkins, checkin_id, who)
        media_type, image = found
        return Response(image, media_type=media_type)

    @router.post("/check-ins/{checkin_id}/holder-check")
    async def compare(who: Who, checkin_id: str, body: HolderCheck) -> dict[str, Any]:
        """Say whether it is the person; the portrait has done its service then."""
        checkin = await holder_check.compared(checkins, checkin_id, who, same_person=body.same_person)
        if portraits is not None:
            portraits.forget(checkin_id)
        return await shown(checkin)

    @router.post("/check-ins/{checkin_id}/override")
    async def override(who: Who, checkin_id: str, body: Override) -> dict[str, Any]:
        """Register the visit as staff decided."""
        insured = body.decision == "insured"
        chosen = await service(body.service_id)
        done = await work.register(
            checkin_id, chosen, insured=insured, reason=body.reason, patient=body.patient, who=who
        )
        return await shown(done)

    @router.post("/check-ins/{checkin_id}/recheck")
    async def recheck(who: Who, checkin_id: str, body: Recheck | None = None) -> dict[str, Any]:
        """Ask the gateway now, perhaps with the number of a paper card."""
        return await shown(await work.recheck(checkin_id, who, body.number if body else ""))

    @router.post("/check-ins/{checkin_id}/push")
    async def push(who: Who, checkin_id: str, body: Push) -> dict[str, Any]:
        """Send to the hospital again."""
        return await shown(await work.push_again(checkin_id, patient=body.patient, who=who))

    @router.post("/check-ins/{checkin_id}/amend")
    async def amend(who: Who, checkin_id: str, body: Amend) -> dict[str, Any]:
        """Say what stands in the hospital system."""
        if body.done:
            return await shown(await work.close_item(checkin_id, who))
        if not body.visit_id.strip():
            raise StaffRefusal("VISIT_ID_NEEDED")
        found = await work.found_in_hospital(checkin_id, body.visit_id.strip(), body.number.strip(), who)
        return await shown(found)

    @router.post("/check-ins/{checkin_id}/cancel")
    async def cancel(who: Who, checkin_id: str, body: Cancel) -> dict[str, Any]:
        """The person left."""
        if body.stands is not None:
            return await shown(await work.looked_for_withdrawn(checkin_id, who, stands=body.stands))
        return await shown(await work.cancel(checkin_id, body.reason, who))

    @router.post("/check-ins/{checkin_id}/note")
    async def note(who: Who, checkin_id: str, body: Note) -> dict[str, Any]:
        """Leave a remark."""
        return await shown(await work.note(checkin_id, body.text, who))

    return router


def _service(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "name": service.name,
        "department": service.department,
        "insured": service.insured,
        "price": int(service.price) if service.price is not None else None,
        "available": service.available,
    }


def _matches(checkin: CheckIn, body: Search) -> bool:
    name, tail = fold(body.name).strip(), "".join(body.number_tail.split()).upper()
    if name and name not in fold(checkin.identity.full_name or ""):
        return False
    numbers = (checkin.key_number, checkin.his_number or "", checkin.kiosk_number or "")
    return bool(name or tail) and (not tail or any(number.upper().endswith(tail) for number in numbers))


UNPROCESSABLE = (
    "REASON_NEEDED",
    "BAD_NUMBER",
    "BAD_DATE",
    "NAME_AND_BIRTH_DATE_NEEDED",
    "NO_SUCH_SERVICE",
    "VISIT_ID_NEEDED",
    "BAD_GUARDIAN",
)
