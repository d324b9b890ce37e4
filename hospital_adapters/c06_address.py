"""The administrative codes of a person's home from the address on the card (his-kiosk-c06.md 4; 6, row 21)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hospital_adapters.c06_settings import C06Settings


@dataclass(frozen=True, slots=True)
class HomeCodes:
    """Official codes of 2, 3 and 5 digits; empty where nobody knows. Province and commune are those since July 2025."""

    province: str
    district: str
    commune: str


def home_codes(address: str | None, settings: C06Settings) -> HomeCodes:
    """The codes of *address*, those of the settings where it names no province.

    The district only with ``district_code_old``: the one of the address, else the one in which all that became the
    commune lay. Never raises, whatever the text.
    """
    from kiosk.addresses.parse import parse_address  # noqa: PLC0415 - the lists of the country, once somebody needs them

    found = parse_address(address) if address else None
    if found is None or found.new is None:
        return HomeCodes(settings.province_code, settings.district, settings.commune_code)
    commune = found.new.commune.code if found.new.commune else ""
    district = ""
    if settings.district_code_old:
        stated = found.old.district if found.old else None
        district = stated.code if stated else _district_before(found.new.province.code, commune)
    return HomeCodes(found.new.province.code, district or settings.district, commune)


@lru_cache(maxsize=4096)
def _district_before(new_province: str, new_commune: str) -> str:
    """The code of the only old district whose communes became *new_commune*; empty if there were several or none."""
    if not new_commune:
        return ""
    from kiosk.addresses.units import province, provinces  # noqa: PLC0415

    before = [listed.unit.code for listed, _ in provinces("old") if listed.became == new_province]
    found = {
        district.unit.code
        for code in before
        for district, communes in province("old", code).districts
        if any(commune.became == new_commune for commune in communes)
    }
    return found.pop() if len(found) == 1 else ""
