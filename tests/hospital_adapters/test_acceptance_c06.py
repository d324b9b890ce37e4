"""The fifteen acceptance tests of his-kiosk-c06.md section 11, by number.

Where a point was tested before, the test stands there and only here by name:

1 vectors: test_c06_wire.test_signature_vectors; the calls: here. 2 here. 3 in the profile ``doc``:
tests/kiosk/test_hospital_push (a_lost_answer..., staff_find...), through all processes:
tests/scenario/test_when_things_fail; in ``field``: here. 4 here. 5 tests/kiosk/test_checkin
(the_hospital_is_away_and_gets_the_visit_once). 6 tests/kiosk/test_stations (double_tap, two_scans, insurance card with
the citizen number) and here. 7 tests/scenario/test_killed_while_sending. 8 test_c06
(a_refused_signature_is_no_storm). 9 test_c06 (the contract's garbage, how_a_registration_can_end) and here. 10 test_c06
(wrong_person) and here. 11 test_c06_http (nothing_personal_is_logged), the contract, and every test of a whole kiosk.
12 test_c06_menu and here. 13 here. 14 test_c06_menu (outlives_the_catalogue). 15 here.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from hospital_adapters import c06_settings
from hospital_adapters.c06 import C06Adapter
from kiosk.config import Config
from kiosk.errors import HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Availability, MatchedBy, MatchKind
from kiosk.model import VIETNAM, Coverage, EligibilityClass, KeyKind, LookupKey, PartialDate
from kiosk.staffwork import StaffWork
from simulators import his_c06, vss_gateway
from tests.contracts.hospital import RemoteAdapterContract
from tests.hospital_adapters.c06_peer import PEOPLE, SECRET, TODAY, C06Peer, adapter_for, peer_of, room
from tests.kiosk.world import FACILITY, Gateway, Hospital, World, card, config_of, insurance_card, running
from tests.kiosk.world import PEOPLE as SHARED

PROFILES = ("doc", "field")
TREE = {"profile": "field", "tree_path": "/dich-vu-tree"}
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))


class TestContractOfTheFieldProfile(RemoteAdapterContract):
    @pytest.fixture
    async def peer(self) -> AsyncIterator[C06Peer]:
        sim = {"history": "on", "keys": "camel"}
        settings = {"history_path": "/lichsu-dangky", "asks_insurer": True, "asks_availability": True}
        async with peer_of("field", sim, tree_path="/dich-vu-tree", asks_slots=True, **settings) as running:
            await running.take_room("NOI01")
            yield running


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("keys", ["upper", "camel"])
@pytest.mark.parametrize(("dates", "slots"), [("iso", "object"), ("compact", "list"), ("slash", "list")])
async def test_1_all_calls_in_every_profile_key_case_and_date_form(
    profile: str, keys: str, dates: str, slots: str
) -> None:
    sim = {"keys": keys, "dates": dates, "slots": slots, "history": "on"}
    optional = {"asks_insurer": True, "asks_availability": True, "asks_slots": True}
    async with peer_of(profile, sim, history_path="/lichsu-dangky", **optional) as peer:
        menu = {row.code: row for row in await peer.adapter.services(TODAY)}
        assert len(menu) == 12
        assert {row.available for row in menu.values()} == {Availability.YES, Availability.NO}
        match = await peer.adapter.find_patient(PEOPLE[1])
        assert match.kind is MatchKind.ONE and match.person is not None
        assert match.person.birth_date == PartialDate(1990, 9, 2)
        answer = await peer.adapter.eligibility(key_of(1))
        assert answer.coverage is not None and answer.status is EligibilityClass.INSURED
        insured = {"coverage": answer.coverage, "eligibility": EligibilityClass.INSURED}
        receipt = await peer.push(1, menu["NOI01"], **insured)
        assert (receipt.patient_code, receipt.number) == ("BN000001", "23")
        [(checkin_id, again)] = await peer.adapter.find_visits(PEOPLE[1], None, TODAY)
        assert (checkin_id, again.visit_id, again.number) == ("person-1", receipt.visit_id, "23")
        calls = (await peer.sim("calls"))["calls"]
        called = {call["endpoint"] for call in calls}
        assert {"loai-kham", "khoa", "dichvu", "khoa/dichvu-cotontai", "dichvu-lichkham"} < called
        assert {"benhnhan", "bhyt", "dangky-kcb", "lichsu-dangky"} < called
        assert {(call["sign"], call["code"]) for call in calls} == {("ok", "000")}
        assert not any(call["unknown_keys"] for call in calls)


def key_of(number: int) -> LookupKey:
    person = PEOPLE[number]
    assert person.personal_id and person.full_name and person.birth_date
    return LookupKey(person.personal_id, KeyKind.PERSONAL_12, person.full_name, person.birth_date, person.sex)


LISTED: list[tuple[int, MatchKind, str | None, str]] = [
    (1, MatchKind.ONE, "BN000001", "valid"),
    (2, MatchKind.ONE, "BN000002", "valid"),
    (3, MatchKind.ONE, "BN000003", "valid"),
    (4, MatchKind.ONE, "BN000004", "valid"),
    (5, MatchKind.ONE, "BN000005", "his_not_accepted"),
    (6, MatchKind.ONE, "BN000006", "not_found"),
    (7, MatchKind.MISMATCH, "BN000007", "valid"),
    (8, MatchKind.ONE, "BN000008", "c06.999"),
    (9, MatchKind.MANY, None, "valid"),
    (10, MatchKind.ONE, "BN000010", "valid"),
]


@pytest.mark.parametrize("profile", PROFILES)
async def test_2_people_end_as_listed(profile: str) -> None:
    async with peer_of(profile, asks_insurer=True, old_id_type="CMND") as peer:
        general = await room(peer, "NOI02")
        for number, kind, code, cover in LISTED:
            match = await peer.adapter.find_patient(PEOPLE[number])
            assert (match.kind, match.ref and match.ref.code) == (kind, code), number
            assert match.matched_by is (MatchedBy.OLD_ID if number == 8 else MatchedBy.PERSONAL_ID)
            try:
                answered = (await peer.adapter.eligibility(key_of(number))).reason
            except HospitalUnavailable as failure:
                answered = failure.reason
            assert answered == cover, number
            if kind is MatchKind.ONE:
                receipt = await peer.push(number, general)
                assert receipt.patient_code == code and receipt.number and receipt.visit_id == receipt.barcode
            else:
                with pytest.raises(HospitalRejected, match=rf"^c06\.patient_{kind}$"):
                    await peer.push(number, general)


@pytest.mark.parametrize("profile", PROFILES)
async def test_2_new_people_get_number_and_code(profile: str) -> None:
    async with peer_of(profile) as peer:
        insured, self_pay = peer.encounter(1, await room(peer, "NOI01")), peer.encounter(2, await room(peer, "NOI04"))
        first = await peer.adapter.push(replace(insured, eligibility=EligibilityClass.INSURED, coverage=CARD))
        second = await peer.adapter.push(self_pay)
        assert (first.patient_code, second.patient_code) == ("BN000101", "BN000102")
        assert (first.number, second.number) == ("23", "1")
        assert [row["NGAY_VAO"] for row in await peer.registrations()][1:] == ["2026-01-05 07:12:31"] * 2


# -- a whole kiosk ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Gateway, Hospital]]:
    """A simulated gateway and hospital for all tests of this module."""
    gateway = Gateway(vss_gateway.create_app(vss_gateway.Settings(facility=FACILITY)))
    hospital = Hospital(his_c06.create_app(his_c06.Settings(facility=FACILITY)))
    yield gateway, hospital
    gateway.close()
    hospital.close()


Start = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def start(tmp_path: Path, servers: tuple[Gateway, Hospital]) -> Start:
    """Starts a kiosk: settings of the adapter, and *sim*, switches of the simulated hospital."""
    gateway, hospital = servers

    def starter(sim: dict[str, Any], **settings: Any) -> AbstractAsyncContextManager[World]:
        gateway.reset()
        hospital.reset()
        hospital.switch(**sim)
        return running(config_of(tmp_path, gateway, hospital, hospital=settings), tmp_path, gateway, hospital)

    return starter


async def choose(world: World, person: int | bytes, code: str = "NOI02") -> dict[str, Any]:
    """Check a person in and choose the room by its code; returns the last screen."""
    shown = await world.identify(person)
    if shown["view"] != "choose_service":
        return shown
    service = next(row for row in await world.checkins.menu() if row.code == code)
    return await world.choose(service.id)


FIELD = {"SIM_PROFILE": "field", "SIM_KEYS": "camel", "SIM_DATES": "slash"}


@pytest.mark.parametrize("mode", ["hang_after", "reset_after", "http_500_after"])
async def test_3_a_lost_answer_of_the_field_profile_is_found_by_staff(start: Start, mode: str) -> None:
    async with start(FIELD, **TREE) as world:
        world.hospital.mode(mode, times=1)
        shown = await choose(world, 1)
        assert (shown["view"], shown["ticket"]["number"]) == ("needs_staff", "K-001")
        checkin = await world.newest()
        assert await world.staff_list() == {checkin.checkin_id: "hospital_outcome_unknown"}
        [registered] = world.hospital.visits()
        after = await StaffWork(world.checkins).found_in_hospital(
            checkin.checkin_id, registered["MA_LK"], str(registered["number"]), "an"
        )
        assert (after.hospital_state, after.his_number) == ("accepted", str(registered["number"]))
        assert len(world.hospital.visits()) == world.hospital.calls("dangky-kcb") == 1


async def test_3_what_never_arrived_is_sent_again_by_staff(start: Start) -> None:
    async with start(FIELD, **TREE) as world:
        world.hospital.mode("hang_before", times=1)
        assert (await choose(world, 1))["view"] == "needs_staff"
        checkin = await world.newest()
        after = await StaffWork(world.checkins).push_again(checkin.checkin_id, patient=None, who="an")
        assert (after.hospital_state, after.staff_reason) == ("accepted", None)
        assert [row["MA_BN"] for row in world.hospital.visits()] == ["BN000001"]


@pytest.mark.parametrize("mode", ["hang_after", "reset_after", "http_500_after", "hang_before"])
@pytest.mark.parametrize(
    ("sim", "settings"),
    [
        ({"SIM_HISTORY": "on"}, {"history_path": "/lichsu-dangky"}),
        ({"SIM_DEDUP": "du_phong"}, {"dedup": "du_phong"}),
    ],
    ids=["history", "du_phong"],
)
async def test_4_a_lost_answer_solves_itself(
    start: Start, mode: str, sim: dict[str, Any], settings: dict[str, Any]
) -> None:
    async with start(FIELD | sim, **TREE, **settings) as world:
        world.hospital.mode(mode, times=1)
        assert (await choose(world, 1))["ticket"]["number"]
        checkin = await world.newest()
        after = await world.becomes(checkin.checkin_id, hospital_state="accepted")
        [registered] = world.hospital.visits()
        assert after.staff_reason is None and after.receipt is not None
        assert (after.receipt.visit_id, after.his_number) == (registered["MA_LK"], str(registered["number"]))


async def test_6_two_documents_of_one_person_are_one_call(start: Start) -> None:
    async with start({}) as world:
        first = await choose(world, 1)
        await world.leave()
        number, citizen = str(SHARED[1].card).encode(), str(SHARED[1].citizen_id).encode()
        await world.station.scan(insurance_card(1).replace(number, citizen))
        again = await world.view("done", "confirm")
        assert (again["view"], again["ticket"]["number"]) == ("done", first["ticket"]["number"])
        assert world.hospital.calls("dangky-kcb") == 1


SPOILED = [mode for mode in C06Peer.garbage if mode != "bad_signature"]


async def test_9_nothing_malformed_reaches_the_screen_and_everybody_gets_a_slip(start: Start) -> None:
    """Every path also ends with a slip (15); a wrong person's answer is refused (10)."""
    async with start({}) as world:
        world.gateway.mode("http_500_html", endpoint="*")
        for serial, mode in enumerate(SPOILED):
            world.hospital.mode(mode, times=1)
            person = card(f"0990850001{serial:02d}", f"Lê Thử {chr(65 + serial)}", "01021985")
            shown = await choose(world, person, "NOI01")
            checkin = await world.newest()
            assert shown["view"] in ("done", "needs_staff") and shown["ticket"]["number"], mode
            told = str(shown)
            assert not [word for word in ("c06", "HTTP", "Hệ thống từ chối", '{"', "PHẠM VĂN") if word in told], mode
            assert checkin.state == "accepted" and checkin.hospital_state in ("accepted", "parked", "waiting"), mode
            if mode == "wrong_person":
                assert checkin.staff_reason == "hospital_outcome_unknown" and checkin.his_number is None
            await world.leave()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("slots", ["object", "list"])
