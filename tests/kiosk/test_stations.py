"""The state machine of one station: phases, refusals, waiting, clearing, breaking down."""

import asyncio

import pytest

from kiosk.documents.scan_test_code import TEST_PAYLOAD
from kiosk.errors import StoreError
from kiosk.model import Carrier, CarrierSource, KeyKind, Lane, Method
from kiosk.station_model import NotAtThatPhase, ScanRefused, StationBusy
from kiosk.tables import event
from tests.kiosk.world import PEOPLE, World, capped, card, insurance_card, qr, until

FAST = {"confirm_seconds": 0.15, "choose_seconds": 0.15, "done_seconds": 0.15, "staff_seconds": 0.15}


async def test_the_confirmation_shows_who_and_masks_the_number(world: World):
    await world.station.scan(qr(1))
    shown = await world.view("confirm")
    assert (shown["name"], shown["birth_year"]) == ("Trần Thị Mẫu", 1990)
    assert shown["number"].endswith("001") and "099190000" not in shown["number"]
    assert "Ấp Thử" not in str(world.station.state()) and "09-02" not in str(shown)
    assert world.gateway.lookups() == [], "nobody is asked about before the yes"


@pytest.mark.parametrize(
    ("seen", "stored"),
    [
        (Carrier.PHONE, (Carrier.PHONE, CarrierSource.CAMERA)),
        (Carrier.CARD, (Carrier.CARD, CarrierSource.CAMERA)),
        (Carrier.UNKNOWN, (Carrier.UNKNOWN, CarrierSource.NONE)),
    ],
)
async def test_what_the_camera_saw_the_code_on_is_kept_and_no_event_has_it(world: World, seen, stored):
    await world.station.scan(qr(1), carrier=seen)
    await world.view("confirm")
    await world.answer("confirm")
    await world.view("choose_service")
    await world.choose()
    checkin = await world.newest()
    assert (checkin.carrier, checkin.carrier_source) == stored
    bodies = await world.events()
    assert {body["kind"] for body in bodies} == {"lookup", "visit"}
    assert [name for body in bodies for name in body if "carrier" in name] == []


async def test_the_screen_knows_what_reads_codes(world: World):
    assert (world.screen["reader_ok"], world.screen["scanner"], world.screen["vneid"]) == (True, True, False)
    world.station.reader_changed(True, scanner=False)
    assert (world.screen["reader_ok"], world.screen["scanner"]) == (True, False)


async def test_the_screen_knows_whether_a_camera_looks(world: World):
    assert world.screen["camera"] is False
    world.station.camera_changed(True)
    assert world.screen["camera"] is True
    await world.station.scan(qr(1))
    assert (await world.view("confirm"))["camera"] is True
    world.station.camera_changed(False)
    assert world.screen["camera"] is False


MRZ = b"IDVNM1900004563093190000456<<3\r9002018F3002016VNM<<<<<<<<<<<4\rTRAN<<THI<MAU<<<<<<<<<<<<<<<<<\r"
UNREADABLE = [
    (b"", "EMPTY"),
    (b"hello\r", "UNKNOWN_FORMAT"),
    (b"https://example.com/x\r", "URL_PAYLOAD"),
    (b"099190000001\r", "NUMBER_ALONE"),
    (b"DN4999900000001\r", "BHYT_NUMBER_ALONE"),
    (b"9900000001\r", "BHYT_NUMBER_ALONE"),
    (b"9900000001|" + "Trần Thị Mẫu".encode().hex().encode() + b"\r", "VSSID_ALONE"),
    (MRZ, "MRZ_ALONE"),
    (MRZ.replace(b"<<3\r", b"<<4\r"), "BAD_CHECK_DIGIT"),
    (card("099190000001", "Tr\ufffdn Thị", "02091990", "Nữ"), "NAME_DAMAGED"),
    (insurance_card(1).replace("Trần".encode().hex().encode(), b"5472e", 1), "INCOMPLETE"),
    (b"00020101021126180010A0000007270100530370454065000005802VN6304ABCD\r", "UNKNOWN_FORMAT"),
    (TEST_PAYLOAD + b"\r", "TEST_CODE"),
    (TEST_PAYLOAD.decode().encode("ascii", "ignore") + b"\r", "TEST_CODE_DAMAGED"),
    (b"eyJhbGciOiJIUzI1NiJ9.eyJpZCI6InRlc3QifQ.c2ln\r", "OPAQUE_TOKEN"),
    (b"A" * 5000, "UNKNOWN_FORMAT"),
    (bytes(range(256)), None),
    (card("099190000001", "Trần Thị Mẫu", "31021990"), "BAD_DATE"),
]


