"""The invented people and what a scanner sends for their cards (insurance-gateway.md 8.3)."""

import re
import unicodedata
from datetime import date

import pytest

from simulators.vss_people import PEOPLE, people_of, qr_payload

TODAY = date(2026, 11, 2)


def test_table_is_complete_and_invented() -> None:
    assert [person.number for person in PEOPLE] == list(range(1, 32))
    for person in PEOPLE:
        assert person.citizen_id is None or re.fullmatch(r"099[0-9]{9}", person.citizen_id)
        assert person.bhxh_number is None or re.fullmatch(r"99[0-9]{8}|099[0-9]{9}", person.bhxh_number)
        assert person.card is None or len(person.card) == (17 if person.number == 27 else 15)
        assert unicodedata.is_normalized("NFC", person.name)
        assert person.name == person.name.upper()
    assert [person.number for person in PEOPLE if person.citizen_id is None] == [2, 22]
    assert [person.number for person in PEOPLE if person.card is None] == [14]
    numbers = [person.citizen_id for person in PEOPLE if person.citizen_id]
    assert len(set(numbers)) == 29


def test_number_tells_sex_and_birth_year_but_for_person_30() -> None:
    for person in PEOPLE:
        if person.citizen_id:
            assert person.citizen_id[4:6] == person.birth_date(TODAY)[2:4]
            assert (person.card_sex == person.sex) == (person.number != 30)


@pytest.mark.parametrize(
    ("number", "payload"),
    [
        (1, "099190000001||Trần Thị Mẫu|02091990|Nữ|Ấp Thử 1, Xã Mẫu, Thành phố Mô Phỏng|01072021\r"),
        (5, "099048000005||Huỳnh Văn Năm|1948|Nam|Ấp Thử 5, Xã Mẫu, Thành phố Mô Phỏng|05072021\r"),
        (30, "099080000030||Sơn Văn Lệch|30101980|Nam|Ấp Thử 30, Xã Mẫu, Thành phố Mô Phỏng|30072021\r"),
    ],
)
def test_qr_is_what_a_scanner_sends(number: int, payload: str) -> None:
    assert qr_payload(PEOPLE[number - 1], TODAY) == payload.encode()


def test_only_children_have_no_qr() -> None:
    assert [person.number for person in PEOPLE if qr_payload(person, TODAY) is None] == [2, 22]


def test_facility_moves_only_those_of_the_default() -> None:
    moved = people_of("93002")
    assert {person.facility for person in moved} == {"93002", "99000", "99002", "99050", None}
    assert {person.new_card.facility for person in moved if person.new_card} == {"93002"}
    assert people_of("99001") == PEOPLE


def test_leap_day_birthdays_fall_on_the_28th() -> None:
    assert PEOPLE[1].birth_date(date(2028, 2, 29)) == "2025-02-28"
