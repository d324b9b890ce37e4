"""Evidence of lookups as PDF, A4, made in a process of its own: fonts and pictures need much memory for a moment.

Run as ``python -I -m kiosk.evidence_pdf`` with the document as JSON on standard input (``Page``), PDF on standard
output. The font is DejaVu, which has all Vietnamese letters (Debian's fonts-dejavu-core).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from kiosk.errors import KioskError

_FONTS: Final = "/usr/share/fonts/truetype/dejavu/"
_SECONDS: Final = 30.0
_STARTS: Final = b"%PDF-"


class PdfUnavailable(KioskError):
    """No PDF could be made: fpdf2 or its font is missing, or the machine is too slow. CSV says the same."""

    code = "PDF_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Page:
    """What is printed, from top to bottom. ``widths``: millimetres of the columns, 190 together."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    headings: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[str]]
    closing: Sequence[tuple[str, str]]
    signatures: Sequence[str]


async def as_pdf(page: Page) -> bytes:
    """*page* as PDF; PdfUnavailable."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=os.sep,
        env={},
    )
    try:
        async with asyncio.timeout(_SECONDS):
            pdf, _ = await child.communicate(json.dumps(asdict(page)).encode())
    except TimeoutError:
        raise PdfUnavailable from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0 or not pdf.startswith(_STARTS):
        raise PdfUnavailable
    return pdf


def render(page: Page) -> bytes:
    """*page* on as many A4 sheets as it needs, mostly one. ImportError or OSError without fpdf2 or the font."""
    from fpdf import FPDF  # noqa: PLC0415 - the daemon must never load it
    from fpdf.enums import TableBordersLayout  # noqa: PLC0415
    from fpdf.fonts import FontFace  # noqa: PLC0415

    class Sheet(FPDF):
        def footer(self) -> None:
            self.set_y(-10)
            self.set_font("DejaVu", size=7)
            self.cell(0, 4, f"Trang {self.page_no()}/{{nb}}", align="R")

    pdf = Sheet(format="A4")
    pdf.set_margins(10, 10)
    pdf.set_auto_page_break(True, 14)
    pdf.add_font("DejaVu", "", f"{_FONTS}DejaVuSans.ttf")
    pdf.add_font("DejaVu", "B", f"{_FONTS}DejaVuSans-Bold.ttf")
    pdf.set_title(page.title)
    pdf.set_lang("vi")
    pdf.add_page()
    line: dict[str, Any] = {"new_x": "LMARGIN", "new_y": "NEXT"}

    def pairs(facts: Sequence[tuple[str, str]]) -> None:
        for label, value in facts:
            pdf.set_font("DejaVu", size=9)
            pdf.cell(48, 5.5, label)
            pdf.set_font("DejaVu", "B", 8.5)
            pdf.multi_cell(0, 5.5, value or "–", **line)

    pdf.set_font("DejaVu", "B", 13)
    pdf.multi_cell(0, 7, page.title, align="C", **line)
    pdf.set_font("DejaVu", size=8)
    pdf.multi_cell(0, 5, page.subtitle, align="C", **line)
    pdf.ln(3)
    pairs(page.facts)
    pdf.ln(3)
    pdf.set_font("DejaVu", size=6.5)
    with pdf.table(
        col_widths=tuple(page.widths),
        line_height=3.6,
        padding=0.7,
        text_align="LEFT",
        borders_layout=TableBordersLayout.ALL,
        headings_style=FontFace(emphasis="BOLD", fill_color=(232, 236, 240)),
    ) as table:
        for row in (page.headings, *page.rows):
            cells = table.row()
            for cell in row:
                cells.cell(cell)
    pdf.ln(3)
    pairs(page.closing)
    pdf.ln(6)
    pdf.set_font("DejaVu", size=9)
    for place in page.signatures:
        pdf.cell(pdf.epw / len(page.signatures), 5, place, align="C")
    return bytes(pdf.output())


def main() -> int:
    """0 and the PDF; 1 when it cannot be made."""
    try:
        pdf = render(Page(**json.load(sys.stdin.buffer)))
    except Exception:  # the words of an error could quote the person
        return 1
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
