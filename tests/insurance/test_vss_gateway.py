"""The adapter against the simulated gateway over real HTTP, in every mode it has (insurance-gateway.md 8.2-8.4)."""

import asyncio
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.model import EligibilityClass as Class
from kiosk.model import LookupKey, PartialDate
from simulators.vss_people import PEOPLE

Open = Callable[..., VssGateway]
KeyOf = Callable[..., LookupKey]

EXPECTED = {
    1: "insured valid",
    2: "insured valid",
    3: "insured valid",
    4: "insured valid",
    5: "insured valid",
    6: "insured valid",
    7: "needs_staff defence_card",
    8: "needs_staff police_card",
    9: "insured_new_card new_card",
    10: "needs_staff not_valid_on_day",
    11: "insured valid",
    12: "insured_new_card new_card",
    13: "not_insured expired",
    14: "needs_staff not_found",
    15: "insured valid",
    16: "not_insured withdrawn",
    17: "not_insured reduced",
    18: "insured valid",
    19: "insured valid",
    20: "insured valid",
    21: "not_insured stopped",
    22: "needs_staff child_without_card",
    23: "insured valid",
    24: "cannot_say gateway_error",
    25: "cannot_say gateway_error",
    26: "needs_staff unknown_code",
    27: "insured valid",
    28: "insured valid",
    29: "insured valid",
    30: "needs_staff sex_differs",
    31: "insured valid",
}


@pytest.mark.parametrize("encoding", ["json", "form"])
async def test_the_thirty_people(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, encoding: str) -> None:
    gateway = open_gateway(simulator.url, encoding=encoding)
    answers = {person.number: await gateway.lookup(key_of(person), today) for person in PEOPLE}
    assert {number: f"{found.status} {found.reason}" for number, found in answers.items()} == EXPECTED
    assert all(found.reached_gateway for found in answers.values())
    assert {number: found.attempts for number, found in answers.items() if found.attempts > 1} == {23: 2, 24: 2, 25: 2}
    assert (answers[23].result_code, answers[24].result_code, answers[26].result_code) == ("000", "101", "777")
    coverage = {number: found.coverage for number, found in answers.items() if found.coverage}
    assert {number: coverage[number].number[:5] for number in (7, 9, 11, 12, 13, 27, 29)} == {
        **{7: "QN599", 9: "GD499", 11: "DN499", 12: "HT399", 13: "GD499", 27: "DN499", 29: "CN399"}
    }
    assert (coverage[29].benefit_level, coverage[3].living_area, coverage[11].registered_facility) == (
        "2",
        "K3",
        "99002",
    )
    assert len(simulator.calls("token")) == 1


async def test_people_whose_card_is_reduced_when_asked_by_card(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url)
    asked = {number: await gateway.lookup(key_of(number, PEOPLE[number - 1].card), today) for number in (18, 19, 20)}
    assert [(found.status, found.reason) for found in asked.values()] == [
        (Class.NEEDS_STAFF, Reason.MOVED_PROVINCE),
        (Class.NEEDS_STAFF, Reason.MOVED_WITHIN),
        (Class.NEEDS_STAFF, Reason.RE_REGISTERED),
    ]


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"number": "ZZ4999900000015"}, "051", "wrong_card_number"),
        ({"full_name": "Lê Văn Khác Nữa"}, "060", "name_refused"),
        ({"full_name": "Mạc Vũ Sang"}, "061", "name_spelling"),
        ({"birth_date": PartialDate(1965, 5, 16)}, "070", "birth_refused"),
    ],
)
async def test_person_15_asked_wrongly(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, changes: dict[str, Any], code: str, reason: str
) -> None:
    found = await open_gateway(simulator.url).lookup(key_of(15, **changes), today)
    assert (found.status, found.result_code, found.reason) == (Class.NEEDS_STAFF, code, reason)
    assert (found.coverage, found.attempts) == (None, 1)


@pytest.mark.parametrize(
    "number", ["099190000001", "9900000001", "DN4999900000001", "DN4 99 99-0000_0001", "dn4999900000001"]
)
async def test_numbers_that_may_be_asked(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, number: str
) -> None:
    assert (await open_gateway(simulator.url).lookup(key_of(1, number), today)).status is Class.INSURED


@pytest.mark.parametrize("birth", ["1990-09-02", "1990-09", "1990"])
async def test_birth_dates_of_every_precision(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, birth: str
) -> None:
    key = key_of(1, birth_date=PartialDate.parse(birth), full_name=" trần  thị\tmẫu")
    assert (await open_gateway(simulator.url).lookup(key, today)).status is Class.INSURED


