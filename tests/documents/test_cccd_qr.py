"""Fields of the citizen card's QR: what is tolerated, what warns, what refuses."""

import unicodedata
from datetime import date

import pytest

from kiosk.documents.cccd_qr import ExtraKind, extra_kind, read_card
from kiosk.documents.recognise import recognise
from kiosk.model import Document, DocumentKind, PartialDate, Sex

EXTRA = frozenset({"099"})
FIELDS = ("099190000001", "364000123", "Trần Thị Mẫu", "02091990", "Nữ", "Xã Mẫu, Hậu Giang", "05072021")


def read(*extra: str, **changes: str) -> Document:
    names = ("number", "old", "name", "birth", "sex", "address", "issued")
    fields = [changes.get(name, value) for name, value in zip(names, FIELDS, strict=True)]
    return read_card([*fields, *extra], extra_prefixes=EXTRA)


def person(document: Document):
    assert document.error is None, document.error
    assert document.identity is not None
    return document.identity


@pytest.mark.parametrize(
    ("text", "birth", "warnings"),
    [
        ("1990", PartialDate(1990), ("W_YEAR_ONLY",)),
        ("00001990", PartialDate(1990), ("W_YEAR_ONLY",)),
        ("021990", PartialDate(1990, 2), ()),
        ("00021990", PartialDate(1990, 2), ()),
        ("", None, ()),
    ],
)
def test_partial_birth_dates(text, birth, warnings):
    document = read(birth=text)
    assert person(document).birth_date == birth
    assert document.warnings == warnings


@pytest.mark.parametrize(
    "text", ["30021990", "15001990", "131990", "0000", "01010000", "1/2/1990", "x", "0102199", "90"]
)
def test_impossible_birth_date_keeps_the_number(text):
    document = read(birth=text)
    assert document.error == "BAD_DATE"
    assert document.identity is not None
    assert (document.identity.personal_id, document.identity.full_name) == ("099190000001", None)


@pytest.mark.parametrize("text", ["", "32132021", "2021", "072021", "x"])
def test_issue_date_is_dropped_when_it_says_no_day(text):
    document = read("", issued=text)
    assert person(document).issued_on is None
    assert document.warnings == ("W_NO_ISSUE_DATE",)


def test_issued_before_birth():
    assert read(issued="01091990").warnings == ("W_ISSUED_BEFORE_BIRTH",)
    assert read(issued="01011990", birth="1990").warnings == ("W_YEAR_ONLY",)


@pytest.mark.parametrize("word", ["Nữ", "NỮ", "Nu", "NU", "nữ", "female"])
def test_female_words(word):
    assert person(read(sex=word)).sex is Sex.FEMALE


@pytest.mark.parametrize("word", ["Nam", "NAM", "male"])
def test_male_words(word):
    assert person(read(sex=word, number="099090000002")).sex is Sex.MALE


def test_unreadable_sex_comes_from_the_number():
    assert read(sex="").warnings == ()
    assert person(read(sex="")).sex is Sex.FEMALE
    assert read(sex="N\ufffd").warnings == ("W_ENCODING_DAMAGED",)
    assert person(read(sex="N\ufffd", number="099090000002")).sex is Sex.MALE


@pytest.mark.parametrize("old", ["", "0", "000000000", "12345", "36A000123"])
def test_old_number_that_is_none(old):
    assert person(read(old=old)).old_id is None


def test_twelve_digit_old_number():
    assert person(read(old="099190000009")).old_id == "099190000009"


@pytest.mark.parametrize(
    "address",
    [
        "Xã Mẫu , Hậu Giang",
        "Xã Mẫu,, Hậu Giang",
        "Xã Mẫu, -, Hậu Giang",
        ",Xã Mẫu,Hậu Giang, -",
        "Xã Mẫu ,  , - , Hậu Giang",
    ],
)
def test_commas_of_an_address(address):
    assert person(read(address=address)).address == "Xã Mẫu, Hậu Giang"


@pytest.mark.parametrize("address", ["", "-", " , ", ",-,"])
def test_no_address(address):
    assert person(read(address=address)).address is None


def test_kind_by_count_of_fields():
    assert read().kind is DocumentKind.CCCD_QR
    assert read("").kind is DocumentKind.CCCD_QR
    assert read("", "", "").kind is DocumentKind.CC_QR
    assert read("", "", "", "").kind is DocumentKind.CC_QR
    assert read("", "", "", "", "").extra == ("", "", "", "")
    assert read("364000999").kind is DocumentKind.CC_QR


def test_seven_fields_since_the_new_card_leave_the_kind_open():
    document = read(issued="01072024")
    assert (document.kind, document.warnings) == (DocumentKind.CCCD_QR, ("W_KIND_UNCERTAIN",))
    assert read(issued="30062024").warnings == ()
    assert read("", "", "", "", issued="01072024").warnings == ()


