"""The devices that the configuration names, held against what is plugged in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kiosk.config import Config
from kiosk.readers.machine import Machine, Problem, not_allowed, told
from kiosk.readers.pcsc import AUTO


def configured(config: Config, found: dict[str, Any], machine: Machine) -> list[dict[str, str | None]]:
    """Each device setting of *config* that names one, and what is wrong with it.

    *found* as `kiosk.readers.attached.attached` gives it.
    """
    serial, card = _names(found["serial"]), config.card
    otherwise = [f"{entry['name'] or entry['usb']} ({entry['code']})" for entry in _in_other_modes(found)]
    typing = [entry for entry in found["keyboards"] if entry["scanner"]] or found["keyboards"]
    checks = [
        ("scanner.port", config.scanner.port, "scanner", "dialout", serial + otherwise),
        ("camera.device", config.camera.device, "camera", "video", _names(found["cameras"])),
        ("keyboard.device", config.keyboard.device, "keyboard scanner", "input", _names(typing)),
    ]
    if card.adapter == "pn532":
        checks.append(("card.reader", card.reader, "card reader", "dialout", serial))
    told_of = [
        {"setting": setting, "value": value, **told(_path_problem(machine, Path(value), what, group, instead))}
        for setting, value, what, group, instead in checks
        if value.startswith("/")
    ]
    if card.adapter == "pcsc":
        problem = _reader_problem(card.reader, [str(entry["name"]) for entry in found["pcsc"]["readers"]])
        told_of.append({"setting": "card.reader", "value": card.reader, **told(problem)})
    return told_of


def _path_problem(machine: Machine, path: Path, what: str, group: str, instead: list[str]) -> Problem | None:
    if not path.exists():
        return _missing(f"{what} {path}", instead)
    return None if machine.may_use(path) else not_allowed(group)


def _reader_problem(wanted: str, there: list[str]) -> Problem | None:
    if wanted == AUTO or wanted in there:
        return None
    return _missing(f"card reader {wanted}", there)


def _missing(what: str, instead: Iterable[str]) -> Problem:
    there = ", ".join(instead) or "nothing of this kind"
    return Problem("MISSING", f"the configured {what} is not there; plugged in instead: {there}")


def _in_other_modes(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Scanners that are plugged in, but give no serial port."""
    typing = [entry for entry in found["keyboards"] if entry["scanner"]]
    return [*typing, *found["hid_pos"], *found["usb"]]


def _names(entries: list[dict[str, Any]]) -> list[str]:
    return [str(entry["configure_as"] or entry["device"]) for entry in entries]
