"""The person behind a chip's files: which source names them, what is compared, what is left behind."""

import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.as_json import identity_json
from kiosk.documents.chip_mismatch import Mismatch
from kiosk.documents.chip_person import (
    CARD_EXPIRED,
    DG1_UNREADABLE,
    DG13_DAMAGED,
    DG13_UNREADABLE,
    MRZ_CHECK,
    Source,
    UnreadableChip,
    person_of,
)
from kiosk.documents.recognise import recognise
from kiosk.documents.text import fold
from kiosk.model import Identity, PartialDate, Sex
from tests.emrtd.vietnamese_card import PERSON, dg1, dg13, entry, string, text_entries, wrap, zone

QR = Identity(
    personal_id="099190000456",
    old_id="364000123",
    full_name="Trần Thị Mẫu",
    birth_date=PartialDate(1990, 2, 1),
    sex=Sex.FEMALE,
    address="Xã Mẫu, Hậu Giang",
    issued_on=date(2021, 7, 5),
)
RELATIVES = [
    entry(13, wrap(0x30, string("Trần Văn Cha")), wrap(0x30, string("Lê Thị Mẹ"))),
    entry(14, wrap(0x30, string("Hồ Ví Dụ"))),
]


def card_files(lines=None, **texts):
    changed = PERSON | {int(key[1:]): value for key, value in texts.items()}
    return {"DG1": dg1(lines), "DG13": dg13([*text_entries(changed).values(), *RELATIVES])}


def read(files, qr=None, **options):
    return person_of(files, qr, simulated_prefix=True, **options)


def test_dg13_names_the_person():
    person = read(card_files(), QR)
    assert person.identity == replace(QR, address=PERSON[9].strip())
    assert (person.source, person.expires_on) == (Source.DG13, date(2030, 2, 1))
    assert (person.nationality, person.ethnicity, person.place_of_origin) == ("Việt Nam", "Kinh", PERSON[8])
    assert (person.warnings, person.mismatches) == ((), ())


def test_what_a_check_in_has_no_use_for_stays_behind():
    person = read(card_files(_7="Phật giáo"))
    for text in ("Phật giáo", "Trần Văn Cha", "Lê Thị Mẹ", "Hồ Ví Dụ", PERSON[10], PERSON[16]):
        assert text not in repr(person)


def test_without_dg13_the_qr_lends_its_accents():
    person = read({"DG1": dg1()}, QR)
    assert (person.identity, person.source) == (QR, Source.QR_DG1)
    assert (person.expires_on, person.nationality, person.ethnicity) == (date(2030, 2, 1), "Việt Nam", None)
    assert (person.warnings, person.mismatches) == ((), ())


@pytest.mark.parametrize(
    ("qr", "mismatches"),
    [
        (None, ()),
        (Identity(personal_id="099190000456"), ()),
        (replace(QR, full_name="Tr\ufffdn Thị Mẫu"), ()),
        (replace(QR, personal_id="099190000457"), ("M_NUMBER_QR_DG1",)),
        (replace(QR, full_name="Trần Thị Mậu Thử"), ("M_NAME_QR_DG1",)),
        (replace(QR, personal_id=None), ()),
    ],
    ids=["no qr", "number only", "damaged name", "another number", "another name", "no number"],
)
def test_dg1_alone(qr, mismatches):
    person = read({"DG1": dg1()}, qr)
    assert person.identity == Identity(
        personal_id="099190000456", full_name="TRAN THI MAU", birth_date=PartialDate(1990, 2, 1), sex=Sex.FEMALE
    )
    assert (person.source, person.mismatches, person.warnings) == (Source.DG1, mismatches, ("W_NO_DIACRITICS",))


