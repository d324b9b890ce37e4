"""A person's rights: what is kept is found, handed out in full, and erased where it may be (issue 8, 9)."""

import json
from typing import Any

import sqlalchemy as sa

from kiosk import subject
from kiosk.tables import checkin, chip_evidence, chip_seen, metadata, visit_register
from tests.kiosk.world import PEOPLE, World, until

ONE, OTHER = PEOPLE[1], PEOPLE[4]
NUMBER = str(ONE.citizen_id)
CANARY = ("Trần Thị Mẫu", "TRẦN THỊ MẪU", NUMBER, str(ONE.card), str(ONE.bhxh_number))


def everything(connection: sa.Connection) -> dict[str, str]:
    """Every table of the store as text, answers of the insurer unpacked."""
    found = {}
    for table in metadata.sorted_tables:
        rows = connection.execute(sa.select(table)).mappings()
        found[table.name] = json.dumps(
            [{name: subject.plain(table, name, value) for name, value in row.items()} for row in rows],
            ensure_ascii=False,
        )
    return found


def with_canary(tables: dict[str, str]) -> set[str]:
    return {name for name, text in tables.items() if any(word in text for word in CANARY)}


async def asked(world: World, act: Any, *numbers: str) -> Any:
    key = world.checkins.journal.facility_key
    return await world.parts.store.run(lambda c: act(c, key, numbers))


async def delivered(world: World) -> None:
    async def nothing_left() -> bool:
        return not [row for row in await world.rows("hospital") if row.state != "done"]

    await until(nothing_left, "the delivery")


async def serve_both(world: World) -> str:
    first = await world.register(1)
    await world.leave()
    await world.register(4)
    await world.leave()
    await delivered(world)

    def more(connection: sa.Connection) -> None:
        connection.execute(
            chip_evidence.insert().values(checkin_id=first.checkin_id, day=first.day, body=NUMBER.encode())
        )
        connection.execute(chip_seen.insert().values(person_key=first.person_key, day=first.day))
        connection.execute(
            visit_register.insert().values(
                checkin_id=first.checkin_id,
                day=first.day,
                person_key=first.person_key,
                station="kiosk-2",
                state="accepted",
                at=first.happened_at,
                identity={"full_name": CANARY[0]},
            )
        )

    await world.parts.store.run(more)
    return first.checkin_id


async def test_what_is_kept_is_found_by_any_number_and_handed_out(world: World):
    first = await serve_both(world)
    found = await asked(world, subject.find, NUMBER)
    assert found.checkin_ids == [first]
    assert set(found.rows) >= {"checkin", "lookup", "question", "event", "gateway_answer", "chip_evidence"}
    assert (await asked(world, subject.find, "099190000998")).checkin_ids == []
    told = json.dumps(await asked(world, subject.export, NUMBER), ensure_ascii=False)
    assert CANARY[0] in told and NUMBER in told and str(OTHER.citizen_id) not in told


async def test_erased_is_gone_from_every_table_but_the_insurers_answers(world: World):
    first = await serve_both(world)
    before = await world.parts.store.read(everything)
    assert with_canary(before) >= {"checkin", "lookup", "visit_register", "gateway_answer"}
    erased = await asked(world, subject.erase, NUMBER)
    assert (erased.erased, erased.waiting, erased.kept) == ([first], {}, {"gateway_answer": 1})
    after = await world.parts.store.read(everything)
    assert with_canary(after) == {"gateway_answer"}
    assert str(OTHER.citizen_id) in after["checkin"], "others stay"
    assert after["event"] == before["event"], "figures stay"
    left = await world.parts.store.read(lambda c: c.execute(sa.select(chip_seen)).all())
    assert left == []
    assert (await asked(world, subject.erase, NUMBER)).erased == []


async def test_what_still_waits_is_named_and_stays(world: World):
    world.hospital.mode("reset_before")  # nobody knows whether it arrived: staff must look
    first = (await world.register(1)).checkin_id
    erased = await asked(world, subject.erase, NUMBER)
    assert (erased.erased, list(erased.waiting)) == ([], [first])
    row = await world.parts.store.read(lambda c: c.execute(sa.select(checkin)).one())
    assert row.key_number == NUMBER


async def test_who_stands_at_the_kiosk_is_not_erased_under_their_hands(world: World):
    await world.identify(1)
    erased = await asked(world, subject.erase, NUMBER)
    assert list(erased.waiting.values()) == ["being_served"]
    await world.choose()
    assert (await world.newest()).identity.full_name == CANARY[0]
