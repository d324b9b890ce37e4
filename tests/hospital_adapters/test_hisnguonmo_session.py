"""Signing in at hisnguonmo: tokens, refused accounts, and what the self-check tells a technician."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from hospital_adapters import hisnguonmo_settings
from hospital_adapters.hisnguonmo import HisnguonmoAdapter, create
from kiosk.errors import HospitalUnavailable
from kiosk.hospital_model import MatchKind
from kiosk.ports import AdapterContext
from simulators.his_hisnguonmo import Settings as SimSettings
from tests.hospital_adapters.c06_peer import PEOPLE
from tests.hospital_adapters.hisnguonmo_peer import PASSWORD, HisnguonmoPeer, adapter_for, today

REFUSED = "the server refuses the account: check user, password_file or token_file, and application_code"


@pytest.fixture
async def peer() -> AsyncIterator[HisnguonmoPeer]:
    async with HisnguonmoPeer() as running:
        yield running


async def test_one_sign_in_serves_many_calls(peer: HisnguonmoPeer) -> None:
    for number in (1, 2, 3):
        await peer.adapter.find_patient(PEOPLE[number])
    await peer.adapter.push(peer.encounter(1))
    assert len(await peer.calls("Login")) == 1


async def test_a_forgotten_token_is_replaced_and_the_visit_registered_once(peer: HisnguonmoPeer) -> None:
    encounter = await peer.known(1)
    await peer.adapter.services(today())
    await peer.mode("ExamRegisterKiosk", "http_401")
    assert (await peer.adapter.push(encounter)).number == "23"
    assert [call["http"] for call in await peer.calls("ExamRegisterKiosk")] == [401, 200]
    assert len(await peer.visits()) == 1 and len(await peer.calls("Login")) == 2


async def test_a_server_that_refuses_every_token_registers_nothing(peer: HisnguonmoPeer) -> None:
    encounter = await peer.known(1)
    await peer.adapter.services(today())
    await peer.mode("ExamRegisterKiosk", "http_401", times=None)
    with pytest.raises(HospitalUnavailable, match=r"^hisnguonmo\.login$"):
        await peer.adapter.push(encounter)
    assert len(await peer.calls("ExamRegisterKiosk")) == 2
    assert await peer.visits() == []


@pytest.mark.parametrize("login_error", ["http401", "body"])
async def test_a_refused_account_is_no_storm(login_error: str, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    async with HisnguonmoPeer(SimSettings.model_validate({"login_error": login_error})) as peer:
        given = {"url": peer.url, "user": "kiosk", "password_file": "x", "request_room": "KIOSK01"}
        adapter = HisnguonmoAdapter(hisnguonmo_settings.load(given), "wrong-word", monotonic=lambda: now[0])
        for seconds in (0.0, 1.0, 59.0):
            now[0] = seconds
            for call in (adapter.push(peer.encounter(1)), adapter.find_patient(PEOPLE[1]), adapter.services(today())):
                with pytest.raises(HospitalUnavailable, match=r"^hisnguonmo\.login$") as waiting:
                    await call
                assert waiting.value.retry_after == 60 - seconds
        assert len(await peer.calls("Login")) == 1
        now[0] = 61.0
        assert (await adapter.check()).problems == (REFUSED,)
        assert len(await peer.calls("Login")) == 2
        await adapter.close()
    assert {record.levelname for record in caplog.records if record.name.startswith("hospital")} == {"ERROR"}
    assert "wrong-word" not in caplog.text


async def test_another_application_code_is_a_refused_account(peer: HisnguonmoPeer) -> None:
    adapter = adapter_for(peer.url, application_code="OTHER")
    assert (await adapter.check()).problems == (REFUSED,)
    await adapter.close()


async def test_a_token_that_does_not_end_needs_no_account(peer: HisnguonmoPeer) -> None:
    settings = {"url": peer.url, "token_file": "his-token", "request_room": "KIOSK01"}
    adapter = create(settings, AdapterContext("99001", lambda name: {"his-token": "not-known-there\n"}[name]))
    with pytest.raises(HospitalUnavailable, match=r"^hisnguonmo\.login$"):
        await adapter.find_patient(PEOPLE[1])
    assert await peer.calls("Login") == []
    await adapter.close()


async def test_accounts_may_be_kept_on_another_server() -> None:
    async with HisnguonmoPeer() as accounts:
        adapter = adapter_for("http://127.0.0.1:9", login_url=accounts.url)
        with pytest.raises(HospitalUnavailable, match=r"^hisnguonmo\.unreachable$"):
            await adapter.find_patient(PEOPLE[1])
        assert [call["token"] for call in await accounts.calls("Login")] == ["given"]
        await adapter.close()


async def test_an_expired_token_is_replaced() -> None:
    async with HisnguonmoPeer() as peer:
        assert (await peer.adapter.find_patient(PEOPLE[1])).kind is MatchKind.ONE
        await peer._client.post("forget-tokens")
        assert (await peer.adapter.find_patient(PEOPLE[1])).kind is MatchKind.ONE
        assert len(await peer.calls("Login")) == 2


async def test_check_tells_how_many_services_and_the_clock(peer: HisnguonmoPeer) -> None:
    health = await peer.adapter.check()
    assert health.ok and health.details["services"] == 11 and abs(health.details["skew_s"]) <= 2


async def test_check_sees_a_wrong_clock(peer: HisnguonmoPeer) -> None:
    given = {"url": peer.url, "user": "kiosk", "password_file": "x", "request_room": "KIOSK01"}
    late = HisnguonmoAdapter(
        hisnguonmo_settings.load(given), PASSWORD, clock=lambda: datetime.now(UTC) - timedelta(seconds=200)
    )
    health = await late.check()
    assert 198 <= health.details["skew_s"] <= 202
    assert health.problems == (f"the clock of the server differs from ours by {health.details['skew_s']} s",)
    await late.close()


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"request_room": "NOWHERE"}, "the server lists no room that is the setting request_room"),
        ({"insured_type": "77"}, "no service has a price for the patient type of the setting insured_type"),
        ({"fee_type": "77"}, "no service has a price for the patient type of the setting fee_type"),
        (
            {"insured_type": "77", "fee_type": "78"},
            "the catalogues hold no examination in a room: check paths, insured_type and fee_type",
        ),
        ({"paths": {"rooms": "api/HisRoom/Elsewhere"}}, "the server does not answer as agreed (hisnguonmo.http_404)"),
    ],
)
async def test_check_names_the_setting_that_is_wrong(setting: dict[str, str], problem: str) -> None:
    async with HisnguonmoPeer(**setting) as peer:
        assert (await peer.adapter.check()).problems == (problem,)


async def test_a_wrong_reception_room_registers_nothing() -> None:
    async with HisnguonmoPeer(request_room="NOWHERE") as peer:
        with pytest.raises(HospitalUnavailable, match=r"^hisnguonmo\.request_room$"):
            await peer.adapter.push(peer.encounter(1))
        assert await peer.calls("ExamRegisterKiosk") == []
