"""The simulated scanner as a program that opens a serial port sees it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import serial

from simulators.scanner import SimulatedScanner

CARD = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "usb-simulated-scanner"


def test_taps_survive_the_reader_closing_and_opening(link):
    with SimulatedScanner(link) as device:
        for _ in range(3):
            with serial.Serial(str(link), 115200, timeout=5, exclusive=True) as port:
                device.tap(CARD)
                assert port.read_until(b"\r") == CARD + b"\r"


def test_every_byte_value_passes_unchanged(link):
    everything = bytes(range(256)) * 4
    with SimulatedScanner(link, suffix=b"", packet=7) as device, serial.Serial(str(link), timeout=5) as port:
        device.tap(everything)
        assert port.read(len(everything)) == everything


def test_a_tap_while_nobody_listens_is_not_read_later(link):
    with SimulatedScanner(link) as device:
        device.tap(CARD)
        with serial.Serial(str(link), timeout=5) as port:
            device.tap(b"next")
            assert port.read_until(b"\r") == b"next\r"


def test_unplugging_and_plugging(link):
    with SimulatedScanner(link) as device:
        device.plug()
        device.unplug()
        device.unplug()
        assert not link.is_symlink()
        assert not device.plugged
        with pytest.raises(ConnectionError):
            device.tap(CARD)
        device.plug()
        with serial.Serial(str(link), timeout=5) as port:
            device.tap(CARD)
            assert port.read_until(b"\r") == CARD + b"\r"
    assert not link.is_symlink()


def test_a_dangling_link_of_an_earlier_run_is_replaced(link):
    link.symlink_to("/dev/pts/does-not-exist")
    with SimulatedScanner(link):
        assert link.exists()


def test_a_file_in_the_way_is_left_alone(link):
    link.write_text("mine")
    with pytest.raises(FileExistsError):
        SimulatedScanner(link)
    assert link.read_text() == "mine"


def test_nothing_leaks_when_the_link_cannot_be_made(tmp_path):
    fds = psutil.Process().num_fds()
    with pytest.raises(OSError, match="No such file"):
        SimulatedScanner(tmp_path / "missing" / "link")
    assert psutil.Process().num_fds() == fds


def test_full_line_is_reported(link):
    with SimulatedScanner(link, packet=4096) as device, pytest.raises(TimeoutError):
        device.send(b"x" * 1_000_000)


def test_command_reads_one_scan_per_line(link):
    command = [sys.executable, "-c", "from simulators.cli import main; main()", "scanner", "--link", str(link)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            assert json.loads(process.stdout.readline()) == {"simulator": "scanner", "port": str(link)}
            with serial.Serial(str(link), timeout=5) as port:
                process.stdin.write(CARD + b"\r\n\n" + b"second\n")
                process.stdin.close()
                assert port.read_until(b"\r") == CARD + b"\r"
                assert port.read_until(b"\r") == b"second\r"
        finally:
            os.kill(process.pid, signal.SIGINT)
        assert process.wait(10) == 0
    assert not link.is_symlink()