@pytest.mark.parametrize(("raw", "code"), UNREADABLE)
async def test_what_names_nobody_is_told_and_leaves_no_trace(world: World, raw, code):
    with pytest.raises(ScanRefused) as refused:
        await world.station.scan(raw)
    assert refused.value.code == (code or refused.value.code)
    shown = await world.view("unreadable")
    assert shown["error"] == refused.value.code
    assert await world.all() == []
    await world.station.scan(qr(1))
    await world.view("confirm")


@pytest.mark.parametrize(
    ("typed", "card"),
    [
        (True, "099090000456|364000123|Kim Hoi Hiu|01021990|Nam||05072021"),  # Hoài Hiếu, from a keyboard
        (False, "099090000456|364000123|Kim Hoi Hiu|01021990|Nam|Ha Lu, V Thanh, Hu Giang|05072021"),
    ],
)
async def test_a_name_that_lost_its_accents_is_shown_to_nobody(world: World, typed: bool, card: str):
    with pytest.raises(ScanRefused) as refused:
        await world.station.scan(card.encode(), typed=typed)
    assert refused.value.code == "NAME_DAMAGED"
    assert "Hoi" not in str(world.station.state())


async def test_a_name_without_accents_is_served_from_a_reader_that_keeps_them(world: World):
    await world.station.scan(b"099090000456|364000123|Cao Nam An|01021990|Nam||05072021")
    assert world.station.state()["screen"]["name"] == "Cao Nam An"


@pytest.mark.parametrize(
    ("person", "template", "kind"),
    [(1, 2017, KeyKind.BHYT_15), (1, 2021, KeyKind.BHXH_10), (2, 2017, KeyKind.BHYT_15), (5, 2021, KeyKind.BHXH_10)],
    ids=["full number", "ten digits", "child", "only the birth year"],
)
async def test_a_whole_insurance_card_is_served(world: World, person, template, kind):
    await world.station.scan(insurance_card(person, template))
    shown = await world.view("confirm")
    assert (shown["name"], shown["number_kind"]) == (PEOPLE[person].name.title(), kind)
    await world.answer("confirm")
    await world.view("choose_service")
    assert (await world.choose())["view"] == "done"
    checkin = await world.newest()
    assert (checkin.method, checkin.key_kind, checkin.document_kind) == (Method.BHYT_QR, kind, "BHYT_QR")
    assert checkin.hospital_state == "accepted" and checkin.identity.personal_id is None
    [lookup] = await world.events("lookup")
    assert (lookup["key_kind"], lookup["method"], lookup["person_day"]) == (kind, "BHYT_QR", None)
    child = person == 2
    assert [visit["not_by_chip"] for visit in await world.events("visit")] == ["CHILD" if child else "NO_CARD"]
    assert checkin.lane is (Lane.GUARDIAN if child else Lane.SELF)
    assert len(world.hospital.visits()) == 1


async def test_a_citizen_card_has_to_wait_while_an_insurance_card_is_served(world: World):
    first = await world.station.scan(insurance_card(1))
    with pytest.raises(StationBusy):
        await world.station.scan(qr(1))
    assert await world.station.scan(insurance_card(1)) == first


async def test_an_insurance_card_with_the_citizen_number_is_the_same_person_as_the_citizen_card(world: World):
    number = str(PEOPLE[1].citizen_id).encode()
    card_number = str(PEOPLE[1].card).encode()
    first = await world.station.scan(insurance_card(1).replace(card_number, number))
    assert (await world.newest()).key_kind is KeyKind.PERSONAL_12
    assert await world.station.scan(qr(1)) == first
    assert len(await world.all()) == 1


async def test_two_scans_of_one_card_are_one_check_in(world: World):
    ids = await asyncio.gather(*(world.station.scan(qr(1)) for _ in range(5)))
    assert len(set(ids)) == 1
    assert len(await world.all()) == 1


