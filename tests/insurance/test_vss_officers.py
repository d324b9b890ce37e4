"""Whose name a lookup carries, and when asking stops (insurance-gateway.md 0 point 5, 3: codes 054 and 055)."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest

from kiosk.insurance.fixed_officer import FixedOfficer
from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.model import Eligibility, LookupKey, Officer
from kiosk.model import EligibilityClass as Class
from kiosk.officer_stop import TRIAL_AFTER_S

KeyOf = Callable[..., LookupKey]
Start = Callable[..., VssGateway]

FIRST = Officer("first", "Nguyễn Cán Bộ Thử", "099085000001")
STRANGER = Officer("stranger", "Nguyễn Cán Bộ Thử", "099085000002")
MISSPELT = Officer("misspelt", "Trần Cán Bộ Thử", "099085000001")


class Duty:
    """Officers who take turns, and what was said about them."""

    def __init__(self, officer: Officer | None) -> None:
        self.officer = officer
        self.said: list[tuple[str, str]] = []

    def current(self) -> Officer | None:
        return self.officer

    def refused(self, officer: Officer, code: str) -> None:
        self.said.append((officer.officer_id, code))

    def accepted(self, officer: Officer) -> None:
        self.said.append((officer.officer_id, "accepted"))


@pytest.fixture
async def start(simulator: Any, settings_for: Callable[..., Any]) -> AsyncIterator[Start]:
    """Opens gateways in the name of any duty."""
    opened: list[VssGateway] = []

    def gateway(duty: Any) -> VssGateway:
        opened.append(VssGateway(settings_for(simulator.url, dedup_seconds=0.0), duty))
        return opened[-1]

    yield gateway
    for each in opened:
        await each.close()


def told(found: Eligibility) -> tuple[Any, ...]:
    return found.status, found.reason, found.result_code, found.attempts


NOBODY = (Class.MISCONFIGURED, Reason.NO_OFFICER, None, 0)


async def test_without_an_officer_nothing_is_sent(simulator: Any, start: Start, key_of: KeyOf, today: date) -> None:
    found = await start(Duty(None)).lookup(key_of(1), today)
    assert (told(found), found.trail, found.reached_gateway) == (NOBODY, (), False)
    assert simulator.calls("token") == simulator.calls("lookup") == []


@pytest.mark.parametrize(
    ("officer", "code", "reason"),
    [(STRANGER, "054", Reason.OFFICER_UNKNOWN), (MISSPELT, "055", Reason.OFFICER_NAME)],
)
async def test_a_refused_officer_stops_asking_until_a_trial(
    simulator: Any, start: Start, key_of: KeyOf, today: date, officer: Officer, code: str, reason: Reason
) -> None:
    moment = 0.0
    duty = FixedOfficer(officer, lambda: moment)
    gateway = start(duty)
    assert told(await gateway.lookup(key_of(1), today)) == (Class.MISCONFIGURED, reason, code, 1)
    assert told(await gateway.lookup(key_of(3), today)) == NOBODY
    assert len(simulator.calls("lookup")) == 1
    moment += TRIAL_AFTER_S
    assert told(await gateway.lookup(key_of(4), today)) == (Class.MISCONFIGURED, reason, code, 1)
    assert told(await gateway.lookup(key_of(5), today)) == NOBODY
    assert len(simulator.calls("lookup")) == 2


async def test_a_refusal_that_was_put_right_ends_with_the_trial(
    simulator: Any, start: Start, key_of: KeyOf, today: date
) -> None:
    duty = FixedOfficer(FIRST)
    gateway = start(duty)
    simulator.mode("officer_054", times=1)
    await gateway.lookup(key_of(1), today)
    assert told(await gateway.lookup(key_of(1), today)) == NOBODY
    duty.stop.try_now()
    assert [(await gateway.lookup(key_of(number), today)).status for number in (1, 3)] == [Class.INSURED] * 2


async def test_the_next_officer_asks_at_once(start: Start, key_of: KeyOf, today: date) -> None:
    duty = Duty(STRANGER)
    gateway = start(duty)
    assert (await gateway.lookup(key_of(1), today)).result_code == "054"
    duty.officer = FIRST
    assert (await gateway.lookup(key_of(1), today)).status is Class.INSURED
    assert duty.said == [("stranger", "054"), ("first", "accepted")]


@pytest.mark.parametrize("code", ["000", "010", "050", "060", "110", "130", "777"])
async def test_an_answer_about_a_person_accepts_the_officer(
    simulator: Any, start: Start, key_of: KeyOf, today: date, code: str
) -> None:
    duty = Duty(FIRST)
    simulator.mode(f"code:{code}")
    await start(duty).lookup(key_of(1), today)
    assert duty.said == [("first", "accepted")]


@pytest.mark.parametrize(
    "mode", ["code:205", "code:403", "always_401", "code:100", "bad_json", "http_500_html", "reset"]
)
async def test_other_answers_say_nothing_of_the_officer(
    simulator: Any, start: Start, key_of: KeyOf, today: date, mode: str
) -> None:
    duty = Duty(FIRST)
    simulator.mode(mode)
    await start(duty).lookup(key_of(1), today)
    assert duty.said == []
