"""The acceptance list of insurance-gateway.md 8.5, each point by its number; 10 is the hospital's (XML0)."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.model import Eligibility, KeyKind, LookupKey, PartialDate
from kiosk.model import EligibilityClass as Class
from simulators.vss_modes import MODES
from simulators.vss_people import PEOPLE

Open = Callable[..., VssGateway]
KeyOf = Callable[..., LookupKey]

_I, _N, _X, _S, _R = (
    Class.INSURED,
    Class.INSURED_NEW_CARD,
    Class.NOT_INSURED,
    Class.NEEDS_STAFF,
    Class.CANNOT_SAY,
)
EXPECTED = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 11, 15, 18, 19, 20, 23, 27, 28, 29, 31), _I),
    **dict.fromkeys((9, 12), _N),
    **dict.fromkeys((13, 16, 17, 21), _X),
    **dict.fromkeys((7, 8, 10, 14, 22, 26, 30), _S),
    **dict.fromkeys((24, 25), _R),
}


async def test_1_thirty_people_and_their_cards(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    gateway = open_gateway(simulator.url)
    found: dict[int, Eligibility] = {}
    for person in PEOPLE:
        number = person.citizen_id or person.card or f"TE199{person.bhxh_number}"
        found[person.number] = await gateway.lookup(key_of(person, number), today)
    assert {number: answer.status for number, answer in found.items()} == EXPECTED
    cards = {number: answer.coverage for number, answer in found.items()}
    renewed, better, both, raised = cards[9], cards[12], cards[11], cards[29]
    assert renewed is not None and renewed.valid_from is not None and (today - renewed.valid_from).days == 9
    assert better is not None and better.number.startswith("HT3")
    assert both is not None and both.registered_facility == "99002"
    assert raised is not None and raised.benefit_level == "2"
    assert cards[10] is None


async def test_2_one_token_for_fifty_and_one_login_for_twenty_at_once(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url, dedup_seconds=0.0)
    people = [person for person in PEOPLE if person.citizen_id][:20]
    await asyncio.gather(*(gateway.lookup(key_of(person), today) for person in people))
    for _ in range(3):
        for person in people[:10]:
            await gateway.lookup(key_of(person), today)
    assert len(simulator.calls("lookup")) >= 50
    assert len(simulator.calls("token")) == 1


async def test_3_an_expired_token_costs_one_login_and_a_dead_one_two_lookups(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url)
    simulator.mode("expired_token", times=1)
    assert (await gateway.lookup(key_of(1), today)).status is _I
    assert (len(simulator.calls("token")), len(simulator.calls("lookup"))) == (2, 2)
    simulator.mode("always_401", endpoint="lookup")
    refused = await gateway.lookup(key_of(3), today)
    assert (refused.status, refused.result_code) == (Class.MISCONFIGURED, "401")
    assert len(simulator.calls("lookup")) == 4


async def test_4_a_hanging_gateway_ends_in_time(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    """The ticket and the questions asked later are those of tests/scenario."""
    gateway = open_gateway(simulator.url, total_timeout=1.0)
    simulator.mode("hang")
    started = time.monotonic()
    assert (await gateway.lookup(key_of(1), today)).status is _R
    assert time.monotonic() - started < 3
    simulator.mode("normal")
    assert (await gateway.lookup(key_of(1), today)).status is _I


@pytest.mark.parametrize("mode", sorted({*MODES, "code:777"} - {"normal", "slow", "hang", "bom_json", "code_int"}))
async def test_5_whatever_it_says_nobody_is_insured_by_it(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, mode: str
) -> None:
    simulator.mode(mode)
    found = await open_gateway(simulator.url).lookup(key_of(1), today)
    if mode in ("expired_token", "ip_changed"):
        assert found.status in (_I, Class.MISCONFIGURED)
    else:
        assert found.status in (_R, _S, Class.MISCONFIGURED)


async def test_6_nothing_of_anybody_in_the_logs(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = open_gateway(simulator.url, dedup_seconds=0.0)
    for mode in ("normal", "always_401", "officer_054", "bad_json", "reset", "wrong_person", "code:205"):
        simulator.mode(mode)
        await gateway.lookup(key_of(1), today)
    person = PEOPLE[0]
    secrets = ["sim-secret", "94209BF88616D22E93DE4FF94784049E", "099085000001", "token=", person.name.split()[-1]]
    secrets += [person.citizen_id or "", person.card or "", person.bhxh_number or ""]
    ours = [record for record in caplog.records if not record.name.startswith(("uvicorn", "asyncio", "simulators"))]
    text = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("length", [9, 11, 13, 14, 16, 18])
async def test_7_other_lengths_never_leave(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, length: int
) -> None:
    number = "099190000001999999"[:length]
    found = await open_gateway(simulator.url).lookup(key_of(1, number), today)
    assert (found.status, found.reason, found.attempts, found.trail) == (_S, Reason.BAD_KEY, 0, ())
    assert simulator.calls("token") == simulator.calls("lookup") == []


@pytest.mark.parametrize("number", ["099190000001", "9900000001", "DN4999900000001", "DN499099301000027"])
async def test_7_the_four_lengths_pass(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, number: str
) -> None:
    person = 27 if number.endswith("27") else 1
    found = await open_gateway(simulator.url).lookup(key_of(person, number), today)
    assert found.status is _I
    assert len(simulator.calls("lookup")) == 1


async def test_8_two_quick_taps_are_one_call(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    gateway = open_gateway(simulator.url)
    first, second = await asyncio.gather(gateway.lookup(key_of(1), today), gateway.lookup(key_of(1), today))
    assert first == second
    assert (await gateway.lookup(key_of(1), today)).asked_at == first.asked_at
    assert len(simulator.calls("lookup")) == 1


async def test_9_history_and_co_payment_are_never_asked(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url)
    for number in (1, 4, 8, 28):
        await gateway.lookup(key_of(number), today)
    calls = httpx.get(f"{simulator.url}/_sim/calls", trust_env=False).json()
    assert {call["endpoint"] for call in calls} == {"token", "lookup"}


async def test_accounts_in_one_process_are_never_mixed(
    serve_simulator: Callable[..., Any], open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    simulator = serve_simulator()
    ours = open_gateway(simulator.url, dedup_seconds=0.0)
    theirs = open_gateway(simulator.url, account="99002_BV", facility="99002", dedup_seconds=0.0)
    key = LookupKey("099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2))
    found = await asyncio.gather(*(gateway.lookup(key, today) for gateway in (ours, theirs) * 5))
    assert {answer.status for answer in found} == {_I}
    assert len(simulator.calls("token")) == 2
    seen = httpx.get(f"{simulator.url}/_sim/calls", trust_env=False).json()
    assert not [call for call in seen if call["result_code"] == "401"]
