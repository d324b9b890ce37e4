"""Draws a ticket as the black and white dots of a receipt printer, 203 dots an inch (components.md 8).

A picture and no text: printers' code pages hold neither all Vietnamese letters nor any Khmer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import segno
from barcode import Code128
from PIL import Image, ImageDraw

from kiosk.ticket_model import Ticket
from kiosk.ticket_text import draw_line, width_of, wrapped

DOTS: Final = {58: 384, 80: 576}
"""What can be printed across, by the width of the paper in millimetres."""

_TALLEST: Final = 4000
_BARCODE_HEIGHT: Final = 70
_QUIET: Final = 10  # modules left white beside a Code 128 (ISO/IEC 15417)


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """The words of tickets by language."""
    with files("kiosk.data").joinpath("ticket-words.toml").open("rb") as file:
        return tomllib.load(file)


def draw_ticket(ticket: Ticket, paper: int, languages: tuple[str, ...] = ("vi",)) -> Image.Image:
    """*ticket* for *paper* of 58 or 80 mm as a one-bit picture."""
    own = (ticket.language,) if ticket.language else ()
    return _Sheet(DOTS[paper], tuple(dict.fromkeys((*own, *languages)))).drawn(ticket)


class _Sheet:
    """Paper that is written from top to bottom."""

    def __init__(self, width: int, languages: tuple[str, ...]) -> None:
        self._width = width
        self._languages = languages
        self._image = Image.new("L", (width, _TALLEST), 255)
        self._draw = ImageDraw.Draw(self._image)
        self._y = 8
        self._body = 26 if width > DOTS[58] else 22

    def drawn(self, ticket: Ticket) -> Image.Image:
        body = self._body
        self._say("title", body, bold=True)
        self._line(ticket.at, body - 4)
        self._rule()
        self._say("own_number" if ticket.own else "number", body)
        self._huge(ticket.number)
        if ticket.own:
            self._say("own_note", body - 2)
        if ticket.before:
            self._say("before", body, number=ticket.before)
        self._where(ticket)
        self._insurance(ticket)
        self._codes(ticket)
        return (
            self._image.crop((0, 0, self._width, self._y + 16)).point(lambda dot: 255 if dot > 127 else 0).convert("1")
        )

    def _where(self, ticket: Ticket) -> None:
        self._rule()
        place = [] if ticket.own else list(dict.fromkeys(filter(None, (ticket.room, ticket.department))))
        if place:
            self._say("room", self._body - 2)
            self._line(place[0], self._body + 14, bold=True)
        for more in dict.fromkeys(filter(None, (*place[1:], ticket.service))):
            if more not in place[:1]:
                self._line(more, self._body)
        for other in ticket.others[:4]:
            if other is ticket.others[0]:
                self._say("others", self._body - 2)
            self._line(f"{other.number}  {other.room or ''}".strip(), self._body, bold=True)
        self._y += 6
        self._say(_next_step(ticket, placed=bool(place)), self._body + 2, bold=True)

    def _insurance(self, ticket: Ticket) -> None:
        if not (ticket.valid_to or ticket.level is not None or ticket.unchecked):
            return
        self._rule()
        if ticket.unchecked:
            self._say("unchecked", self._body - 2)
        if ticket.valid_to:
            self._say("valid_to", self._body - 2, date=ticket.valid_to)
        if ticket.level is not None:
            self._say("level", self._body - 2, level=str(ticket.level))

    def _codes(self, ticket: Ticket) -> None:
        if ticket.barcode and ticket.barcode.isascii() and ticket.barcode.isprintable():
            self._rule()
            self._barcode(ticket.barcode)
            self._line(ticket.barcode, self._body - 4)
        if ticket.lookup_receipt:
            self._rule()
            self._qr(ticket.lookup_receipt)
            self._say("receipt", self._body - 4)
            self._line(ticket.lookup_receipt, self._body - 2, bold=True)

    def _say(self, key: str, size: int, *, bold: bool = False, **values: str) -> None:
        for place, language in enumerate(self._languages):
            self._line(
                words()[language][key].format(**values), max(20, size - 4) if place else size, bold=bold and not place
            )

    def _line(self, text: str, size: int, *, bold: bool = False) -> None:
        for line in wrapped(text, size, self._width - 16, bold=bold):
            self._y += round(size * 1.5)  # room for marks above and below, of Khmer most of all
            draw_line(self._draw, self._width / 2, self._y - size * 0.38, line, size, bold=bold)

    def _huge(self, number: str) -> None:
        size = 190
        while size > 40 and width_of(number, size, bold=True) > self._width - 24:
            size -= 6
        self._y += round(size * 0.95)
        draw_line(self._draw, self._width / 2, self._y - size * 0.1, number, size, bold=True)
        self._y += 6

    def _rule(self) -> None:
        self._y += 12
        self._draw.line((8, self._y, self._width - 8, self._y), fill=0, width=2)
        self._y += 4

    def _barcode(self, text: str) -> None:
        """As wide as the paper allows; where bars would get too thin for a scanner, the text alone stays."""
        modules = Code128(text).build()[0]
        dots = min(3, self._width // (len(modules) + 2 * _QUIET))
        if dots < 2:
            return
        left, self._y = (self._width - dots * len(modules)) // 2, self._y + 10
        for at, module in enumerate(modules):
            if module == "1":
                x = left + at * dots
                self._draw.rectangle((x, self._y, x + dots - 1, self._y + _BARCODE_HEIGHT), fill=0)
        self._y += _BARCODE_HEIGHT + 4

    def _qr(self, text: str) -> None:
        matrix = segno.make(text, error="m", micro=False).matrix
        dots = 6
        left, self._y = (self._width - dots * len(matrix)) // 2, self._y + 4 * dots
        for row in matrix:
            for at, module in enumerate(row):
                if module:
                    x = left + at * dots
                    self._draw.rectangle((x, self._y, x + dots - 1, self._y + dots - 1), fill=0)
            self._y += dots
        self._y += 2 * dots


def _next_step(ticket: Ticket, *, placed: bool) -> str:
    if ticket.to_staff:
        return "staff"
    if ticket.own:
        return "desk"
    return "go" if placed else "wait"
