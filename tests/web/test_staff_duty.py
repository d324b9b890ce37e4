"""Officers on and off duty at the staff screen, the alarm of a refused one, and their administration."""

from typing import Any

from click.testing import CliRunner

from kiosk.cli import main
from tests.kiosk.world import qr, until


async def test_signing_on_off_and_the_alarm_of_a_refused_officer(kiosk, gateway):
    staff = await kiosk.signed_in()
    await kiosk.parts.duty.add("LÊ TRỰC THỬ", "099186000002", "admin")
    view = (await staff.get("/api/v1/staff/duty")).json()
    assert view["officer"]["name"] == "NGUYỄN CÁN BỘ THỬ"
    assert "09908" not in str(view) and "09918" not in str(view)
    second = next(each["id"] for each in view["officers"] if each["name"] == "LÊ TRỰC THỬ")
    assert (await staff.post("/api/v1/staff/duty/sign-on", json={"officer_id": "x"})).status_code == 404
    signed = (await staff.post("/api/v1/staff/duty/sign-on", json={"officer_id": second})).json()
    assert (signed["officer"]["id"], signed["signed_on"]["by"]) == (second, "demo")

    await kiosk.register(qr(1))  # the simulated insurer knows the first officer only
    status = (await staff.get("/api/v1/staff/status")).json()
    assert status["duty"]["refused"] == "054"
    checkin_id = (await kiosk.state())["checkin_id"]
    found = (await staff.get(f"/api/v1/staff/check-ins/{checkin_id}")).json()
    assert found["ticket"]["number"]
    assert (found["eligibility"]["class"], found["needs_staff"]) == ("misconfigured", None)
    await kiosk.answer("cancel")
    asked = len(gateway.lookups())
    await kiosk.register(qr(3))
    assert len(gateway.lookups()) == asked  # nobody is asked for in that name any more

    await staff.post("/api/v1/staff/duty/sign-off", json={})

    async def completed() -> bool:
        again = (await staff.get(f"/api/v1/staff/check-ins/{checkin_id}")).json()
        return again["eligibility"]["class"] == "insured"

    await until(completed, "the answer that was owed")
    status = (await staff.get("/api/v1/staff/status")).json()
    assert status["duty"]["refused"] is None
    assert "LÊ TRỰC" not in str(await kiosk.parts.store.read(lambda c: c.exec_driver_sql("SELECT * FROM audit").all()))


async def test_try_again_lets_one_lookup_try(kiosk, gateway):
    staff = await kiosk.signed_in()
    gateway.mode("officer_055", times=1)
    await kiosk.register(qr(1))
    assert (await staff.get("/api/v1/staff/duty")).json()["refused"] == "055"
    await staff.post("/api/v1/staff/duty/try-again", json={})

    async def fine() -> bool:
        return (await staff.get("/api/v1/staff/duty")).json()["refused"] is None

    await until(fine, "the trial")


async def test_the_look_before_opening_asks_for_nobody(kiosk, gateway):
    staff = await kiosk.signed_in()

    async def looked() -> dict[str, Any] | None:
        return (await staff.get("/api/v1/staff/status")).json()["warm_up"]  # type: ignore[no-any-return]

    assert (await until(looked, "the first look"))["problems"] == []
    assert gateway.lookups() == []
    text = (await kiosk.client().get("/metrics")).text
    assert 'kiosk_warm_up_problem{part="gateway"} 0.0' in text and "kiosk_officer_refused 0.0" in text
    kiosk.parts.duty.refused(kiosk.parts.duty.current(), "054")
    assert "kiosk_officer_refused 1.0" in (await kiosk.client().get("/metrics")).text


async def test_strangers_see_no_officer(kiosk):
    assert (await kiosk.client(kiosk.origin).get("/api/v1/staff/duty")).status_code == 401


async def test_officers_at_the_command_line(kiosk):
    def run(*words: str, line: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(main, ["officers", *words, "--config", str(kiosk.config_path)], input=line)
        return result.exit_code, result.output

    import asyncio
    import json

    async def ask(*words: str, line: str = "") -> tuple[int, str]:
        return await asyncio.to_thread(run, *words, line=line)

    code, output = await ask("add", line="Lê Trực Thử;099186000002\n")
    assert code == 0
    added = next(each for each in json.loads(output)["officers"] if each["name"] == "L. T. Thử")
    assert added["number"].endswith("002")
    assert "099186000002" not in output
    assert "Trực" not in output
    revealed = (await ask("list", "--reveal"))[1]
    assert "099186000002" in revealed and "Lê Trực Thử" in revealed
    assert json.loads((await ask("designate", added["id"]))[1])["officers"]
    officer = kiosk.parts.duty.current()
    assert officer is not None and officer.full_name == "Lê Trực Thử"
    assert (await ask("remove", added["id"]))[0] == 0
    assert (await ask("remove", added["id"]))[0] == 1
    assert "BAD_OFFICER" in (await ask("add", line="no number\n"))[1]
