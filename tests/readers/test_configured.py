"""The devices of the configuration against those that are plugged in."""

import pytest

from kiosk import config
from kiosk.readers.configured import configured
from tests.readers.fake_machine import FakeMachine

NOTHING = {"serial": [], "pcsc": {"readers": []}, "cameras": [], "keyboards": [], "hid_pos": [], "usb": []}
STATION = {
    "station": {"id": "k", "facility": "93002", "data": "data"},
    "insurance": {"url": "https://gateway.example", "account": "a", "password_file": "p", "officers_file": "o"},
    "hospital": {"adapter": "dry_run"},
}


@pytest.fixture
def fake(tmp_path) -> FakeMachine:
    return FakeMachine(tmp_path)


def check(fake: FakeMachine, found: dict, **tables: dict) -> dict[str, tuple]:
    """Setting -> code and words."""
    settings = config.parse(STATION | tables)
    return {entry["setting"]: (entry["code"], entry["problem"]) for entry in configured(settings, found, fake.machine)}


def test_nothing_configured_has_no_problem(fake):
    assert check(fake, NOTHING) == {}
    assert check(fake, NOTHING, scanner={"port": "socket://127.0.0.1:9"}, camera={"device": "folder:pictures"}) == {}


def test_what_is_there_is_fine(fake):
    port = fake.device("ttyACM0", "serial/by-id/usb-HR200").parent / "serial/by-id/usb-HR200"
    assert check(fake, NOTHING, scanner={"port": str(port)}) == {"scanner.port": (None, None)}
    fake.forbidden.add("usb-HR200")
    assert check(fake, NOTHING, scanner={"port": str(port)})["scanner.port"][0] == "NOT_ALLOWED"


def test_a_missing_scanner_is_told_with_what_is_there_instead(fake):
    found = NOTHING | {
        "serial": [{"configure_as": "/dev/serial/by-id/usb-Other", "device": "/dev/ttyACM1"}],
        "keyboards": [{"name": "HR200", "usb": "1EAB:0103", "scanner": "Newland", "code": "KEYBOARD_MODE",
                       "configure_as": "/dev/input/by-id/x", "device": "/dev/input/event4"}],
    }  # fmt: skip
    code, words = check(fake, found, scanner={"port": "/dev/serial/by-id/usb-Gone"})["scanner.port"]
    assert code == "MISSING"
    assert words == (
        "the configured scanner /dev/serial/by-id/usb-Gone is not there; plugged in instead: "
        "/dev/serial/by-id/usb-Other, HR200 (KEYBOARD_MODE)"
    )


def test_missing_camera_typing_scanner_and_card_readers(fake):
    found = check(
        fake,
        NOTHING | {"pcsc": {"readers": [{"name": "ACS ACR1252"}]}},
        camera={"device": "/dev/v4l/by-id/usb-Gone"},
        keyboard={"device": "/dev/input/by-id/usb-Gone-event-kbd"},
        card={"adapter": "pcsc", "reader": "OMNIKEY"},
    )
    assert {setting: code for setting, (code, _) in found.items()} == {
        "camera.device": "MISSING",
        "keyboard.device": "MISSING",
        "card.reader": "MISSING",
    }
    assert found["camera.device"][1].endswith("nothing of this kind")
    assert found["card.reader"][1].endswith("plugged in instead: ACS ACR1252")
    pn532 = check(fake, NOTHING, card={"adapter": "pn532", "reader": "/dev/serial/by-id/usb-Gone"})
    assert pn532["card.reader"][0] == "MISSING"


@pytest.mark.parametrize("reader", ["auto", "ACS ACR1252"])
def test_a_card_reader_that_is_there_is_fine(fake, reader):
    found = NOTHING | {"pcsc": {"readers": [{"name": "ACS ACR1252"}]}}
    assert check(fake, found, card={"adapter": "pcsc", "reader": reader}) == {"card.reader": (None, None)}
