"""A report on A4 sheets. The font is DejaVu, which has all Vietnamese letters (Debian's fonts-dejavu-core)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from province import causes
from province.pages.readings import Reading
from province.reports.content import Kind, Report
from province.reports.words import RATES, Words

if TYPE_CHECKING:
    from fpdf import FPDF

_FONTS: Final = "/usr/share/fonts/truetype/dejavu/"
_MOST_PRINTED: Final = 300
_ON_THE_SHEET: Final = 5
_INK: Final = (28, 36, 44)
_BAR, _GOAL, _ALERT, _SHADE = (38, 110, 150), (190, 80, 20), (170, 30, 30), (232, 236, 240)
_LINE: Final[dict[str, Any]] = {"new_x": "LMARGIN", "new_y": "NEXT"}


class PdfUnavailable(Exception):
    """No PDF can be made: the font is missing on this machine."""


def to_pdf(report: Report, words: Words) -> bytes:
    """The report as PDF; the weekly one is one sheet. Raises PdfUnavailable."""
    pdf = _new_document(report, words)
    _cover(pdf, report, words)
    whole = report.whole
    if whole is None:
        pdf.multi_cell(0, 6, words("no_figures"), **_LINE)
        return bytes(pdf.output())
    if report.kind is Kind.WEEKLY:
        _causes(pdf, report, words, 3)
        _heading(pdf, words("lowest"))
        _facilities(pdf, words, _lowest(report.facilities)[:_ON_THE_SHEET])
        _silent(pdf, report, words, 4)
        return bytes(pdf.output())
    _causes(pdf, report, words, 13)
    pdf.add_page()
    _heading(pdf, words("facilities"))
    shown: Sequence[Reading] = report.facilities
    if len(shown) > _MOST_PRINTED:
        shown = _lowest(shown)[:_MOST_PRINTED]
        _text(pdf, words("too_many", shown=words.number(len(shown)), total=words.number(len(report.facilities))))
    _facilities(pdf, words, shown)
    _silent(pdf, report, words, 100)
    if pdf.will_page_break(90):
        pdf.add_page()
    _heading(pdf, words("method"))
    for term, meaning in words.method():
        _text(pdf, f"{term}: {meaning}", size=8)
    _signatures(pdf, words)
    return bytes(pdf.output())


def _new_document(report: Report, words: Words) -> FPDF:
    from fpdf import FPDF  # noqa: PLC0415  (fonts and pictures: only who asks for a PDF pays for them)

    class Sheet(FPDF):
        def header(self) -> None:
            if report.simulated:
                self.set_font("DejaVu", "B", 8)
                self.set_text_color(*_ALERT)
                self.cell(0, 5, words("simulated"), align="C", **_LINE)
                self.set_text_color(*_INK)

        def footer(self) -> None:
            self.set_y(-11)
            self.set_font("DejaVu", size=7)
            self.set_text_color(90, 90, 90)
            self.cell(0, 4, f"{words.title} · {words.made_at}")
            self.set_x(self.l_margin)
            self.cell(0, 4, words("page", page=self.page_no(), pages="{nb}"), align="R")
            self.set_text_color(*_INK)

    pdf = Sheet(format="A4")
    pdf.set_margins(14, 12)
    pdf.set_auto_page_break(True, 15)
    try:
        pdf.add_font("DejaVu", "", f"{_FONTS}DejaVuSans.ttf")
        pdf.add_font("DejaVu", "B", f"{_FONTS}DejaVuSans-Bold.ttf")
    except OSError:
        raise PdfUnavailable from None
    pdf.set_title(words.title)
    pdf.set_lang(str(words.language))
    pdf.set_creation_date(report.made_at)
    pdf.set_text_color(*_INK)
    pdf.add_page()
    return pdf


def _cover(pdf: FPDF, report: Report, words: Words) -> None:
    pdf.set_font("DejaVu", "B", 16)
    pdf.multi_cell(0, 8, words.title, align="C", **_LINE)
    for text in (words("about"), words.subtitle):
        pdf.set_font("DejaVu", size=9)
        pdf.multi_cell(0, 5, text, align="C", **_LINE)
    pdf.ln(3)
    whole = report.whole
    if whole is None:
        return
    top = pdf.get_y()
    pdf.set_font("DejaVu", "B", 34)
    pdf.cell(70, 18, words.percentage(whole.r1.pct), align="C", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("DejaVu", size=8)
    pdf.multi_cell(70, 4.5, words("rates.r1"), align="C", **_LINE)
    pdf.set_font("DejaVu", "B", 9)
    pdf.set_text_color(*(_ALERT if whole.met is False else _INK))
    pdf.multi_cell(70, 6, words(whole.state), align="C", **_LINE)
    pdf.set_text_color(*_INK)
    below = pdf.get_y()
    pdf.set_y(top)
    margin = pdf.l_margin
    pdf.set_left_margin(margin + 76)
    pdf.set_x(margin + 76)
    for label, value in words.facts(whole):
        pdf.set_font("DejaVu", size=8)
        pdf.cell(50, 5, label)
        pdf.set_font("DejaVu", "B", 8 if len(value) < 60 else 6)
        pdf.multi_cell(0, 5, value, **_LINE)
    pdf.set_left_margin(margin)
    pdf.set_xy(margin, max(below, pdf.get_y()) + 2)
    rows = [
        (
            words(f"rates.{name}"),
            words.number(rate.numerator),
            words.number(rate.denominator),
            words.percentage(rate.pct),
        )
        for name in RATES
        for rate in (getattr(whole, name),)
    ]
    _table(pdf, (words("rate"), words("numerator"), words("denominator"), words("value")), rows, (92, 30, 30, 30))
    _trend(pdf, report, words)


def _trend(pdf: FPDF, report: Report, words: Words) -> None:
    _heading(pdf, words(f"trend_{report.kind}"))
    values = [each.r1.pct for each in report.trend]
    known = [value for value in values if value is not None]
    if not known:
        _text(pdf, words("no_figures"))
        return
    target = report.whole.target if report.whole else None
    top = max([100.0, *known])
    height, left, begin = 38.0, pdf.l_margin + 8, pdf.get_y() + 4
    step = (pdf.epw - 8) / len(values)
    pdf.set_font("DejaVu", size=6.5)
    for number, each in enumerate(report.trend):
        x = left + number * step
        pct = each.r1.pct
        if pct is not None:
            tall = height * pct / top
            pdf.set_fill_color(*_BAR)
            pdf.rect(x + step * 0.2, begin + height - tall, step * 0.6, tall, style="F")
            pdf.set_xy(x, begin + height - tall - 3.6)
            pdf.cell(step, 3.4, f"{pct:.1f}".replace(".", ","), align="C")
        pdf.set_xy(x, begin + height + 0.8)
        pdf.cell(step, 3.4, words.period_name(each), align="C")
    if target is not None:
        y = begin + height * (1 - target / top)
        pdf.set_draw_color(*_GOAL)
        with pdf.local_context():
            pdf.set_dash_pattern(dash=1.6, gap=1.2)
            pdf.line(left, y, left + step * len(values), y)
        pdf.set_xy(pdf.l_margin - 2, y - 1.8)
        pdf.cell(10, 3.6, f"{target:g}".replace(".", ","), align="R")
        pdf.set_draw_color(0, 0, 0)
    pdf.set_fill_color(255, 255, 255)  # tables fill their rows with what was set last
    pdf.set_xy(pdf.l_margin, begin + height + 6)


def _causes(pdf: FPDF, report: Report, words: Words, most: int) -> None:
    _heading(pdf, words("causes"))
    found = report.causes
    if found is None or not found.causes:
        _text(pdf, words("nobody"))
        return
    rows = [
        (causes.name(each.reason, words.language), words.number(each.visits), words.percentage(each.share))
        for each in found.causes[:most]
    ]
    _table(pdf, (words("reason"), words("visits"), words("share")), rows, (122, 30, 30))
    _text(pdf, f"{words('advice')} {causes.advice(found.causes[0].reason, words.language)}")


def _lowest(facilities: Sequence[Reading]) -> list[Reading]:
    """By their rates; those without any at the end."""
    return sorted(facilities, key=lambda each: (each.r1.pct is None, each.r1.pct or 0.0, each.code))


def _facilities(pdf: FPDF, words: Words, facilities: Sequence[Reading]) -> None:
    if not facilities:
        _text(pdf, words("nobody"))
        return
    headings = (
        *(words(key) for key in ("no", "code", "name", "visits", "looked_up")),
        "R1",
        words("target"),
        "R2",
        "R4",
        words("origin"),
    )
    rows = [
        (
            str(number),
            each.code,
            each.name,
            words.number(each.visits),
            words.number(each.r1.numerator),
            words.percentage(each.r1.pct),
            words.percentage(each.target),
            words.percentage(each.r2.pct),
            words.percentage(each.r4.pct),
            words.origin(each.origin),
        )
        for number, each in enumerate(facilities, start=1)
    ]
    marked = {number for number, each in enumerate(facilities) if each.met is False}
    _table(pdf, headings, rows, (8, 13, 50, 17, 17, 16, 16, 16, 16, 13), size=6.2, marked=marked, text_columns=3)


def _silent(pdf: FPDF, report: Report, words: Words, most: int) -> None:
    _heading(pdf, words("silent"))
    names = [f"{each.code} {each.name}" for each in report.silent]
    more = "" if len(names) <= most else f" … (+{words.number(len(names) - most)})"
    _text(pdf, ("; ".join(names[:most]) + more) if names else words("nobody"), size=8)


def _signatures(pdf: FPDF, words: Words) -> None:
    pdf.ln(6)
    pdf.set_font("DejaVu", "B", 9)
    for place in (words("made_by"), words("head")):
        pdf.cell(pdf.epw / 2, 5, place, align="C")
    pdf.ln(24)


def _heading(pdf: FPDF, text: str) -> None:
    pdf.ln(2)
    pdf.set_font("DejaVu", "B", 10.5)
    pdf.multi_cell(0, 6, text, **_LINE)


def _text(pdf: FPDF, text: str, size: float = 8.5) -> None:
    pdf.set_font("DejaVu", size=size)
    pdf.multi_cell(0, 4.6, text, **_LINE)


def _table(
    pdf: FPDF,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[float],
    *,
    size: float = 8,
    marked: set[int] | None = None,
    text_columns: int = 1,
) -> None:
    from fpdf.enums import TableBordersLayout  # noqa: PLC0415
    from fpdf.fonts import FontFace  # noqa: PLC0415

    pdf.set_font("DejaVu", size=size)
    pdf.set_draw_color(150, 160, 168)
    aligned = ["LEFT" if number < text_columns else "RIGHT" for number in range(len(widths))]
    with pdf.table(
        col_widths=tuple(widths),
        width=sum(widths),
        align="LEFT",
        line_height=size * 0.5,
        padding=0.8,
        text_align=tuple(aligned),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD", fill_color=_SHADE),
    ) as table:
        table.row(list(headings))
        low = FontFace(emphasis="BOLD", color=_ALERT)
        for number, cells in enumerate(rows):
            table.row(list(cells), style=low if marked and number in marked else None)
    pdf.ln(1)