@pytest.mark.parametrize(
    ("names", "full_name"),
    [
        ("DANG<<MINH<VI<DU", "Đặng Minh Ví Dụ"),
        ("NIE<<H<HEN", "Niê H'Hen"),
        ("CONG<TANG<TON<NU<<THI<PHUONG<T", "Công Tằng Tôn Nữ Thị Phương Thảo"),
        ("CONG<TANG<TON<NU<<TH<PHUONG<TH", "Công Tằng Tôn Nữ Thị Phương Thảo"),
        ("VO", "Võ"),
        ("VO", unicodedata.normalize("NFD", "VÕ")),
    ],
    ids=["d with stroke", "apostrophe", "cut", "shortened", "one word", "decomposed"],
)
def test_the_same_name_without_accents(names, full_name):
    lines = zone(names=names)
    assert read({"DG1": dg1(lines)}, replace(QR, full_name=full_name)).source is Source.QR_DG1
    assert read(card_files(lines, _2=full_name)).mismatches == ()


@pytest.mark.parametrize(
    ("names", "full_name"),
    [
        ("TRAN<<THI<MAU", "Trần Thị Mẫu Thử"),
        ("TRAN<<THI<MAU", "Trần Thị"),
        ("CONG<TANG<TON<NU<<THI<PHUONG<T", "Công Tằng Tôn Nữ Thị Phượng Uyên"),
        ("CONG<TANG<TON<NU<<THI<PHUONG<T", "Công Tằng"),
    ],
    ids=["longer", "shorter", "another end", "shorter than what was cut"],
)
def test_another_name(names, full_name):
    lines = zone(names=names)
    assert read({"DG1": dg1(lines)}, replace(QR, full_name=full_name)).source is Source.DG1
    assert read(card_files(lines, _2=full_name)).mismatches == ("M_NAME_DG1_DG13",)


@pytest.mark.parametrize(
    ("qr", "codes"),
    [
        ({"personal_id": "099190000457"}, {"M_NUMBER_QR_DG1", "M_NUMBER_QR_DG13"}),
        ({"full_name": "Lê Văn Tèo"}, {"M_NAME_QR_DG1", "M_NAME_QR_DG13"}),
        ({"birth_date": PartialDate(1990, 2, 2)}, {"M_BIRTH_DATE_QR_DG1", "M_BIRTH_DATE_QR_DG13"}),
        ({"sex": Sex.MALE}, {"M_SEX_QR_DG1", "M_SEX_QR_DG13"}),
        ({"birth_date": PartialDate(1990)}, set()),
        ({"birth_date": PartialDate(1990, 2)}, set()),
        ({"birth_date": None, "sex": None, "full_name": None, "personal_id": None}, set()),
        ({"full_name": "TRAN THI MAU"}, set()),
        ({"address": "Elsewhere", "issued_on": None, "old_id": None}, set()),
    ],
    ids=["number", "name", "birth", "sex", "year", "month", "nothing", "no accents", "not compared"],
)
def test_the_qr_against_the_chip(qr, codes):
    person = read(card_files(), replace(QR, **qr))
    assert set(person.mismatches) == codes
    assert person.identity.full_name == "Trần Thị Mẫu"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ({"number": "099190000457"}, "M_NUMBER_DG1_DG13"),
        ({"names": "LE<<VAN<TEO"}, "M_NAME_DG1_DG13"),
        ({"birth": "900202"}, "M_BIRTH_DATE_DG1_DG13"),
        ({"sex": "M"}, "M_SEX_DG1_DG13"),
        ({"expiry": "310201"}, "M_EXPIRY_DG1_DG13"),
        ({"document_number": "190000457"}, "M_NUMBER_DG1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_dg1_against_dg13(lines, code):
    assert read(card_files(zone(**lines))).mismatches[0] == code


@pytest.mark.parametrize("lines", [{"sex": "<"}, {"birth": "90<<<<"}, {"expiry": "<<<<<<"}, {"number": "<<<<<<<<<<<<"}])
def test_what_dg1_does_not_say_is_no_mismatch(lines):
    number = {"document_number": "190000456"} if "number" in lines else {}
    assert read(card_files(zone(**lines, **number)), QR).mismatches == ()


@pytest.mark.parametrize("text", ["Không thời hạn", None], ids=["said", "missing"])
def test_a_card_without_end_has_no_expiry(text):
    lines = zone(expiry="991231")
    files = card_files(lines, **({"_12": text} if text else {}))
    if text is None:
        files["DG13"] = dg13(value for index, value in text_entries().items() if index != 12)
    for person in (read(files, today=date(2100, 1, 1)), read({"DG1": dg1(lines)}, today=date(2100, 1, 1))):
        assert person.expires_on is None
        assert CARD_EXPIRED not in person.warnings
        assert person.mismatches == ()


@pytest.mark.parametrize(
    ("today", "expired"),
    [(date(2030, 2, 1), False), (date(2030, 2, 2), True), (None, False)],
    ids=["last day", "day after", "not asked"],
)
@pytest.mark.parametrize("names", [("DG1",), ("DG1", "DG13")], ids=["dg1", "both"])
def test_an_expired_card_is_only_told(names, today, expired):
    files = {name: data for name, data in card_files().items() if name in names}
    person = read(files, QR, today=today)
    assert person.warnings == ((CARD_EXPIRED,) if expired else ())
    assert person.identity.personal_id == "099190000456"


def test_a_birthday_nobody_knows():
    lines = zone("099050000789", "500101", names="LE<<VAN<GIA<DINH", sex="M")
    qr = Identity("099050000789", None, "Lê Văn Gia Định", PartialDate(1950), Sex.MALE)
    person = read({"DG1": dg1(lines)}, qr)
    assert (person.identity.birth_date, person.source) == (PartialDate(1950), Source.QR_DG1)
    assert (person.warnings, person.mismatches) == (("W_YEAR_ONLY",), ())
    alone = read({"DG1": dg1(lines)})
    assert alone.identity.birth_date == PartialDate(1950, 1, 1)


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\x6d\x00", b"\x6d\x05hello", dg13([entry(1, string("?"))]), dg13([entry(1, string("099190000456"))])],
    ids=["empty", "no content", "noise", "no number", "no name"],
)
def test_an_unusable_dg13_leaves_dg1(damaged):
    person = read({"DG1": dg1(), "DG13": damaged}, QR)
    assert (person.identity, person.source) == (QR, Source.QR_DG1)
    assert (person.warnings, person.mismatches) == ((DG13_UNREADABLE,), ())


