"""``kioskctl readers`` names each serial device and card reader, and what is wrong with it."""

import sys

import pytest

from kiosk.readers.attached import _described, _pcsc_problem, _slot, pcsc_readers
from kiosk.readers.machine import Machine
from kiosk.readers.pcsc_pipe import Readers, Slot
from tests.readers.fake_machine import FakeMachine
from tests.readers.pcscd import READERS


class Port:
    """What pyserial says of one port."""

    def __init__(self, device: str, vid: int | None = None, pid: int | None = None) -> None:
        self.device, self.vid, self.pid, self.description = device, vid, pid, "HR200"


@pytest.fixture
def fake(tmp_path) -> FakeMachine:
    return FakeMachine(tmp_path)


def test_a_scanner_with_a_stable_path_has_no_problem(fake) -> None:
    device = str(fake.device("ttyACM0"))
    assert _described(fake.machine, Port(device, 0x1EAB, 0x0106), "/dev/serial/by-id/usb-Newland") == {
        "device": device,
        "configure_as": "/dev/serial/by-id/usb-Newland",
        "usb": "1EAB:0106",
        "description": "HR200",
        "held_by": [],
        "code": None,
        "problem": None,
    }


def test_problems_are_named(fake) -> None:
    device = str(fake.device("ttyUSB0"))

    def told(port: Port, stable: str | None = "/dev/serial/by-id/x") -> tuple[str, str]:
        found = _described(fake.machine, port, stable)
        return found["code"], found["problem"]

    assert told(Port(device), None) == ("NO_STABLE_PATH", "no stable path: the name may change after a restart")
    code, words = told(Port(device, 0x1A86, 0x7523))
    assert code == "BRIDGE" and "serial bridge" in words
    assert told(Port("/dev/there-is-none")) == ("GONE", "gone")
    fake.forbidden.add("ttyUSB0")
    code, words = told(Port(device))
    assert code == "NOT_ALLOWED" and "group dialout" in words


def test_who_has_a_port_is_named(fake) -> None:
    device = fake.device("ttyUSB0")
    fake.process(77, "brltty", has_open=device)
    found = _described(fake.machine, Port(str(device)), "/dev/serial/by-id/x")
    assert (found["code"], found["held_by"]) == ("BUSY", ["brltty"])
    assert "brltty (process 77)" in found["problem"] and "apt remove brltty" in found["problem"]


def test_the_kiosk_itself_is_no_problem(fake) -> None:
    device = fake.device("ttyACM0")
    fake.process(78, "python", words=("/opt/kiosk/.venv/bin/python", "/opt/kiosk/.venv/bin/kioskctl", "run"))
    fake.locked(device, 78)
    found = _described(fake.machine, Port(str(device)), "/dev/serial/by-id/x")
    assert (found["code"], found["held_by"]) == (None, ["kiosk"])


def test_virtual_readers_are_listed(pcscd) -> None:
    found = pcsc_readers(Machine())
    assert found["problem"] is None
    assert found["readers"] == [{"name": name, "configure_as": name, "code": None, "problem": None} for name in READERS]


def test_pcscd_that_is_not_running_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "nobody"))
    found = pcsc_readers(Machine())
    assert found["code"] == "PCSCD_DOWN" and "pcscd is not running" in found["problem"]


def test_missing_pyscard_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    found = pcsc_readers(Machine())
    assert found["code"] == "NO_PCSC" and "pcsc" in found["problem"]


@pytest.mark.parametrize(
    ("readers", "module", "code", "words"),
    [
        (Readers(0, ()), "usbcore", "NO_READER", "no reader"),
        (Readers(0, ()), "pn533_usb", "DRIVER_CONFLICT", "blacklist"),
        (Readers(0x8010006A, ()), "usbcore", "NOT_ALLOWED", "polkit"),
        (Readers(0x80100001, ()), "usbcore", "PCSC_ERROR", "80100001"),
    ],
    ids=["none", "pn533", "not-allowed", "other"],
)
def test_problems_of_pcsc_as_a_whole(fake, readers, module, code, words) -> None:
    fake.tells(f"module/{module}/initstate", "live")
    problem = _pcsc_problem(readers, fake.machine)
    assert problem.code == code and words in problem.words


def test_slot_for_security_modules_is_skipped() -> None:
    found = _slot(Slot("ACS ACR1252 [SAM] 00 01", False, "", 0))
    assert found["configure_as"] is None
    assert "skipped" in found["problem"]


def test_mute_card_is_named() -> None:
    assert "does not answer" in _slot(Slot("Reader", True, "", 1))["problem"]
    assert _slot(Slot("Reader", True, "3b00", 1))["problem"] is None
    assert _slot(Slot("Reader", False, "", 2))["problem"] is None
