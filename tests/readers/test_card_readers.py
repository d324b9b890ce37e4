"""One card for a command, by the names of the configuration."""

import pytest

from kiosk.emrtd.errors import ChipLost
from kiosk.errors import ConfigError
from kiosk.readers.card_readers import NoCard, NoReader, open_card
from simulators.chip import make_card
from simulators.pn532 import SimulatedPn532
from simulators.vss_people import PEOPLE
from tests.readers.pcscd import EchoCard

SELECT = bytes.fromhex("00A4040C07A0000002471001")


def test_card_on_pcsc(pcscd):
    card = EchoCard(pcscd.vpcd_ports[0])
    try:
        with open_card("pcsc", "auto", 10) as connection:
            assert connection.transmit(SELECT)[-2:] == b"\x90\x00"
        with pytest.raises(ChipLost):
            connection.transmit(SELECT)
    finally:
        card.remove()


def test_card_on_pn532(tmp_path):
    with SimulatedPn532(tmp_path / "pn532") as device:
        device.lay(make_card(PEOPLE[0]))
        with open_card("pn532", str(device.link), 10) as connection:
            assert connection.transmit(SELECT) == b"\x90\x00"


def test_no_card(pcscd):
    pcscd.wait_until_empty(0)  # of the card of the test before
    with pytest.raises(NoCard) as caught, open_card("pcsc", "auto", 2):
        pass
    assert caught.value.code == "NO_CARD"


@pytest.mark.parametrize("adapter", ["pcsc", "pn532"])
def test_no_reader(monkeypatch, tmp_path, adapter):
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "nobody"))
    with pytest.raises(NoReader) as caught, open_card(adapter, str(tmp_path / "none"), 0.5):
        pass
    assert caught.value.code == "NO_READER"


def test_adapter_that_is_no_device():
    with pytest.raises(ConfigError, match=r"card\.adapter"), open_card("pushed", "", 1):
        pass
