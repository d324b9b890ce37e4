"""Machine-readable zones: the specimens of ICAO 9303 and the worked examples of identity-documents.md 6 and 10."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd.errors import DataError
from kiosk.emrtd.mrz import NATIONAL_CHECK, MrzFormat, MrzKey, check_digit, parse
from tests.emrtd.vietnamese_card import zone

TODAY = date(2026, 7, 1)
MAU = ("IDVNM1900004563093190000456<<3", "9002018F3002016VNM<<<<<<<<<<<4", "TRAN<<THI<MAU<<<<<<<<<<<<<<<<<")
NO_EXPIRY = ("IDVNM0500007897093050000789<<7", "5001013M9912315VNM<<<<<<<<<<<2", "LE<<VAN<GIA<DINH<<<<<<<<<<<<<<")
WRONG_DIGIT = ("IDVNM1900004564093190000456<<3", *MAU[1:])
PASSPORT = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2_CARD = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
LONG_NUMBER = ("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<")
SPECIMENS = {
    "vietnamese": MAU,
    "no expiry": NO_EXPIRY,
    "td3": PASSPORT,
    "td1": CARD,
    "td2": TD2_CARD,
    "long number": LONG_NUMBER,
}


def read(lines):
    return parse("\n".join(lines), today=TODAY)


@pytest.mark.parametrize("lines", SPECIMENS.values(), ids=SPECIMENS)
def test_every_check_digit_of_the_specimens_holds(lines):
    mrz = read(lines)
    assert mrz.valid
    assert set(mrz.checks.values()) == {True}


def test_a_zone():
    mrz = read(MAU)
    assert (mrz.format, mrz.document_code, mrz.issuing_state, mrz.nationality) == (MrzFormat.TD1, "ID", "VNM", "VNM")
    assert (mrz.document_number, mrz.personal_number) == ("190000456", "093190000456")
    assert (mrz.birth, mrz.expiry, mrz.sex) == ("1990-02-01", "2030-02-01", "F")
    assert (mrz.surname, mrz.given_names, mrz.full_name) == ("TRAN", "THI MAU", "TRAN THI MAU")
    assert not mrz.name_may_be_cut
    assert set(mrz.checks) == {"document_number", "birth", "expiry", "composite", NATIONAL_CHECK}


def test_the_passport_of_icao():
    mrz = read(PASSPORT)
    assert (mrz.format, mrz.document_number, mrz.personal_number) == (MrzFormat.TD3, "L898902C3", "ZE184226B")
    assert (mrz.birth, mrz.expiry, mrz.sex) == ("1974-08-12", "2012-04-15", "F")
    assert (mrz.surname, mrz.given_names, mrz.optional) == ("ERIKSSON", "ANNA MARIA", ("ZE184226B",))
    assert set(mrz.checks) == {"document_number", "birth", "expiry", "personal_number", "composite"}


@pytest.mark.parametrize("lines", [CARD, TD2_CARD], ids=["td1", "td2"])
def test_the_cards_of_icao(lines):
    mrz = read(lines)
    assert (mrz.document_number, mrz.personal_number, mrz.full_name) == ("D23145890", None, "ERIKSSON ANNA MARIA")


def test_a_number_of_more_than_nine_characters_goes_on_in_the_optional_data():
    mrz = read(LONG_NUMBER)
    assert (mrz.document_number, mrz.optional) == ("D23145890734", ("", ""))
    assert MrzKey.of(mrz).information() == b"D23145890734934071279507122"


@pytest.mark.parametrize("digit", [14, 19], ids=["filler gone", "digit wrong"])
def test_a_damaged_long_number_is_noticed(digit):
    first = LONG_NUMBER[0][:digit] + "5" + LONG_NUMBER[0][digit + 1 :]
    assert not read((first, *LONG_NUMBER[1:])).valid


@pytest.mark.parametrize(
    ("lines", "information"),
    [
        (MAU, b"190000456390020183002016"),
        (PASSPORT, b"L898902C3674081221204159"),
        (zone("099190000456"), b"190000456390020183002016"),
    ],
    ids=["worked example", "passport", "built card"],
)
def test_the_key_of_a_zone(lines, information):
    assert MrzKey.of(read(lines)).information() == information


def test_a_short_document_number_is_filled():
    # ICAO 9303-11 appendix D.2, the document number of eight characters.
    assert MrzKey("L898902C", "690806", "940623").information() == b"L898902C<369080619406236"


@pytest.mark.parametrize(
    "values",
    [("190 00456", "900201", "300201"), ("", "900201", "300201"), ("1", "1990", "300201"), ("1", "900201", "3O0201")],
    ids=["blank", "empty", "short date", "letter"],
)
def test_a_key_with_impossible_characters_is_refused(values):
    with pytest.raises(DataError):
        MrzKey(*values)


def test_a_wrong_check_digit_is_told_and_opens_no_chip():
    mrz = read(WRONG_DIGIT)
    assert (mrz.valid, mrz.checks["document_number"], mrz.checks["birth"]) == (False, False, True)
    with pytest.raises(DataError):
        MrzKey.of(mrz)


def test_the_national_check_alone_condemns_nothing():
    first = MAU[0][:29] + "4"
    second = MAU[1][:29] + check_digit(first[5:30] + MAU[1][0:7] + MAU[1][8:15] + MAU[1][18:29])
    mrz = read((first, second, MAU[2]))
    assert (mrz.checks[NATIONAL_CHECK], mrz.valid) == (False, True)


@pytest.mark.parametrize("separator", ["", "\r", "\r\n", "\n\n", " \t"], ids=["joined", "cr", "crlf", "blank", "tab"])
@pytest.mark.parametrize("lines", SPECIMENS.values(), ids=SPECIMENS)
def test_line_ends_do_not_matter(lines, separator):
    assert parse(separator.join(lines) + separator, today=TODAY) == read(lines)
    assert parse(separator.join(lines).lower(), today=TODAY) == read(lines)


@pytest.mark.parametrize(
    ("number", "birth", "expected"),
    [
        ("099190000456", "900201", "1990-02-01"),
        ("099320000456", "200201", "2020-02-01"),
        ("099120000456", "200201", "1920-02-01"),
        ("099301000456", "991231", "1999-12-31"),  # corrected after the number was given: 2099 is to come
        ("099120000456", "20<<<<", "1920"),
        ("099120000456", "2002<<", "1920-02"),
        ("099120000456", "200200", "1920-02"),
        ("099120000456", "200000", "1920"),
        ("099120000456", "200231", ""),
        ("099120000456", "201300", ""),
        ("099120000456", "<<<<<<", ""),
    ],
)
def test_the_number_of_a_vietnamese_card_says_the_century(number, birth, expected):
    mrz = read(zone(number, birth))
    assert (mrz.birth, mrz.birth_field, mrz.valid) == (expected, birth, True)


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        ("260701", "2026-07-01"),
        ("260702", "1926-07-02"),
        ("26<<<<", "2026"),
        ("27<<<<", "1927"),
        ("000229", "2000-02-29"),
    ],
)
def test_elsewhere_nobody_is_born_tomorrow(birth, expected):
    assert read(zone(birth=birth, nation="UTO")).birth == expected


def test_a_vietnamese_passport_takes_the_century_from_the_personal_number():
    second = f"C12345678{check_digit('C12345678')}VNM200201{check_digit('200201')}F300201{check_digit('300201')}"
    second += "099120000456<<" + check_digit("099120000456<<")
    second += check_digit(second[0:10] + second[13:20] + second[21:43])
    mrz = read(("P<VNMTRAN<<THI<MAU".ljust(44, "<"), second))
    assert (mrz.birth, mrz.personal_number, mrz.valid) == ("1920-02-01", "099120000456", True)


@pytest.mark.parametrize("digit", ["<", "0"])
def test_an_empty_personal_number_may_lack_its_check_digit(digit):
    second = PASSPORT[1][:28] + "<" * 14 + digit
    second += check_digit(second[0:10] + second[13:20] + second[21:43])
    mrz = read((PASSPORT[0], second))
    assert (mrz.personal_number, mrz.valid) == (None, True)


@pytest.mark.parametrize(
    ("names", "surname", "given", "cut"),
    [
        ("VO", "VO", "", False),
        ("CONG<TANG<TON<NU<<THI<PHUONG<T", "CONG TANG TON NU", "THI PHUONG T", True),
        ("NGUYEN<<NGUYEN<TRAN<THI<QUYNH<MAI", "NGUYEN", "NGUYEN TRAN THI QUYNH", True),
        ("NGUYEN<<NGUYEN<TRAN<THI<QUYN", "NGUYEN", "NGUYEN TRAN THI QUYN", False),
        ("NGUYEN<<", "NGUYEN", "", False),
    ],
    ids=["one name", "cut", "cut between names", "two fillers left", "no given name"],
)
def test_names(names, surname, given, cut):
    mrz = read(zone(names=names))
    assert (mrz.surname, mrz.given_names, mrz.name_may_be_cut) == (surname, given, cut)


@pytest.mark.parametrize(("printed", "meaning"), [("M", "M"), ("F", "F"), ("<", ""), ("X", "")])
def test_sex(printed, meaning):
    assert read((MAU[0], MAU[1][:7] + printed + MAU[1][8:], MAU[2])).sex == meaning


@pytest.mark.parametrize(
    "text",
    [
        "",
        "".join(MAU)[:-1],
        "".join(MAU) + "<",
        "".join(MAU).replace("<", "-"),
        "ı" + "".join(MAU)[1:],
        "V" + "".join(PASSPORT)[1:],
        "<" * 2000,
    ],
    ids=["empty", "short", "long", "dashes", "foreign letter", "visa", "huge"],
)
def test_what_is_no_zone_is_refused(text):
    with pytest.raises(DataError):
        parse(text, today=TODAY)


@pytest.mark.parametrize("field", ["a", "1 2", "é"])
def test_check_digits_are_for_characters_of_the_zone(field):
    with pytest.raises(DataError):
        check_digit(field)


@given(st.sampled_from([90, 72, 88]).flatmap(lambda n: st.text("AM019<", min_size=n, max_size=n)) | st.text())
def test_no_text_raises_anything_else(text):
    try:
        mrz = parse(text, today=TODAY)
        information = MrzKey.of(mrz).information()
    except DataError:
        return
    assert len(information) >= 24


@given(st.sampled_from(sorted(SPECIMENS)), st.integers(0, 89), st.sampled_from("ABCDEF0123456789<"))
def test_one_misread_character_never_makes_another_key(name, at, char):
    text = "".join(SPECIMENS[name])
    at %= len(text)
    try:
        key = MrzKey.of(parse(text[:at] + char + text[at + 1 :], today=TODAY))
    except DataError:
        return
    # Check digits modulo 10 cannot tell characters whose values end in the same digit (A and 0): ICAO's limit.
    same_value = check_digit(text[at]) == check_digit(char)
    assert same_value or key == MrzKey.of(read(SPECIMENS[name]))
