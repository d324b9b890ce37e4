"""Who a simulated card belongs to: invented people, with everything a citizen card says about them.

Source: identity-documents.md 7.3 (what DG13 holds), vss_people.py (the people of the other simulators).
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final, Literal

from simulators.vss_people import Person

_RENEWAL_AGES: Final = (25, 40, 60)
_ETHNICITIES: Final = ("Kinh", "Khmer", "Hoa", "Chăm")


@dataclass(frozen=True, kw_only=True)
class CardPerson:
    """What is printed on, and stored in, one citizen card.

    `citizen_id` has 12 digits; `birth_date` is `YYYY-MM-DD`, or `YYYY` where only the year is known; `expires_on` None
    is a card without expiry; `old_id` has 9 digits or is empty; `chip_id` has 16 characters; `passport_number` is used
    by a passport only. Texts are Unicode as the chip shall hold them: nothing is normalised.
    """

    citizen_id: str
    full_name: str
    birth_date: str
    sex: Literal["M", "F"]
    address: str
    issued_on: date
    expires_on: date | None
    nationality: str = "Việt Nam"
    ethnicity: str = "Kinh"
    religion: str = "Không"
    place_of_origin: str = "Xã Mẫu, Thành phố Mô Phỏng"
    identifying_marks: str = "Nốt ruồi C: 1cm trên sau đuôi mắt trái"
    father: str = "Trần Văn Cha"
    mother: str = "Lê Thị Mẹ"
    spouses: tuple[str, ...] = ()
    old_id: str = ""
    chip_id: str = "0123456789ABCDEF"
    passport_number: str = "X9900001"


def card_person(person: Person, today: date) -> CardPerson:
    """The card of one of the simulated people, valid on `today` and equal to the QR of `vss_people.qr_payload`.

    It expires on the next birthday of 25, 40 or 60 after `today`, later never. ValueError for a person without a
    citizen number (a child has no card).
    """
    if person.citizen_id is None:
        raise ValueError(f"person {person.number} has no citizen card")
    family = person.name.title().split(" ", maxsplit=1)[0]
    return CardPerson(
        citizen_id=person.citizen_id,
        full_name=person.name.title(),
        birth_date=person.birth_date(today),
        sex=person.card_sex,
        address=person.address,
        issued_on=person.issued_on,
        expires_on=_expiry(person.birth_date(today), today),
        ethnicity=_ETHNICITIES[person.number % len(_ETHNICITIES)],
        father=f"{family} Văn Cha",
        spouses=(f"Nguyễn Bạn Đời {person.number}",) if person.number % 2 else (),
        old_id=f"990000{person.number:03d}" if person.number % 3 else "",
        chip_id=sha256(person.citizen_id.encode()).hexdigest()[:16].upper(),
    )


def _expiry(birth_date: str, today: date) -> date | None:
    """The next renewal birthday after `today`; the year alone counts as 31 December."""
    year, *rest = (int(part) for part in birth_date.split("-"))
    month, day = rest or (12, 31)
    for age in _RENEWAL_AGES:
        leap_day_missing = (month, day) == (2, 29) and (year + age) % 4
        birthday = date(year + age, month, 28 if leap_day_missing else day)
        if birthday > today:
            return birthday
    return None
