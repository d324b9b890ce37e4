"""What is plugged in: for the person who sets the kiosk up. Source: identity-documents.md 8.2."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from serial.tools import list_ports

_BRIDGES = {"1A86", "10C4", "0403", "067B"}
"""Makers of plain serial bridges: what hangs behind one cannot be told, so its stable path must be configured."""


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
