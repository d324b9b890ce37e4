"""Cameras, devices that type, HID-POS scanners, missing drivers and programs in the way, on a machine of files."""

import fcntl
import os
import pty
import subprocess
import sys
import tty
from pathlib import Path

import pytest

from kiosk.readers.attached_cameras import cameras
from kiosk.readers.attached_hid import hid_pos, keyboards
from kiosk.readers.drivers import meddlers, unserved
from kiosk.readers.machine import Machine
from kiosk.readers.who_holds import holders, probe
from tests.readers.fake_machine import FakeMachine


@pytest.fixture
def fake(tmp_path) -> FakeMachine:
    return FakeMachine(tmp_path)


@pytest.fixture
def line():
    """The device file of a pseudo-terminal."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_camera_is_told_by_its_stablePath(fake):
    fake.device("video0", "v4l/by-id/usb-Camera-video-index0")
    fake.device("video1", "v4l/by-id/usb-Camera-video-index1")
    fake.tells("class/video4linux/video0/index", "0\n")
    fake.tells("class/video4linux/video0/name", "HD Camera\n")
    fake.tells("class/video4linux/video1/index", "1\n")
    (found,) = cameras(fake.machine)
    assert found == {
        "device": str(fake.root / "dev/video0"),
        "configure_as": str(fake.root / "dev/v4l/by-id/usb-Camera-video-index0"),
        "name": "HD Camera",
        "held_by": [],
        "code": None,
        "problem": None,
    }


def test_problems_of_cameras(fake):
    for number in range(3):
        fake.device(f"video{number}", f"v4l/by-id/usb-{number}" if number else None)
    fake.forbidden.add("video1")
    fake.process(5, "cheese", has_open=fake.root / "dev/video2")
    volatile, forbidden, busy = cameras(fake.machine)
    assert volatile["code"] == "NO_STABLE_PATH"
    assert forbidden["code"] == "NOT_ALLOWED" and "group video" in forbidden["problem"]
    assert busy["code"] == "BUSY" and "cheese" in busy["problem"]


def test_a_scanner_that_types_is_told_from_a_keyboard(fake):
    for number, (maker, name) in enumerate([("1eab", "HR200"), ("046d", "Keyboard")]):
        fake.device(f"input/event{number}", f"input/by-id/usb-{name}-event-kbd")
        fake.tells(f"class/input/event{number}/device/id/vendor", maker)
        fake.tells(f"class/input/event{number}/device/id/product", "0103")
        fake.tells(f"class/input/event{number}/device/name", name)
    scanner, keyboard = keyboards(fake.machine)
    assert (scanner["scanner"], scanner["usb"], scanner["code"]) == ("Newland", "1EAB:0103", "KEYBOARD_MODE")
    assert "USB serial (CDC" in scanner["problem"]
    assert (keyboard["scanner"], keyboard["code"]) == (None, None)
    fake.forbidden.add("event1")
    assert keyboards(fake.machine)[1]["code"] == "NOT_ALLOWED"


def test_a_scanner_in_hid_pos_mode_is_found(fake):
    fake.tells("class/hidraw/hidraw0/device/report_descriptor", bytes.fromhex("05010906a101"))
    fake.tells("class/hidraw/hidraw1/device/report_descriptor", bytes.fromhex("058c0902a101"))
    fake.tells("class/hidraw/hidraw1/device/uevent", "HID_ID=0003:00001EAB:00000110\nHID_NAME=Newland HR200\n")
    (found,) = hid_pos(fake.machine)
    assert (found["usb"], found["name"], found["code"]) == ("1EAB:0110", "Newland HR200", "HID_POS_MODE")


@pytest.mark.parametrize(
    ("ids", "parts", "runs", "code", "word"),
    [
        ("1A86:7523", {"ff": "ch341"}, "brltty", None, ""),
        ("1A86:7523", {"ff": "usbfs"}, "brltty", "DRIVER_CONFLICT", "brltty"),
        ("067B:2303", {"ff": None}, "brltty", "DRIVER_CONFLICT", "brltty"),
        ("067B:2303", {"ff": None}, "bash", "DRIVER_MISSING", "modprobe pl2303"),
        ("1EAB:0106", {"02": "cdc_acm", "0a": "cdc_acm"}, "bash", None, ""),
        ("1EAB:0106", {"02": None, "0a": None}, "bash", "DRIVER_MISSING", "modprobe cdc_acm"),
        ("1EAB:0103", {"03": "usbhid"}, "bash", None, ""),
        ("05E0:1900", {"ff": None}, "bash", "MAKER_MODE", "CDC"),
        ("046D:C31C", {"03": None}, "bash", None, ""),
    ],
)
def test_devices_that_no_driver_serves(fake, ids, parts, runs, code, word):
    fake.usb("1-1", ids, product="Thing", parts=parts)
    fake.process(9, runs)
    found = unserved(fake.machine)
    assert [entry["code"] for entry in found] == ([code] if code else [])
    if code:
        assert (found[0]["usb"], found[0]["name"]) == (ids, "Thing") and word in found[0]["problem"]


def test_modem_manager_is_named_where_it_disturbs(fake):
    fake.process(9, "ModemManager")
    assert meddlers(fake.machine) == []
    fake.device("ttyACM0")
    (found,) = meddlers(fake.machine)
    assert found["code"] == "DRIVER_CONFLICT" and "ModemManager" in found["problem"]


def test_a_machine_without_any_of_it_has_nothing(fake):
    assert [look(fake.machine) for look in (cameras, keyboards, hid_pos, unserved, meddlers)] == [[]] * 5


def test_a_real_lock_is_seen_without_opening(line):
    """Another process has the port as pyserial takes it."""
    hold = "import serial, sys; p = serial.Serial(sys.argv[1], exclusive=True); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold, line], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"1\n"
        found = holders(Machine(), Path(line))
        assert (other.pid, False) in [(holder.pid, holder.is_kiosk) for holder in found]
        assert probe(Path(line)).code == "BUSY"
    assert probe(Path(line)) is None


def test_probe_tells_a_foreign_lock_and_a_missing_device(line):
    with Path(line).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert probe(Path(line)).words == "another program has locked it"
    assert probe(Path("/dev/there-is-none")).code == "CANNOT_OPEN"