async def test_12_what_is_shut_or_full_is_drawn_so(profile: str, slots: str) -> None:
    async with peer_of(profile, {"slots": slots}, asks_availability=True, asks_slots=True) as peer:
        menu = {row.code: row for row in await peer.adapter.services(TODAY)}
        shut = {code for code, row in menu.items() if row.available is Availability.NO}
        assert shut == {"SAN02", "TMH01"}
        assert (menu["NGO02"].exam_type, menu["NGO02"].insured, menu["NGO02"].department) == ("0", False, "Khoa Ngoại")
        assert (menu["MAT01"].price, menu["MAT01"].surcharge) == (None, None)
        assert menu["TMH01"].price == 45000
    async with peer_of(profile, {"slots": slots}, asks_availability=True) as peer:
        menu = {row.code: row for row in await peer.adapter.services(TODAY)}
        assert menu["MAT01"].available is Availability.UNKNOWN
        assert [code for code, row in menu.items() if row.available is Availability.NO] == ["SAN02"]


async def test_12_slots_that_are_over_say_nothing() -> None:
    async with peer_of("doc", asks_slots=True) as peer:
        settings = c06_settings.load(
            {"url": peer.url, "merchant": "KIOSK-TEST", "secret_file": "x", "asks_slots": True}
        )
        for hour, full in ((10, Availability.NO), (16, Availability.UNKNOWN)):
            now = datetime(2026, 1, 5, hour, tzinfo=VIETNAM)
            await peer.sim("clock", now=now.isoformat(), today="2026-01-05")
            adapter = C06Adapter(settings, SECRET, "99001", clock=lambda now=now: now)
            menu = {row.code: row for row in await adapter.services(TODAY)}
            assert menu["TMH01"].available is full
            await adapter.close()


