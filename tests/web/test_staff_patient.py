"""Staff find a person's old record by name and birth date, in a hospital that speaks FHIR."""

import pytest

from kiosk.model import local_day
from kiosk.patient_choice import PatientChoice
from kiosk.staffwork import StaffRefusal
from tests.hospital_adapters.fhir_peer import FhirPeer, patient
from tests.kiosk.world import PEOPLE, qr

ROOM = {"id": "KHAM", "code": "K01", "name": "Khám bệnh", "department": "Phòng khám"}
PERSON = PEOPLE[1]


@pytest.fixture
async def peer():
    async with FhirPeer() as made:
        made.hold({**patient("OLD", {}, PERSON.name.title()), "birthDate": "1990-09-02", "gender": "female"})
        made.hold({**patient("YOUNGER", {}, PERSON.name.title()), "birthDate": "1999-09-02"})
        made.hold({**patient("OTHER", {}, "Trần Thị Khác"), "birthDate": "1990-09-02"})
        yield made


@pytest.fixture
async def kiosk(serve, peer):
    hospital = {"adapter": "fhir", "url": f"{peer.url}/fhir", "timeouts": {"connect": 2, "get": 5, "post": 5}}
    async with serve(hospital=hospital, service=[ROOM]) as running:
        yield running


async def entered(kiosk, staff) -> dict:
    body = {
        "number": PERSON.citizen_id,
        "full_name": PERSON.name,
        "birth_date": PERSON.birth_date(local_day(kiosk.parts.checkins.clock())),
        "sex": "F",
    }
    answer = await staff.post("/api/v1/staff/check-ins", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def act(staff, checkin_id: str, action: str, status: int = 200, **body: object) -> dict:
    answer = await staff.post(f"/api/v1/staff/check-ins/{checkin_id}/{action}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_staff_choose_the_old_record_and_the_visit_goes_there(kiosk, peer):
    staff = await kiosk.signed_in()
    item = await entered(kiosk, staff)
    checkin_id = item["checkin_id"]
    assert (await staff.get(f"/api/v1/staff/check-ins/{checkin_id}")).json()["can_choose_patient"] is True
    (only,) = (await act(staff, checkin_id, "candidates"))["candidates"]
    assert (only["name"], only["birth_date"], only["sex"]) == (PERSON.name.title(), "1990-09-02", "F")
    before = peer.held("Patient")
    chosen = await act(staff, checkin_id, "patient", candidate=only["id"])
    assert chosen["patient_match"] == "one" and chosen["can_choose_patient"] is False
    assert {"candidates_seen", "patient_chosen"} <= {line["action"] for line in chosen["audit"]}
    done = await act(staff, checkin_id, "override", decision="insured", service_id="KHAM", reason="")
    assert done["hospital"]["state"] == "accepted", done
    assert peer.one("Encounter")["subject"]["reference"] == "Patient/OLD"
    assert peer.held("Patient") == before  # nobody was made, merged or changed
    assert await act(staff, checkin_id, "candidates", 409) == {"error": "ALREADY_REGISTERED"}


async def test_none_of_them_is_a_new_patient(kiosk, peer):
    staff = await kiosk.signed_in()
    checkin_id = (await entered(kiosk, staff))["checkin_id"]
    await act(staff, checkin_id, "candidates")
    chosen = await act(staff, checkin_id, "patient", candidate=None)
    assert chosen["patient_match"] == "none"
    await act(staff, checkin_id, "override", decision="insured", service_id="KHAM", reason="")
    assert peer.one("Encounter")["subject"]["reference"] not in ("Patient/OLD", "Patient/YOUNGER", "Patient/OTHER")


async def test_only_who_was_just_suggested_for_this_person_can_be_chosen(kiosk, peer):
    staff = await kiosk.signed_in()
    checkin_id = (await entered(kiosk, staff))["checkin_id"]
    stale = {"error": "NO_SUCH_CANDIDATE"}
    for made_up in ("OLD", "Patient/OLD", ""):
        assert await act(staff, checkin_id, "patient", 409, candidate=made_up) == stale
    (only,) = (await act(staff, checkin_id, "candidates"))["candidates"]
    assert await act(staff, checkin_id, "patient", 409, candidate="OLD") == stale
    (again,) = (await act(staff, checkin_id, "candidates"))["candidates"]
    assert await act(staff, checkin_id, "patient", 409, candidate=only["id"]) == stale  # a newer list was shown
    assert await act(staff, "01900000-0000-7000-8000-000000000000", "candidates", 404) == {"error": "NO_SUCH_CHECK_IN"}
    assert (
        await kiosk.bare.post(f"/api/v1/staff/check-ins/{checkin_id}/candidates", headers=kiosk.origin)
    ).status_code == 401
    await act(staff, checkin_id, "cancel", reason="left")
    assert await act(staff, checkin_id, "patient", 409, candidate=again["id"]) == {"error": "CLOSED"}


async def test_suggestions_are_forgotten_after_a_while(kiosk):
    now = [0.0]
    choice = PatientChoice(kiosk.parts.checkins, lambda: now[0])
    staff = await kiosk.signed_in()
    checkin_id = (await entered(kiosk, staff))["checkin_id"]
    (only,) = await choice.suggestions(checkin_id, "demo")
    now[0] = 301
    with pytest.raises(StaffRefusal) as refused:
        await choice.choose(checkin_id, only.token, "demo")
    assert refused.value.code == "NO_SUCH_CANDIDATE"


async def test_a_silent_hospital_is_told(kiosk, peer):
    staff = await kiosk.signed_in()
    checkin_id = (await entered(kiosk, staff))["checkin_id"]
    await peer.go_away()
    assert await act(staff, checkin_id, "candidates", 409) == {"error": "HOSPITAL_SILENT"}


async def test_a_hospital_that_cannot_suggest_is_not_asked(serve):
    async with serve() as kiosk:
        assert (await kiosk.identify(qr(13)))["screen"]["view"]
        await kiosk.answer("call_staff")
        staff = await kiosk.signed_in()
        (item,) = (await staff.get("/api/v1/staff/check-ins")).json()["check_ins"]
        assert item["needs_staff"]
        assert await act(staff, item["checkin_id"], "candidates", 409) == {"error": "CANNOT_SUGGEST"}
