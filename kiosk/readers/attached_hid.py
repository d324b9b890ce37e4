"""Devices that type, and scanners in HID-POS mode. Source: identity-documents.md 1.5 and 8.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiosk.readers.machine import Machine, Problem, not_allowed, text, told
from kiosk.readers.usb_ids import SCANNER_MAKERS
from kiosk.readers.who_holds import holders

_KEYBOARD_MODE = Problem(
    "KEYBOARD_MODE",
    "this scanner types like a keyboard and drops Vietnamese accents: switch it to USB serial (CDC, virtual COM) with "
    "the setting code in its manual, then plug it in again",
)
_HID_POS_MODE = Problem(
    "HID_POS_MODE",
    "this scanner is in HID-POS mode, which the kiosk does not read: switch it to USB serial (CDC, virtual COM) with "
    "the setting code in its manual, then plug it in again",
)
_HID_POS_DESCRIPTOR = bytes.fromhex("058c")  # usage page "bar code scanner"


def keyboards(machine: Machine) -> list[dict[str, Any]]:
    """Each device that types, by stable path: USB ids, name, whose scanner it is (or None), and what is wrong."""
    stable = machine.links("input/by-id", "*-event-kbd")
    return [_keyboard(machine, node, link) for node, link in stable.items()]


def hid_pos(machine: Machine) -> list[dict[str, Any]]:
    """Each scanner in HID-POS mode."""
    found = []
    for raw in sorted((machine.sys / "class/hidraw").glob("hidraw*")):
        if _descriptor(raw).startswith(_HID_POS_DESCRIPTOR):
            facts = dict(line.partition("=")[::2] for line in text(raw / "device/uevent").splitlines())
            _, maker, product = (facts.get("HID_ID", "") + "::").split(":")[:3]
            found.append(
                {
                    "device": str(machine.dev / raw.name),
                    "configure_as": None,
                    "usb": f"{maker[-4:]}:{product[-4:]}".upper() if maker else None,
                    "name": facts.get("HID_NAME"),
                    **told(_HID_POS_MODE),
                }
            )
    return found


def _keyboard(machine: Machine, node: Path, link: str) -> dict[str, Any]:
    known = machine.sys / "class/input" / node.name / "device"
    maker, product = text(known / "id/vendor").upper(), text(known / "id/product").upper()
    found = holders(machine, node)
    scanner = SCANNER_MAKERS.get(maker)
    # The desktop has every keyboard open; only a grab would be a conflict, and it does not show.
    problem = _KEYBOARD_MODE if scanner else None if machine.may_use(node) else not_allowed("input")
    return {
        "device": str(node),
        "configure_as": link,
        "usb": f"{maker}:{product}" if maker else None,
        "name": text(known / "name") or None,
        "scanner": scanner,
        "held_by": [holder.name for holder in found],
        **told(problem),
    }


def _descriptor(raw: Path) -> bytes:
    try:
        return (raw / "device/report_descriptor").read_bytes()
    except OSError:
        return b""
