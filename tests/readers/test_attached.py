"""``kioskctl readers`` names each serial device and what is wrong with it."""

import json
import subprocess
import sys

from kiosk.readers.attached import _described


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


def test_command_prints_one_document() -> None:
    done = subprocess.run([sys.executable, "-m", "kiosk", "readers"], capture_output=True, text=True, check=True)
    assert isinstance(json.loads(done.stdout)["serial"], list)
