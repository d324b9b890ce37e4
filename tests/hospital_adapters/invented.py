"""Invented people and their visits, for peers that have none of their own."""

from kiosk.hospital_model import Encounter
from kiosk.model import Identity, PartialDate, Sex
from tests.hospital_adapters.c06_peer import FAMILY, visit


def encounter(serial: int) -> Encounter:
    """A visit on 5 January 2026; each *serial* another person."""
    name = f"{FAMILY[serial % 10].title()} Văn Thử {chr(ord('A') + serial // 10)}"
    person = Identity(f"0991900{serial + 50000:05d}", None, name, PartialDate(1990, 9, 2), Sex.MALE)
    return visit(person, checkin_id=f"0198c0de-0000-7000-8000-{serial:012d}")
