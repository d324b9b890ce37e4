"""Known devices that no driver serves, and programs that take devices away. Source: identity-documents.md 8.1, 8.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiosk.readers.machine import Machine, Problem, text, told
from kiosk.readers.usb_ids import BRIDGES, SCANNER_MAKERS, SNAPI

_BRLTTY = Problem(
    "DRIVER_CONFLICT",
    "brltty, a program for Braille displays, takes this serial bridge away: remove it (apt remove brltty), then plug "
    "the device in again",
)
_SNAPI = Problem(
    "MAKER_MODE",
    "this scanner is in its maker's own mode, which the kiosk does not read: switch it to USB serial (CDC) with the "
    "setting code in its manual, then plug it in again",
)
_MODEM_MANAGER = Problem(
    "DRIVER_CONFLICT",
    "ModemManager runs: it talks to a serial scanner for half a minute after it is plugged in; this machine needs no "
    "modem, so stop it (systemctl disable --now ModemManager)",
)
_COMMUNICATION = "02"


def unserved(machine: Machine) -> list[dict[str, Any]]:
    """Each scanner or serial bridge on USB that cannot be used as it is, and why."""
    found = []
    for device in sorted((machine.sys / "bus/usb/devices").glob("*")):
        maker, product = text(device / "idVendor").upper(), text(device / "idProduct").upper()
        if problem := _problem(machine, device, maker, product):
            name = text(device / "product") or SCANNER_MAKERS.get(maker)
            found.append({"usb": f"{maker}:{product}", "name": name, **told(problem)})
    return found


def meddlers(machine: Machine) -> list[dict[str, str | None]]:
    """Programs that run on this machine and disturb scanners."""
    serial = any(machine.dev.glob("ttyACM*"))
    return [told(_MODEM_MANAGER)] if serial and machine.runs("ModemManager") else []


def _problem(machine: Machine, device: Path, maker: str, product: str) -> Problem | None:
    if (maker, product) in SNAPI:
        return _SNAPI
    parts = [part for part in device.glob("*:*") if (part / "bInterfaceClass").exists()]
    drivers = {_driver(part) for part in parts}
    if driver := BRIDGES.get(maker):
        if not parts or driver in drivers or "cdc_acm" in drivers:
            return None
        return _BRLTTY if machine.runs("brltty") else _missing(driver)
    if maker not in SCANNER_MAKERS:
        return None
    lines = [part for part in parts if text(part / "bInterfaceClass") == _COMMUNICATION]
    return _missing("cdc_acm") if lines and not any(_driver(part) == "cdc_acm" for part in lines) else None


def _missing(driver: str) -> Problem:
    return Problem("DRIVER_MISSING", f"the kernel's driver {driver} does not serve it: modprobe {driver}")


def _driver(part: Path) -> str | None:
    link = part / "driver"
    return link.resolve().name if link.exists() else None
