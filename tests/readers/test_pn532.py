"""The PN532 reader on a real pseudo-terminal with the simulated module and simulated cards."""

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import serial

from kiosk.emrtd.errors import ChipLost
from kiosk.ports import CardConnection
from kiosk.readers.pn532 import Pn532Reader
from kiosk.readers.state import Presence, ReaderState
from simulators.chip import make_card
from simulators.chip_card import VirtualCard
from simulators.chip_files import CardData
from simulators.chip_quirks import Quirks
from simulators.pn532 import SimulatedPn532
from simulators.scanner import SimulatedScanner
from simulators.vss_people import PEOPLE
from tests.readers.pcscd import until

SELECT = bytes.fromhex("00A4040C07A0000002471001")
GET_CHALLENGE = bytes.fromhex("0084000008")
REMOVED = "removed"
DIAGNOSE, UNHEARD_OF = 0x00, 0xFE


class Listener:
    """Runs a reader and keeps what it reports, in order, to be awaited with a deadline."""

    def __init__(self, link: Path, **settings: float) -> None:
        self.cards: queue.Queue[CardConnection | str] = queue.Queue()
        self.states: queue.Queue[Presence] = queue.Queue()
        self.reader = Pn532Reader(
            str(link), self.cards.put, lambda: self.cards.put(REMOVED), self._state, reopen_every=0.02, **settings
        )
        self.reader.start()

    def _state(self, state: ReaderState) -> None:
        self.states.put(state.presence)

    def connection(self) -> CardConnection:
        card = self.cards.get(timeout=10)
        assert not isinstance(card, str)
        return card

    def removal(self) -> None:
        assert self.cards.get(timeout=10) == REMOVED

    def presence(self) -> Presence:
        return self.states.get(timeout=10)


class Echo(VirtualCard):
    """Answers each command with the command itself, so that lengths both ways can be chosen."""

    def transmit(self, apdu: bytes) -> bytes:
        return apdu + b"\x90\x00"


class Module(SimulatedPn532):
    """Counts how often it was asked whether the card is still there; *knows* whether it can tell at all."""

    def __init__(self, link: Path) -> None:
        self.asked = 0
        self.knows = True
        super().__init__(link)

    def _execute(self, command: bytes) -> bytes:
        if command[1] == DIAGNOSE:
            self.asked += 1
            if not self.knows:
                command = bytes((command[0], UNHEARD_OF))
        return super()._execute(command)


@pytest.fixture(scope="module")
def data() -> CardData:
    return make_card(PEOPLE[0]).data


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Module]:
    with Module(tmp_path / "usb-simulated-pn532") as plugged:
        yield plugged


@pytest.fixture
def listen(device: Module) -> Iterator[Callable[..., Listener]]:
    running: list[Listener] = []

    def start(**settings: float) -> Listener:
        running.append(Listener(device.link, **settings))
        assert running[-1].presence() is Presence.ATTACHED
        return running[-1]

    yield start
    for listener in running:
        listener.reader.stop()


@pytest.mark.parametrize("type_b", [False, True], ids=["A", "B"])
def test_card_is_read_and_its_removal_told(device, listen, data, type_b):
    listener = listen()
    card = VirtualCard(data, Quirks(type_b=type_b))
    device.lay(card)
    connection = listener.connection()
    assert connection.card_type == ("e1f35e11778171" if type_b else card.ats.hex())
    assert connection.transmit(SELECT) == b"\x90\x00"
    connection.close()
    device.take_away()
    listener.removal()
    assert listener.cards.empty()


@pytest.mark.parametrize("size", [5, 251, 260, 262, 263, 1000, 4000])
def test_lengths_of_one_frame_of_extended_ones_and_of_chains(device, listen, data, size):
    device.lay(Echo(data))
    apdu = bytes(range(256)) * 16
    assert listen().connection().transmit(apdu[:size]) == apdu[:size] + b"\x90\x00"


def test_reset_activates_the_chip_anew(device, listen, data):
    device.lay(VirtualCard(data))
    connection = listen().connection()
    connection.transmit(SELECT)
    assert connection.transmit(GET_CHALLENGE)[-2:] == b"\x90\x00"
    connection.reset()
    assert connection.transmit(GET_CHALLENGE)[-2:] != b"\x90\x00"  # the application is not selected any more
    connection.transmit(SELECT)
    assert connection.transmit(GET_CHALLENGE)[-2:] == b"\x90\x00"


def test_removal_of_an_unused_card_is_told_at_once(device, listen, data):
    listener = listen(settle=3600)
    device.lay(VirtualCard(data))
    connection = listener.connection()
    device.take_away()
    listener.removal()
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)


