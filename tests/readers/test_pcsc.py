"""The PC/SC reader through the real stack: child process, pyscard, pcscd, and cards on its virtual reader."""

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest

from kiosk.emrtd.errors import ChipLost
from kiosk.errors import ReaderUnavailable
from kiosk.ports import CardConnection
from kiosk.readers.pcsc import AUTO, PcscReader, is_sam
from kiosk.readers.state import Presence, ReaderState
from tests.readers.pcscd import READERS, EchoCard, PcscdInfo, until

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

    def put(slot: int = 0, **settings: object) -> EchoCard:
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
    assert listen().connection().transmit(SELECT)[-2:] == b"\x90\x00"