async def test_another_person_has_to_wait_for_the_first(world: World):
    results = await asyncio.gather(world.station.scan(qr(1)), world.station.scan(qr(13)), return_exceptions=True)
    assert isinstance(results[1], StationBusy) and results[1].code == "BUSY"
    assert (await world.view("confirm"))["name"] == "Trần Thị Mẫu"
    await world.answer("confirm")
    await world.view("choose_service")
    with pytest.raises(StationBusy):
        await world.station.scan(qr(13))
    await world.choose()
    await world.station.scan(qr(13))
    assert (await world.view("confirm"))["name"] == "Đỗ Văn Hết"


async def test_an_unreadable_scan_does_not_disturb_who_is_being_served(world: World):
    await world.station.scan(qr(1))
    with pytest.raises(StationBusy):
        await world.station.scan(b"hello\r")
    assert world.screen["view"] == "confirm"


async def test_answers_of_another_phase_or_check_in_are_refused(world: World):
    await world.station.scan(qr(1))
    current = str(world.station.checkin_id)
    for answer in ("service", "another_examination", "nonsense"):
        with pytest.raises(NotAtThatPhase):
            await world.station.answer(current, answer, service_id="502")
    with pytest.raises(NotAtThatPhase):
        await world.station.answer("somebody-else", "confirm")
    await world.answer("confirm")
    with pytest.raises(NotAtThatPhase):
        await world.answer("confirm")
    await world.view("choose_service")
    for wrong in (None, "nope", "506"):
        with pytest.raises(NotAtThatPhase):
            await world.answer("service", service_id=wrong)
    for late in ("confirm", "reject", "another_examination"):
        with pytest.raises(NotAtThatPhase):
            await world.answer(late)
    assert world.screen["view"] == "choose_service"


async def test_a_double_tap_on_a_service_registers_once(world: World):
    await world.identify(1)
    current = str(world.station.checkin_id)
    taps = await asyncio.gather(
        *(world.station.answer(current, "service", service_id="502") for _ in range(6)), return_exceptions=True
    )
    assert sum(tap is None for tap in taps) == 1
    assert all(tap is None or isinstance(tap, NotAtThatPhase) for tap in taps)
    await world.view("done")
    assert len(world.hospital.visits()) == 1
    assert len(await world.events("visit")) == 1


@pytest.mark.parametrize("answer", ["reject", "cancel"])
async def test_no_that_is_not_me(world: World, answer):
    await world.station.scan(qr(1))
    await world.view("confirm")
    await world.answer(answer)
    await world.view("idle")
    await world.becomes((await world.newest()).checkin_id, state="abandoned")
    assert world.gateway.lookups() == [] and world.station.checkin_id is None
    assert "Mẫu" not in str(world.station.state())


@pytest.mark.parametrize("phase", ["confirm", "choose_service"])
async def test_calling_staff_gives_a_number_at_once(world: World, phase):
    await world.station.scan(qr(1))
    await world.view("confirm")
    if phase == "choose_service":
        await world.answer("confirm")
        await world.view("choose_service")
    await world.answer("call_staff")
    shown = await world.view("needs_staff")
    receipt = shown["ticket"].pop("lookup_receipt")
    assert (receipt is None) is (phase == "confirm"), "only an answer has a receipt"
    assert shown["ticket"] == {
        "number": "K-001",
        "issued_by": "kiosk",
        "service": None,
        "department": None,
        "room": None,
    }
    assert list((await world.staff_list()).values()) == ["called_by_patient"]


async def test_an_open_screen_clears_itself_and_the_check_in_is_abandoned(start):
    async with start(policy=FAST) as world:
        for ready in ("confirm", "choose_service"):
            await world.station.scan(qr(1))
            assert (await world.view("confirm"))["clears_in"] == 0.15
            if ready == "choose_service":
                await world.answer("confirm")
                await world.view("choose_service")
            await world.view("idle")
            assert world.station.checkin_id is None
            assert "Mẫu" not in str(world.station.state())

        async def abandoned() -> bool:
            return {checkin.state for checkin in await world.all()} == {"abandoned"}

        await until(abandoned)
        assert world.hospital.visits() == []


