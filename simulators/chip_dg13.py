"""DG13 of Vietnamese citizen cards: the texts of the card, with accents.

Source: identity-documents.md 7.3.
"""

from datetime import date

from simulators.chip_ber import integer, tlv
from simulators.chip_person import CardPerson

_UTF8 = 0x0C
_PRINTABLE = 0x13
_SEQUENCE = 0x30
_SET = 0x31


def dg13_entries(person: CardPerson) -> list[bytes]:
    """The 16 entries in order, each a whole `30 L 02 01 <index> ...`."""
    expiry = "Không thời hạn" if person.expires_on is None else _day(person.expires_on)
    parents = tlv(_SEQUENCE, _text(person.father)), tlv(_SEQUENCE, _text(person.mother))
    values: tuple[tuple[bytes, ...], ...] = (
        (_ascii(person.citizen_id),),
        (_text(person.full_name),),
        (_ascii("/".join(reversed(person.birth_date.split("-")))),),
        (_text("Nữ" if person.sex == "F" else "Nam"),),
        (_text(person.nationality),),
        (_text(person.ethnicity),),
        (_text(person.religion),),
        (_text(person.place_of_origin),),
        (_text(person.address),),
        (_text(person.identifying_marks),),
        (_ascii(_day(person.issued_on)),),
        (_text(expiry),),
        parents,
        tuple(tlv(_SEQUENCE, _text(spouse)) for spouse in person.spouses),
        (_ascii(person.old_id),),
        (_ascii(person.chip_id),),
    )
    return [entry(index, *value) for index, value in enumerate(values, start=1)]


def entry(index: int, *values: bytes) -> bytes:
    """One entry: the number of what it means, then its values."""
    return tlv(_SEQUENCE, integer(index), *values)


def data_group_13(entries: list[bytes]) -> bytes:
    """DG13 (`6D`) of these entries, in the order given."""
    return tlv(0x6D, tlv(_SEQUENCE, tlv(_SET, *entries)))


def _text(text: str) -> bytes:
    return tlv(_UTF8, text.encode())


def _ascii(text: str) -> bytes:
    return tlv(_PRINTABLE, text.encode("ascii"))


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"