def test_extras_stay_what_they_are():
    document = read("099190000009", "123456789", "Trần Văn Cha", "số 5")
    assert [extra_kind(field) for field in (*document.extra, "")] == [
        ExtraKind.CANCELLED_NUMBER,
        ExtraKind.OLD_NUMBER,
        ExtraKind.NAME,
        ExtraKind.OTHER,
        ExtraKind.EMPTY,
    ]
    assert document.warnings == ("W_EXTRA_FIELDS",)
    assert person(document) == person(read())


def test_sex_before_birth_date_when_the_old_number_stands_behind():
    fields = ["099190000001", "Trần Thị Mẫu", "Nữ", "02091990", "Xã Mẫu, Hậu Giang", "05072021", "364000123", ""]
    identity = person(read_card(fields, extra_prefixes=EXTRA))
    assert (identity.full_name, identity.birth_date, identity.sex) == ("Trần Thị Mẫu", PartialDate(1990, 9, 2), "F")
    assert identity.issued_on == date(2021, 7, 5)


def test_nothing_to_know_a_person_by():
    document = read(name="", birth="")
    assert document.error == "TRUNCATED"
    assert document.identity is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"issued": "05072021099075000003"},
        {"birth": "0209099075000003"},
        {"birth": "364000123"},
        {"name": "Trần Thị099075000003"},
        {"sex": "N099075000003"},
        {"address": "Xã Mẫu099075000003"},
        {"old": "364099075000003"},
    ],
)
def test_digits_of_a_second_scan(changes):
    document = read(**changes)
    assert (document.kind, document.identity, document.error) == (DocumentKind.UNKNOWN, None, "UNKNOWN_FORMAT")


def test_too_many_fields():
    assert read("", "", "", "", "x").error == "UNKNOWN_FORMAT"


@pytest.mark.parametrize("name", ["Phan Kim Nga", "Y Thoa", "H' Linh Nay"])
def test_names_without_accents_are_names(name):
    assert read(name=name).warnings == ()


def test_dropped_letters_show_in_a_man_s_name_too():
    document = read(number="099090000002", name="Nguyn Vn Th", sex="Nam", address="X Mu, Hu Giang")
    assert document.warnings == ("W_ENCODING_DAMAGED",)


@pytest.mark.parametrize(
    "name", ["Tr?n Th? M?u", "Tra62n Thi5 Ma64u", "Trn Thị Mẫu", "Trần Thị M\ufffdu", "Tr_n Thị Mẫu"]
)
def test_names_that_nobody_has_are_marked(name):
    assert read(name=name).warnings == ("W_ENCODING_DAMAGED",)


@pytest.mark.parametrize(
    "name",
    [
        "H’Hen Niê",
        "H' Linh Niê",
        "Y Bkrông",
        "Thạch Sa Rây",
        "K’Sor Ƀlŭ",
        "Đinh Y-Thuyên",
        "Lò Thị Ẻn",
        "Y Čhuôr Êñuôl",
        "Ksor Ơ̆m",
        "Rơ Ô Ĭ",
        "Từ Công Ôm (Chăm)",
        "Sô Pha Rết",
        "Vàng A Pó",
        "Ðặng Ngọc Ŏ",
        "Giàng Seo Phử",
    ],
)
def test_names_of_all_peoples_stay_as_they_are(name):
    composed = unicodedata.normalize("NFC", name)
    for form in ("NFC", "NFD"):
        document = recognise("|".join([*FIELDS[:2], unicodedata.normalize(form, name), *FIELDS[3:]]).encode())
        assert (person(document).full_name, document.warnings) == (composed, ("W_UNKNOWN_PREFIX",))
    extra = read("", composed, "", "")
    assert extra_kind(extra.extra[1]) is (ExtraKind.OTHER if "(" in name else ExtraKind.NAME)


@pytest.mark.parametrize(
    ("address", "warning"),
    [
        ("X Mu, Hu Giang", "W_ENCODING_DAMAGED"),
        ("Phng Mu, TP Cn Th", "W_ENCODING_DAMAGED"),
        ("p Mi, Hu Giang", "W_ENCODING_DAMAGED"),
        ("Ap Mau, TP Can Tho", "W_NO_DIACRITICS"),
        ("KV 3, P. Mau, Tp Can Tho, Km 12", "W_NO_DIACRITICS"),
    ],
)
def test_letters_lost_from_the_address_mark_the_name_too(address, warning):
    assert read(number="099090000002", name="Ha Mai", sex="Nam", address=address).warnings == (warning,)
