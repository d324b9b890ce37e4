"""Tickets at a printer that works, has no paper, says nothing, or is not there."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from kiosk.printing import ticket_of
from kiosk.ticket_model import PrinterSettings, PrinterState, Ticket
from kiosk.ticket_picture import draw_ticket
from kiosk.tickets import ProcessPrinter
from simulators.printer import SimulatedPrinter
from tests.kiosk.world import World, qr, until

TICKET = Ticket("31", False, "23/11/2026 07:15", room="Phòng 101")


@pytest.fixture
def printer() -> Iterator[SimulatedPrinter]:
    with SimulatedPrinter() as simulated:
        yield simulated


def network(printer: SimulatedPrinter) -> dict[str, Any]:
    return {"adapter": "network", "address": printer.address, "languages": ["vi", "km"]}


async def test_what_comes_out_is_what_was_drawn_and_faults_are_named(printer: SimulatedPrinter) -> None:
    device = ProcessPrinter(PrinterSettings("network", printer.address))
    try:
        assert await device.print(TICKET) is PrinterState.READY
        (paper,) = printer.tickets
        assert (paper.size, paper.tobytes()) == (draw_ticket(TICKET, 80).size, draw_ticket(TICKET, 80).tobytes())
        for fault, state in (
            ("paper_low", PrinterState.PAPER_LOW),
            ("paper_out", PrinterState.PAPER_OUT),
            ("cover_open", PrinterState.COVER_OPEN),
            ("broken", PrinterState.FAULT),
            ("silent", PrinterState.SILENT),
        ):
            printer.become(fault)
            assert await device.state() is state
            assert await device.print(TICKET) is state
        assert len(printer.tickets) == 2  # with little paper it still printed
        printer.close()
        assert await device.state() is PrinterState.GONE
    finally:
        await device.close()


async def test_a_hung_printer_is_given_up_in_time_and_the_next_job_works(printer: SimulatedPrinter) -> None:
    device = ProcessPrinter(PrinterSettings("network", printer.address), state_seconds=0.2)
    try:
        printer.become("silent")
        began = time.monotonic()
        assert await device.state() is PrinterState.SILENT
        assert time.monotonic() - began < 1
        printer.become("none")
        assert await device.print(TICKET) is PrinterState.READY
    finally:
        await device.close()


async def test_a_device_without_answers_gets_the_bytes_and_nobody_promises(tmp_path) -> None:
    line = tmp_path / "lp0"
    line.touch()
    device = ProcessPrinter(PrinterSettings("file", str(line), 58, asks=False))
    try:
        assert await device.print(TICKET) is PrinterState.UNKNOWN
    finally:
        await device.close()
    assert b"\x1dv0" in line.read_bytes()


async def printed(world: World) -> dict[str, Any]:
    async def known() -> dict[str, Any] | None:
        return world.screen if world.screen.get("printed") is not None else None

    return dict(await until(known, "the end of the print"))


async def test_a_registered_person_holds_a_ticket_and_the_same_one_again(start, printer) -> None:
    async with start(printer=network(printer)) as world:
        checkin = await world.register(1)
        assert (await printed(world))["receipt_qr"] is None
        await world.leave()
        await world.station.scan(qr(1))
        assert (await world.view("done"))["again"]
        await printed(world)
        first, again = printer.tickets
        assert first.tobytes() == again.tobytes()
        expected = draw_ticket(ticket_of(await world.get(checkin.checkin_id)), 80, ("vi", "km"))
        assert first.tobytes() == expected.tobytes()


async def test_without_paper_the_number_stays_with_a_code_to_photograph(start, printer) -> None:
    printer.become("paper_out")
    async with start(printer=network(printer)) as world:
        await world.register(1)
        screen = await printed(world)
        assert (screen["view"], screen["printed"]) == ("done", False)
        assert screen["ticket"]["number"]
        assert screen["receipt_qr"]["size"] >= 21 and screen["receipt_qr"]["path"].startswith("M0 0h1v1h-1z")
        assert world.parts.health.printer.view() == {"ok": False, "reason": "paper_out"}
        assert b'kiosk_tickets_total{outcome="paper_out"} 1.0' in world.parts.metrics.render()
        printer.become("none")
        await world.leave()
        await world.station.scan(qr(1))
        assert (await printed(world))["printed"] is True and len(printer.tickets) == 1


async def test_the_number_is_shown_before_a_silent_printer_is_given_up(start, printer) -> None:
    printer.become("silent")
    async with start(printer=network(printer)) as world:
        began = time.monotonic()
        await world.register(1)
        assert world.screen["view"] == "done" and time.monotonic() - began < 2
        assert (await printed(world))["printed"] is False


async def test_a_card_laid_down_all_day_does_not_empty_the_roll(start, printer) -> None:
    async with start(printer=network(printer)) as world:
        await world.register(1)
        checkin = await world.newest()
        printing = world.parts.printing
        assert printing is not None
        await printed(world)
        more = [await printing.by_itself(checkin) for _ in range(4)]
        assert more == [True, True, None, None]
        assert len(printer.tickets) == 3


async def test_nothing_on_paper_or_in_the_spool_names_a_person(start, printer) -> None:
    async with start(printer=network(printer)) as world:
        checkin = await world.register(1)
        said = str(ticket_of(await world.get(checkin.checkin_id)))
        for secret in (checkin.identity.full_name, checkin.identity.personal_id, checkin.identity.address):
            assert secret and secret.casefold() not in said.casefold()
        await printed(world)


async def test_the_hospitals_number_and_our_own_before_it_stand_on_the_same_ticket(start, hospital, printer) -> None:
    async with start(printer=network(printer), policy={"number_wait": 0.3}) as world:
        await world.checkins.menu()
        hospital.down()
        checkin = await world.register(1)
        assert ticket_of(checkin).own and ticket_of(checkin).number == "K-001"
        hospital.up()
        world.parts.outbox.wake("hospital")
        done = await world.becomes(checkin.checkin_id, hospital_state="accepted")
        ticket = ticket_of(done)
        assert (ticket.own, ticket.before, ticket.number) == (False, "K-001", done.his_number)
        await asyncio.sleep(0)
        assert await world.store.read(lambda c: c.execute(sa.text("SELECT last FROM ticket_series")).scalar_one()) == 1
