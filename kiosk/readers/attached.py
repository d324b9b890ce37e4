"""What is plugged in: for the person who sets the kiosk up. Source: identity-documents.md 8.1, 8.2."""

from __future__ import annotations

import os
import queue
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from kiosk.errors import ReaderUnavailable
from kiosk.readers.pcsc import is_sam
from kiosk.readers.pcsc_pipe import Readers, Slot
from kiosk.readers.pcsc_process import PcscProcess

_BRIDGES = {"1A86", "10C4", "0403", "067B"}
"""Makers of plain serial bridges: what hangs behind one cannot be told, so its stable path must be configured."""
_CODES = {
    0x8010001D: "pcscd is not running: systemctl enable --now pcscd.socket",
    0x8010001E: "pcscd has just ended: systemctl enable --now pcscd.socket",
    0x8010006A: "pcscd refuses this user: allow org.debian.pcsc-lite.access_pcsc in a polkit rule",
}
_IN_THE_WAY = ("pn533_usb", "pn533")
_CHILD_ANSWERS_S = 5.0


def pcsc_readers(modules: Path = Path("/sys/module")) -> dict[str, Any]:
    """All PC/SC readers, and what is wrong with them or with PC/SC as a whole (``problem``, or None).

    *modules* is the folder that has an entry for each kernel module.
    """
    heard: queue.SimpleQueue[Readers | None] = queue.SimpleQueue()
    try:
        process = PcscProcess(heard.put, lambda: heard.put(None))
    except ReaderUnavailable as error:
        return {"problem": str(error), "readers": []}
    try:
        readers = heard.get(timeout=_CHILD_ANSWERS_S)
    except queue.Empty:
        readers = None
    finally:
        process.stop()
    if readers is None:
        return {"problem": "PC/SC does not answer", "readers": []}
    return {"problem": _pcsc_problem(readers, modules), "readers": [_slot(slot) for slot in readers.slots]}


def serial_ports(by_id: Path = Path("/dev/serial/by-id")) -> list[dict[str, Any]]:
    """Each serial port with its stable path (or None), USB ids, maker's words, and what is wrong with it (or None)."""
    stable = {link.resolve(): str(link) for link in sorted(by_id.glob("*"))} if by_id.is_dir() else {}
    return [_described(port, stable.get(Path(port.device).resolve())) for port in sorted(list_ports.comports())]


def _described(port: Any, stable: str | None) -> dict[str, Any]:
    maker = f"{port.vid:04X}" if port.vid is not None else None
    return {
        "device": port.device,
        "configure_as": stable,
        "usb": f"{maker}:{port.pid:04X}" if maker else None,
        "description": port.description,
        "problem": _problem(port.device, stable, maker),
    }


def _problem(device: str, stable: str | None, maker: str | None) -> str | None:
    if not Path(device).exists():
        return "gone"
    if not os.access(device, os.R_OK | os.W_OK):  # asked, not opened: opening may reset the device
        return "not allowed: add the user to the group dialout"
    if stable is None:
        return "no stable path: the name may change after a restart"
    if maker in _BRIDGES:
        return "a plain serial bridge: make sure that the scanner is what hangs behind it"
    return None


def _slot(slot: Slot) -> dict[str, Any]:
    problem = None
    if is_sam(slot.name):
        problem = "a slot for security modules: skipped"
    elif slot.present and not slot.atr:
        problem = "the card in it does not answer: lay it down anew"
    return {"name": slot.name, "configure_as": None if is_sam(slot.name) else slot.name, "problem": problem}


def _pcsc_problem(readers: Readers, modules: Path) -> str | None:
    if readers.code:
        return _CODES.get(readers.code, f"PC/SC code {readers.code:08X}")
    if readers.slots:
        return None
    if any((modules / name).exists() for name in _IN_THE_WAY):
        return "the kernel's own driver holds the reader: blacklist pn533_usb, pn533 and nfc, then plug it in again"
    return "no reader"
