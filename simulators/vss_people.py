"""The 31 invented people that the simulated gateway and the simulated hospital share (insurance-gateway.md 8.3).

Everything about them is relative to a day `today` (UTC+7), so neither people nor tests grow stale. Nobody here exists:
citizen numbers start with 099, a prefix that is not allocated.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

DEFAULT_FACILITY = "99001"
Sex = Literal["M", "F"]
Validity = tuple[int, int]
"""First and last day of a card, in days from today."""


@dataclass(frozen=True)
class NewCard:
    """The card that follows a person's present one; its number keeps the person's BHXH number."""

    head: str
    validity: Validity
    facility: str


@dataclass(frozen=True)
class Person:
    """One row of the table.

    `born` is `YYYY-MM-DD`, `YYYY` (year only), or `T-n`: n years before today. `name` is in capitals as the insurer
    keeps it. `facility` is the registered primary-care facility (maDKBD). `sex` is what the insurer answers.
    `code` is the gateway's result code for this person; `first_code`, when set, is answered once before it and
    `code_by_citizen_id` replaces it when the question was asked by the 12-digit number. `five_years` is the day of five
    continuous years in days from today; `checked_elsewhere` marks the person whom another facility looked up today.
    """

    number: int
    citizen_id: str | None
    bhxh_number: str | None
    card_head: str | None
    name: str
    born: str
    sex: Sex
    facility: str | None
    validity: Validity | None
    code: str
    purpose: str
    new_card: NewCard | None = None
    first_code: str | None = None
    code_by_citizen_id: str | None = None
    living_area: str = ""
    five_years: int = 300
    checked_elsewhere: bool = False

    @property
    def card(self) -> str | None:
        """The full card number, 15 characters (17 for a person whose BHXH number is the citizen number)."""
        return self.card_head + self.bhxh_number if self.card_head and self.bhxh_number else None

    @property
    def card_sex(self) -> Sex:
        """The sex printed on the citizen card, which follows the 4th digit of the number (even: M); else `sex`."""
        if self.citizen_id is None:
            return self.sex
        return "F" if int(self.citizen_id[3]) % 2 else "M"

    @property
    def address(self) -> str:
        """An invented place of residence, smallest unit first."""
        return f"Ấp Thử {self.number}, Xã Mẫu, Thành phố Mô Phỏng"

    @property
    def issued_on(self) -> date:
        """The day the citizen card was issued."""
        return date(2021, 7, self.number)

    def birth_date(self, today: date) -> str:
        """The birth date as `YYYY-MM-DD`, or `YYYY` when only the year is known."""
        if not self.born.startswith("T-"):
            return self.born
        year = today.year - int(self.born.removeprefix("T-"))
        day = 28 if (today.month, today.day) == (2, 29) else today.day
        return date(year, today.month, day).isoformat()


def qr_payload(person: Person, today: date) -> bytes | None:
    """What a scanner sends for the QR on this person's citizen card; None without a citizen number.

    UTF-8, seven fields parted by `|` (number, empty old number, name, birth date DDMMYYYY or YYYY, `Nam`/`Nữ`, address,
    issue date DDMMYYYY), ended by CR (identity-documents.md 1.1).
    """
    if person.citizen_id is None:
        return None
    born = "".join(reversed(person.birth_date(today).split("-")))
    sex = "Nữ" if person.card_sex == "F" else "Nam"
    fields = (person.citizen_id, "", person.name.title(), born, sex, person.address, f"{person.issued_on:%d%m%Y}")
    return "|".join(fields).encode() + b"\r"


def insurance_qr_payload(person: Person, today: date, *, template: Literal[2017, 2021] = 2017) -> bytes | None:
    """What a scanner sends for the QR on this person's BHYT card; None without a card number.

    2017: 15 fields with the full number; 2021: 17 fields with the 10-digit number; names and places in hex of UTF-8,
    ended by `$` and CR (identity-documents.md 4.1, 4.2).
    """
    if person.card is None or person.bhxh_number is None:
        return None
    facility = person.facility or DEFAULT_FACILITY
    issued = day_from(today, -500)
    first, last = person.validity or (-30, 335)
    old = template == 2017
    fields = [
        person.card if old else person.bhxh_number,
        person.name.title().encode().hex(),
        "/".join(reversed(person.birth_date(today).split("-"))),
        "2" if person.sex == "F" else "1",
        person.address.encode().hex() if old else "-",
        f"{facility[:2]} - {facility[2:]}",
        f"{day_from(today, first):%d/%m/%Y}",
        f"{day_from(today, last):%d/%m/%Y}" if old else "-",
        f"{issued:%d/%m/%Y}",
        f"9901{person.bhxh_number}",
        "-",
        "4",
        f"{day_from(today, person.five_years):%d/%m/%Y}",
        f"0a1b2c3d4e5f6071-{str(template)[::-1]}",
    ]
    if not old:
        fields += ["4", "Bảo hiểm xã hội Mô Phỏng".encode().hex()]
    return "|".join([*fields, "$"]).encode() + b"\r"


def people_of(facility: str) -> tuple[Person, ...]:
    """All people, with `facility` in the place of 99001."""
    return tuple(_moved(person, facility) for person in PEOPLE)


def day_from(today: date, offset: int) -> date:
    """The day `offset` days after `today`."""
    return today + timedelta(days=offset)


def _moved(person: Person, facility: str) -> Person:
    if person.new_card is not None and person.new_card.facility == DEFAULT_FACILITY:
        person = replace(person, new_card=replace(person.new_card, facility=facility))
    return replace(person, facility=facility) if person.facility == DEFAULT_FACILITY else person


# One row a line, as in the reference, so that both can be laid side by side.
# fmt: off
PEOPLE: tuple[Person, ...] = (
    Person(1, "099190000001", "9900000001", "DN499", "TRẦN THỊ MẪU", "1990-09-02", "F", "99001", (-200, 165), "000",
           "plain 80 %, registered here"),
    Person(2, None, "9900000002", "TE199", "LÊ BÉ THỬ", "T-3", "M", "99001", (-900, 900), "000",
           "child by card number, 100 %"),
    Person(3, "099075000003", "9900000003", "HN299", "PHẠM VĂN THÍ DỤ", "1975-03-15", "M", "99002", (-100, 265), "000",
           "area K3, registered elsewhere", living_area="K3"),
    Person(4, "099150000004", "9900000004", "HT399", "VÕ THỊ MÔ PHỎNG", "1950-10-20", "F", "99001", (-300, 400), "000",
           "95 %, five continuous years reached", five_years=-400),
    Person(5, "099048000005", "9900000005", "GD499", "HUỲNH VĂN NĂM", "1948", "M", "99001", (-30, 335), "000",
           "only the birth year is known"),
    Person(6, "099195000006", "9900000006", "SV499", "ĐẶNG THỊ XA", "1995-05-05", "F", "99050", (-60, 300), "000",
           "registered in another province"),
    Person(7, "099080000007", "9900000007", "QN599", "BÙI VĂN QUÂN", "1980-07-07", "M", "99001", (-500, 500), "001",
           "defence card, dates returned"),
    Person(8, "099182000008", "9900000008", "CA599", "NGÔ THỊ AN", "1982-08-08", "F", "99001", None, "002",
           "police card, no dates"),
    Person(9, "099070000009", "9900000009", "GD499", "LÝ VĂN ĐỔI", "1970-01-09", "M", "99001", (-400, -10), "003",
           "renewed, the new card is valid today", new_card=NewCard("GD499", (-9, 356), "99001")),
    Person(10, "099171000010", "9900000010", "GD499", "DƯƠNG THỊ CHỜ", "1971-01-10", "F", "99001", (-400, -2), "003",
           "gap until the new card", new_card=NewCard("GD499", (5, 370), "99001")),
    Person(11, "099088000011", "9900000011", "DN499", "PHAN VĂN TIẾP", "1988-11-11", "M", "99002", (-360, 5), "004",
           "old card still valid, facility changes later", new_card=NewCard("DN499", (6, 371), "99001")),
    Person(12, "099160000012", "9900000012", "GD499", "TRƯƠNG THỊ LỢI", "1960-12-12", "F", "99001", (-200, 30), "004",
           "both cards valid, the new level is higher", new_card=NewCard("HT399", (-1, 364), "99001")),
    Person(13, "099077000013", "9900000013", "GD499", "ĐỖ VĂN HẾT", "1977-01-13", "M", "99001", (-400, -35), "010",
           "expired"),
    Person(14, "099199000014", None, None, "HỒ THỊ KHÔNG", "1999-02-14", "F", None, None, "050",
           "number unknown to the insurer"),
    Person(15, "099065000015", "9900000015", "DN499", "MAI VĂN SAI", "1965-05-15", "M", "99001", (-10, 355), "000",
           "to be asked with wrong card, name or date: 051 052 053 060 061 070"),
    Person(16, "099166000016", "9900000016", "GD499", "CAO THỊ THU HỒI", "1966-06-16", "F", "99001", (-90, 275), "110",
           "revoked"),
    Person(17, "099067000017", "9900000017", "DN499", "TẠ VĂN GIẢM", "1967-07-17", "M", "99001", (-90, 275), "120",
           "reported as reduced"),
    Person(18, "099168000018", "9900000018", "DN499", "LÂM THỊ NGOẠI", "1968-08-18", "F", "99050", (-90, 275), "121",
           "by card moved to another province, by citizen number in order", code_by_citizen_id="000"),
    Person(19, "099069000019", "9900000019", "DN499", "ĐINH VĂN NỘI", "1969-09-19", "M", "99002", (-90, 275), "122",
           "by card moved within the province, by citizen number in order", code_by_citizen_id="000"),
    Person(20, "099170000020", "9900000020", "DN499", "TÔ THỊ TĂNG", "1970-10-20", "F", "99001", (-90, 275), "123",
           "by card registered again, by citizen number in order", code_by_citizen_id="000"),
    Person(21, "099071000021", "9900000021", "GD499", "HÀ VĂN NGỪNG", "1971-11-21", "M", "99001", (-90, 275), "124",
           "no longer insured"),
    Person(22, None, "9900000022", "TE199", "KIỀU BÉ CHƯA THẺ", "T-1", "F", "99000", None, "130",
           "child without a card"),
    Person(23, "099073000023", "9900000023", "DN499", "THÁI VĂN LỖI", "1973-03-23", "M", "99001", (-10, 355), "000",
           "a failure first, in order from the second call on", first_code="100"),
    Person(24, "099174000024", "9900000024", "DN499", "QUÁCH THỊ SERVER", "1974-04-24", "F", "99001", None, "101",
           "always a server failure"),
    Person(25, "099075000025", "9900000025", "DN499", "CHÂU VĂN NĂM TRĂM", "1975-05-25", "M", "99001", None, "500",
           "a code outside the official list"),
    Person(26, "099176000026", "9900000026", "DN499", "LA THỊ LẠ", "1976-06-26", "F", "99001", (-10, 355), "777",
           "an unknown code"),
    Person(27, "099301000027", "099301000027", "DN499", "ÂU THỊ MƯỜI BẢY", "2001-07-27", "F", "99001", (-5, 360), "000",
           "17-character card"),
    Person(28, "099078000028", "9900000028", "GD499", "TRỊNH VĂN NẰM VIỆN", "1978-08-28", "M", "99002", (-50, 315),
           "000", "another facility asked two hours ago", checked_elsewhere=True),
    Person(29, "099179000029", "9900000029", "CN399", "THẠCH THỊ CẬN", "1979-09-29", "F", "99001", (-20, 345), "000",
           "CN with digit 3: 100 % since 1 January 2026"),
    Person(30, "099080000030", "9900000030", "DN499", "SƠN VĂN LỆCH", "1980-10-30", "F", "99001", (-20, 345), "000",
           "the insurer's sex differs from the card's"),
    Person(31, "099219000031", "9900000031", "TE199", "LÊ BÉ CÓ SỐ", "2019-05-05", "M", "99001", (-900, 900), "000",
           "child with a citizen number and no card"),
)
# fmt: on
