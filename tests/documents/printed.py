"""Invented people, and what the documents of each kind say about them: the text on the wire beside what it means."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import cycle

from hypothesis import strategies as st

from kiosk.model import Coverage, DocumentKind, Identity, KeyKind, PartialDate, Sex

SYLLABLES = """
Nguyễn Trần Lê Phạm Huỳnh Hoàng Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Thị Văn Hữu Đức Ngọc Mẫu Thử Ví Dụ Nở Hà Ước Ơn Ân Ý Ỷ
Ữ Ổ Ẵng Quỳnh Khuê Xuyến Thuỷ Bảy Tư
"""
OTHER_NAMES = (
    *("H’Hen Niê", "H' Linh Êban", "Y Bkrông", "Thạch Sa Rây", "K’Sor Ƀlŭ", "Đinh Y-Thuyên", "Lò Thị Ẻn"),
    *("Y Čhuôr Êñuôl", "Ksor Ơ̆m", "Rơ Ô Ĭ", "Sô Pha Rết", "Vàng A Pó", "Từ Công Ngọ", "Giàng Seo Phử"),
)
PLACES = """
Ấp Thử Nghiệm, Xã Mẫu, Phường Ví Dụ, Châu Thành, Ngã Bảy, Vị Thủy, Hậu Giang, TP Cần Thơ, Số 12/3 Đường Mẫu
"""

names = st.lists(st.sampled_from(SYLLABLES.split()), min_size=2, max_size=5).map(" ".join)
all_names = st.one_of(names, st.sampled_from(OTHER_NAMES).map(lambda name: unicodedata.normalize("NFC", name)))
addresses = st.lists(st.sampled_from(PLACES.strip().split(", ")), min_size=1, max_size=4).map(", ".join)
days = st.dates(date(1900, 1, 1), date(2099, 12, 31))
births = st.one_of(
    days.map(lambda day: PartialDate(day.year, day.month, day.day)),
    days.map(lambda day: PartialDate(day.year, day.month)),
    days.map(lambda day: PartialDate(day.year)),
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A document as a sound reader sends it (``text``) and what recognition has to make of it."""

    text: str
    kind: DocumentKind
    identity: Identity
    coverage: Coverage | None = None
    expires_on: date | None = None


@st.composite
def people(draw: st.DrawFn, name: st.SearchStrategy[str] = names) -> Identity:
    """A person whose number agrees with sex and year of birth; no two draws need differ."""
    birth = draw(births)
    sex = draw(st.sampled_from(Sex))
    digit = (birth.year - 1900) // 100 * 2 + (sex is Sex.FEMALE)
    return Identity(
        personal_id=f"099{digit}{birth.year % 100:02d}{draw(st.integers(0, 999_999)):06d}",
        old_id=draw(st.none() | st.integers(1, 999_999_999).map("{:09d}".format)),
        full_name=draw(name),
        birth_date=birth,
        sex=sex,
        address=draw(addresses),
        issued_on=draw(days),
    )


def fields(person: Identity) -> list[str]:
    """The seven fields of a citizen card's QR."""
    assert person.birth_date is not None and person.issued_on is not None
    return [
        person.personal_id or "",
        person.old_id or "",
        person.full_name or "",
        "".join(reversed(str(person.birth_date).split("-"))),
        "Nữ" if person.sex is Sex.FEMALE else "Nam",
        person.address or "",
        f"{person.issued_on:%d%m%Y}",
    ]


def payload(person: Identity) -> str:
    """The QR of a citizen card of 2021."""
    return "|".join(fields(person))


def citizen_cards() -> st.SearchStrategy[Printed]:
    """Cards of 2021."""
    return people(all_names).map(lambda person: Printed(payload(person), DocumentKind.CCCD_QR, person))


def new_cards() -> st.SearchStrategy[Printed]:
    """Cards since July 2024, with and without something in the last four fields."""
    extras = st.sampled_from(["||||", "|||Trần Văn Cha|", "|364000123|||099190000999"])
    return st.builds(
        lambda person, extra: Printed(payload(person) + extra, DocumentKind.CC_QR, person), people(all_names), extras
    )


