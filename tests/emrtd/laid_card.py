"""Simulated cards in front of a reader that can lose them, swap them, or be a poor reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from random import Random

from kiosk.emrtd.chip import AccessKey, read_chip
from kiosk.emrtd.errors import ChipLost
from kiosk.emrtd.files import SizeMemory
from kiosk.emrtd.mrz import MrzKey, parse
from kiosk.emrtd.results import ChipRead
from kiosk.emrtd.trust import TrustAnchors
from simulators.chip import make_card
from simulators.chip_card import VirtualCard
from simulators.chip_files import CardData
from simulators.chip_person import card_person
from simulators.chip_pki import TestPki
from simulators.chip_quirks import CardRemoved, Quirks
from simulators.vss_people import PEOPLE

NOW = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
TODAY = date(2026, 11, 2)
FIDS = {"DG1": 0x0101, "DG2": 0x0102, "DG13": 0x010D, "DG14": 0x010E, "DG15": 0x010F, "EF.SOD": 0x011D}


@cache
def authority() -> TestPki:
    return TestPki(NOW)


@cache
def issued(mode: str = "genuine", person: int = 0) -> tuple[CardData, Quirks]:
    card = make_card(card_person(PEOPLE[person], TODAY), mode, authority())
    return card.data, card.quirks


class Clock:
    """Seconds that pass only where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def card(mode: str = "genuine", clock: Clock | None = None, data: CardData | None = None) -> VirtualCard:
    issued_data, quirks = issued(mode)
    return VirtualCard(data or issued_data, quirks, Random(1).randbytes, clock=clock or Clock())


class Laid:
    """A connection to *chip*. ``lose(n)`` says of the n-th command (from 0) what becomes of it.

    "": nothing; "before": the card is lost before it hears the command; "after": before its answer comes through.
    ``back``: what lies there at a reset, None when nothing.
    """

    def __init__(self, chip: VirtualCard, lose: Callable[[int], str] = lambda n: "") -> None:
        self.chip = chip
        self.card_type = chip.atr.hex()
        self.lose = lose
        self.back: Callable[[], VirtualCard | None] = lambda: self.chip
        self.commands = self.losses = self.resets = 0
        self._active = True

    def transmit(self, apdu: bytes) -> bytes:
        number, self.commands = self.commands, self.commands + 1
        if not self._active:
            raise ChipLost("the card is not active")
        fate = self.lose(number)
        try:
            answer = b"" if fate == "before" else self.chip.transmit(apdu)
        except CardRemoved:
            fate = "after"
        if fate:
            self._active = False
            self.losses += 1
            raise ChipLost("the card is lost")
        return answer

    def reset(self) -> None:
        self.resets += 1
        there = self.back()
        if there is None:
            raise ChipLost("no card came back")
        self.chip = there
        try:
            there.reset()
        except CardRemoved:
            raise ChipLost("the card was taken away") from None
        self._active = True


class Sizes(dict[str, int]):
    """A memory of read sizes."""

    def put(self, card_type: str, size: int) -> None:
        self[card_type] = size


def can_key(data: CardData) -> AccessKey:
    return AccessKey(can=data.can)


def mrz_key(data: CardData) -> AccessKey:
    return AccessKey(mrz=MrzKey.of(parse("\n".join(data.mrz))))


def read(
    laid: Laid,
    key: AccessKey | None = None,
    *,
    anchors: TrustAnchors | None = None,
    photo: bool = False,
    on_identity: Callable[[Mapping[str, bytes]], None] | None = None,
    memory: SizeMemory | None = None,
    clock: Clock | None = None,
) -> ChipRead:
    """``read_chip`` on a clock of the test's."""
    clock = clock or Clock()
    return read_chip(
        laid,
        key or can_key(laid.chip.data),
        anchors=anchors,
        photo=photo,
        on_identity=on_identity,
        memory=memory,
        now=NOW,
        clock=clock,
        pause=clock.wait,
    )


def files_on(data: CardData, *, photo: bool = False) -> dict[str, bytes]:
    """What a right read gives, apart from the files of the master file."""
    names = [name for name in FIDS if photo or name != "DG2"]
    return {name: data.files[FIDS[name]] for name in names if FIDS[name] in data.files}
