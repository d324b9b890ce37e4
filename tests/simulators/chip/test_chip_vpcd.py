"""The simulated card in a virtual PC/SC reader: vpcd's protocol by hand, and the real pcscd."""

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from kiosk.emrtd.errors import ChipLost
from kiosk.ports import CardConnection
from kiosk.readers.pcsc import PcscReader
from simulators.chip_files import DG1
from simulators.chip_quirks import Quirks
from simulators.chip_vpcd import VpcdCard
from tests.readers.pcscd import PcscdInfo, running_pcscd
from tests.simulators.chip.issued_cards import card, opened, read_all

DEADLINE_S = 10
READ = bytes.fromhex("00B09C0000")


class Slot:
    """vpcd's side of one connection."""

    def __init__(self, listening: socket.socket) -> None:
        self.line, _ = listening.accept()
        self.line.settimeout(DEADLINE_S)

    def send(self, message: bytes) -> None:
        self.line.sendall(len(message).to_bytes(2, "big") + message)

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.exactly(int.from_bytes(self.exactly(2), "big"))

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.line.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def ended(self) -> bool:
        try:
            return self.line.recv(1) == b""
        except ConnectionError:
            return True


class Vpcd:
    """A reader for one card after another."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(DEADLINE_S)
        self.address = self.listening.getsockname()
        self.slots: list[Slot] = []

    def slot(self) -> Slot:
        self.slots.append(Slot(self.listening))
        return self.slots[-1]

    def stop(self) -> None:
        for slot in self.slots:
            slot.line.close()
        self.listening.close()

    def start_again(self) -> None:
        self.stop()
        self.listening = socket.create_server(self.address)
        self.listening.settimeout(DEADLINE_S)


@pytest.fixture
def vpcd() -> Iterator[Vpcd]:
    reader = Vpcd()
    yield reader
    reader.stop()


def test_control_codes_and_commands(vpcd):
    chip = card()
    with VpcdCard(chip, *vpcd.address):
        slot = vpcd.slot()
        assert slot.ask(b"\x04") == chip.atr
        slot.send(b"\x01")
        slot.send(b"\x02")
        assert slot.ask(READ) == chip.data.master_files[0x011C] + b"\x90\x00"
        assert slot.ask(b"\x00\xa4") == b"\x67\x00"
        slot.send(b"\x00")
        assert slot.ask(b"\x04") == chip.atr


def test_power_and_reset_begin_anew(vpcd):
    with VpcdCard(card(), *vpcd.address):
        slot = vpcd.slot()
        for code in (b"\x01", b"\x02"):
            assert slot.ask(READ)[-2:] == b"\x90\x00"
            assert slot.ask(bytes.fromhex("00B0000001"))[-2:] == b"\x90\x00"
            slot.send(code)
            assert slot.ask(bytes.fromhex("00B0000001")) == b"\x69\x86"


def test_removal_closes_the_line_and_insertion_opens_a_new_one(vpcd):
    with VpcdCard(card(), *vpcd.address) as inserted:
        first = vpcd.slot()
        assert inserted.inserted
        inserted.remove()
        assert not inserted.inserted
        assert not inserted.connected
        assert first.ended()
        inserted.insert()
        assert vpcd.slot().ask(READ)[-2:] == b"\x90\x00"


def test_a_card_that_waits_can_be_removed_in_the_middle_of_a_command(vpcd):
    with VpcdCard(card(Quirks(latency_ms=3_600_000)), *vpcd.address) as inserted:
        slot = vpcd.slot()
        slot.send(READ)
        inserted.remove()
        assert slot.ended()


def test_a_card_that_slips_comes_back(vpcd):
    with VpcdCard(card(Quirks(removal_after=1, back_after_ms=1)), *vpcd.address):
        slot = vpcd.slot()
        assert slot.ask(READ)[-2:] == b"\x90\x00"
        slot.send(READ)
        assert slot.ended()
        assert vpcd.slot().ask(READ)[-2:] == b"\x90\x00"


def test_a_card_that_is_taken_away_waits_for_somebody(vpcd):
    with VpcdCard(card(Quirks(removal_after=0)), *vpcd.address) as inserted:
        slot = vpcd.slot()
        slot.send(READ)
        assert slot.ended()
        inserted.insert()
        assert vpcd.slot().ask(READ)[-2:] == b"\x90\x00"


def test_the_reader_may_start_later_and_again(vpcd):
    vpcd.stop()
    with VpcdCard(card(), *vpcd.address) as inserted:
        assert not inserted.connected
        for _ in range(2):
            vpcd.start_again()
            slot = vpcd.slot()
            assert inserted.wait_connected(DEADLINE_S)
            assert slot.ask(READ)[-2:] == b"\x90\x00"


def test_closing_ends_the_thread():
    before = set(threading.enumerate())
    inserted = VpcdCard(card(), "127.0.0.1", 9)
    inserted.insert()
    inserted.close()
    inserted.close()
    assert set(threading.enumerate()) == before
    with pytest.raises(RuntimeError):
        inserted.insert()


@pytest.fixture(scope="module")
def pcscd() -> Iterator[PcscdInfo]:
    with running_pcscd() as info:
        yield info


def test_the_real_stack_reads_the_card_and_survives_its_removal(pcscd, monkeypatch):
    for name, value in pcscd.socket_env.items():
        monkeypatch.setenv(name, value)
    found, lost = threading.Semaphore(0), threading.Semaphore(0)
    connections: list[CardConnection] = []

    def laid(connection: CardConnection) -> None:
        connections.append(connection)
        found.release()

    reader = PcscReader("auto", laid, lost.release, lambda _: None, settle=0.2)
    reader.start()
    chip = card(Quirks(extended=32_768))
    try:
        with VpcdCard(chip, "127.0.0.1", pcscd.vpcd_ports[0]) as inserted:
            for _ in range(2):
                assert found.acquire(timeout=DEADLINE_S)
                connection = connections[-1]
                assert bytes.fromhex(connection.card_type) == chip.atr
                assert (
                    read_all(opened(SimpleNamespace(transmit=connection.transmit, data=chip.data)), DG1)
                    == chip.data.files[DG1]
                )
                inserted.remove()
                with pytest.raises(ChipLost):
                    connection.transmit(READ)
                assert lost.acquire(timeout=DEADLINE_S)
                inserted.insert()
    finally:
        reader.stop()