async def test_seventeen_characters(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    found = await open_gateway(simulator.url).lookup(key_of(27, PEOPLE[26].card), today)
    assert found.coverage is not None
    assert (found.status, found.coverage.number) == (Class.INSURED, "DN499099301000027")


@pytest.mark.parametrize(
    "changes", [{"full_name": " "}, {"full_name": "A\ud800"}, {"number": "09919000000①"}, {"number": " "}]
)
async def test_unaskable_keys_never_leave(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, changes: dict[str, str]
) -> None:
    assert (await open_gateway(simulator.url).lookup(key_of(1, **changes), today)).reason is Reason.BAD_KEY
    assert simulator.calls("token") == []


@pytest.mark.parametrize("shape", ["http_json", "body", "http_empty"])
async def test_an_expired_token_is_renewed_once(
    serve_simulator: Callable[..., Any], open_gateway: Open, key_of: KeyOf, today: date, shape: str
) -> None:
    simulator = serve_simulator(refusal_shape=shape)
    gateway = open_gateway(simulator.url)
    await gateway.lookup(key_of(3), today)
    simulator.reset()
    simulator.mode("expired_token", times=1)
    found = await gateway.lookup(key_of(1), today)
    assert (found.status, found.attempts) == (Class.INSURED, 2)
    assert (len(simulator.calls("token")), len(simulator.calls("lookup"))) == (1, 2)


@pytest.mark.parametrize("shape", ["http_json", "body", "http_empty"])
async def test_refused_twice_is_an_alarm_without_a_third_call(
    serve_simulator: Callable[..., Any],
    open_gateway: Open,
    key_of: KeyOf,
    today: date,
    shape: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator = serve_simulator(refusal_shape=shape)
    simulator.mode("always_401")
    gateway = open_gateway(simulator.url)
    found = await gateway.lookup(key_of(1), today)
    assert (found.status, found.reason, found.result_code) == (Class.MISCONFIGURED, Reason.ACCOUNT_REFUSED, "401")
    assert (len(simulator.calls("token")), len(simulator.calls("lookup"))) == (2, 2)
    await gateway.lookup(key_of(3), today)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_tokens_refused_for_many_at_once_cost_one_login(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url)
    await gateway.lookup(key_of(1), today)
    simulator.expire_tokens()
    found = await asyncio.gather(*(gateway.lookup(key_of(number), today) for number in (3, 4, 5, 6)))
    assert [each.status for each in found] == [Class.INSURED] * 4
    assert len(simulator.calls("token")) == 2


MODES = {
    "http_500_html": ("cannot_say", "http_error", None, True, 1),
    "http_502_html": ("cannot_say", "http_error", None, True, 1),
    "maintenance": ("cannot_say", "http_error", None, True, 1),
    "http_200_empty": ("cannot_say", "bad_answer", None, True, 1),
    "bad_json": ("cannot_say", "bad_answer", None, True, 1),
    "null_json": ("cannot_say", "bad_answer", None, True, 1),
    "array_json": ("cannot_say", "bad_answer", None, True, 1),
    "no_code": ("cannot_say", "no_code", None, True, 1),
    "bom_json": ("insured", "valid", "000", True, 1),
    "code_int": ("insured", "valid", "000", True, 1),
    "ip_changed": ("insured", "valid", "000", True, 2),
    "officer_054": ("misconfigured", "officer_unknown", "054", True, 1),
    "officer_055": ("misconfigured", "officer_name", "055", True, 1),
    "wrong_person": ("needs_staff", "wrong_person", "000", True, 1),
    "null_fields": ("needs_staff", "no_card_data", "000", True, 1),
    "string_dates_iso": ("needs_staff", "bad_dates", "000", True, 1),
    "reset": ("cannot_say", "net_broken", None, False, 1),
    "hang": ("cannot_say", "net_timeout", None, False, 1),
    "code:205": ("needs_staff", "bad_request", "205", True, 1),
    "code:403": ("misconfigured", "no_right", "403", True, 1),
    "code:402": ("misconfigured", "account_blocked", "402", True, 1),
    "code:100": ("cannot_say", "gateway_data_error", "100", True, 2),
    "code:500": ("cannot_say", "gateway_error", "500", True, 2),
    "code:999": ("needs_staff", "unknown_code", "999", True, 1),
    "code:080": ("needs_staff", "sex_refused", "080", True, 1),
}


@pytest.mark.parametrize("mode", sorted(MODES))
async def test_forced_modes(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, mode: str) -> None:
    gateway = open_gateway(simulator.url)
    await gateway.check()
    simulator.mode(mode)
    found = await gateway.lookup(key_of(1), today)
    assert (found.status, found.reason, found.result_code, found.reached_gateway, found.attempts) == MODES[mode]
    assert (found.coverage is not None) == found.status.insured
    assert len(simulator.calls("lookup")) == found.attempts


LOGIN_MODES = {
    "http_500_html": ("cannot_say", "http_error", None, False),
    "http_200_empty": ("cannot_say", "login_unreadable", None, False),
    "bad_json": ("cannot_say", "login_unreadable", None, False),
    "no_code": ("cannot_say", "login_unreadable", None, False),
    "code:500": ("cannot_say", "gateway_error", None, False),
    "code_int": ("insured", "valid", "000", True),
    "bom_json": ("insured", "valid", "000", True),
    "reset": ("cannot_say", "net_broken", None, False),
    "hang": ("cannot_say", "net_timeout", None, False),
    "always_401": ("misconfigured", "account_refused", "401", False),
    "code:402": ("misconfigured", "account_blocked", "402", False),
    "code:403": ("misconfigured", "no_right", "403", False),
}


@pytest.mark.parametrize("mode", sorted(LOGIN_MODES))
async def test_forced_modes_of_the_login(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date, mode: str
) -> None:
    simulator.mode(mode, endpoint="token")
    found = await open_gateway(simulator.url).lookup(key_of(1), today)
    assert (found.status, found.reason, found.result_code, found.reached_gateway) == LOGIN_MODES[mode]
    assert len(simulator.calls("token")) == 1
    assert bool(simulator.calls("lookup")) == found.status.insured


async def test_a_question_that_got_out_stays_so_when_the_new_login_fails(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url)
    await gateway.check()
    simulator.mode("expired_token", times=1)
    simulator.mode("http_500_html", endpoint="token")
    found = await gateway.lookup(key_of(1), today)
    assert (found.status, found.reason, found.reached_gateway) == (Class.CANNOT_SAY, Reason.HTTP_ERROR, True)
    assert (len(simulator.calls("token")), len(simulator.calls("lookup"))) == (2, 1)


async def test_a_refused_login_is_not_stormed(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    moment = 1000.0
    gateway = open_gateway(simulator.url, password="wrong", monotonic=lambda: moment)
    first = await gateway.lookup(key_of(1), today)
    assert (first.status, first.attempts, first.reached_gateway) == (Class.MISCONFIGURED, 1, False)
    again = await asyncio.gather(*(gateway.lookup(key_of(number), today) for number in (3, 4, 5)))
    assert {(found.status, found.result_code, found.attempts, found.reached_gateway) for found in again} == {
        (Class.MISCONFIGURED, "401", 0, False)
    }
    assert not (await gateway.check()).ok
    assert len(simulator.calls("token")) == 1
    moment += 301
    await gateway.lookup(key_of(1), today)
    assert len(simulator.calls("token")) == 2


async def test_a_hanging_gateway_ends_in_time_and_is_asked_again_later(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url, read_timeout=5.0, total_timeout=0.5)
    await gateway.check()
    simulator.mode("hang")
    started = time.monotonic()
    found = await gateway.lookup(key_of(1), today)
    assert (found.status, found.reason, found.reached_gateway) == (Class.CANNOT_SAY, Reason.NET_TIMEOUT, False)
    assert 450 <= found.latency_ms <= 1500
    assert time.monotonic() - started < 1.5
    simulator.reset()
    assert (await gateway.lookup(key_of(1), today)).status is Class.INSURED


async def test_no_repeat_that_would_pass_the_total(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    found = await open_gateway(simulator.url, retry_pause=3.0, total_timeout=2.0).lookup(key_of(24), today)
    assert (found.result_code, found.attempts) == ("101", 1)
    assert found.latency_ms < 1500


async def test_a_repeat_cut_by_the_total_still_tells_the_code(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url, retry_pause=0.3, total_timeout=1.0, read_timeout=5.0)
    asked = asyncio.create_task(gateway.lookup(key_of(24), today))
    async with asyncio.timeout(5):
        while not [call for call in await asyncio.to_thread(simulator.calls, "lookup") if call["result_code"]]:
            await asyncio.sleep(0.02)
    await asyncio.to_thread(simulator.mode, "hang")
    found = await asked
    assert (found.reason, found.result_code, found.reached_gateway) == (Reason.NET_TIMEOUT, "101", True)
    assert found.attempts == 2


async def test_the_same_question_is_asked_once(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    gateway = open_gateway(simulator.url, dedup_seconds=0.4)
    taps = await asyncio.gather(*(gateway.lookup(key_of(1), today) for _ in range(5)))
    taps.append(await gateway.lookup(key_of(1, full_name="TRẦN THỊ MẪU"), today))
    assert len(simulator.calls("lookup")) == 1
    assert len(set(taps)) == 1
    # The same question on another day is judged anew without a second call.
    assert (await gateway.lookup(key_of(1), date(2030, 1, 1))).reason is Reason.NOT_VALID_ON_DAY
    assert len(simulator.calls("lookup")) == 1
    await gateway.lookup(key_of(1, birth_date=PartialDate(1990)), today)
    assert len(simulator.calls("lookup")) == 2
    async with asyncio.timeout(5):
        while len(await asyncio.to_thread(simulator.calls, "lookup")) == 2:
            await asyncio.sleep(0.1)
            await gateway.lookup(key_of(1), today)


async def test_a_cancelled_caller_leaves_the_answer_to_the_others(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    simulator.mode("slow", delay_ms=200)
    gateway = open_gateway(simulator.url)
    first = asyncio.create_task(gateway.lookup(key_of(1), today))
    second = asyncio.create_task(gateway.lookup(key_of(1), today))
    await asyncio.sleep(0.05)
    first.cancel()
    assert (await second).status is Class.INSURED
    assert first.cancelled()
    assert len(simulator.calls("lookup")) == 1


async def test_waiting_for_a_turn_counts_into_the_total(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    gateway = open_gateway(simulator.url, max_in_flight=2, per_second=0.1, total_timeout=0.6)
    found = await asyncio.gather(*(gateway.lookup(key_of(number), today) for number in (1, 3, 4)))
    assert [each.status for each in found] == [Class.INSURED, Class.INSURED, Class.CANNOT_SAY]
    assert (found[2].reason, found[2].attempts, found[2].reached_gateway) == (Reason.THROTTLED, 0, False)
    assert len(simulator.calls("lookup")) == 2


async def test_at_most_two_questions_in_flight(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    gateway = open_gateway(simulator.url, max_in_flight=2, total_timeout=5.0)
    await gateway.check()
    simulator.mode("slow", delay_ms=300)
    asked = asyncio.gather(*(gateway.lookup(key_of(number), today) for number in (1, 3, 4)))
    await asyncio.sleep(0.15)
    assert len(await asyncio.to_thread(simulator.calls, "lookup")) == 2
    assert [each.status for each in await asked] == [Class.INSURED] * 3


async def test_the_check_logs_in_and_asks_nothing(simulator: Any, open_gateway: Open) -> None:
    gateway = open_gateway(simulator.url)
    health = await gateway.check()
    assert (health.ok, health.problems) == (True, ())
    assert (len(simulator.calls("token")), simulator.calls("lookup")) == (1, [])
    simulator.mode("http_500_html", endpoint="token")
    assert (await gateway.check()).problems == ("no usable answer to the login: http_error",)


async def test_a_forbidden_account_fails_the_check(simulator: Any, open_gateway: Open) -> None:
    health = await open_gateway(simulator.url, account="99004_BV").check()
    assert (health.ok, health.problems) == (False, ("the gateway refuses the account with code 403",))


async def test_two_accounts_keep_their_own_tokens(
    simulator: Any, open_gateway: Open, key_of: KeyOf, today: date
) -> None:
    one = open_gateway(simulator.url)
    other = open_gateway(simulator.url, account="99002_BV", facility="99002", md5_case="lower")
    found = [await gateway.lookup(key_of(1), today) for gateway in (one, other, one)]
    assert [each.status for each in found] == [Class.INSURED] * 3
    assert len(simulator.calls("token")) == 2


async def test_closing_answers_who_waits(simulator: Any, open_gateway: Open, key_of: KeyOf, today: date) -> None:
    simulator.mode("hang")
    gateway = open_gateway(simulator.url)
    asked = asyncio.create_task(gateway.lookup(key_of(1), today))
    await asyncio.sleep(0.1)
    await gateway.close()
    assert [(found.status, found.reason) for found in (await asked, await gateway.lookup(key_of(1), today))] == [
        (Class.CANNOT_SAY, Reason.CLOSED)
    ] * 2