async def test_13_reversed_sex_codes_raise_the_alarm(caplog: pytest.LogCaptureFixture) -> None:
    async with peer_of("doc", {"sex": "reversed"}) as peer:
        desk = adapter_for(peer.url, sex="reversed")
        for serial in range(1, 31):
            encounter = peer.encounter(serial)
            await desk.push(encounter)
            assert (await peer.adapter.check()).ok is (serial <= 20)
            if serial < 20:
                await peer.adapter.find_patient(encounter.identity)
            elif serial == 20:
                match = await peer.adapter.find_patient(encounter.identity)
                assert (match.kind, match.differences) == (MatchKind.MISMATCH, ("sex",))
        assert (await peer.adapter.check()).problems == (
            "the HIS states the other sex for most people: check the setting sex",
        )
        assert [getattr(record, "code", None) for record in caplog.records] == ["c06.sex_reversed"]
        await desk.close()


async def test_15_a_hospital_that_never_answers_still_ends_with_a_slip(start: Start) -> None:
    async with start({}) as world:
        await world.checkins.menu()
        world.hospital.mode("hang_before", endpoint="*")
        shown = await choose(world, 1)
        assert shown["ticket"]["number"].startswith("K-")


def test_15_the_longest_waits_together_are_under_thirty_seconds() -> None:
    """After "confirm" the gateway, the patient and the menu are asked side by side, then the number is waited for."""
    policy, insurance = Config.model_fields["policy"].annotation, Config.model_fields["insurance"].annotation
    number = policy.model_fields["number_wait"].default
    longest = max(insurance.model_fields["total_timeout"].default, 8)
    assert longest + number <= 30