def test_a_damaged_entry_costs_only_itself():
    entries = text_entries() | {
        3: b"\x30\x05\xff\xff\xff\xff\xff",
        4: entry(4, string("?")),
        12: entry(12, b"\xff\x00"),
    }
    person = read({"DG1": dg1(), "DG13": dg13(entries.values())})
    assert person.identity == replace(QR, address=PERSON[9].strip())
    assert (person.source, person.expires_on) == (Source.DG13, date(2030, 2, 1))
    assert (person.warnings, person.mismatches) == ((DG13_DAMAGED,), ())


@pytest.mark.parametrize(
    "lines",
    [{"number": "099190000457", "document_number": "190000457"}, {"names": "LE<<VAN<TEO"}],
    ids=["number", "name"],
)
def test_a_dg1_of_somebody_else_fills_no_gap(lines):
    gaps = [value for index, value in text_entries().items() if index not in (3, 4, 12)]
    person = read({"DG1": dg1(zone(**lines)), "DG13": dg13(gaps)})
    assert (person.identity.birth_date, person.identity.sex, person.expires_on) == (None, None, None)
    assert person.mismatches != ()
    same = read({"DG1": dg1(), "DG13": dg13(gaps)})
    assert (same.identity.birth_date, same.identity.sex) == (PartialDate(1990, 2, 1), Sex.FEMALE)


def test_dg13_without_a_readable_dg1():
    assert read({"DG13": card_files()["DG13"]}).identity.full_name == "Trần Thị Mẫu"
    person = read(card_files() | {"DG1": b"\x61\x00"})
    assert (person.identity.full_name, person.warnings) == ("Trần Thị Mẫu", (DG1_UNREADABLE,))


@pytest.mark.parametrize("files", [{}, {"DG1": b"\x61\x00"}, {"DG1": b"", "DG13": b""}, {"DG2": b"\x75\x00"}])
def test_a_chip_that_names_nobody(files):
    with pytest.raises(UnreadableChip) as caught:
        read(files, QR)
    assert caught.value.code == "CHIP_DATA"


