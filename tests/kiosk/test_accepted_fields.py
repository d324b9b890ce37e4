"""Staff take over single fields: where they go, and who stays the same person."""

from dataclasses import replace

import pytest

from kiosk import outbox_table, records
from kiosk.accepted_fields import accept, compare
from kiosk.hospital_model import Encounter, MatchKind, Receipt
from kiosk.model import EligibilityClass, PartialDate, Sex
from kiosk.staffwork import StaffRefusal, StaffWork
from tests.kiosk.world import World, card, insurance_card, until

MISSPELT = card("099065000015", "Mai Văn Sang", "15051965")  # the register has Mai Văn Sai: same initials, 061
ELSEWHERE = card("099190000001", "Trần Thị Mẫu", "02091990", "Nữ", "Nơi cũ")
DRY = {"adapter": "dry_run"}


async def told(world: World, checkin_id: str) -> dict[str, tuple[str | None, str, bool]]:
    found = await compare(world.checkins, checkin_id, "an")
    return {each.id: (each.ours, each.theirs, each.acceptable) for each in found}


async def refused(world: World, checkin_id: str, *fields: str) -> str:
    with pytest.raises(StaffRefusal) as refusal:
        await accept(world.checkins, checkin_id, fields, "an")
    return refusal.value.code


async def test_a_name_accepted_from_the_register_is_asked_with_again_and_insured(world: World):
    assert (await world.identify(MISSPELT))["view"] == "needs_staff"
    before = await world.newest()
    assert before.status is EligibilityClass.NEEDS_STAFF
    names = (await told(world, before.checkin_id))["gateway.full_name"]
    assert names == ("Mai Văn Sang", "Mai Văn Sai", True)
    assert await accept(world.checkins, before.checkin_id, ["gateway.full_name"], "an")
    after = await StaffWork(world.checkins).recheck(before.checkin_id, "an")
    assert (after.status, after.identity.full_name) == (EligibilityClass.INSURED, "Mai Văn Sai")
    assert after.identity == replace(before.identity, full_name="Mai Văn Sai")
    assert (after.key_number, after.person_key) == (before.key_number, before.person_key)
    assert "gateway.full_name" not in await told(world, before.checkin_id)


async def test_the_same_document_finds_its_ticket_after_a_name_was_accepted(world: World):
    await world.identify(MISSPELT)
    first = await world.newest()
    await accept(world.checkins, first.checkin_id, ["gateway.full_name"], "an")
    await world.leave()
    await world.station.scan(MISSPELT)
    assert (world.station.checkin_id, world.screen["again"]) == (first.checkin_id, True)
    assert len(await world.all()) == 1


async def test_the_audit_names_fields_and_no_values(world: World):
    await world.identify(MISSPELT)
    checkin_id = (await world.newest()).checkin_id
    await told(world, checkin_id)
    await accept(world.checkins, checkin_id, ["gateway.full_name"], "bình")
    audit = (await world.store.read(lambda c: records.audits_of(c, [checkin_id])))[checkin_id]
    assert [(entry["who"], entry["action"], entry["detail"]) for entry in audit] == [
        ("an", "differences_seen", {}),
        ("bình", "fields_accepted", {"fields": ["gateway.full_name"]}),
    ]


async def test_another_persons_name_is_neither_shown_nor_accepted(world: World):
    await world.identify(card("099065000015", "Lê Thị Khác Hẳn", "15051965", "Nữ"))  # 060
    checkin = await world.newest()
    assert checkin.eligibility is not None and checkin.eligibility.reason == "name_refused"
    assert not any(name.startswith("gateway.") for name in await told(world, checkin.checkin_id))
    assert await refused(world, checkin.checkin_id, "gateway.full_name") == "NOT_DIFFERENT"
    assert (await world.get(checkin.checkin_id)).identity == checkin.identity


async def test_neither_numbers_nor_a_hospitals_name_can_be_accepted(world: World):
    await world.identify(30)
    checkin = await world.newest()
    for field in ("gateway.personal_id", "gateway.key_number", "hospital.full_name", "gateway.card_number", "sex", ""):
        assert await refused(world, checkin.checkin_id, field) == "NOT_DIFFERENT"
    assert await refused(world, checkin.checkin_id, "gateway.sex", "gateway.personal_id") == "NOT_DIFFERENT"
    assert (await world.get(checkin.checkin_id)).identity == checkin.identity


async def test_an_accepted_sex_lets_the_hospital_be_asked_anew(world: World):
    await world.identify(30)  # the insurer says female, the card male; the hospital has another name
    checkin = await world.newest()
    assert checkin.patient is not None and checkin.patient.kind is MatchKind.MISMATCH
    assert await accept(world.checkins, checkin.checkin_id, ["gateway.sex"], "an")
    after = await StaffWork(world.checkins).recheck(checkin.checkin_id, "an")
    assert (after.identity.sex, after.patient, after.status) == (Sex.FEMALE, None, EligibilityClass.INSURED)
    service = next(service for service in await world.checkins.menu() if service.id == "502")
    work = StaffWork(world.checkins)
    asked = await work.register(checkin.checkin_id, service, insured=True, reason="", patient=None, who="an")
    assert asked.patient is not None and asked.patient.kind is MatchKind.MISMATCH
    assert (asked.hospital_state, asked.staff_reason) == ("parked", "hospital_patient_differs")
    done = await work.push_again(checkin.checkin_id, patient="known", who="an")
    assert done.hospital_state == "accepted"
    assert [visit["MA_BN"] for visit in world.hospital.visits()] == ["BN000007"]


