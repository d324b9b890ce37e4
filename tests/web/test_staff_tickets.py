"""Staff print a ticket again and see the numbers of a day."""

import asyncio
import json

from click.testing import CliRunner

from kiosk.cli import main
from simulators.printer import SimulatedPrinter
from tests.kiosk.world import qr, until

BASE = "/api/v1/staff"


async def test_reprint_gives_the_same_ticket_and_stands_in_the_audit(serve):
    with SimulatedPrinter() as printer:
        async with serve(printer={"adapter": "network", "address": printer.address}) as kiosk:
            await kiosk.register(qr(1))
            checkin_id = (await kiosk.state())["checkin_id"]
            staff = await kiosk.signed_in()

            async def came_out() -> bool:
                return len(printer.tickets) == 1

            await until(came_out, "the ticket")
            answer = await staff.post(f"{BASE}/check-ins/{checkin_id}/reprint")
            assert (answer.status_code, answer.json()["printed"]) == (200, True), answer.text
            first, again = printer.tickets
            assert first.tobytes() == again.tobytes()
            assert "reprinted" in [entry["action"] for entry in answer.json()["audit"]]
            printer.become("cover_open")
            closed = (await staff.post(f"{BASE}/check-ins/{checkin_id}/reprint")).json()
            assert (closed["printed"], closed["printer"]) == (False, "cover_open")
            around = (await staff.get(f"{BASE}/status")).json()
            assert around["printer"] == {"ok": False, "reason": "cover_open"}
            metrics = (await kiosk.bare.get("/metrics")).text
            assert "kiosk_printer_ready 0.0" in metrics
            assert (await kiosk.bare.get("/readyz")).status_code == 200, "people are still served"


async def test_without_a_printer_or_a_ticket_there_is_nothing_to_print(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.register(qr(1))
    checkin_id = (await kiosk.state())["checkin_id"]
    refused = await staff.post(f"{BASE}/check-ins/{checkin_id}/reprint")
    assert (refused.status_code, refused.json()["error"]) == (409, "NO_PRINTER")
    assert (await staff.post(f"{BASE}/check-ins/nobody/reprint")).status_code == 404
    assert (await kiosk.bare.post(f"{BASE}/check-ins/{checkin_id}/reprint")).status_code in (401, 403)


async def test_the_numbers_of_a_day_for_staff_and_operators(kiosk):

    staff = await kiosk.signed_in()
    await kiosk.register(qr(1))
    seen = (await staff.get(f"{BASE}/tickets")).json()
    (line,) = seen["tickets"]
    assert (line["his_number"], line["kiosk_number"]) == ("1", None)
    assert "identity" not in line and "Trần" not in str(seen)
    assert (await staff.get(f"{BASE}/tickets", params={"room": "không có"})).json()["tickets"] == []
    command = ["tickets", "list", "--config", str(kiosk.config_path)]
    printed = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert json.loads(printed.stdout) == seen
    lines = await asyncio.to_thread(CliRunner().invoke, main, [*command, "--text", "--day", seen["day"]])
    assert lines.stdout.splitlines()[0] == seen["day"] and str(line["service"]) in lines.stdout
    assert (await kiosk.bare.get(f"{BASE}/tickets")).status_code == 401
