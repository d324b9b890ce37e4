"""The process that draws tickets and speaks to the printer; a hung USB write or line can only be killed with it.

Standard input: one JSON object a line, first the settings, then jobs: ``{"ticket": {...}}`` prints, ``{}`` asks for the
state. Standard output: one JSON object for each job, ``{"state": ..., "printed": true|false|null}``; null where the
printer is not asked. Nothing is written to a disk. Source: components.md 8 and the DLE EOT command of ESC/POS.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

from escpos.exceptions import Error
from escpos.printer import File, Network, Serial, Usb

from kiosk.ticket_model import FurtherNumber, PrinterSettings, PrinterState, Ticket
from kiosk.ticket_picture import draw_ticket

_DEADLINE: Final = 2.0
_OFFLINE: Final = b"\x10\x04\x01"
_CAUSE: Final = b"\x10\x04\x02"
_PAPER: Final = b"\x10\x04\x04"
_FIXED, _FIXED_IS = 0x93, 0x12  # bits that are the same in every answer to DLE EOT


class _SaysNothing(Exception):
    """No usable answer in time."""


def _open(settings: PrinterSettings) -> Any:
    match settings.adapter:
        case "usb":
            vendor, _, product = settings.address.partition(":")
            return Usb(int(vendor, 16), int(product, 16), timeout=int(_DEADLINE * 1000))
        case "serial":
            return Serial(settings.address, baudrate=settings.baud, timeout=_DEADLINE / 2, dsrdtr=False)
        case "network":
            host, _, port = settings.address.rpartition(":")
            return Network(host.strip("[]"), port=int(port), timeout=_DEADLINE)
        case _:
            return File(settings.address)


def _ask(printer: Any, question: bytes) -> int:
    try:
        answer = bytes(printer.query_status(question))
    except TimeoutError as error:
        raise _SaysNothing from error
    # what an earlier question still brought comes before
    if not answer or answer[-1] & _FIXED != _FIXED_IS:
        raise _SaysNothing
    return answer[-1]


def _state(printer: Any) -> PrinterState:
    paper = _ask(printer, _PAPER)
    if paper & 0x60:
        return PrinterState.PAPER_OUT
    if _ask(printer, _OFFLINE) & 0x08:
        cause = _ask(printer, _CAUSE)
        if cause & 0x04:
            return PrinterState.COVER_OPEN
        return PrinterState.PAPER_OUT if cause & 0x20 else PrinterState.FAULT
    return PrinterState.PAPER_LOW if paper & 0x0C else PrinterState.READY


def _work(settings: PrinterSettings, ticket: Ticket | None) -> PrinterState:
    """Print *ticket* unless the printer says that it cannot; the state is asked for before and after."""
    printer = _open(settings)
    try:
        printer.open()
        state = _state(printer) if settings.asks else PrinterState.UNKNOWN
        if ticket is None or state.prints is False:
            return state
        printer.image(draw_ticket(ticket, settings.width, settings.languages))
        printer.cut()
        return _state(printer) if settings.asks else state
    except _SaysNothing:
        return PrinterState.SILENT
    except (OSError, Error, ValueError):
        return PrinterState.GONE
    finally:
        printer.close()


def _ticket(values: dict[str, Any]) -> Ticket:
    return Ticket(**values | {"others": tuple(FurtherNumber(**each) for each in values["others"])})


def main() -> None:
    """Serve jobs until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not stand between answers
    values = json.loads(sys.stdin.readline())
    settings = PrinterSettings(**values | {"languages": tuple(values["languages"])})
    for line in sys.stdin:
        job = json.loads(line)
        ticket = _ticket(job["ticket"]) if "ticket" in job else None
        state = _work(settings, ticket)
        answers.write(json.dumps({"state": state, "printed": None if ticket is None else state.prints}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
