"""The untouched answers come out of the store as they came in, and what was changed there is said."""

import base64
import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kiosk.answer_export import PAGE, Position, answers_a_day, lines_after
from kiosk.tables import gateway_answer, metadata
from tests.kiosk.world import World

DAY = "2026-06-10"


def put(connection: sa.Connection, request_id: str, body: bytes, day: str = DAY, kept: bytes | None = None) -> None:
    digest = hashlib.sha256(body).hexdigest()
    at = datetime(2026, 6, 10, 5, tzinfo=UTC)
    row: dict[str, object] = {"request_id": request_id, "checkin_id": "c", "at": at, "day": day, "digest": digest}
    row["body"] = zlib.compress(body) if kept is None else kept
    connection.execute(gateway_answer.insert().values(**row))


def exported(connection: sa.Connection, first: str = DAY, last: str = DAY) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    at: Position | None = Position(first)
    while at is not None:
        lines, at = lines_after(connection, at, last)
        assert len(lines) <= PAGE and all("\n" not in line for line in lines)
        found += [json.loads(line) for line in lines]
    return found


@pytest.fixture
def connection():
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


async def test_what_the_gateway_sent_comes_out_byte_for_byte(world: World):
    checkin = await world.register(1)
    day = str(world.today())
    (line,) = await world.store.read(lambda c: exported(c, day, day))
    assert json.loads(str(line["body"]))["maKetQua"] == "000"
    assert (line["checkin_id"], line["encoding"], line["intact"]) == (checkin.checkin_id, "utf-8", True)
    assert hashlib.sha256(str(line["body"]).encode()).hexdigest() == line["digest"]
    counts = await world.store.read(lambda c: answers_a_day(c, day, day))
    assert [(one["day"], one["answers"]) for one in counts] == [(day, 1)] and counts[0]["bytes"] > 0


def test_days_are_inclusive_and_pages_neither_lose_nor_repeat(connection):
    days = [str(datetime(2026, 6, 8) + timedelta(days=number))[:10] for number in range(5)]
    for day in days:
        for number in range(PAGE // 2 + 3):
            put(connection, f"{day}-{number:04}", b"{}", day)
    found = exported(connection, days[1], days[3])
    ids = [str(line["request_id"]) for line in found]
    assert ids == sorted(set(ids)) and len(ids) == 3 * (PAGE // 2 + 3)
    assert {request_id[:10] for request_id in ids} == set(days[1:4])
    assert [one["day"] for one in answers_a_day(connection, days[1], days[3])] == days[1:4]
    assert exported(connection, "2020-01-01", "2020-01-02") == []


def test_a_full_last_page_ends(connection):
    for number in range(PAGE):
        put(connection, f"{number:04}", b"{}")
    assert len(exported(connection)) == PAGE


@pytest.mark.parametrize("body", [zlib.compress(b"other"), b"no zlib", b""])
def test_a_changed_answer_is_not_intact(connection, body):
    put(connection, "r", b'{"maKetQua":"000"}', kept=body)
    (line,) = exported(connection)
    assert line["intact"] is False


@given(st.binary(max_size=200))
def test_any_body_survives(body):
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as opened:
        put(opened, "r", body)
        (line,) = exported(opened)
    engine.dispose()
    text = str(line["body"])
    assert (text.encode() if line["encoding"] == "utf-8" else base64.b64decode(text)) == body
    assert line["intact"] is True
