"""The hospital system asks for us: what it says is judged once more, and whatever it does a check-in goes on."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters.base import BaseAdapter
from kiosk.errors import ConfigError, HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import Capabilities
from kiosk.insurance.via_his import ViaHospital
from kiosk.insurance.vss_codes import RESULT_CODES, Reason
from kiosk.model import Coverage, Eligibility, Holder, KeyKind, LookupKey, PartialDate, Sex
from kiosk.model import EligibilityClass as Class

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
KEY = LookupKey("099190000001", KeyKind.PERSONAL_12, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)
CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))
HELD = Holder("TRẦN THỊ MẪU", PartialDate(1990, 9, 2), Sex.FEMALE)
GOOD = Eligibility(Class.INSURED, "valid", NOW, result_code="000", coverage=CARD, held=HELD)


class AskingHospital(BaseAdapter):
    """A hospital system that looks people up, as *says* does."""

    capabilities = Capabilities(eligibility=True)

    def __init__(self, says: Callable[[], Any]) -> None:
        self.says = says
        self.asked: list[LookupKey] = []

    async def eligibility(self, key: LookupKey) -> Eligibility:
        self.asked.append(key)
        said = self.says()
        return await said if asyncio.iscoroutine(said) else said  # type: ignore[no-any-return]


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def failing(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def gateway_over(says: Callable[[], Any], total: float = 1.0, time: Time | None = None) -> ViaHospital:
    options = {"monotonic": time} if time else {}
    return ViaHospital(AskingHospital(says), total, lambda: NOW, **options)


async def answer_of(says: Callable[[], Any], key: LookupKey = KEY, day: date = DAY) -> Eligibility:
    gateway = gateway_over(says)
    try:
        return await gateway.lookup(key, day)
    finally:
        await gateway.close()


def test_an_adapter_that_cannot_ask_refuses_the_start() -> None:
    with pytest.raises(ConfigError, match=r"^insurance\.adapter: "):
        ViaHospital(BaseAdapter(), 15, lambda: NOW)


async def test_what_the_hospital_confirms_is_insured_and_kept_as_it_was_said() -> None:
    answer = await answer_of(lambda: GOOD)
    assert (answer.status, answer.reason, answer.coverage) == (Class.INSURED, "valid", CARD)
    assert (answer.reached_gateway, answer.attempts, answer.key_kind) == (True, 1, KeyKind.PERSONAL_12)
    (call,) = answer.trail
    assert (call.reason, call.result_code, call.asked_at) == ("valid", "000", NOW)
    said = json.loads(answer.answer or b"")
    assert said["coverage"]["number"] == CARD.number
    assert answer.answer == json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"coverage": None}, Class.NEEDS_STAFF, Reason.NO_CARD_DATA),
        ({"coverage": replace(CARD, number="")}, Class.NEEDS_STAFF, Reason.NO_CARD_DATA),
        ({"coverage": replace(CARD, valid_to=DAY - timedelta(days=1))}, Class.NEEDS_STAFF, Reason.NOT_VALID_ON_DAY),
        ({"coverage": replace(CARD, valid_from=DAY + timedelta(days=1))}, Class.NEEDS_STAFF, Reason.NOT_VALID_ON_DAY),
        ({"coverage": replace(CARD, valid_from=None)}, Class.NEEDS_STAFF, Reason.NOT_VALID_ON_DAY),
        ({"coverage": replace(CARD, valid_to=DAY)}, Class.INSURED, Reason.VALID),
        ({"coverage": replace(CARD, valid_to=None)}, Class.INSURED, Reason.VALID),
        ({"held": None}, Class.INSURED, Reason.VALID),
        ({"held": replace(HELD, full_name="TRAN THI MAU")}, Class.INSURED, Reason.VALID),
        ({"held": replace(HELD, birth_date=PartialDate(1990))}, Class.INSURED, Reason.VALID),
        ({"held": replace(HELD, full_name="TRẦN THỊ KHÁC")}, Class.NEEDS_STAFF, Reason.NAME_DIFFERS),
        ({"held": replace(HELD, birth_date=PartialDate(1991))}, Class.NEEDS_STAFF, Reason.BIRTH_DIFFERS),
        ({"held": replace(HELD, sex=Sex.MALE)}, Class.NEEDS_STAFF, Reason.SEX_DIFFERS),
        ({"held": Holder("LÊ VĂN KHÁC", PartialDate(1950))}, Class.NEEDS_STAFF, Reason.WRONG_PERSON),
        ({"result_code": "110"}, Class.NOT_INSURED, Reason.WITHDRAWN),
        ({"result_code": "010"}, Class.NOT_INSURED, Reason.EXPIRED),
        ({"result_code": "002"}, Class.NEEDS_STAFF, Reason.POLICE_CARD),
        ({"result_code": "other"}, Class.NEEDS_STAFF, Reason.UNKNOWN_CODE),
        ({"result_code": "101"}, Class.CANNOT_SAY, Reason.GATEWAY_ERROR),
        ({"result_code": None}, Class.INSURED, Reason.VALID),
    ],
)
async def test_a_claim_is_taken_down_to_what_it_shows(changes: dict[str, Any], status: Class, reason: Reason) -> None:
    answer = await answer_of(lambda: replace(GOOD, **changes))
    assert (answer.status, answer.reason) == (status, reason)


async def test_nothing_of_another_persons_card_is_handed_on() -> None:
    stranger = Holder("LÊ VĂN KHÁC", PartialDate(1950), Sex.MALE)
    for code in ("000", "010", "110", None):
        answer = await answer_of(lambda code=code: replace(GOOD, held=stranger, result_code=code))  # type: ignore[misc]
        assert (answer.status, answer.reason) == (Class.NEEDS_STAFF, Reason.WRONG_PERSON)
        assert (answer.coverage, answer.held) == (None, None)


@given(
    status=st.sampled_from(list(Class)),
    code=st.none() | st.sampled_from(list(RESULT_CODES)) | st.text(max_size=4),
    starts=st.none() | st.dates(date(2024, 1, 1), date(2028, 1, 1)),
    ends=st.none() | st.dates(date(2024, 1, 1), date(2028, 1, 1)),
    number=st.sampled_from(["", "DN4999900000001"]),
)
async def test_never_insured_without_a_card_that_is_valid_on_the_day(
    status: Class, code: str | None, starts: date | None, ends: date | None, number: str
) -> None:
    card = replace(CARD, number=number, valid_from=starts, valid_to=ends)
    answer = await answer_of(lambda: Eligibility(status, "said", NOW, result_code=code, coverage=card))
    if answer.status.insured:
        assert status.insured and number
        assert starts is not None and starts <= DAY and (ends is None or ends >= DAY)
        assert code is None or RESULT_CODES[code].status.insured


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (HospitalUnavailable("c06.unreachable"), Reason.HIS_UNAVAILABLE),
        (HospitalRejected("c06.999"), Reason.HIS_ERROR),
        (HospitalOutcomeUnknown("c06.timeout"), Reason.HIS_ERROR),
        (ZeroDivisionError("NGUYỄN VĂN BÍ MẬT"), Reason.INTERNAL_ERROR),
    ],
)
async def test_no_answer_is_cannot_say(error: Exception, reason: Reason, caplog: pytest.LogCaptureFixture) -> None:
    answer = await answer_of(failing(error))
    assert (answer.status, answer.reason, answer.answer) == (Class.CANNOT_SAY, reason, None)
    assert [call.reason for call in answer.trail] == [reason]
    assert "BÍ MẬT" not in caplog.text


async def test_a_hospital_that_never_answers_ends_with_the_total_time() -> None:
    gateway = gateway_over(lambda: asyncio.Event().wait(), total=0.05)
    async with asyncio.timeout(5):
        answer = await gateway.lookup(KEY, DAY)
    assert (answer.status, answer.reason, answer.attempts) == (Class.CANNOT_SAY, Reason.NET_TIMEOUT, 1)
    await gateway.close()


async def test_equal_questions_share_a_call_and_an_answer_serves_again() -> None:
    hospital = AskingHospital(lambda: GOOD)
    gateway = ViaHospital(hospital, 1, lambda: NOW)
    answers = await asyncio.gather(*(gateway.lookup(KEY, DAY) for _ in range(5)))
    answers.append(await gateway.lookup(KEY, DAY))
    assert len(hospital.asked) == 1
    assert len({answer.trail for answer in answers}) == 1
    await gateway.lookup(replace(KEY, birth_date=PartialDate(1991, 9, 2)), DAY)
    assert len(hospital.asked) == 2
    await gateway.close()


async def test_a_failure_is_not_served_again() -> None:
    hospital = AskingHospital(failing(HospitalUnavailable("c06.unreachable")))
    gateway = ViaHospital(hospital, 1, lambda: NOW)
    await gateway.lookup(KEY, DAY)
    hospital.says = lambda: GOOD
    assert (await gateway.lookup(KEY, DAY)).status is Class.INSURED
    await gateway.close()


async def test_after_five_failures_nobody_waits_until_one_tries_again() -> None:
    time = Time()
    hospital = AskingHospital(failing(HospitalUnavailable("c06.unreachable")))
    gateway = ViaHospital(hospital, 1, lambda: NOW, time)
    for _ in range(7):
        answer = await gateway.lookup(KEY, DAY)
    assert len(hospital.asked) == 5
    assert (answer.reason, answer.attempts, answer.trail) == (Reason.BREAKER_OPEN, 0, ())
    time.now += 61
    hospital.says = lambda: GOOD
    assert (await gateway.lookup(KEY, DAY)).status is Class.INSURED
    await gateway.close()


async def test_what_was_never_asked_leaves_no_evidence() -> None:
    unasked = Eligibility(Class.NEEDS_STAFF, "his_no_number", NOW, attempts=0)
    answer = await answer_of(lambda: unasked)
    assert (answer.status, answer.reason) == (Class.NEEDS_STAFF, "his_no_number")
    assert (answer.attempts, answer.trail, answer.answer, answer.reached_gateway) == (0, (), None, False)


async def test_a_number_that_nobody_can_be_asked_with_goes_to_staff() -> None:
    answer = await answer_of(lambda: GOOD, replace(KEY, number="0991"))
    assert (answer.status, answer.reason, answer.attempts) == (Class.NEEDS_STAFF, Reason.BAD_KEY, 0)


async def test_the_check_is_the_hospitals_own() -> None:
    gateway = gateway_over(lambda: GOOD)
    assert (await gateway.check()).ok
    await gateway.close()
