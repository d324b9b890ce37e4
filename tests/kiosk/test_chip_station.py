"""The chip in the check-in: asked for, read, told honestly, and never in anybody's way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kiosk import chip_records
from kiosk.calls import CallKind
from kiosk.evidence import open_evidence
from kiosk.model import VIETNAM, Carrier, CarrierSource, EligibilityClass, Identity, Lane, Method
from kiosk.staffwork import StaffWork
from kiosk.station_model import NotAtThatPhase, ScanRefused, StationBusy
from simulators.chip import make_card
from simulators.chip_mrz import mrz_lines
from simulators.chip_person import card_person
from tests.kiosk.cards import Laid, card_of, lay, pki, station_of, take
from tests.kiosk.world import PEOPLE, World, card, insurance_card, qr, until

CARD = {"adapter": "pushed", "place_seconds": 60}


@pytest.fixture
def with_reader(
    tmp_path: Path, start: Callable[..., AbstractAsyncContextManager[World]]
) -> Callable[..., AbstractAsyncContextManager[World]]:
    """Starts kiosks with a card reader; ``policy="qr_first"``, ``anchors=False`` and the like change it."""

    @asynccontextmanager
    async def starter(policy: str = "chip_first", *, anchors: bool = True, **card: Any) -> AsyncIterator[World]:
        table = CARD | card
        if anchors:
            (tmp_path / "anchors").mkdir(exist_ok=True)
            pki().write_anchors(tmp_path / "anchors", "pem")
            table["anchors"] = str(tmp_path / "anchors")
        async with start(card=table, policy={"number_wait": 3, "document": policy}) as world:
            station = station_of(world)
            station.slot.reader_changed(True)
            station.card_reader_changed(True)
            yield world

    return starter


async def test_qr_then_card_is_a_lookup_by_chip(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        asked = await world.view("place_card")
        assert asked["trouble"] is None and asked["number"].endswith(PEOPLE[1].citizen_id[-3:])
        assert world.station.phase == "place_card"
        await lay(world, card_of(1))
        shown = await world.view("confirm")
        assert shown["chip_failed"] is False and world.station.phase == "confirm"
        await world.answer("confirm")
        await world.view("choose_service")
        await world.choose()
        checkin = await world.newest()
        assert (checkin.method, checkin.verdict) == (Method.CHIP_CCCD, "genuine")
        [event] = await world.events("lookup")
        assert (event["method"], event["chip_verdict"]) == ("CHIP_CCCD", "genuine")
        assert event["issuer"] == checkin.issuer and len(event["issuer"]) == 16
        assert [visit["not_by_chip"] for visit in await world.events("visit")] == [None]
        assert len(world.gateway.lookups()) == 1


async def test_the_gateway_is_asked_before_the_person_says_yes(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await lay(world, card_of(1))
        await world.view("confirm")

        async def asked() -> bool:
            return len(world.gateway.lookups()) == 1

        async with asyncio.timeout(10):
            while not await asked():
                await asyncio.sleep(0.01)
        assert world.station.phase == "confirm"


async def test_no_that_is_not_me_keeps_the_lookup_that_was_made(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await lay(world, card_of(1))
        await world.view("confirm")
        await world.answer("reject")
        await world.view("idle")
        checkin = await world.becomes(
            (await world.newest()).checkin_id, state="abandoned", status=EligibilityClass.INSURED
        )
        assert checkin.method is Method.CHIP_CCCD
        assert [event["chip_verdict"] for event in await world.events("lookup")] == ["genuine"]
        assert await world.events("visit") == []


async def test_without_anchors_nothing_is_called_genuine(with_reader):
    async with with_reader(anchors=False) as world:
        await world.station.scan(qr(1))
        await lay(world, card_of(1))
        await world.view("confirm")
        assert (await world.newest()).verdict == "cannot_tell"


async def test_i_cannot_goes_on_with_the_qr(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        await world.answer("skip_chip")
        await world.view("confirm")
        await world.answer("confirm")
        await world.view("choose_service")
        await world.choose()
        checkin = await world.newest()
        assert (checkin.method, checkin.verdict) == (Method.QR_CCCD, None)
        assert [visit["not_by_chip"] for visit in await world.events("visit")] == ["PATIENT_CHOSE_QR"]
        assert [event["chip_verdict"] for event in await world.events("lookup")] == [None]


async def test_who_shows_no_card_in_time_goes_on_with_the_qr(with_reader):
    async with with_reader(place_seconds=0.1) as world:
        await world.station.scan(qr(1))
        await world.view("confirm")
        assert (await world.newest()).not_by_chip == "PATIENT_CHOSE_QR"


async def test_a_dead_reader_is_not_asked_for(with_reader):
    async with with_reader() as world:
        station_of(world).slot.reader_changed(False)
        station_of(world).card_reader_changed(False)
        await world.station.scan(qr(1))
        await world.view("confirm")
        assert (await world.newest()).not_by_chip == "READER_DOWN"


async def test_a_reader_that_dies_meanwhile_lets_the_person_go_on(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        station_of(world).slot.reader_changed(False)
        station_of(world).card_reader_changed(False)
        await world.view("confirm")
        assert (await world.newest()).not_by_chip == "READER_DOWN"


async def test_two_failures_and_the_qr_must_do(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        for _ in range(2):
            assert (await world.view("place_card"))["view"] == "place_card"
            await lay(world, card_of(3))  # another card lies there
            shown = await world.view("place_card", "confirm")
            await take(world)
        assert shown["view"] == "confirm" and shown["chip_failed"] is True
        checkin = await world.newest()
        assert (checkin.not_by_chip, checkin.method) == ("CHIP_FAILED", Method.QR_CCCD)
        assert world.gateway.lookups() == []


async def test_another_card_than_the_one_scanned_is_said_so(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        await lay(world, card_of(3))
        await world.view("reading_chip", "place_card")
        async with asyncio.timeout(10):
            while world.screen.get("trouble") is None:
                await asyncio.sleep(0.01)
        assert world.screen["trouble"] == "WRONG_KEY"
        assert PEOPLE[3].name.title() not in str(world.station.state())


async def test_a_card_that_was_forgotten_never_shows_its_person_to_the_next(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await lay(world, card_of(1))
        await world.view("confirm")
        await world.answer("cancel")
        await world.view("idle")
        await world.station.scan(qr(3))
        shown = await world.view("place_card")
        assert shown["trouble"] is None and "Mẫu" not in str(world.station.state())
        await take(world)
        await lay(world, card_of(3))
        assert (await world.view("confirm"))["name"] == PEOPLE[3].name.title()


async def test_a_wrong_number_typed_for_a_card_can_be_typed_again(with_reader):
    async with with_reader() as world:
        await lay(world, card_of(1))
        await world.view("need_number")
        await world.answer_number(PEOPLE[3].citizen_id)
        async with asyncio.timeout(10):
            while world.screen.get("trouble") is None:
                await asyncio.sleep(0.01)
        assert (world.screen["view"], world.screen["trouble"]) == ("need_number", "WRONG_KEY")
        await world.station.scan(qr(1))
        await world.view("confirm")
        assert (await world.newest()).method is Method.CHIP_CCCD


async def test_a_card_pulled_in_the_middle_asks_to_hold_still_and_leaves_no_half_record(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        card = card_of(1)
        card.hold(after=20)
        await lay(world, card)
        await world.view("reading_chip")
        with pytest.raises(StationBusy):
            await world.station.scan(qr(3))
        card.pull()
        await take(world)
        async with asyncio.timeout(10):
            while world.screen.get("trouble") is None:
                await asyncio.sleep(0.01)
        assert world.screen["trouble"] == "CARD_LOST"
        checkin = await world.newest()
        assert (checkin.verdict, checkin.chip, checkin.method) == (None, None, Method.QR_CCCD)
        await lay(world, card_of(1))
        await world.view("confirm")
        assert (await world.newest()).verdict == "genuine"


async def test_a_touch_of_i_cannot_while_the_card_is_read(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        card = card_of(1)
        card.hold(after=30)
        await lay(world, card)
        await world.view("reading_chip")
        await world.answer("skip_chip")
        await world.view("confirm")
        card.let.set()
        await world.answer("confirm")
        await world.view("choose_service")
        assert (await world.newest()).method is Method.QR_CCCD
        events = await world.events("lookup")
        assert [event["method"] for event in events] == ["QR_CCCD"]


@pytest.mark.parametrize(
    ("mode", "verdict", "reason"),
    [
        ("dg1_tampered", "forged", "chip_forged"),
        ("foreign_signer", "forged", "chip_forged"),
        ("clone_without_keys", "suspected_copy", "chip_suspected_copy"),
    ],
)
async def test_a_doubtful_chip_goes_to_staff_with_a_number(with_reader, mode, verdict, reason):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        await lay(world, card_of(1, mode))
        shown = await world.view("needs_staff")
        assert shown["ticket"]["number"] == "K-001"
        checkin = await world.newest()
        assert (checkin.verdict, checkin.staff_reason) == (verdict, reason)
        assert all(event["chip_verdict"] == verdict for event in await world.events("lookup"))


async def test_card_first_then_its_number(with_reader):
    async with with_reader() as world:
        await lay(world, card_of(1))
        await world.view("need_number")
        assert world.station.phase == "place_card"
        with pytest.raises(ScanRefused):
            await world.answer_number("09")
        await world.answer_number(PEOPLE[1].citizen_id)
        shown = await world.view("confirm")
        assert shown["name"] == "Trần Thị Mẫu"
        await world.answer("confirm")
        await world.view("choose_service")
        await world.choose()
        checkin = await world.newest()
        assert (checkin.method, checkin.lane, checkin.verdict) == (Method.CHIP_CCCD, Lane.SELF, "genuine")
        assert len(await world.all()) == 1


async def test_card_first_then_the_qr(with_reader):
    async with with_reader() as world:
        await lay(world, card_of(1))
        await world.view("need_number")
        await world.station.scan(qr(1))
        await world.view("confirm")
        assert (await world.newest()).method is Method.CHIP_CCCD


async def test_of_a_mistyped_number_the_chips_own_counts(with_reader):
    async with with_reader() as world:
        await lay(world, card_of(1))
        await world.view("need_number")
        await world.answer_number("001" + PEOPLE[1].citizen_id[3:])  # the same last six digits
        await world.view("confirm")
        checkin = await world.newest()
        assert (checkin.key_number, checkin.identity.personal_id) == (PEOPLE[1].citizen_id,) * 2


async def test_what_a_forger_wrote_replaces_nothing(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        await lay(world, card_of(1, "dg13_of_another"))
        await world.view("needs_staff")
        checkin = await world.newest()
        assert (checkin.verdict, checkin.identity.full_name) == ("forged", "Trần Thị Mẫu")
        assert "M_NAME_QR_DG13" in checkin.chip["mismatches"]


async def test_asking_the_gateway_again_does_not_settle_a_doubt_about_the_card(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        await lay(world, card_of(1, "clone_without_keys"))
        await world.view("needs_staff")
        checkin = await StaffWork(world.checkins).recheck((await world.newest()).checkin_id, "clerk")
        assert (checkin.staff_reason, checkin.status) == ("chip_suspected_copy", EligibilityClass.INSURED)


async def test_a_card_that_failed_is_let_go_so_that_it_counts_when_laid_down_again(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        failing = await lay(world, card_of(1, "pace_6982"))
        async with asyncio.timeout(10):
            while world.screen.get("trouble") is None:
                await asyncio.sleep(0.01)
        assert failing.gone and world.screen["trouble"] == "ACCESS_DENIED"
        await lay(world, card_of(1))
        await world.view("confirm")
        assert (await world.newest()).verdict == "genuine"


async def test_i_cannot_before_the_chip_has_named_anybody_asks_the_gateway_once(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        card = card_of(1)
        card.hold(after=4)
        await lay(world, card)
        await world.view("reading_chip")
        await world.answer("skip_chip")
        await world.view("confirm")
        card.let.set()
        async with asyncio.timeout(10):
            while station_of(world).slot.card is not None:  # the read goes on to its end
                await asyncio.sleep(0.01)
        await world.answer("confirm")
        await world.view("choose_service")
        assert len(world.gateway.lookups()) == len(await world.events("lookup")) == 1


async def test_who_goes_before_the_chip_has_named_anybody_is_not_asked_about(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        card = card_of(1)
        card.hold(after=4)
        await lay(world, card)
        await world.view("reading_chip")
        await world.answer("cancel")
        await world.view("idle")
        card.let.set()
        async with asyncio.timeout(10):
            while station_of(world).slot.card is not None:
                await asyncio.sleep(0.01)
        assert world.gateway.lookups() == [] and await world.events("lookup") == []
        assert world.screen["view"] == "idle"


async def test_a_ticket_stays_when_a_card_comes_near(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await lay(world, card_of(1))
        await world.view("confirm")
        await world.answer("confirm")
        await world.view("choose_service")
        shown = await world.choose()
        await lay(world, card_of(3))
        assert world.screen["ticket"] == shown["ticket"]
        await world.answer("cancel")
        await world.view("need_number")
        await world.station.scan(qr(3))
        assert (await world.view("confirm"))["name"] == PEOPLE[3].name.title()


async def test_somebody_elses_card_that_the_same_six_digits_open_changes_nothing(with_reader):
    async with with_reader() as world:
        other = replace(card_person(PEOPLE[3], world.today()), citizen_id="001" + PEOPLE[1].citizen_id[3:])
        await world.station.scan(qr(1))
        await world.view("place_card")
        await lay(world, Laid(make_card(other, "genuine", pki())))
        async with asyncio.timeout(10):
            while world.screen.get("trouble") is None:
                await asyncio.sleep(0.01)
        assert world.screen["trouble"] == "WRONG_KEY"
        checkin = await world.newest()
        assert (checkin.method, checkin.verdict, checkin.identity.full_name) == (Method.QR_CCCD, None, "Trần Thị Mẫu")
        assert world.gateway.lookups() == []


async def test_a_reader_that_dies_under_a_card_without_a_number_sends_to_the_qr(with_reader):
    async with with_reader() as world:
        await lay(world, card_of(1))
        await world.view("need_number")
        station_of(world).slot.reader_changed(False)
        station_of(world).card_reader_changed(False)
        assert (await world.view("unreadable"))["error"] == "CARD_READER_DOWN"
        await world.station.scan(qr(1))
        await world.view("confirm")


async def test_i_cannot_is_there_for_a_typed_number_too(with_reader):
    async with with_reader() as world:
        card = card_of(1)
        card.hold(after=5)
        await lay(world, card)
        await world.view("need_number")
        await world.answer_number(PEOPLE[1].citizen_id)
        await world.view("reading_chip")
        await world.station.answer(None, "skip_chip")
        assert (await world.view("needs_staff"))["ticket"]["number"] == "K-001"
        card.pull()
        assert list((await world.staff_list()).values()) == ["chip_failed"]


async def test_card_first_and_taken_away_again(with_reader):
    async with with_reader() as world:
        await lay(world, card_of(1))
        await world.view("need_number")
        await take(world)
        await world.view("idle")
        assert await world.all() == []


async def test_a_typed_number_of_another_card_ends_at_the_desk(with_reader):
    async with with_reader() as world:
        await lay(world, card_of(3))
        for _ in range(2):
            await world.view("need_number")
            await world.answer_number(PEOPLE[1].citizen_id)
            await world.view("reading_chip", "need_number", "needs_staff")
            async with asyncio.timeout(10):
                while world.screen["view"] == "reading_chip":
                    await asyncio.sleep(0.01)
        shown = await world.view("needs_staff")
        assert shown["ticket"]["number"] == "K-001"
        checkin = await world.newest()
        assert (checkin.method, checkin.staff_reason) == (Method.MANUAL_ID, "chip_failed")
        assert world.gateway.lookups() == [] and checkin.identity.full_name is None


async def test_qr_first_asks_nobody_but_takes_a_card_that_is_laid_down(with_reader):
    async with with_reader("qr_first") as world:
        await world.station.scan(qr(1))
        await world.view("confirm")
        await lay(world, card_of(1))
        await world.view("reading_chip", "confirm")
        async with asyncio.timeout(10):
            while (await world.newest()).verdict is None:
                await asyncio.sleep(0.01)
        await world.view("confirm")
        assert (await world.newest()).method is Method.CHIP_CCCD


async def test_periodically_the_chip_is_asked_for_again_after_ninety_days(with_reader):
    async with with_reader("chip_periodic") as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        await lay(world, card_of(1))
        await world.view("confirm")
        await take(world)
        await world.answer("cancel")
        await world.view("idle")
        world.clock.forward(days=89)
        await world.station.scan(qr(1))
        assert (await world.view("place_card", "confirm"))["view"] == "confirm"
        assert (await world.newest()).not_by_chip is None
        await world.answer("cancel")
        await world.view("idle")
        world.clock.forward(days=1)
        await world.station.scan(qr(1))
        await world.view("place_card")


async def test_what_was_read_is_kept_as_signed_evidence(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await lay(world, card_of(1))
        await world.view("confirm")
        checkin = await world.newest()
        kept = await world.store.read(lambda c: chip_records.evidence_of(c, checkin.checkin_id))
        assert kept is not None
        record = open_evidence(kept)
        assert (record.verdict, record.station, record.issuer) == ("genuine", "kiosk-1", checkin.issuer)
        assert b"Tr\xe1\xba\xa7n" not in kept


async def test_answers_that_belong_to_the_chip_are_refused_elsewhere(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        for wrong in ("confirm", "reject", "number", "service"):
            with pytest.raises(NotAtThatPhase):
                await world.answer(wrong)
        await world.answer("cancel")
        await world.view("idle")


@pytest.mark.parametrize("when", ["place_card", "reading_chip"])
async def test_calling_staff_is_always_there(with_reader, when):
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        card = card_of(1)
        if when == "reading_chip":
            card.hold(after=5)
            await lay(world, card)
            await world.view("reading_chip")
        await world.answer("call_staff")
        await world.view("needs_staff")
        card.pull()
        assert list((await world.staff_list()).values()) == ["called_by_patient"]


async def test_the_screen_says_something_new_while_a_slow_chip_is_read(with_reader, monkeypatch):
    monkeypatch.setattr("kiosk.station_work.PROGRESS_SECONDS", 0.05)
    async with with_reader() as world:
        await world.station.scan(qr(1))
        await world.view("place_card")
        card = card_of(1)
        card.hold(after=10)
        await lay(world, card)
        async with asyncio.timeout(10):
            while "waited" not in world.screen or world.screen["waited"] == world.screen.get("first"):
                await asyncio.sleep(0.01)
        assert world.screen["view"] == "reading_chip"
        card.let.set()
        await world.view("confirm")


async def test_who_shows_an_insurance_card_is_never_asked_for_the_chip(with_reader):
    async with with_reader() as world:
        await world.station.scan(insurance_card(1))
        await world.view("confirm")
        assert (await world.newest()).not_by_chip == "NO_CARD"
        await lay(world, card_of(1))
        assert world.screen["view"] == "confirm", "its number opens no chip"
        await world.answer("confirm")
        await world.view("choose_service")
        await world.choose()
        assert [visit["not_by_chip"] for visit in await world.events("visit")] == ["NO_CARD"]
        assert [event["method"] for event in await world.events("lookup")] == ["BHYT_QR"]


async def test_the_chip_upgrades_an_insurance_card_that_has_the_citizen_number(with_reader):
    async with with_reader() as world:
        number, card_number = str(PEOPLE[1].citizen_id).encode(), str(PEOPLE[1].card).encode()
        await world.station.scan(insurance_card(1).replace(card_number, number))
        await world.view("confirm")
        await lay(world, card_of(1))
        await world.becomes(str(world.station.checkin_id), method=Method.CHIP_CCCD, not_by_chip=None)


def zone(number: int) -> bytes:
    """The machine-readable zone of a person's card as a serial OCR reader sends it."""
    lines = mrz_lines(card_person(PEOPLE[number], datetime.now(VIETNAM).date()), "TD1")
    return "\r".join(lines).encode() + b"\r"


