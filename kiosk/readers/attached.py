"""What is plugged in: for the person who sets the kiosk up. Source: identity-documents.md 8.1, 8.2."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from kiosk.errors import ReaderUnavailable
from kiosk.readers import who_holds
from kiosk.readers.attached_cameras import cameras
from kiosk.readers.attached_hid import hid_pos, keyboards
from kiosk.readers.drivers import meddlers, unserved
from kiosk.readers.machine import GONE, NO_STABLE_PATH, Machine, Problem, not_allowed, told
from kiosk.readers.pcsc import is_sam
from kiosk.readers.pcsc_pipe import Readers, Slot
from kiosk.readers.pcsc_process import PcscProcess
from kiosk.readers.usb_ids import BRIDGES
from kiosk.readers.who_holds import busy, holders

_DOWN = "systemctl enable --now pcscd.socket"
_CODES = {
    0x8010001D: Problem("PCSCD_DOWN", f"pcscd is not running: {_DOWN}"),
    0x8010001E: Problem("PCSCD_DOWN", f"pcscd has just ended: {_DOWN}"),
    0x8010006A: Problem(
        "NOT_ALLOWED", "pcscd refuses this user: allow org.debian.pcsc-lite.access_pcsc in a polkit rule"
    ),
}
_PN533 = Problem(
    "DRIVER_CONFLICT",
    "the kernel's own driver holds the reader: blacklist pn533_usb, pn533 and nfc, then plug it in again",
)
_IN_THE_WAY = ("pn533_usb", "pn533")
_NO_READER = Problem("NO_READER", "no reader")
_BRIDGE = Problem("BRIDGE", "a plain serial bridge: make sure that the scanner is what hangs behind it")
_CHILD_ANSWERS_S = 5.0


def attached(machine: Machine, *, probe: bool = False) -> dict[str, Any]:
    """Everything of *machine* that may read documents, and what is wrong with it: plain JSON values.

    *probe*: open each serial port to see whether it can be had; that may reset the device behind it.
    """
    return {
        "serial": serial_ports(machine, probe=probe),
        "pcsc": pcsc_readers(machine),
        "cameras": cameras(machine),
        "keyboards": keyboards(machine),
        "hid_pos": hid_pos(machine),
        "usb": unserved(machine),
        "system": meddlers(machine),
    }


def pcsc_readers(machine: Machine) -> dict[str, Any]:
    """All PC/SC readers, and what is wrong with them or with PC/SC as a whole (``problem``, or None)."""
    heard: queue.SimpleQueue[Readers | None] = queue.SimpleQueue()
    try:
        process = PcscProcess(heard.put, lambda: heard.put(None))
    except ReaderUnavailable as error:
        return told(Problem("NO_PCSC", str(error))) | {"readers": []}
    try:
        readers = heard.get(timeout=_CHILD_ANSWERS_S)
    except queue.Empty:
        readers = None
    finally:
        process.stop()
    if readers is None:
        return told(Problem("NO_ANSWER", "PC/SC does not answer")) | {"readers": []}
    return told(_pcsc_problem(readers, machine)) | {"readers": [_slot(slot) for slot in readers.slots]}


def serial_ports(machine: Machine, *, probe: bool = False) -> list[dict[str, Any]]:
    """Each serial port with its stable path (or None), USB ids, maker's words, who has it, and what is wrong."""
    stable = machine.links("serial/by-id")
    return [
        _described(machine, port, stable.get(Path(port.device).resolve()), probe=probe)
        for port in sorted(list_ports.comports())
    ]


def _described(machine: Machine, port: Any, stable: str | None, *, probe: bool = False) -> dict[str, Any]:
    maker = f"{port.vid:04X}" if port.vid is not None else None
    device = Path(port.device)
    found = holders(machine, device)
    problem = _problem(machine, device) or busy(found)
    if problem is None and probe and not found:
        problem = who_holds.probe(device)
    return {
        "device": port.device,
        "configure_as": stable,
        "usb": f"{maker}:{port.pid:04X}" if maker else None,
        "description": port.description,
        "held_by": [holder.name for holder in found],
        **told(problem or _doubt(stable, maker)),
    }


def _problem(machine: Machine, device: Path) -> Problem | None:
    if not device.exists():
        return GONE
    return None if machine.may_use(device) else not_allowed("dialout")


def _doubt(stable: str | None, maker: str | None) -> Problem | None:
    if stable is None:
        return NO_STABLE_PATH
    return _BRIDGE if maker in BRIDGES else None


def _slot(slot: Slot) -> dict[str, Any]:
    problem = None
    if is_sam(slot.name):
        problem = Problem("SAM_SLOT", "a slot for security modules: skipped")
    elif slot.present and not slot.atr:
        problem = Problem("MUTE_CARD", "the card in it does not answer: lay it down anew")
    return {"name": slot.name, "configure_as": None if is_sam(slot.name) else slot.name, **told(problem)}


def _pcsc_problem(readers: Readers, machine: Machine) -> Problem | None:
    if readers.code:
        other = Problem("PCSC_ERROR", f"PC/SC code {readers.code:08X}")
        return _CODES.get(readers.code, other)
    if readers.slots:
        return None
    return _PN533 if any(map(machine.module_loaded, _IN_THE_WAY)) else _NO_READER