async def test_a_ticket_clears_itself_and_stays_accepted(start):
    async with start(policy=FAST | {"confirm_seconds": 30, "choose_seconds": 30}) as world:
        await world.register(1)
        await world.view("idle")
        assert [checkin.state for checkin in await world.all()] == ["accepted"]
        await world.identify(26)
        await world.view("idle")
        assert {checkin.state for checkin in await world.all()} == {"accepted"}


async def test_an_old_clearing_does_not_clear_the_next_person(start):
    async with start(policy=FAST | {"confirm_seconds": 30, "done_seconds": 0.3}) as world:
        await world.register(1)
        await world.station.scan(qr(13))
        await asyncio.sleep(0.5)
        assert world.screen["view"] == "confirm" and world.screen["name"] == "Đỗ Văn Hết"


async def test_waiting_says_something_new(world: World, monkeypatch):
    monkeypatch.setattr("kiosk.station_work.PROGRESS_SECONDS", 0.05)
    world.gateway.mode("slow", delay_ms=400)
    seen = []

    async def watch() -> None:
        async for state in world.station.changes():
            if state["screen"]["view"] == "checking":
                seen.append(state["screen"]["waited"])

    watching = asyncio.create_task(watch())
    monkeypatch.setattr("kiosk.station_work.PROGRESS_SECONDS", 0.08)
    await world.identify(1)
    watching.cancel()
    assert seen[0] == 0 and len(seen) >= 4


async def test_a_full_disk_at_the_scan_means_out_of_order_until_it_takes_again(world: World):
    with capped(world.store):
        await world.store.run(lambda c: None)
        numbers = iter(range(10**6))
        with pytest.raises((StoreError, StationBusy)):
            for number in numbers:  # the last page still has room for a few
                await world.station.scan(card(f"099085{number:06d}", "Nguyễn Thị " + "Dài " * 20, "01021985"))
                await world.answer("reject")
                await world.view("idle")
        assert world.station.phase == "out_of_order"
        assert (world.screen["view"], world.screen["reason"]) == ("out_of_order", "store")
        with pytest.raises(StationBusy):
            await world.station.scan(qr(1))
    world.station.recover()
    assert world.station.phase == "idle"
    await world.register(1)
    assert len(world.hospital.visits()) == 1


async def test_a_full_disk_at_the_end_promises_nothing(world: World):
    await world.identify(1)
    with capped(world.store):
        await fill(world)
        shown = await world.choose()
        assert (shown["view"], shown["reason"]) == ("out_of_order", "store")
        assert "ticket" not in shown
        assert world.hospital.visits() == []
    (checkin,) = await world.all()
    assert checkin.state == "looked_up" and checkin.number is None


async def fill(world: World) -> None:
    """Use up what room the pages of the events still have."""
    size, number = 4000, 0
    while size:
        number += 1
        row = {"event_id": f"x{number}", "epoch": "x", "seq": number, "kind": "x", "day": "x", "body": "y" * size}
        try:
            await world.store.run(lambda c, row=row: c.execute(event.insert().values(happened_at=world.clock(), **row)))
        except StoreError:
            size //= 2


async def test_an_answer_that_comes_after_a_breakdown_is_shown_to_nobody(world: World):
    world.gateway.mode("slow", delay_ms=600)
    await world.station.scan(qr(1))
    await world.answer("confirm")
    await asyncio.sleep(0.1)
    world.station.break_down("store")
    world.station.recover()
    await world.station.scan(qr(13))
    seen = []
    try:
        async with asyncio.timeout(1):
            async for state in world.station.changes():
                seen.append(state)
    except TimeoutError:
        pass
    assert {state["screen"]["view"] for state in seen} == {"confirm"}
    assert world.screen["name"] == "Đỗ Văn Hết"


async def test_a_fault_of_ours_still_ends_with_a_number_for_the_desk(world: World, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("kiosk.station_visit.choice_view", broken)
    shown = await world.identify(1)
    assert (shown["view"], shown["ticket"]["number"]) == ("needs_staff", "K-001")
    assert list((await world.staff_list()).values()) == ["internal_error"]


async def test_the_reader_going_is_seen_and_nothing_else_changes(world: World):
    await world.station.scan(qr(1))
    world.station.reader_changed(False)
    assert world.screen["view"] == "confirm" and world.screen["reader_ok"] is False
    world.station.reader_changed(True)
    assert world.screen["reader_ok"] is True
