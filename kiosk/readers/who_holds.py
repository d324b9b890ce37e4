"""Which process has a device: pyserial's lock and open files as the kernel lists them, and a test that opens.

Source: identity-documents.md 8.2 (exclusive lock). pyserial locks a port with flock; TIOCEXCL makes the kernel itself
refuse a second opener.
"""

from __future__ import annotations

import errno
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from kiosk.readers.machine import Machine, Problem, text

_THIEVES = {
    "brltty": "brltty takes serial bridges for Braille displays: remove it (apt remove brltty)",
    "ModemManager": "ModemManager takes serial devices for modems: stop it (systemctl disable --now ModemManager)",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """A process by id and ``name``; ``is_kiosk``: it is the kiosk's own daemon."""

    pid: int
    name: str
    is_kiosk: bool


def holders(machine: Machine, device: Path) -> tuple[Holder, ...]:
    """The processes that have *device* locked or open, as far as this user may see; without opening it."""
    pids = _locking(machine, device) | _opening(machine, device)
    return tuple(_holder(machine, pid) for pid in sorted(pids - {os.getpid()}))


def busy(found: tuple[Holder, ...]) -> Problem | None:
    """The problem that *found* mean; None if nobody or only the kiosk itself has the device."""
    others = [holder for holder in found if not holder.is_kiosk]
    if not others:
        return None
    known = next((_THIEVES[holder.name] for holder in others if holder.name in _THIEVES), None)
    who = ", ".join(f"{holder.name} (process {holder.pid})" for holder in others)
    return Problem("BUSY", f"in use by {who}" + (f": {known}" if known else ": close that program"))


def probe(device: Path) -> Problem | None:
    """Try whether *device* can be had alone now. It is opened, which may reset it; nothing is sent."""
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.EAGAIN):
            return Problem("BUSY", "another program has it for itself")
        return Problem("CANNOT_OPEN", f"cannot be opened: {error.strerror}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return Problem("BUSY", "another program has locked it")
    finally:
        os.close(descriptor)
    return None


def _locking(machine: Machine, device: Path) -> set[int]:
    try:
        state = device.stat()
    except OSError:
        return set()
    place = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
    lines = (line.split() for line in text(machine.proc / "locks").splitlines())
    found = {int(line[4]) for line in lines if len(line) > 5 and line[5] == place and line[4].isdigit()}
    return found - {0}  # a process of another container has no number here


def _opening(machine: Machine, device: Path) -> set[int]:
    wanted = str(device.resolve())
    found = set()
    for process in machine.processes():
        try:
            if any(os.readlink(descriptor) == wanted for descriptor in (process / "fd").iterdir()):  # noqa: PTH115
                found.add(int(process.name))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return found


def _holder(machine: Machine, pid: int) -> Holder:
    folder = machine.proc / str(pid)
    words = text(folder / "cmdline").split("\0")
    is_kiosk = "run" in words and any(Path(word).name in ("kioskctl", "kiosk") for word in words[:3])
    return Holder(pid, "kiosk" if is_kiosk else text(folder / "comm") or "unknown", is_kiosk)
