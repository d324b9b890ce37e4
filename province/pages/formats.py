"""Numbers, percentages, days and times as people of a language write them; all times in Vietnam (UTC+7)."""

from datetime import date, datetime
from typing import Final

from kiosk.events import VIETNAM
from province.pages.texts import Language

NO_VALUE: Final = "–"


def number(value: int | None, language: Language) -> str:
    """A whole number in groups of three; a dash for None."""
    if value is None:
        return NO_VALUE
    text = f"{value:,}"
    return text.replace(",", ".") if language is Language.VIETNAMESE else text


def percentage(value: float | None, language: Language, places: int = 2) -> str:
    """A percentage (0 to 100 and above) with its sign; a dash for None."""
    if value is None:
        return NO_VALUE
    text = f"{value:,.{places}f}"
    if language is Language.VIETNAMESE:
        text = text.translate(str.maketrans(",.", ".,"))
    return text + "\u00a0%"


def day(value: date | str, language: Language) -> str:
    """A day, given as such or as `YYYY-MM-DD`: `02/03/2026` or `2 Mar 2026`."""
    moment = date.fromisoformat(value) if isinstance(value, str) else value
    if language is Language.VIETNAMESE:
        return moment.strftime("%d/%m/%Y")
    return f"{moment.day} {moment:%b %Y}"


def month(value: date | str, language: Language) -> str:
    """A month, given as a day in it or as `YYYY-MM`: `03/2026` or `Mar 2026`."""
    first = date.fromisoformat(f"{value[:7]}-01") if isinstance(value, str) else value
    return f"{first:%m/%Y}" if language is Language.VIETNAMESE else f"{first:%b %Y}"


def moment(value: datetime, language: Language) -> str:
    """An aware time to the minute: `02/03/2026 14:05`."""
    local = value.astimezone(VIETNAM)
    return f"{day(local.date(), language)} {local:%H:%M}"
