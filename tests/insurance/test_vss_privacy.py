"""No person, secret or gateway URL reaches a log or an exception text (insurance-gateway.md 0 point 10, 7, 8.5)."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from kiosk.insurance import vss_gateway
from kiosk.insurance.vss_answer import Answer
from kiosk.insurance.vss_codes import Reason
from kiosk.insurance.vss_gateway import VssGateway
from kiosk.model import Coverage, Eligibility, LookupKey
from simulators.vss_people import PEOPLE

CANARIES = (
    *("sim-secret", "94209BF88616D22E93DE4FF94784049E", "94209bf88616d22e93de4ff94784049e", "99001_BV"),
    *("099085000001", "Cán Bộ", "CÁN BỘ", "access_token", "id_token", "token=", "KQNhanLichSuKCB2024"),
)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that any logger wrote at any level, with tracebacks."""
    loggers = [logging.getLogger(name) for name in (None, "httpx", "kiosk", "asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
    with caplog.at_level(1):
        formatter = logging.Formatter()
        yield lambda: "\n".join(formatter.format(record) for record in caplog.records)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def leaks(text: str) -> list[str]:
    of_people = [
        word for person in PEOPLE for word in (person.citizen_id, person.bhxh_number, person.name, person.name.title())
    ]
    return [word for word in (*CANARIES, *of_people) if word and word in text]


async def test_nothing_leaks_whatever_happens(
    simulator: Any,
    open_gateway: Callable[..., VssGateway],
    key_of: Callable[..., LookupKey],
    today: date,
    everything_logged: Callable[[], str],
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0001
    modes = ("normal", "http_500_html", "bad_json", "wrong_person", "reset", "hang", "always_401", "code:205")
    found: list[Eligibility] = []
    for mode in modes:
        simulator.mode(mode)
        gateway = open_gateway(simulator.url, total_timeout=0.5)
        found += [await gateway.lookup(key_of(person), today) for person in PEOPLE[:3]]
    simulator.mode("normal")
    refused = open_gateway(simulator.url, account="99004_BV")
    found.append(await refused.lookup(key_of(4), today))
    loop.set_debug(False)
    written = everything_logged()
    assert "insurance gateway" in written
    assert leaks(written) == []
    assert "99004_BV" not in written
    assert leaks(" ".join(each.reason for each in found)) == []


async def test_a_fault_of_our_own_is_an_answer_without_a_name(
    simulator: Any,
    open_gateway: Callable[..., VssGateway],
    key_of: Callable[..., LookupKey],
    today: date,
    everything_logged: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(answer: Answer, key: LookupKey, visit_day: date) -> Coverage:
        raise KeyError(key.full_name)

    monkeypatch.setattr(vss_gateway, "decide", broken)
    found = await open_gateway(simulator.url).lookup(key_of(1), today)
    assert found.reason is Reason.INTERNAL_ERROR
    assert "KeyError" in everything_logged()
    assert leaks(everything_logged()) == []
