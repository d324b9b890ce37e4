"""Simulated cards laid on a station without a reader in between: what `kiosk.devices` does, by hand."""

from __future__ import annotations

import threading
from datetime import datetime
from functools import cache
from typing import Any

from kiosk.chip_station import ChipStation
from kiosk.emrtd.errors import ChipLost
from kiosk.model import VIETNAM
from simulators.chip import make_card
from simulators.chip_card import VirtualCard
from simulators.chip_person import card_person
from simulators.chip_pki import TestPki as Pki
from simulators.chip_quirks import CardRemoved
from tests.kiosk.world import PEOPLE, World


@cache
def pki() -> Pki:
    """One authority for all tests of a process."""
    return Pki(datetime.now(VIETNAM))


class Laid:
    """A card in front of a reader; `pull` takes it away for good, `hold` stops it before an answer."""

    card_type = "3B8080"

    def __init__(self, card: VirtualCard) -> None:
        self.card = card
        self.gone = False
        self.let = threading.Event()
        self.let.set()
        self.held_after: int | None = None
        self.sent = 0

    def transmit(self, apdu: bytes) -> bytes:
        self.sent += 1
        if self.held_after is not None and self.sent > self.held_after:
            self.let.wait(10)
        if self.gone:
            raise ChipLost("gone")
        try:
            return self.card.transmit(apdu)
        except CardRemoved:
            self.gone = True
            raise ChipLost("gone") from None

    def reset(self) -> None:
        if self.gone:
            raise ChipLost("gone")
        self.card.reset()

    def close(self) -> None:
        self.gone = True

    def hold(self, after: int) -> None:
        self.held_after = after
        self.let.clear()

    def pull(self) -> None:
        self.gone = True
        self.let.set()


def card_of(number: int, mode: str = "genuine", **more: Any) -> Laid:
    """The card of one of the thirty people."""
    return Laid(make_card(card_person(PEOPLE[number], datetime.now(VIETNAM).date()), mode, pki(), **more))


def station_of(world: World) -> ChipStation:
    assert isinstance(world.station, ChipStation)
    return world.station


async def lay(world: World, card: Laid) -> Laid:
    station = station_of(world)
    station.slot.laid(card)
    await station.card_laid()
    return card


async def take(world: World) -> None:
    station = station_of(world)
    station.slot.removed()
    await station.card_removed()