def test_removal_between_two_commands_is_noticed(device, listen, data):
    listener = listen(settle=0.1)
    device.lay(VirtualCard(data))
    listener.connection().transmit(SELECT)
    device.take_away()
    listener.removal()


@pytest.mark.parametrize("knows", [True, False], ids=["asked", "module-without-the-test"])
def test_card_in_use_is_not_disturbed_by_looking_after_it(device, listen, data, knows):
    device.knows = knows
    listener = listen()
    device.lay(VirtualCard(data))
    connection = listener.connection()
    connection.transmit(SELECT)
    asked = device.asked
    until(lambda: device.asked >= asked + 2, "nobody looked after the card")
    assert connection.transmit(GET_CHALLENGE)[-2:] == b"\x90\x00"
    assert listener.cards.empty()


def test_card_pulled_in_the_middle_of_an_answer(device, listen, data):
    listener = listen(settle=0.2)
    device.lay(VirtualCard(data, Quirks(latency_ms=60_000)))
    connection = listener.connection()
    puller = threading.Timer(0.1, device.take_away)
    puller.start()
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    with pytest.raises(ChipLost):
        connection.reset()
    listener.removal()
    device.lay(VirtualCard(data))
    assert listener.connection().transmit(SELECT) == b"\x90\x00"
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)


@pytest.mark.parametrize("back_after_ms", [0, 300])
def test_slipped_card_goes_on_after_reset_and_nothing_is_told(device, listen, data, back_after_ms):
    listener = listen(settle=60)
    device.lay(VirtualCard(data, Quirks(removal_after=2, back_after_ms=back_after_ms)))
    connection = listener.connection()
    with pytest.raises(ChipLost):
        for _ in range(3):
            connection.transmit(SELECT)
    connection.reset()
    assert connection.transmit(SELECT) == b"\x90\x00"
    assert listener.cards.empty()


def test_another_card_never_takes_the_place_of_a_slipped_one(device, listen, data):
    listener = listen(settle=60)
    device.lay(VirtualCard(data))
    connection = listener.connection()
    connection.transmit(SELECT)
    device.take_away()
    other = VirtualCard(data, Quirks(extended=65_000))
    device.lay(other)
    with pytest.raises(ChipLost):
        connection.reset()
    listener.removal()
    assert listener.connection().card_type == other.ats.hex()


def test_closed_connection_is_dead_while_its_card_still_lies_there(device, listen, data):
    listener = listen()
    device.lay(VirtualCard(data))
    connection = listener.connection()
    connection.transmit(SELECT)
    connection.close()
    for call in (connection.reset, lambda: connection.transmit(SELECT)):
        with pytest.raises(ChipLost):
            call()
    assert listener.cards.empty()
    device.take_away()
    listener.removal()


def test_silent_module_costs_the_time_limit_and_comes_back(device, listen, data):
    listener = listen(call_timeout=0.2, settle=0.1)
    device.lay(VirtualCard(data, Quirks(latency_ms=600_000)))
    connection = listener.connection()
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    device.take_away()
    listener.removal()
    device.lay(VirtualCard(data))
    assert listener.connection().transmit(SELECT) == b"\x90\x00"


def test_module_unplugged_while_a_card_is_read(device, listen, data):
    listener = listen(settle=3600)
    device.lay(VirtualCard(data))
    connection = listener.connection()
    connection.transmit(SELECT)
    device.unplug()
    listener.removal()
    assert listener.presence() is Presence.GONE
    for call in (connection.reset, lambda: connection.transmit(SELECT)):
        with pytest.raises(ChipLost):
            call()
    device.plug()
    assert listener.presence() is Presence.ATTACHED
    assert listener.connection().transmit(SELECT) == b"\x90\x00"


def test_port_is_taken_exclusively(device, listen):
    listen()
    with pytest.raises(serial.SerialException):
        serial.Serial(str(device.link), exclusive=True)


def test_port_where_nobody_answers(tmp_path):
    with SimulatedScanner(tmp_path / "scanner") as other:
        listener = Listener(other.link)
        assert listener.presence() is Presence.GONE
        listener.reader.stop()


def test_many_cards_and_plugs_leak_nothing(device, listen, data):
    listener = listen()
    process, before = psutil.Process(), 0
    for turn in range(30):
        device.lay(VirtualCard(data))
        connection = listener.connection()
        connection.transmit(SELECT)
        connection.close()
        if turn % 3:
            device.take_away()
            listener.removal()
        else:
            device.unplug()
            listener.removal()
            assert listener.presence() is Presence.GONE
            device.take_away()
            device.plug()
            assert listener.presence() is Presence.ATTACHED
        before = before or process.num_fds()
    assert process.num_fds() == before
