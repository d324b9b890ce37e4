"""Kiosk, province and simulators as processes on this machine: what the demo shows and the scenario tests run.

Every part is the real program: the daemon, the hub, the simulated gateway and hospital on HTTP, the scanner on a
pseudo-terminal. Ports count from a base as in interfaces section 1: kiosk +0, province +10, taps +17, HIS +18,
gateway +19.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Literal, Self

import httpx

from simulators.camera import SimulatedCamera
from simulators.chip import make_card
from simulators.chip_person import card_person
from simulators.chip_pki import TestPki
from simulators.pn532 import SimulatedPn532
from simulators.printer import SimulatedPrinter
from simulators.scanner import SimulatedScanner
from simulators.vss_people import people_of

FACILITY: Final = "93002"
STATION: Final = "kiosk-1"
_VIETNAM: Final = timezone(timedelta(hours=7))
_START_SECONDS: Final = 30.0
_ENROL_CODE: Final = "DEMO-" + secrets.token_hex(4)


def free_base() -> int:
    """A port base whose twenty ports are free now, chosen at random because other runs choose at the same time.

    Below the range from which the system takes ports for outgoing connections. RuntimeError if there is none.
    """
    for base in random.sample(range(12_000, 32_000, 20), 200):
        with contextlib.ExitStack() as held:
            try:
                for port in range(base, base + 20):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise RuntimeError("no twenty ports in a row are free")


class DidNotStart(RuntimeError):
    """A process ended or stayed silent; the message names it and its log."""


@dataclass
class Stack:
    """All processes under one folder. Use as a context manager, or ``start`` and ``stop``.

    *config*: tables laid over the demo's configuration, lists of tables in their place, and so is the hospital's table
    where it names another adapter; *gateway_env*, *his_env*: settings of the simulators.
    *with_card*: a simulated PN532 reader beside the scanner, and people are asked for their chips. *with_camera*: a
    simulated camera beside them. *with_printer*: a ticket printer, which keeps its tickets in the folder ``tickets``.
    *with_history*: a new province begins with a simulated year that ended yesterday.
    """

    data: Path
    port_base: int
    config: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    gateway_env: Mapping[str, str] = field(default_factory=dict)
    his_env: Mapping[str, str] = field(default_factory=dict)
    facility: str = FACILITY
    with_province: bool = True
    with_history: bool = False
    with_card: bool = False
    with_camera: bool = False
    with_printer: bool = False
    kiosk_env: Mapping[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    scanner: SimulatedScanner | None = None
    card_reader: SimulatedPn532 | None = None
    camera: SimulatedCamera | None = None
    printer: SimulatedPrinter | None = None

    def url(self, part: str) -> str:
        """Base address of ``kiosk``, ``province``, ``taps``, ``his`` or ``gateway``."""
        offset = {"kiosk": 0, "province": 10, "taps": 17, "his": 18, "gateway": 19}[part]
        return f"http://127.0.0.1:{self.port_base + offset}"

    @property
    def config_path(self) -> Path:
        """The kiosk's configuration file."""
        return self.data / "kiosk.toml"

    @property
    def token(self) -> str:
        """The token with which tools on this machine may speak for the kiosk's screen."""
        return (self.data / "kiosk" / "screen-token").read_text("ascii").strip()

    def start(self) -> None:
        """Start all parts and join the province; DidNotStart if one of them does not come up."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.data / "dev").mkdir(exist_ok=True)
        if self.with_printer:
            self.printer = SimulatedPrinter(self.data / "tickets")
        self._write_config()
        self.scanner = SimulatedScanner(self.data / "dev" / "scanner", suffix=b"")
        if self.with_card:
            self.card_reader = SimulatedPn532(self.data / "dev" / "nfc")
            self.pki.write_anchors(self.data / "anchors", "pem")
        if self.with_camera:
            self.camera = SimulatedCamera(self.data / "dev" / "camera")
        base = dict(os.environ) | {"SIM_FACILITY": self.facility}
        simulator = [sys.executable, "-m", "simulators"]
        self._run("gateway", [*simulator, "gateway", "--port", str(self.port_base + 19)], base | dict(self.gateway_env))
        self._run("his", [*simulator, "his-c06", "--port", str(self.port_base + 18)], base | self._his_env())
        if self.with_province:
            self._start_province()
        for part in ("gateway", "his"):
            self.wait_for(part, "/_sim/health")
        self.start_kiosk()
        if self.with_province:
            self.wait_for("province", "/readyz")
            self._enrol()

    def _simulate_history(self) -> None:
        if (self.data / "province" / "province.db").exists():
            return
        last = datetime.now(_VIETNAM).date() - timedelta(days=1)
        command = [sys.executable, "-m", "province", "--data", str(self.data / "province"), "simulate", "--sums-only"]
        command += ["--from", str(last - timedelta(days=365)), "--to", str(last)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise DidNotStart(f"the province has no history: {done.stderr}")

    def _start_province(self) -> None:
        if self.with_history:
            self._simulate_history()
        enrolment = f"{self.facility}:{STATION}:{_ENROL_CODE}"
        command = [sys.executable, "-m", "province", "--data", str(self.data / "province"), "run", "--demo"]
        command += ["--port", str(self.port_base + 10), "--demo-enrol", enrolment]
        self._run("province", command, dict(os.environ))

    def start_kiosk(self) -> None:
        """Start the daemon and wait until it serves."""
        command = [sys.executable, "-m", "kiosk", "run", "--config", str(self.config_path)]
        self._run("kiosk", command, dict(os.environ) | dict(self.kiosk_env))
        self.wait_for("kiosk", "/healthz")

    def kill_kiosk(self) -> None:
        """Kill -9 the daemon."""
        self.processes["kiosk"].kill()
        self.processes.pop("kiosk").wait()

    def stop_part(self, part: str) -> None:
        """End one process gently."""
        process = self.processes.pop(part)
        process.terminate()
        try:
            process.wait(35)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _his_env(self) -> dict[str, str]:
        now = datetime.now(_VIETNAM)
        seconds = (now - now.replace(hour=0, minute=0, second=0)).seconds + 1
        return {"SIM_FIRST_VISIT": str(seconds)} | dict(self.his_env)

    def start_simulator(self, part: str) -> None:
        """Start ``gateway`` or ``his`` again after ``stop_part``."""
        name, env = {"gateway": ("gateway", self.gateway_env), "his": ("his-c06", self._his_env())}[part]
        port = self.port_base + {"gateway": 19, "his": 18}[part]
        command = [sys.executable, "-m", "simulators", name, "--port", str(port)]
        self._run(part, command, dict(os.environ) | {"SIM_FACILITY": self.facility} | dict(env))
        self.wait_for(part, "/_sim/health")

    def stop(self) -> None:
        """End everything, the daemon first: it may still be delivering."""
        for part in ("kiosk", "province", "his", "gateway"):
            if part in self.processes:
                self.stop_part(part)
        if self.scanner is not None:
            self.scanner.unplug()
        if self.card_reader is not None:
            self.card_reader.unplug()
        if self.camera is not None:
            self.camera.unplug()
        if self.printer is not None:
            self.printer.close()
            self.printer = None

    @cached_property
    def pki(self) -> TestPki:
        """The authority that issued all cards of this run, and whose certificate the kiosk trusts."""
        return TestPki(datetime.now(UTC))

    def lay(self, number: int, mode: str = "genuine") -> None:
        """Lay the citizen card of one of the people on the reader; *mode*: of ``chip.MODES``, such as a forgery.

        ValueError for a person without a card or an unknown mode, ConnectionError without a reader.
        """
        if self.card_reader is None:
            raise ConnectionError("there is no card reader")
        person = next((one for one in people_of(self.facility) if one.number == number), None)
        if person is None:
            raise ValueError("nobody has that number")
        holder = card_person(person, datetime.now(_VIETNAM).date())
        self.card_reader.lay(make_card(holder, mode, self.pki))

    def take_away(self) -> None:
        """Take the card from the reader, if one lies there."""
        if self.card_reader is not None:
            self.card_reader.take_away()

    def tap(self, payload: bytes) -> None:
        """Show a code to the scanner: *payload* is written to the serial line as it is."""
        if self.scanner is None:
            raise ConnectionError("the scanner is unplugged")
        self.scanner.tap(payload)

    def hold(self, payload: bytes, on: Literal["card", "phone"] = "card", seconds: float = 3.0) -> None:
        """Hold a code before the camera, printed on a card or shown by a phone; ConnectionError without a camera."""
        if self.camera is None:
            raise ConnectionError("there is no camera")
        self.camera.hold(payload, on, seconds)

    def log(self, part: str) -> str:
        """What a process wrote to its standard error."""
        return (self.data / f"{part}.log").read_text("utf-8", "replace")

    def wait_for(self, part: str, path: str) -> None:
        """Wait until a part answers 200 at *path*; DidNotStart if it ends or stays silent."""

        def answers() -> bool:
            try:
                return httpx.get(self.url(part) + path, timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        self._wait(part, answers)

    def _wait(self, part: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            process = self.processes.get(part)
            if process is not None and process.poll() is not None:
                raise DidNotStart(f"{part} ended with {process.returncode}:\n{self.log(part)[-2000:]}")
            if time.monotonic() > deadline:
                raise DidNotStart(f"{part} does not answer:\n{self.log(part)[-2000:]}")
            time.sleep(0.05)

    def _run(self, part: str, command: list[str], env: Mapping[str, str]) -> None:
        with (self.data / f"{part}.log").open("ab") as stream:
            self.processes[part] = _spawn(command, env, stream)

    def _enrol(self) -> None:
        command = [sys.executable, "-m", "kiosk", "enrol", self.url("province"), _ENROL_CODE]
        done = subprocess.run(  # noqa: S603 - our own program
            [*command, "--config", str(self.config_path)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 and "409" not in done.stdout + done.stderr:
            raise DidNotStart(f"the kiosk could not join the province: {done.stderr}")

    def _write_config(self) -> None:
        for name, text in (
            ("vss-password", "sim-secret"),
            ("c06-secret", "sim-c06-secret"),
            ("officers", "NGUYỄN CÁN BỘ THỬ;099085000001"),
        ):
            (self.data / name).write_text(text + "\n", "utf-8")
            (self.data / name).chmod(0o600)
        tables: dict[str, dict[str, Any]] = {
            "station": {
                "id": STATION,
                "facility": self.facility,
                "listen": f"127.0.0.1:{self.port_base}",
                "data": str(self.data / "kiosk"),
            },
            "scanner": {"port": str(self.data / "dev" / "scanner"), "baud": 9600},
            "insurance": {
                "url": self.url("gateway"),
                "account": f"{self.facility}_BV",
                "password_file": "vss-password",
                "officers_file": "officers",
            },
            "hospital": {
                "adapter": "c06",
                "url": self.url("his"),
                "merchant": "KIOSK-TEST",
                "secret_file": "c06-secret",
            },
            "province": {"url": self.url("province") if self.with_province else ""},
        }
        if self.with_card:
            tables["card"] = {
                "adapter": "pn532",
                "reader": str(self.data / "dev" / "nfc"),
                "anchors": str(self.data / "anchors"),
            }
        if self.with_camera:
            tables["camera"] = {"device": f"folder:{self.data / 'dev' / 'camera'}"}
        if self.printer is not None:
            tables["printer"] = {"adapter": "network", "address": self.printer.address}
        lines = ["demo = true"]
        for name, extra in self.config.items():
            if not isinstance(extra, Mapping):
                lines.append(f"{name} = [{', '.join(_toml(row) for row in extra)}]")
            elif name == "hospital" and extra.get("adapter", "c06") != "c06":
                tables[name] = dict(extra)
            else:
                tables[name] = tables.get(name, {}) | dict(extra)
        for name, table in tables.items():
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
        self.config_path.write_text("\n".join(lines) + "\n", "utf-8")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _toml(value: Any) -> str:
    """Strings, numbers, booleans and lists of them look the same in TOML as in JSON; tables are written in line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _spawn(command: list[str], env: Mapping[str, str], stream: IO[bytes]) -> subprocess.Popen[bytes]:
    """A process in a group of its own, so that Ctrl-C reaches only the one who supervises it."""
    return subprocess.Popen(  # noqa: S603 - our own programs
        command, env=dict(env), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, process_group=0
    )