@st.composite
def insurance_cards(draw: st.DrawFn) -> Printed:
    """BHYT cards of 2017, of 2021, and of either with a personal number in the first field."""
    person = draw(people(all_names))
    assert person.full_name is not None and person.birth_date is not None
    bhxh = f"99{draw(st.integers(0, 99_999_999)):08d}"
    number, key = draw(
        st.sampled_from(
            [
                ("GD499" + bhxh, KeyKind.BHYT_15),
                (bhxh, KeyKind.BHXH_10),
                (person.personal_id or "", KeyKind.PERSONAL_12),
            ]
        )
    )
    start, end, five = draw(days), draw(st.none() | days), draw(days)
    guardian = draw(st.none() | all_names)
    cells = [
        number,
        hexed(person.full_name),
        "/".join(reversed(str(person.birth_date).split("-"))),
        "2" if person.sex is Sex.FEMALE else "1",
        hexed(person.address),
        "99 - 001",
        slashed(start),
        slashed(end),
        slashed(start),
        "9901" + bhxh,
        hexed(guardian),
        "4",
        slashed(five),
        *draw(
            st.sampled_from(
                [("0a1b2c3d4e5f6071-7102",), ("0123456789abcdef-1202", "4", hexed("Bảo hiểm xã hội Ví Dụ"))]
            )
        ),
        "$",
    ]
    return Printed(
        "|".join(cells),
        DocumentKind.BHYT_QR,
        Identity(
            personal_id=number if key is KeyKind.PERSONAL_12 else None,
            full_name=person.full_name,
            birth_date=person.birth_date,
            sex=person.sex,
            address=person.address,
        ),
        Coverage(
            number=number,
            key_kind=key,
            registered_facility="99001",
            valid_from=start,
            valid_to=end,
            five_years_on=five,
            benefit_level="4" if key is KeyKind.BHYT_15 else None,
            guardian_name=guardian,
        ),
    )


@st.composite
def zones(draw: st.DrawFn) -> Printed:
    """The zone on the back of a card, its lines joined in any way."""
    person = draw(people(all_names))
    born = draw(st.dates(date(1930, 1, 1), date(2019, 12, 31)))
    digit = (born.year - 1900) // 100 * 2 + (person.sex is Sex.FEMALE)
    number = f"099{digit}{born.year % 100:02d}{(person.personal_id or '')[-6:]}"
    until = draw(st.dates(date(2026, 1, 1), date(2098, 12, 31)))
    name = in_zone(person.full_name or "")
    first = "IDVNM" + checked(number[3:]) + checked(number + "<<")
    second = checked(f"{born:%y%m%d}") + (person.sex or "<") + checked(f"{until:%y%m%d}") + "VNM" + "<" * 11
    second += checked(first[5:] + second[:7] + second[8:15] + second[18:])[-1]
    lines = [first, second, f"{name:<<30}"[:30]]
    identity = Identity(
        personal_id=number,
        full_name=name.replace("<<", " ").replace("<", " ") if len(name) <= 28 else None,
        birth_date=PartialDate(born.year, born.month, born.day),
        sex=person.sex,
    )
    joint = draw(st.sampled_from(["\r", "\n", "\r\n", "", " \r"]))
    return Printed(joint.join(lines), DocumentKind.MRZ, identity, expires_on=until)


def documents() -> st.SearchStrategy[Printed]:
    """Every kind that names a person."""
    return st.one_of(citizen_cards(), new_cards(), insurance_cards(), zones())


def hexed(text: str | None) -> str:
    """*text* as BHYT cards have it."""
    return "-" if text is None else text.encode().hex()


def slashed(day: date | None) -> str:
    """*day* as BHYT cards have it."""
    return "-" if day is None else f"{day:%d/%m/%Y}"


def checked(field: str) -> str:
    """*field* and its check digit (ICAO 9303-3 4.9)."""
    values = ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".find(char) for char in field)
    total = sum(max(value, 0) * weight for value, weight in zip(values, cycle((7, 3, 1)), strict=False))
    return field + str(total % 10)


def in_zone(name: str) -> str:
    """*name* as a zone has it: surname, two fillers, the rest; apostrophes left out."""
    plain = unicodedata.normalize("NFD", name.upper().translate(str.maketrans("ĐɃ-", "DB ", "'’")))
    surname, _, given = "".join(char for char in plain if not unicodedata.combining(char)).partition(" ")
    return surname + "<<" + given.replace(" ", "<")


def texts(value: object) -> Iterable[str]:
    """Every text in a JSON *value*."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []
