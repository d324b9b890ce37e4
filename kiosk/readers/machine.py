"""This machine as the search for devices sees it: its device files, what the kernel tells, what runs.

Nothing here opens a device: opening may reset it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


def _may_use(device: Path) -> bool:
    return os.access(device, os.R_OK | os.W_OK)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look; ``may_use`` tells whether this user may read and write a device file."""

    dev: Path = Path("/dev")
    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    may_use: Callable[[Path], bool] = field(default=_may_use)

    def links(self, folder: str, pattern: str = "*") -> dict[Path, str]:
        """The stable links in *folder* of the device files: what each means -> the link's own path."""
        return {link.resolve(): str(link) for link in sorted((self.dev / folder).glob(pattern))}

    def runs(self, name: str) -> bool:
        """Whether a process called *name* runs."""
        return any(text(process / "comm") == name for process in self.processes())

    def processes(self) -> Iterator[Path]:
        """The folder of each process."""
        return (folder for folder in self.proc.glob("[0-9]*") if folder.name.isdigit())

    def module_loaded(self, name: str) -> bool:
        """Whether the kernel module *name* is loaded."""
        return (self.sys / "module" / name).exists()


def text(file: Path) -> str:
    """The text of a small file of the kernel, without surrounding white space; "" if it cannot be read."""
    try:
        return file.read_bytes().decode("utf-8", "replace").strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a device: a stable upper-case ``code`` and plain ``words``."""

    code: str
    words: str


def told(problem: Problem | None) -> dict[str, str | None]:
    """*problem* as two keys of a JSON object; both null if there is none."""
    return {"code": problem.code if problem else None, "problem": problem.words if problem else None}


def not_allowed(group: str) -> Problem:
    """This user may not use the device; members of *group* may."""
    return Problem("NOT_ALLOWED", f"not allowed: add the user to the group {group}, then log in again")


NO_STABLE_PATH = Problem("NO_STABLE_PATH", "no stable path: the name may change after a restart")
GONE = Problem("GONE", "gone")
