"""The cameras that are plugged in; OpenCV is not needed for that. Source: components.md 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiosk.readers.machine import NO_STABLE_PATH, Machine, Problem, not_allowed, text, told
from kiosk.readers.who_holds import busy, holders


def cameras(machine: Machine) -> list[dict[str, Any]]:
    """Each camera with its stable path (or None), its name, who has it open, and what is wrong with it (or None)."""
    stable = machine.links("v4l/by-id")
    nodes = sorted(machine.dev.glob("video[0-9]*"), key=lambda node: (len(node.name), node.name))
    return [_described(machine, node, stable.get(node.resolve())) for node in nodes if _gives_pictures(machine, node)]


def _gives_pictures(machine: Machine, node: Path) -> bool:
    # A camera's second file carries only data about its pictures.
    return text(machine.sys / "class/video4linux" / node.name / "index") in ("", "0")


def _described(machine: Machine, node: Path, stable: str | None) -> dict[str, Any]:
    found = holders(machine, node)
    return {
        "device": str(node),
        "configure_as": stable,
        "name": text(machine.sys / "class/video4linux" / node.name / "name") or None,
        "held_by": [holder.name for holder in found],
        **told(_problem(machine, node, stable, busy(found))),
    }


def _problem(machine: Machine, node: Path, stable: str | None, in_use: Problem | None) -> Problem | None:
    if not machine.may_use(node):
        return not_allowed("video")
    if in_use:
        return in_use
    return NO_STABLE_PATH if stable is None else None