NUMBERS = {
    "zone": (zone(1), "MRZ", "MRZ_ALONE"),
    "number": (str(PEOPLE[1].citizen_id).encode() + b"\r", "NUMBER", "NUMBER_ALONE"),
    "damaged name": (card(str(PEOPLE[1].citizen_id), "Tr\ufffdn Thị", "02091990", "Nữ"), "CCCD_QR", "NAME_DAMAGED"),
}


@pytest.mark.parametrize("name", NUMBERS)
async def test_a_number_alone_opens_the_card_that_lies_here(with_reader, name):
    raw, _, _ = NUMBERS[name]
    async with with_reader() as world:
        await lay(world, card_of(1))
        await world.view("need_number")
        assert await world.station.scan(raw) is None
        assert (await world.view("confirm"))["name"] == "Trần Thị Mẫu"
        assert (await world.newest()).method is Method.CHIP_CCCD


@pytest.mark.parametrize("name", NUMBERS)
async def test_a_number_alone_opens_the_card_that_is_laid_down_next(with_reader, name):
    raw, _, code = NUMBERS[name]
    async with with_reader() as world:
        with pytest.raises(ScanRefused) as refused:
            await world.station.scan(raw)
        assert refused.value.code == code
        shown = await world.view("unreadable")
        assert (shown["error"], shown["lay"], shown["clears_in"]) == (code, True, 60)
        assert await world.all() == []
        await lay(world, card_of(1))
        assert (await world.view("confirm"))["name"] == "Trần Thị Mẫu"
        assert (await world.newest()).method is Method.CHIP_CCCD


async def test_a_number_that_was_scanned_is_forgotten_with_its_advice(with_reader):
    async with with_reader(place_seconds=0.1) as world:
        with pytest.raises(ScanRefused):
            await world.station.scan(NUMBERS["number"][0])
        await world.view("idle")
        await lay(world, card_of(3))
        assert (await world.view("need_number", "reading_chip"))["view"] == "need_number"


@pytest.mark.parametrize("name", NUMBERS)
async def test_a_number_whose_card_cannot_be_read_goes_to_staff_without_a_name(with_reader, name):
    raw, kind, _ = NUMBERS[name]
    async with with_reader() as world:
        await lay(world, card_of(3))
        for _ in range(2):
            await world.view("need_number")
            await world.station.scan(raw)
            async with asyncio.timeout(10):
                while world.screen["view"] == "reading_chip":
                    await asyncio.sleep(0.01)
        await world.view("needs_staff")
        checkin = await world.newest()
        assert (checkin.document_kind, checkin.method, checkin.staff_reason) == (kind, Method.MANUAL_ID, "chip_failed")
        assert checkin.identity == Identity(personal_id=PEOPLE[1].citizen_id)
        assert world.gateway.lookups() == []


async def test_without_the_reader_a_number_alone_gets_its_own_advice(with_reader):
    async with with_reader() as world:
        station_of(world).slot.reader_changed(False)
        station_of(world).card_reader_changed(False)
        with pytest.raises(ScanRefused):
            await world.station.scan(NUMBERS["number"][0])
        shown = await world.view("unreadable")
        assert (shown["error"], shown["lay"]) == ("NUMBER_ALONE", False)


async def test_who_says_that_they_use_a_phone_goes_on_with_its_code(with_reader):
    async with with_reader() as world:
        await world.station.scan(qr(1), carrier=Carrier.CARD)
        await world.view("place_card")
        await world.answer("skip_chip", value="phone")
        await world.view("confirm")
        await world.answer("confirm")
        await world.view("choose_service")
        await world.choose()
        checkin = await world.newest()
        assert (checkin.carrier, checkin.carrier_source) == (Carrier.PHONE, CarrierSource.ASKED)
        assert [visit["not_by_chip"] for visit in await world.events("visit")] == ["PATIENT_CHOSE_QR"]
        assert [name for body in await world.events() for name in body if "carrier" in name] == []


async def to_ticket(world: World, person: int) -> None:
    """The whole way by chip, with the card left on the reader."""
    await world.station.scan(qr(person))
    await world.view("place_card")
    await lay(world, card_of(person))
    await world.view("confirm")
    await world.answer("confirm")
    await world.view("choose_service")
    await world.choose()


async def test_a_card_left_on_the_reader_is_told_and_staff_are_called_until_it_is_taken(with_reader):
    async with with_reader() as world:
        await to_ticket(world, 1)
        await world.answer("cancel")
        await world.view("forgotten_card")
        assert [call.kind for call in world.parts.calls.open()] == [CallKind.CARD_LEFT]
        assert "Trần" not in str(world.station.state())
        await take(world)
        await world.view("idle")
        assert list(world.parts.calls.open()) == []


