"""From a kind, a period and a format to the bytes of a report."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from province.pages.texts import Language
from province.reports.content import Kind, monthly, weekly
from province.reports.words import Words

FORMATS: Final = ("pdf", "xlsx")


def make(connection: sa.Connection, kind: Kind, period: str, wanted: str, now: datetime, language: Language) -> bytes:
    """The report of *period* (`YYYY-MM`, or `YYYY-Www` for the weekly one) as `pdf` or `xlsx`; *now*: aware.

    Raises BadPeriod, PdfUnavailable, and ValueError for another format.
    """
    if wanted not in FORMATS:
        raise ValueError("format: pdf or xlsx")
    report = (monthly if kind is Kind.MONTHLY else weekly)(connection, period, now)
    words = Words(report, language)
    if wanted == "xlsx":
        from province.reports.xlsx import to_xlsx  # noqa: PLC0415  (openpyxl: only who asks pays for it)

        return to_xlsx(report, words)
    from province.reports.pdf import to_pdf  # noqa: PLC0415

    return to_pdf(report, words)
