"""A machine made of files: device files, what the kernel tells of them, and processes."""

import os
from pathlib import Path

from kiosk.readers.machine import Machine


class FakeMachine:
    """Builds the folders that a `Machine` reads; ``forbidden`` holds device names this user may not use."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.forbidden: set[str] = set()
        for folder in ("dev", "sys", "proc"):
            (self.root / folder).mkdir(parents=True)
        self.machine = Machine(
            self.root / "dev", self.root / "sys", self.root / "proc", lambda path: path.name not in self.forbidden
        )

    def device(self, name: str, by_id: str | None = None) -> Path:
        """A device file, and its stable link."""
        path = self.root / "dev" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if by_id is not None:
            link = self.root / "dev" / by_id
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
        return path

    def tells(self, path: str, content: str | bytes = "") -> Path:
        """A file of the kernel under ``sys``."""
        file = self.root / "sys" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def process(self, pid: int, name: str, *, words: tuple[str, ...] = (), has_open: Path | None = None) -> None:
        """A running process."""
        folder = self.root / "proc" / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(name + "\n")
        (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
        if has_open is not None:
            (folder / "fd" / "3").symlink_to(has_open)

    def locked(self, device: Path, pid: int) -> None:
        """*pid* has *device* locked, as the kernel lists it."""
        state = device.stat()
        place = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
        (self.root / "proc" / "locks").write_text(f"1: FLOCK  ADVISORY  WRITE {pid} {place} 0 EOF\n")

    def usb(self, place: str, ids: str, *, product: str = "", parts: dict[str, str | None] | None = None) -> None:
        """A USB device; *parts*: interface class -> its driver or None."""
        maker, _, number = ids.partition(":")
        base = f"bus/usb/devices/{place}"
        self.tells(f"{base}/idVendor", maker.lower())
        self.tells(f"{base}/idProduct", number.lower())
        self.tells(f"{base}/product", product)
        for index, (interface, driver) in enumerate((parts or {}).items()):
            self.tells(f"{base}/{place}:1.{index}/bInterfaceClass", interface)
            if driver is not None:
                target = self.root / "sys/bus/usb/drivers" / driver
                target.mkdir(parents=True, exist_ok=True)
                (self.root / "sys" / base / f"{place}:1.{index}" / "driver").symlink_to(target)