async def test_the_next_person_is_served_although_a_card_was_left(with_reader):
    async with with_reader() as world:
        await to_ticket(world, 1)
        await world.answer("cancel")
        await world.view("forgotten_card")
        await world.station.scan(qr(3))
        assert (await world.newest()).identity.personal_id == PEOPLE[3].citizen_id


async def test_who_takes_the_card_and_goes_leaves_no_ticket_on_the_screen_for_long(with_reader):
    async with with_reader() as world:
        await to_ticket(world, 1)
        before = world.screen
        await take(world)
        shown = await until(lambda: shortened(world), "the shorter time")
        assert shown == before | {"clears_in": 5.0}


async def shortened(world: World) -> dict[str, Any] | None:
    screen = world.screen
    return screen if screen["view"] == "done" and screen["clears_in"] == 5.0 else None


async def test_a_fathers_chip_is_no_childs(with_reader):
    async with with_reader() as world:
        await world.station.answer(None, "guardian", value="child")
        await lay(world, card_of(3))
        await world.view("need_number")
        with pytest.raises(ScanRefused, match="NOT_A_CHILD"):
            await world.answer_number(str(PEOPLE[3].citizen_id))
        assert (await world.view("for_other"))["trouble"] == "ADULT"
        assert await world.all() == [] and world.gateway.lookups() == []
