"""What `kiosk-sim chip` does: one card on one simulated reader, until it is told to end."""

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import click

from simulators.chip import MODES, make_card
from simulators.chip_card import VirtualCard
from simulators.chip_pki import TestPki
from simulators.chip_vpcd import VpcdCard
from simulators.pn532 import SimulatedPn532
from simulators.vss_people import PEOPLE

_Move = Callable[[], None]


def modes_as_text() -> str:
    """One line for each mode: name, what a complete read ends in with and without anchors, description."""
    lines = []
    for name, mode in MODES.items():
        verdicts = f"{mode.with_anchor} | {mode.without_anchor}" if mode.with_anchor else ""
        ends_in = ", ".join(part for part in (verdicts, f"{mode.error} by CAN" if mode.error else "") if part)
        lines.append(f"{name:24} {ends_in:58} {mode.description}")
    return "\n".join(lines)


def serve_chip(
    number: int, mode: str, reader: str | Path, latency_ms: float | None = None, anchors: Path | None = None
) -> None:
    """Lay the card of person *number* on *reader*, `HOST:PORT` of vpcd or the link of a PN532, until SIGINT or SIGTERM.

    Announces itself on stdout; a line on stdin takes the card away or lays it down. ValueError for an unknown mode, an
    address that is none, or a person without a card; OSError when the reader or the folder *anchors* cannot be made.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pki = TestPki(datetime.now(UTC))
    card = make_card(PEOPLE[number - 1], mode, pki, latency_ms=latency_ms)
    if anchors is not None:
        pki.write_anchors(anchors)
    placed = _on_vpcd(card, reader) if isinstance(reader, str) else _on_pn532(card, reader)
    with placed as (take_away, lay), contextlib.suppress(KeyboardInterrupt):
        lay()
        announcement = {"simulator": "chip", "reader": str(reader), "mode": mode, "can": card.data.can}
        click.echo(json.dumps({**announcement, "mrz": card.data.mrz}))
        click.echo(f"chip simulator on {reader}; Enter takes the card away or lays it down (Ctrl-C ends it)", err=True)
        moves = cycle(((take_away, "the card is away"), (lay, "the card lies there")))
        for _, (move, told) in zip(sys.stdin, moves, strict=False):
            move()
            click.echo(told, err=True)
        signal.pause()


@contextlib.contextmanager
def _on_vpcd(card: VirtualCard, address: str) -> Iterator[tuple[_Move, _Move]]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{address} is not HOST:PORT")
    inserted = VpcdCard(card, host, int(port))
    try:
        yield inserted.remove, inserted.insert
    finally:
        inserted.close()


@contextlib.contextmanager
def _on_pn532(card: VirtualCard, link: Path) -> Iterator[tuple[_Move, _Move]]:
    with SimulatedPn532(link) as reader:
        yield reader.take_away, lambda: reader.lay(card)
