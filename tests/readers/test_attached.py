"""``kioskctl readers`` names each serial device and card reader, and what is wrong with it."""

import json
import subprocess
import sys

import pytest

from kiosk.readers.attached import _described, _pcsc_problem, _slot, pcsc_readers
from kiosk.readers.pcsc_pipe import Readers, Slot
from tests.readers.pcscd import READERS


class Port:
    """What pyserial says of one port."""

    def __init__(self, device: str, vid: int | None = None, pid: int | None = None) -> None:
        self.device, self.vid, self.pid, self.description = device, vid, pid, "HR200"


def test_a_scanner_with_a_stable_path_has_no_problem() -> None:
    assert _described(Port("/dev/null", 0x1EAB, 0x0106), "/dev/serial/by-id/usb-Newland") == {
        "device": "/dev/null",
        "configure_as": "/dev/serial/by-id/usb-Newland",
        "usb": "1EAB:0106",
        "description": "HR200",
        "problem": None,
    }


def test_problems_are_named() -> None:
    assert "no stable path" in _described(Port("/dev/null"), None)["problem"]
    assert "serial bridge" in _described(Port("/dev/null", 0x1A86, 0x7523), "/dev/serial/by-id/x")["problem"]
    assert _described(Port("/dev/there-is-none"), None)["problem"] == "gone"


def test_virtual_readers_are_listed(pcscd) -> None:
    found = pcsc_readers()
    assert found["problem"] is None
    assert found["readers"] == [{"name": name, "configure_as": name, "problem": None} for name in READERS]


def test_pcscd_that_is_not_running_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "nobody"))
    assert "pcscd is not running" in pcsc_readers()["problem"]


def test_missing_pyscard_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard", None)
    assert "pcsc" in pcsc_readers()["problem"]


@pytest.mark.parametrize(
    ("readers", "module", "words"),
    [
        (Readers(0, ()), "usbcore", "no reader"),
        (Readers(0, ()), "pn533_usb", "blacklist"),
        (Readers(0x8010006A, ()), "usbcore", "polkit"),
        (Readers(0x80100001, ()), "usbcore", "80100001"),
    ],
    ids=["none", "pn533", "not-allowed", "other"],
)
def test_problems_of_pcsc_as_a_whole(tmp_path, readers, module, words) -> None:
    (tmp_path / module).mkdir()
    assert words in _pcsc_problem(readers, tmp_path)


def test_slot_for_security_modules_is_skipped() -> None:
    found = _slot(Slot("ACS ACR1252 [SAM] 00 01", False, "", 0))
    assert found["configure_as"] is None
    assert "skipped" in found["problem"]


def test_mute_card_is_named() -> None:
    assert "does not answer" in _slot(Slot("Reader", True, "", 1))["problem"]
    assert _slot(Slot("Reader", True, "3b00", 1))["problem"] is None
    assert _slot(Slot("Reader", False, "", 2))["problem"] is None


def test_command_prints_one_document(pcscd) -> None:
    done = subprocess.run([sys.executable, "-m", "kiosk", "readers"], capture_output=True, text=True, check=True)
    document = json.loads(done.stdout)
    assert isinstance(document["serial"], list)
    assert [reader["name"] for reader in document["pcsc"]["readers"]] == list(READERS)
