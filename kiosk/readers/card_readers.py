"""Card readers by their name in the configuration, and one card for a command that waits for it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from kiosk.errors import ConfigError, ReaderUnavailable
from kiosk.ports import CardConnection
from kiosk.readers.pcsc import PcscReader
from kiosk.readers.pn532 import Pn532Reader
from kiosk.readers.state import ReaderState

CardReader = PcscReader | Pn532Reader

_FOUND_WITHIN_S = 3.0


class NoReader(ReaderUnavailable):
    """No card reader is there, or pcscd is not running (interfaces, section 3)."""

    code = "NO_READER"


class NoCard(ReaderUnavailable):
    """A reader is there, but nobody laid a card on it in time (interfaces, section 3)."""

    code = "NO_CARD"


def card_reader(
    adapter: str,
    name: str,
    on_card: Callable[[CardConnection], None],
    on_removed: Callable[[], None],
    on_state: Callable[[ReaderState], None],
) -> CardReader:
    """The reader that ``[card] adapter`` and ``reader`` mean: "pcsc" and a PC/SC name or "auto", "pn532" and a path.

    It is not started. ConfigError for an adapter that is no device of this machine.
    """
    match adapter:
        case "pcsc":
            return PcscReader(name, on_card, on_removed, on_state)
        case "pn532":
            return Pn532Reader(name, on_card, on_removed, on_state)
    raise ConfigError(f"card.adapter: {adapter} is no card reader of this machine; expected pcsc or pn532")


@contextmanager
def open_card(adapter: str, name: str, timeout: float) -> Iterator[CardConnection]:
    """Wait up to *timeout* seconds for a card and give its connection; reader and card are let go at the end.

    A card that lies there already counts. NoReader when no reader was found within three seconds, NoCard; ConfigError
    as `card_reader`.
    """
    cards: queue.SimpleQueue[CardConnection] = queue.SimpleQueue()
    reader = card_reader(adapter, name, cards.put, lambda: None, lambda _: None)
    try:
        reader.start()
    except ReaderUnavailable as error:
        raise NoReader(str(error)) from error
    try:
        yield _first(cards, reader, timeout)
    finally:
        reader.stop()


def _first(cards: queue.SimpleQueue[CardConnection], reader: CardReader, timeout: float) -> CardConnection:
    with suppress(queue.Empty):
        return cards.get(timeout=min(timeout, _FOUND_WITHIN_S))
    if not reader.state.attached:
        raise NoReader("no card reader; kioskctl readers tells what is wrong")
    with suppress(queue.Empty):
        return cards.get(timeout=max(0.0, timeout - _FOUND_WITHIN_S))
    raise NoCard(f"no card within {timeout:g} s")
