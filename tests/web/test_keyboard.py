"""A keyboard-mode scanner beside the running daemon; its device is a pipe of key events."""

import errno
import os
from functools import partial

from kiosk import devices
from kiosk.readers.keyboard_scanner import KeyboardScanner
from tests.kiosk.world import qr, until
from tests.readers.test_keyboard_scanner import RECORD, PipeDevice, typed


async def test_what_a_scanner_types_is_served_and_its_unplugging_told(serve, monkeypatch):
    reader, writer = os.pipe()
    plugged = [reader]

    def opener(path: str) -> PipeDevice:
        if not plugged:
            raise FileNotFoundError(errno.ENOENT, path)
        return PipeDevice(plugged.pop())

    monkeypatch.setattr(devices, "KeyboardScanner", partial(KeyboardScanner, opener=opener))
    plain = qr(1).decode().encode("ascii", "ignore").decode()  # such scanners drop what has no key

    async with serve(keyboard={"device": "/dev/input/by-id/usb-Mau-event-kbd"}) as kiosk:

        async def attached() -> bool:
            return (await kiosk.state())["screen"]["reader_ok"]

        await until(attached, "the scanner")
        assert 'kiosk_reader_attached{reader="keyboard"} 1.0' in (await kiosk.bare.get("/metrics")).text
        for code, value in typed(plain + "\r"):
            os.write(writer, RECORD.pack(0, 0, 1, code, value))
        await kiosk.view("confirm", "unreadable")
        os.close(writer)

        async def gone() -> bool:
            return not await attached()

        await until(gone, "the unplugging")
        assert (await kiosk.bare.get("/readyz")).json()["reasons"] == ["keyboard"]
