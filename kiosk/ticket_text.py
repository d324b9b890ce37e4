"""Text on a ticket: the right font for each script, shaped as it is written, and lines that break between words.

Khmer puts vowels before and marks under its consonants, so it needs shaping (libraqm, which Pillow's wheels carry); it
has no blanks between words, so lines break at zero-width spaces.
"""

from __future__ import annotations

import io
import re
from functools import cache
from importlib.resources import files
from typing import Final

from PIL import ImageDraw, ImageFont

_KHMER: Final = re.compile("[\u1780-\u17ff\u19e0-\u19ff]+(?:[ ]+(?=[\u1780-\u17ff]))?")
_BREAK: Final = re.compile("( |\u200b)")
_FAMILIES: Final = {"vi": "BeVietnamPro", "km": "NotoSansKhmer"}


@cache
def font(script: str, size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    """The shipped font for *script* (``vi`` or ``km``) with *size* in dots."""
    name = f"{_FAMILIES[script]}-{'Bold' if bold else 'Regular'}.ttf"
    file = io.BytesIO(files("kiosk").joinpath("fonts", name).read_bytes())
    return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.RAQM)


def runs(text: str) -> list[tuple[str, str]]:
    """*text* in pieces of one script each, as (script, piece)."""
    found, at = [], 0
    for match in _KHMER.finditer(text):
        if match.start() > at:
            found.append(("vi", text[at : match.start()]))
        found.append(("km", match.group()))
        at = match.end()
    if at < len(text):
        found.append(("vi", text[at:]))
    return found


def width_of(text: str, size: int, *, bold: bool) -> float:
    """How wide *text* is on one line."""
    return sum(font(script, size, bold=bold).getlength(piece) for script, piece in runs(text.replace("\u200b", "")))


def wrapped(text: str, size: int, width: int, *, bold: bool) -> list[str]:
    """*text* in lines of at most *width* dots; a word that is longer alone is cut."""
    lines, line = [], ""
    for part in _BREAK.split(text):
        while width_of(line + part, size, bold=bold) > width and part != " ":
            if line.strip(" \u200b"):
                lines.append(line.strip(" \u200b"))
                line = ""
            elif len(part) > 1:
                fits = max(1, *(n for n in range(1, len(part)) if width_of(part[:n], size, bold=bold) <= width), 1)
                lines.append(part[:fits])
                part = part[fits:]  # noqa: PLW2901 - what is left of the long word
            else:
                break
        line += part
    return [*lines, line.strip(" \u200b")] if line.strip(" \u200b") else lines


def draw_line(draw: ImageDraw.ImageDraw, middle: float, base: float, text: str, size: int, *, bold: bool) -> None:
    """Write *text* on one line around *middle*, standing on *base*."""
    bare = text.replace("\u200b", "")
    x = middle - width_of(bare, size, bold=bold) / 2
    for script, piece in runs(bare):
        letters = font(script, size, bold=bold)
        draw.text((x, base), piece, fill=0, font=letters, anchor="ls", language=script)
        x += letters.getlength(piece)
