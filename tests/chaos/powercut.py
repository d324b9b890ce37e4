"""Replays a recording of ``powercut.c`` up to any point and takes the power away there.

What was synced stays. Of everything else each part may or may not have reached the disk: data of files, their length,
and the entries of the folder. The index of the write-ahead log (``-shm``) is memory and never survives.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_HEADER = struct.Struct("<cQQII")
_SECTOR = 512
_HERE = Path(__file__).parent
MODES = ("nothing", "prefix", "some", "torn")
"""What becomes of unsynced writes: all gone; the first kept; each kept or not; the same in pieces of 512 bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing asked of the disk (kinds of ``powercut.c``), or a mark (M)."""

    kind: str
    file: int
    at: int
    one: bytes
    two: bytes

    @property
    def path(self) -> str:
        """The first part as a path."""
        return self.one.decode()


def record(folder: Path, check_ins: int, synchronous: str) -> tuple[list[Step], Path]:
    """Run the workload below *folder*; returns its steps and the folder of its data."""
    library, log, data = folder / "powercut.so", folder / "log", folder / "data"
    compiler = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_HERE / "powercut.c"), "-ldl", "-pthread"]
    subprocess.run(compiler, check=True)
    data.mkdir(mode=0o700)
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "POWERCUT_FOLDER": str(data.resolve()),
        "POWERCUT_LOG": str(log),
    }
    command = [sys.executable, str(_HERE / "powercut_workload.py"), str(data.resolve()), str(check_ins), synchronous]
    subprocess.run(command, check=True, env=environment)
    return list(_steps(log.read_bytes())), data


def _steps(log: bytes) -> Iterator[Step]:
    at = 0
    while at < len(log):
        kind, file, offset, one, two = _HEADER.unpack_from(log, at)
        at += _HEADER.size
        yield Step(kind.decode(), file, offset, log[at : at + one], log[at + one : at + one + two])
        at += one + two


@dataclass(slots=True)
class Change:
    """Something the disk was asked for and has not confirmed: bytes or a length of a file, or a folder entry."""

    kind: str  # bytes length entry
    file: int
    at: int = 0
    content: bytes = b""
    path: str = ""
    gone: str = ""


@dataclass
class Disk:
    """The disk while a recording is played: what is safe, and what is under way."""

    contents: dict[int, bytearray] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    under_way: list[Change] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)  # inode -> file; inodes are used again
    _live: dict[str, int] = field(default_factory=dict)  # the folder as the process sees it

    def play(self, step: Step) -> None:
        """Take in the next step."""
        match step.kind:
            case "C":
                file = len(self.contents) + 1
                self._numbers[step.file] = file
                self.contents[file] = bytearray()
                self._enter(file, step.path)
            case "W":
                self.under_way.append(Change("bytes", self._numbers[step.file], step.at, step.two))
            case "T":
                self.under_way.append(Change("length", self._numbers[step.file], step.at))
            case "U":
                self.under_way.append(Change("entry", 0, gone=step.path))
                self._live.pop(step.path)
            case "R":
                file = self._live.pop(step.path)
                self._enter(file, step.two.decode(), gone=step.path)
            case "S":
                file = self._numbers[step.file]
                self._confirm(lambda change: change.kind != "entry" and change.file == file)
            case "D":
                self._confirm(lambda change: change.kind == "entry")

    def _enter(self, file: int, path: str, gone: str = "") -> None:
        self.under_way.append(Change("entry", file, path=path, gone=gone))
        self._live[path] = file

    def _confirm(self, which: Callable[[Change], bool]) -> None:
        for change in self.under_way:
            if which(change):
                _apply(change, self.contents, self.entries)
        self.under_way = [change for change in self.under_way if not which(change)]

    def cut(self, mode: str, chance: random.Random) -> dict[str, bytes]:
        """The files by path as they are found after the power comes back."""
        contents = {file: bytearray(content) for file, content in self.contents.items()}
        entries = dict(self.entries)
        for change in self._survivors(mode, chance):
            _apply(change, contents, entries)
        return {path: bytes(contents[file]) for path, file in entries.items() if not path.endswith("-shm")}

    def _survivors(self, mode: str, chance: random.Random) -> Iterator[Change]:
        match mode:
            case "nothing":
                return
            case "everything":
                yield from self.under_way
            case "prefix":
                yield from self.under_way[: chance.randint(0, len(self.under_way))]
            case _:
                for change in self.under_way:
                    if mode == "torn" and change.kind == "bytes":
                        yield from _pieces(change, chance)
                    elif chance.random() < 0.5:
                        yield change


def _pieces(change: Change, chance: random.Random) -> Iterator[Change]:
    start = change.at
    end = change.at + len(change.content)
    while start < end:
        stop = min(end, (start // _SECTOR + 1) * _SECTOR)
        if chance.random() < 0.5:
            yield Change("bytes", change.file, start, change.content[start - change.at : stop - change.at])
        start = stop


def _apply(change: Change, contents: dict[int, bytearray], entries: dict[str, int]) -> None:
    content = contents.get(change.file, bytearray())
    match change.kind:
        case "bytes":
            if len(content) < change.at:
                content.extend(bytes(change.at - len(content)))
            content[change.at : change.at + len(change.content)] = change.content
        case "length":
            del content[change.at :]
            content.extend(bytes(change.at - len(content)))
        case "entry":
            entries.pop(change.gone, None)
            if change.path:
                entries[change.path] = change.file


@dataclass(frozen=True, slots=True)
class Cut:
    """The power went after *step* steps; *files* is what is left, *told* the marks that were set before."""

    step: int
    mode: str
    files: dict[str, bytes]
    told: Sequence[str]


def cuts(steps: Sequence[Step], points: Sequence[int], chance: random.Random) -> Iterator[Cut]:
    """Cut at each of *points* (how many steps were done), in a mode by chance."""
    disk, told, done = Disk(), [], 0
    for point in sorted(points):
        for step in steps[done:point]:
            disk.play(step)
            if step.kind == "M":
                told.append(step.path)
        done = max(done, point)
        mode = chance.choice(MODES)
        yield Cut(point, mode, disk.cut(mode, chance), tuple(told))


def rebuild(cut: Cut, original: Path, folder: Path) -> None:
    """Write the files of *cut*, which lay in *original*, into the new folder *folder*."""
    folder.mkdir(mode=0o700)
    for path, content in cut.files.items():
        target = folder / Path(path).relative_to(original)
        target.write_bytes(content)
        target.chmod(0o600)


@dataclass
class Verdict:
    """What is wrong after cuts; *lost* counts cuts that lost anything told, *worst* the most that one of them lost."""

    cuts: int = 0
    lost: int = 0
    worst: int = 0
    corrupt: list[str] = field(default_factory=list)
    books_differ: list[str] = field(default_factory=list)