def test_a_wrong_check_digit_is_told():
    lines = zone()
    assert read({"DG1": dg1((lines[0], lines[1][:29] + "0", lines[2]))}, QR).warnings == (MRZ_CHECK,)


def test_the_number_is_checked_like_that_of_a_qr():
    assert person_of(card_files()).warnings == ("W_UNKNOWN_PREFIX",)
    assert read(card_files(zone(sex="M"), _4="Nam")).warnings == ("W_SEX_MISMATCH",)
    assert read(card_files(zone(birth="850201"), _3="01/02/1985")).warnings == ("W_YEAR_MISMATCH",)


def test_a_foreign_passport():
    lines = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
    person = read({"DG1": dg1(lines)}, QR)
    assert person.identity == Identity(None, None, "ERIKSSON ANNA MARIA", PartialDate(1974, 8, 12), Sex.FEMALE)
    assert (person.nationality, person.expires_on) == ("UTO", date(2012, 4, 15))
    assert person.mismatches == ("M_NAME_QR_DG1", "M_BIRTH_DATE_QR_DG1")


def test_an_expired_card_and_a_disagreement_are_told_apart():
    person = read(card_files(zone(sex="M")), today=date(2031, 1, 1))
    assert (person.expires_on, person.warnings) == (date(2030, 2, 1), (CARD_EXPIRED,))
    assert person.mismatches == ("M_SEX_DG1_DG13",)


def test_as_json():
    assert identity_json(read(card_files())) == {
        "personal_id": "099190000456",
        "full_name": "Trần Thị Mẫu",
        "birth_date": "1990-02-01",
        "sex": "F",
        "address": PERSON[9].strip(),
        "issued_on": "2021-07-05",
        "expires_on": "2030-02-01",
        "old_id": "364000123",
        "nationality": "Việt Nam",
        "ethnicity": "Kinh",
        "place_of_origin": PERSON[8],
    }


def test_nothing_known_is_null():
    lines = zone(birth="<<<<<<", expiry="<<<<<<", sex="<", nation="<<<", names="")
    assert set((identity_json(read({"DG1": dg1(lines)})) | {"personal_id": None}).values()) == {None}


syllables = st.sampled_from(["Nguyễn", "Trần", "Lê", "Đặng", "Võ", "Thị", "Hữu", "Đức", "Mẫu", "Thuỷ", "Ước", "Ý"])


@given(st.lists(syllables, min_size=2, max_size=9).map(" ".join), st.dates(date(1900, 1, 1), date(2025, 1, 1)))
def test_a_person_is_the_same_in_qr_dg1_and_dg13(name, birth):
    digit = 1 + 2 * ((birth.year - 1900) // 100)
    number = f"099{digit}{birth:%y}000456"
    surname, _, given_names = fold(name).partition(" ")
    lines = zone(number, f"{birth:%y%m%d}", names=f"{surname}<<{given_names.replace(' ', '<')}")
    qr = recognise(f"{number}||{name}|{birth:%d%m%Y}|Nữ|Xã Mẫu|05072021".encode(), simulated_prefix=True).identity
    files = card_files(lines, _1=number, _2=name, _3=f"{birth:%d/%m/%Y}")
    with_dg13, without = read(files, qr), read({"DG1": files["DG1"]}, qr)
    assert (with_dg13.mismatches, without.mismatches) == ((), ())
    assert (with_dg13.source, without.source) == (Source.DG13, Source.QR_DG1)
    assert without.identity == qr
    assert with_dg13.identity.full_name == qr.full_name
    assert with_dg13.identity.birth_date == qr.birth_date


@given(
    st.dictionaries(st.sampled_from(["DG1", "DG13"]), st.binary(max_size=120)),
    st.text("AM019<", min_size=90, max_size=90),
    st.binary(max_size=120),
)
def test_no_files_raise_anything_else(files, text, entries):
    for given_files in (files, {"DG1": dg1([text]), "DG13": dg13([entries])}):
        try:
            person = read(given_files, QR, today=date(2026, 1, 1))
        except UnreadableChip:
            continue
        assert set(person.mismatches) <= set(Mismatch)
        identity_json(person)
