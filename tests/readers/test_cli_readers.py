"""``kioskctl readers`` through the real command: the list, and scans of the test code from each kind of device."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import termios
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from kiosk.cli import main
from kiosk.documents.scan_advice import ADVICE
from kiosk.documents.scan_test_code import TEST_PAYLOAD, ScanFault
from kiosk.readers.keyboard_scanner import KeyboardScanner
from simulators.scanner import SimulatedScanner
from tests.readers.pcscd import READERS

COMMAND = [sys.executable, "-m", "kiosk", "readers"]
PERSON = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()


class Running:
    """A command that runs, what it says meanwhile and how it ends."""

    def __init__(self, *words: object, stdin: int = subprocess.DEVNULL) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, words)], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def until(self, words: bytes) -> None:
        """Wait for a line on stderr that has *words*."""
        for line in self.process.stderr:
            if words in line:
                return
        raise AssertionError("it ended first")

    def end(self, typed: bytes | None = None) -> tuple[int, dict, str]:
        """Exit code, the JSON document, the rest of what people are told."""
        out, err = self.process.communicate(typed, timeout=30)
        return self.process.returncode, json.loads(out), err.decode()


@pytest.fixture
def scanner(tmp_path):
    with SimulatedScanner(tmp_path / "usb-scanner") as plugged:
        yield plugged


def piped(raw: bytes, *words: object) -> tuple[int, dict, str]:
    return Running("--try", "-", *words, stdin=subprocess.PIPE).end(raw)


def test_command_prints_one_document_and_plain_lines(pcscd) -> None:
    code, document, err = Running().end()
    assert code == 0
    assert set(document) == {"serial", "pcsc", "cameras", "keyboards", "hid_pos", "usb", "system", "configured"}
    assert [reader["name"] for reader in document["pcsc"]["readers"]] == list(READERS)
    assert all(f"card reader {name}: fine" in err for name in READERS)


def test_a_configured_scanner_that_is_missing_is_named(pcscd, tmp_path) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text(
        '[station]\nid = "k"\nfacility = "93002"\ndata = "data"\n[scanner]\nport = "/dev/serial/by-id/usb-Gone"\n'
        '[insurance]\nurl = "https://g.example"\naccount = "a"\npassword_file = "p"\nofficers_file = "o"\n'
        '[hospital]\nadapter = "dry_run"\n'
    )
    code, document, err = Running("--config", settings).end()
    (entry,) = document["configured"]
    assert (code, entry["setting"], entry["code"]) == (0, "scanner.port", "MISSING")
    assert "! configured scanner.port /dev/serial/by-id/usb-Gone: the configured scanner" in err
    settings.write_text("[station]")
    assert Running("--config", settings).end()[1]["configured"][0]["code"] == "CONFIG"


def test_a_serial_scanner_in_order(scanner) -> None:
    running = Running("--try", scanner.link, "--baud", "9600")
    running.until(b"scan the test code now (listening at 9600)")
    _tap_when_it_waits(scanner, TEST_PAYLOAD, running.process)
    code, document, err = running.end()
    assert (code, document["code"], document["baud"], document["kiosk_copes"]) == (0, "FINE", 9600, True)
    assert document["bytes"] == len(TEST_PAYLOAD) + 1 and "FINE: the scanner is fine" in err


def _tap_when_it_waits(scanner: SimulatedScanner, payload: bytes, process: subprocess.Popen) -> None:
    """Tap once the command waits at the open port: what comes before is lost, as with a real device."""
    deadline = time.monotonic() + 20
    while not _waits_at(process.pid, scanner.link.resolve()):
        assert time.monotonic() < deadline and process.poll() is None
    scanner.tap(payload)


def _waits_at(pid: int, device: Path) -> bool:
    try:
        opened = any(entry.readlink() == device for entry in Path(f"/proc/{pid}/fd").iterdir())
        return opened and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    except OSError:
        return False


def test_nothing_comes_from_a_silent_scanner(scanner) -> None:
    code, document, err = Running("--try", scanner.link, "--seconds", "0.2").end()
    assert (code, document["code"], document["bytes"]) == (1, "NOTHING", 0) and "nothing came" in err


def test_auto_tries_the_next_speed_after_garbage(monkeypatch) -> None:
    heard = iter([b"\x00\xf8\x80\xff" * 20, b"\xfe\xc0\x1c" * 20, TEST_PAYLOAD + b"\r"])
    monkeypatch.setattr("kiosk.readers.serial_scanner.read_burst", lambda port, baud, seconds: next(heard))
    result = CliRunner().invoke(main, ["readers", "--try", "/dev/serial/by-id/x", "--baud", "auto"])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["code"], document["baud"]) == (0, "FINE", 19200)
    assert result.stderr.count("scan the test code now") == 3


def test_a_missing_or_taken_port_is_an_error(scanner) -> None:
    code, document, err = Running("--try", "/dev/there-is-none").end()
    assert (code, document["error"]) == (1, "READER_UNAVAILABLE")
    hold = "import serial, sys; p = serial.Serial(sys.argv[1], exclusive=True); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, scanner.link.resolve()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        code, document, err = Running("--try", scanner.link).end()
    assert (code, document["error"]) == (1, "READER_UNAVAILABLE") and "in use by" in err and "python" in err


def test_a_pipe_is_diagnosed_with_all_its_faults() -> None:
    code, document, err = piped(b"]Q1" + TEST_PAYLOAD.decode("ascii", "ignore").encode())
    assert (code, document["code"]) == (1, "ASCII_MODE")
    assert document["faults"] == ["ASCII_MODE", "AIM_ID", "NO_SUFFIX"]
    assert all(f"{fault}: {ADVICE[ScanFault(fault)]}" in err for fault in document["faults"])
    assert piped(b"]Q1" + TEST_PAYLOAD + b"\r")[:1] == (0,)  # the kiosk copes with it


def test_a_real_card_leaves_no_trace() -> None:
    code, document, err = piped(PERSON)
    assert (code, document["code"]) == (1, "OTHER_CODE")
    shown = json.dumps(document, ensure_ascii=False) + err
    assert "Mẫu" not in shown and "0991900" not in shown


def test_what_is_typed_into_a_terminal_is_not_shown() -> None:
    ours, theirs = pty.openpty()
    running = Running("--try", "keyboard", "--seconds", "120", stdin=theirs)
    running.until(b"scan the test code now")
    deadline = time.monotonic() + 20
    while termios.tcgetattr(theirs)[3] & termios.ECHO:
        assert time.monotonic() < deadline
    os.write(ours, TEST_PAYLOAD + b"\r")
    code, document, _ = running.end()
    assert (code, document["code"]) == (0, "FINE")
    assert termios.tcgetattr(theirs)[3] & termios.ECHO
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        shown = os.read(ours, 4096)
    os.close(ours)
    assert TEST_PAYLOAD[:12] not in shown


class Typing:
    """A grabbed device on which *text*, of digits, and Enter are typed once."""

    def __init__(self, text: str) -> None:
        keys = [11 if digit == "0" else int(digit) + 1 for digit in text] + [28]
        self._events = [SimpleNamespace(type=1, code=key, value=value) for key in keys for value in (1, 0)]
        self._ready, tell = os.pipe()
        os.write(tell, b"!")
        os.close(tell)

    def fileno(self) -> int:
        return self._ready

    def read(self) -> list[SimpleNamespace]:
        if not self._events:
            raise OSError("unplugged")
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        os.close(self._ready)


def test_a_scanner_that_types_is_read_below_the_layout(monkeypatch) -> None:
    scanner = partial(KeyboardScanner, opener=lambda _: Typing("099085674312"))
    monkeypatch.setattr("kiosk.readers.one_scan.KeyboardScanner", scanner)
    result = CliRunner().invoke(main, ["readers", "--try", "/dev/input/by-id/usb-x-event-kbd"])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["code"], document["bytes"], document["baud"]) == (1, "TRUNCATED", 12, None)


def test_a_missing_scanner_that_types_is_an_error() -> None:
    code, document, err = Running("--try", "/dev/input/by-id/usb-none-event-kbd", "--seconds", "0.2").end()
    assert (code, document["error"]) == (1, "READER_UNAVAILABLE") and "cannot be used" in err


def test_a_wrong_speed_is_misuse() -> None:
    result = CliRunner().invoke(main, ["readers", "--try", "x", "--baud", "fast"])
    assert result.exit_code == 2 and "--baud" in result.stderr


def test_every_fault_has_advice() -> None:
    assert set(ADVICE) == set(ScanFault)
