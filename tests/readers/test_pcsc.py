"""The PC/SC reader through the real stack: child process, pyscard, pcscd, and cards on its virtual reader."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from kiosk.emrtd.errors import ChipLost
from kiosk.errors import ReaderUnavailable
from kiosk.ports import CardConnection
from kiosk.readers.pcsc import AUTO, PcscReader, is_sam
from kiosk.readers.state import Presence, ReaderState
from tests.readers.pcscd import READERS, EchoCard, PcscdInfo, until

OTHER_ATR = bytes.fromhex("3B82800101020381")
SELECT = bytes.fromhex("00A4040C07A0000002471001")
REMOVED = "removed"


class Listener:
    """Runs a reader and keeps what it reports, in order, to be awaited with a deadline."""

    def __init__(self, name: str = AUTO, **settings: float) -> None:
        self.cards: queue.Queue[CardConnection | str] = queue.Queue()
        self.states: queue.Queue[Presence] = queue.Queue()
        self.reader = PcscReader(name, self.cards.put, lambda: self.cards.put(REMOVED), self._state, **settings)
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
        return self.states.get(timeout=15)

    @property
    def child(self) -> int:
        (child,) = (each for each in psutil.Process().children() if "kiosk.readers.pcsc_child" in each.cmdline())
        return child.pid


def talk(connection: CardConnection, apdu: bytes = SELECT) -> bytes:
    """What the card answers, activated anew where it does not: a card just laid down may miss its first call."""
    for _ in range(3):
        try:
            return connection.transmit(apdu)
        except ChipLost:
            connection.reset()
    return connection.transmit(apdu)


@pytest.fixture
def listen(pcscd: PcscdInfo) -> Iterator[Callable[..., Listener]]:
    running: list[Listener] = []

    def start(name: str = AUTO, **settings: float) -> Listener:
        running.append(Listener(name, **settings))
        assert running[-1].presence() is Presence.ATTACHED
        return running[-1]

    yield start
    for listener in running:
        listener.reader.stop()


@pytest.fixture
def lay(pcscd: PcscdInfo) -> Iterator[Callable[..., EchoCard]]:
    lying: list[EchoCard] = []

    def put(slot: int = 0, at_once: bool = False, **settings: object) -> EchoCard:
        if not at_once:
            pcscd.wait_until_empty(slot)
        lying.append(EchoCard(pcscd.vpcd_ports[slot], **settings))
        return lying[-1]

    yield put
    for card in lying:
        card.remove()


def test_card_is_read_and_its_removal_told(listen, lay):
    listener = listen()
    card = lay()
    connection = listener.connection()
    assert connection.card_type == EchoCard.ATR.hex()
    assert connection.transmit(SELECT) == SELECT + b"\x90\x00"
    connection.close()
    card.remove()
    listener.removal()
    assert listener.cards.empty()


def test_card_that_lies_there_at_the_start(listen, lay):
    lay()
    assert talk(listen().connection())[-2:] == b"\x90\x00"


def test_long_apdus_both_ways(listen, lay):
    lay(answer=lambda apdu: apdu[-32_000:] + b"\x90\x00")
    command = bytes.fromhex("00CA0000") + b"\x00\x7d\x00" + bytes(range(256)) * 125
    assert talk(listen().connection(), command) == command[-32_000:] + b"\x90\x00"


def test_removal_of_an_unused_card_is_told_at_once(listen, lay):
    listener = listen(settle=3600)
    card = lay()
    connection = listener.connection()
    card.remove()
    listener.removal()
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)


def test_card_pulled_in_the_middle_of_an_answer(listen, lay):
    asked = threading.Event()
    listener = listen(settle=0.3)
    card = lay(answer=lambda apdu: asked.set())
    connection = listener.connection()
    puller = threading.Thread(target=lambda: (asked.wait(10), card.remove()))
    puller.start()
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    with pytest.raises(ChipLost):
        connection.reset()
    puller.join()
    listener.removal()
    lay()
    later = listener.connection()
    assert talk(later)[-2:] == b"\x90\x00"
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    with pytest.raises(ChipLost):
        connection.reset()


def test_reset_switches_the_chip_off_and_on(listen, lay):
    card = lay()
    connection = listen().connection()
    talk(connection)
    before = card.resets
    connection.reset()
    assert card.resets > before
    assert talk(connection)[-2:] == b"\x90\x00"


@pytest.mark.parametrize("at_once", [True, False], ids=["before-pcscd-looks", "after"])
def test_slipped_card_goes_on_after_reset_and_nothing_is_told(listen, lay, at_once):
    listener = listen(settle=60)
    card = lay()
    connection = listener.connection()
    talk(connection)
    for _ in range(3):
        card.remove()
        with pytest.raises(ChipLost):
            connection.transmit(SELECT)
        with ThreadPoolExecutor() as hand:
            back = hand.submit(lay, at_once=at_once)
            connection.reset()
            card = back.result()
        assert talk(connection)[-2:] == b"\x90\x00"
    assert listener.cards.empty()


def test_slipped_card_that_does_not_come_back_is_told_in_the_end(listen, lay):
    listener = listen(settle=0.2)
    card = lay()
    connection = listener.connection()
    talk(connection)
    card.remove()
    listener.removal()
    with pytest.raises(ChipLost):
        connection.reset()


def test_another_card_never_takes_the_place_of_a_slipped_one(listen, lay):
    listener = listen(settle=60)
    card = lay()
    connection = listener.connection()
    talk(connection)
    card.remove()
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    lay(atr=OTHER_ATR)
    with pytest.raises(ChipLost):
        connection.reset()
    listener.removal()
    assert listener.connection().card_type == OTHER_ATR.hex()


def test_closed_connection_is_dead_while_its_card_still_lies_there(listen, lay):
    listener = listen(settle=8)
    card = lay()
    connection = listener.connection()
    talk(connection)
    connection.close()
    connection.close()
    for call in (connection.reset, lambda: connection.transmit(SELECT)):
        with pytest.raises(ChipLost):
            call()
    assert listener.cards.empty()
    card.remove()
    listener.removal()
    lay()
    assert talk(listener.connection())[-2:] == b"\x90\x00"


def test_whichever_reader_gets_a_card(listen, lay):
    listener = listen()
    for slot in (1, 0):
        card = lay(slot)
        assert talk(listener.connection())[-2:] == b"\x90\x00"
        card.remove()
        listener.cards.get(timeout=10)


def test_named_reader_ignores_the_others(listen, lay):
    listener = listen(READERS[1])
    other = lay(0, atr=OTHER_ATR)
    lay(1)
    assert listener.connection().card_type == EchoCard.ATR.hex()
    other.remove()
    assert listener.cards.empty()


def test_card_is_held_exclusively_from_its_first_use_to_close(listen, lay, pcscd):
    first, second = listen(READERS[0]), listen(READERS[0])
    lay()
    ours, theirs = first.connection(), second.connection()
    talk(ours)
    with pytest.raises(ChipLost):
        theirs.transmit(SELECT)
    ours.close()
    theirs.reset()
    assert talk(theirs)[-2:] == b"\x90\x00"


def test_pcscd_starts_again(listen, lay, pcscd):
    listener = listen()
    lay()
    connection = listener.connection()
    talk(connection)
    pcscd.restart()
    listener.removal()
    with pytest.raises(ChipLost):
        connection.reset()
    assert [listener.presence(), listener.presence()] == [Presence.GONE, Presence.ATTACHED]
    lay()
    assert talk(listener.connection())[-2:] == b"\x90\x00"


def test_pcscd_comes_later(pcscd, lay):
    pcscd.stop()
    listener = Listener()
    try:
        assert listener.presence() is Presence.GONE
        pcscd.start()
        assert listener.presence() is Presence.ATTACHED
        lay()
        assert talk(listener.connection())[-2:] == b"\x90\x00"
    finally:
        listener.reader.stop()


def test_killed_child_is_replaced(listen, lay):
    listener = listen()
    lay()
    connection = listener.connection()
    talk(connection)
    os.kill(listener.child, signal.SIGKILL)
    listener.removal()
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    assert [listener.presence(), listener.presence()] == [Presence.GONE, Presence.ATTACHED]
    assert talk(listener.connection())[-2:] == b"\x90\x00"


def test_card_that_never_answers_costs_its_time_limit_and_the_child(listen, lay):
    listener = listen(call_timeout=0.5)
    hanging = lay(answer=lambda apdu: None)
    connection = listener.connection()
    child = listener.child
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    listener.removal()
    assert listener.presence() is Presence.GONE
    hanging.remove()
    assert listener.presence() is Presence.ATTACHED
    assert listener.child != child
    lay()
    assert talk(listener.connection())[-2:] == b"\x90\x00"


def test_stop_ends_the_child_and_every_connection(listen, lay):
    listener = listen()
    lay()
    connection = listener.connection()
    talk(connection)
    child = psutil.Process(listener.child)
    listener.reader.stop()
    assert not child.is_running()
    assert not listener.reader.state.attached
    with pytest.raises(ChipLost):
        connection.transmit(SELECT)
    assert listener.cards.empty()


def test_child_ends_when_the_kiosk_is_killed_even_while_a_card_hangs(pcscd, lay):
    asked = threading.Event()
    lay(answer=lambda apdu: asked.set())
    kiosk = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from kiosk.readers.pcsc import *\n"
            "import time\n"
            "reader = PcscReader('auto', lambda card: card.transmit(bytes(5)), print, print, call_timeout=3600)\n"
            "reader.start()\n"
            "time.sleep(3600)\n",
        ]
    )
    assert asked.wait(10)
    (child,) = psutil.Process(kiosk.pid).children()
    kiosk.kill()
    kiosk.wait()
    until(lambda: not child.is_running(), "the child outlived the kiosk")


@pytest.mark.parametrize("cycles", [4, pytest.param(200, marks=pytest.mark.long)])
def test_many_insertions_leak_nothing(listen, pcscd, lay, cycles):
    listener = listen()
    descriptors = (psutil.Process().num_fds, psutil.Process(listener.child).num_fds)
    before: list[int] = []
    for _ in range(cycles):
        card = EchoCard(pcscd.vpcd_ports[0])
        connection = listener.connection()
        connection.transmit(SELECT)
        connection.close()
        card.remove()
        listener.removal()
        before = before or [count() for count in descriptors]
    assert [count() for count in descriptors] == before


@pytest.mark.parametrize(
    ("name", "sam"),
    [
        ("ACS ACR1281 1S Dual Reader [ACR1281 Dual Reader SAM] 00 02", True),
        ("ACS ACR1252 1S CL Reader [ACR1252 SAM Interface] 00 01", True),
        ("ACS ACR1281 1S Dual Reader [ACR1281 Dual Reader PICC] 00 00", False),
        ("Identiv uTrust 4701 F Dual Interface Reader [uTrust 4701 F CL Reader] 00 00", False),
    ],
    ids=["1281-sam", "1252-sam", "1281-picc", "4701"],
)
def test_slots_of_security_modules_are_known_by_name(name, sam):
    assert is_sam(name) is sam


def test_without_pyscard_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "smartcard", None)
    reader = PcscReader(AUTO, print, print, print)
    with pytest.raises(ReaderUnavailable, match="pcsc"):
        reader.start()