async def test_a_waiting_visit_goes_to_the_hospital_with_the_accepted_value(world: World, monkeypatch):
    await world.checkins.menu()
    world.hospital.down()
    checkin = await world.register(ELSEWHERE)
    assert checkin.hospital_state == "waiting"
    arrived: list[Encounter] = []
    push = type(world.parts.hospital).push

    async def noted(self: object, encounter: Encounter) -> Receipt:
        arrived.append(encounter)
        return await push(self, encounter)  # type: ignore[arg-type]

    monkeypatch.setattr(type(world.parts.hospital), "push", noted)

    async def accepted() -> bool:
        try:
            await accept(world.checkins, checkin.checkin_id, ["gateway.address"], "an")
        except StaffRefusal as refusal:
            assert refusal.code == "UNDER_WAY"
            return False
        return True

    await until(accepted)
    world.hospital.up()
    done = await world.becomes(checkin.checkin_id, hospital_state="accepted")
    assert arrived[-1].identity == done.identity and done.identity.address != "Nơi cũ"


async def test_a_registered_visit_that_cannot_be_amended_is_left_to_staff(world: World):
    checkin = await world.register(ELSEWHERE)
    assert checkin.hospital_state == "accepted" and await world.staff_list() == {}
    assert not await accept(world.checkins, checkin.checkin_id, ["gateway.address"], "an")
    assert await world.staff_list() == {checkin.checkin_id: "fields_to_enter"}
    after = await world.get(checkin.checkin_id)
    assert after.identity.address != "Nơi cũ"
    assert after.read_identity is not None and after.read_identity.address == "Nơi cũ"


async def test_a_registered_visit_is_amended_where_the_hospital_can(start, monkeypatch):
    arrived: list[Encounter] = []

    async def amend(_: object, receipt: Receipt, encounter: Encounter) -> Receipt:
        arrived.append(encounter)
        return receipt

    async with start(hospital=DRY) as world:
        monkeypatch.setattr(type(world.parts.hospital), "amend", amend)
        await world.identify(ELSEWHERE)
        service = next(each["id"] for each in world.screen["services"])
        await world.choose(service)
        checkin = await world.newest()
        assert checkin.hospital_state == "accepted"
        await accept(world.checkins, checkin.checkin_id, ["gateway.address"], "an")

        async def amended() -> bool:
            return ("amend", "done") in [(row.kind, row.state) for row in await world.rows("hospital")]

        await until(amended)
        after = await world.get(checkin.checkin_id)
        assert [each.identity.address for each in arrived] == [after.identity.address]
        assert await world.staff_list() == {}


async def test_nothing_is_accepted_while_a_visit_is_on_its_way_or_closed(world: World):
    checkin = await world.register(ELSEWHERE)
    row = await world.row("hospital")
    await world.store.run(lambda c: outbox_table.settle(c, row.id, "sending", world.clock()))
    assert await refused(world, checkin.checkin_id, "gateway.address") == "UNDER_WAY"
    await world.store.run(lambda c: outbox_table.settle(c, row.id, "done", world.clock()))
    await world.store.run(lambda c: records.update(c, checkin.checkin_id, closed_reason="cancelled"))
    assert await refused(world, checkin.checkin_id, "gateway.address") == "CLOSED"
    await world.store.run(lambda c: records.update(c, checkin.checkin_id, closed_reason=None, state="looked_up"))
    assert await refused(world, checkin.checkin_id, "gateway.address") == "AT_THE_STATION"
    assert await refused(world, "01234567-89ab-7def-8123-456789abcdef", "gateway.address") == "NO_SUCH_CHECK_IN"


async def test_of_an_insurance_card_what_was_read_is_set_against_the_gateways(world: World):
    checkin = await world.register(insurance_card(11))
    assert checkin.document_coverage is not None and checkin.document_coverage.number == checkin.key_number
    changed = replace(checkin.document_coverage, registered_facility="99003")
    await world.store.run(lambda c: records.update(c, checkin.checkin_id, document_coverage=changed))
    found = await told(world, checkin.checkin_id)
    assert found["gateway.registered_facility"] == ("99003", "99002", False)
    assert await refused(world, checkin.checkin_id, "gateway.registered_facility") == "NOT_DIFFERENT"


async def test_a_birth_year_is_completed_by_the_hospital(world: World):
    await world.identify(5)  # the card has the year alone
    checkin = await world.newest()
    person = replace(checkin.identity, birth_date=PartialDate(1948, 3, 4))
    assert checkin.patient is not None
    match = replace(checkin.patient, person=person)
    await world.store.run(lambda c: records.update(c, checkin.checkin_id, patient=match, state="accepted"))
    assert (await told(world, checkin.checkin_id))["hospital.birth_date"] == ("1948", "1948-03-04", True)
    await accept(world.checkins, checkin.checkin_id, ["hospital.birth_date"], "an")
    assert (await world.get(checkin.checkin_id)).identity.birth_date == PartialDate(1948, 3, 4)
