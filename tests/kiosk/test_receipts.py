"""Receipts of lookups: what they prove, what is found when anything was changed, and how they may be typed."""

import zlib
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.answers import ReceiptFacts
from kiosk.receipts import ReceiptState, check_receipt, tidy_code
from kiosk.tables import gateway_answer, lookup_receipt, metadata
from tests.kiosk.world import World

KEY = bytes(range(32))
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NOON = datetime(2026, 6, 10, 5, tzinfo=UTC)
texts = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=30)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
facts = st.builds(
    ReceiptFacts,
    checkin_id=st.none() | texts.filter(bool),
    request_id=texts,
    asked_at=moments,
    status=texts,
    result_code=st.none() | texts.filter(bool),
    digest=texts,
)


async def checked(world: World, code: str) -> dict[str, str | None]:
    key = world.parts.journal.facility_key
    return (await world.store.read(lambda c: check_receipt(c, key, code))).as_json()


async def answered(world: World) -> tuple[str, str]:
    """Id and receipt of a person who was registered with an answer."""
    checkin = await world.register(1)
    assert checkin.lookup_receipt is not None
    return checkin.checkin_id, checkin.lookup_receipt


async def test_a_receipt_says_when_what_and_which_visit_and_names_nobody(world: World):
    checkin_id, code = await answered(world)
    shown = await checked(world, code)
    visit = (await world.get(checkin_id)).receipt
    assert visit is not None
    assert (shown["state"], shown["class"], shown["result_code"]) == ("valid", "insured", "000")
    assert (shown["checkin_id"], shown["visit_id"]) == (checkin_id, visit.visit_id)
    assert str(shown["asked_at"]).endswith("+07:00")
    assert "Mẫu" not in str(shown) and "MẪU" not in str(shown) and "099190000001" not in str(shown)
    assert world.screen["ticket"]["lookup_receipt"] == code


async def test_without_an_answer_there_is_no_receipt(world: World):
    world.gateway.mode("http_500_html", endpoint="*")
    assert (await world.register(1)).lookup_receipt is None


@pytest.mark.parametrize(
    "written", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code[:3]} {code[3:]} "]
)
async def test_a_receipt_may_be_typed_as_people_type(world: World, written: Callable[[str], str]):
    _, code = await answered(world)
    assert (await checked(world, written(code)))["receipt"] == code


@pytest.mark.parametrize(
    "change",
    [
        {"checkin_id": "another"},
        {"checkin_id": None},
        {"request_id": "another"},
        {"asked_at": NOON},
        {"status": "not_insured"},
        {"result_code": "010"},
        {"digest": "0" * 64},
    ],
)
async def test_any_fact_changed_in_the_store_is_noticed(world: World, change):
    _, code = await answered(world)
    await world.store.run(lambda c: c.execute(lookup_receipt.update().values(**change)))
    assert (await checked(world, code))["state"] == "altered"


@pytest.mark.parametrize("body", [zlib.compress(b'{"maKetQua":"000"}'), b"no zlib", b""])
async def test_a_kept_answer_that_was_changed_is_noticed(world: World, body: bytes):
    _, code = await answered(world)
    await world.store.run(lambda c: c.execute(gateway_answer.update().values(body=body)))
    assert (await checked(world, code))["state"] == "altered"


async def test_a_receipt_outlives_the_kept_answer(world: World):
    checkin_id, code = await answered(world)
    await world.store.run(lambda c: c.execute(gateway_answer.delete()))
    shown = await checked(world, code)
    assert (shown["state"], shown["checkin_id"]) == ("answer_gone", checkin_id)


@pytest.mark.parametrize(
    "code", ["", "7ZK3M-0QX9", "7ZK3M-0QX9TT", "7ZK3M_0QX9T", "UUUUU-UUUUU", "7ZK3M-0QX9T", "ệ" * 10]
)
async def test_what_is_no_receipt_of_ours_is_unknown(world: World, code: str):
    shown = await checked(world, code)
    assert shown["state"] == "unknown" and "checkin_id" not in shown


@given(facts, facts, st.integers(1, (1 << len(fields(ReceiptFacts))) - 1))
def test_any_other_facts_give_another_code(one: ReceiptFacts, other: ReceiptFacts, which: int):
    changed = {field.name for number, field in enumerate(fields(ReceiptFacts)) if which >> number & 1}
    mixed = replace(one, **{name: value for name, value in asdict(other).items() if name in changed})
    assert (mixed.code(KEY) == one.code(KEY)) is (mixed == one)
    assert one.code(KEY) != one.code(bytes(32))


@given(facts)
def test_a_code_is_ten_letters_that_cannot_be_confused(given_facts: ReceiptFacts):
    code = given_facts.code(KEY)
    assert len(code) == 11 and code[5] == "-" and set(code.replace("-", "")) <= set(ALPHABET)
    assert tidy_code(code) == code


@given(st.text(ALPHABET, min_size=10, max_size=10), st.randoms(use_true_random=False))
def test_a_hand_may_write_it_in_many_ways(bare: str, random):
    written = "".join(
        random.choice({"0": "0Oo", "1": "1IiLl"}.get(letter, letter + letter.lower()))
        + random.choice(["", "", " ", "-"])
        for letter in bare
    )
    assert tidy_code(written) == f"{bare[:5]}-{bare[5:]}"


@given(st.text(max_size=200))
def test_any_text_is_a_code_or_none(text: str):
    code = tidy_code(text)
    assert code is None or tidy_code(code) == code


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts, st.sampled_from([field.name for field in fields(ReceiptFacts)]), facts)
def test_a_row_that_was_changed_is_altered(given_facts: ReceiptFacts, name: str, other: ReceiptFacts):
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    code = given_facts.code(KEY)
    changed = asdict(given_facts) | {name: asdict(other)[name]}
    with engine.begin() as connection:
        connection.execute(lookup_receipt.insert().values(code=code, **changed))
        state = check_receipt(connection, KEY, code).state
    engine.dispose()
    same = changed == asdict(given_facts)
    assert state is (ReceiptState.ANSWER_GONE if same else ReceiptState.ALTERED)


def test_moments_are_compared_as_moments():
    one = ReceiptFacts("a", "b", NOON, "insured", "000", "d")
    elsewhere = NOON.astimezone(tz=datetime.now().astimezone().tzinfo)
    assert replace(one, asked_at=elsewhere).code(KEY) == one.code(KEY)
    assert replace(one, asked_at=NOON + timedelta(microseconds=1)).code(KEY) != one.code(KEY)
