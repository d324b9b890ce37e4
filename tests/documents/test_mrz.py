"""The zone on the back of a card: every check digit, all ways of joining its lines."""

from datetime import date

import pytest

from kiosk.documents.recognise import recognise
from kiosk.model import Document, DocumentKind, Identity, PartialDate, Sex

LINES = ["IDVNM1900004563093190000456<<3", "9002018F3002016VNM<<<<<<<<<<<4", "TRAN<<THI<MAU<<<<<<<<<<<<<<<<<"]
ENDLESS = ["IDVNM0500007897093050000789<<7", "5001013M9912315VNM<<<<<<<<<<<2", "LE<<VAN<GIA<DINH<<<<<<<<<<<<<<"]
PERSON = Document(
    DocumentKind.MRZ,
    identity=Identity("093190000456", full_name="TRAN THI MAU", birth_date=PartialDate(1990, 2, 1), sex=Sex.FEMALE),
    can="000456",
    expires_on=date(2030, 2, 1),
)


@pytest.mark.parametrize("joint", ["\r", "\n", "\r\n", "", " ", "\r\r", "\t"])
@pytest.mark.parametrize("frame", ["{}", "\x02{}\r", "\r\n{}\r\n", "]Q1{}"])
def test_lines_joined_in_any_way(joint, frame):
    assert recognise(frame.format(joint.join(LINES)).encode()) == PERSON


def test_a_card_without_an_end():
    document = recognise("\r".join(ENDLESS).encode())
    assert (document.error, document.expires_on) == (None, None)
    assert document.identity.birth_date == PartialDate(1950, 1, 1)


def test_what_follows_the_zone_is_left_out():
    assert recognise("\r".join([*LINES, "099190000001|364000123|x"]).encode()) == PERSON


@pytest.mark.parametrize("at", range(90))
def test_one_wrong_character_never_names_another_number_or_day(at):
    zone = "".join(LINES)
    for char in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<":
        document = recognise((zone[:at] + char + zone[at + 1 :]).encode())
        if document.error is None and document.kind is DocumentKind.MRZ:
            seen = document.identity
            assert (seen.personal_id, seen.birth_date) == (PERSON.identity.personal_id, PERSON.identity.birth_date)
            assert (seen.sex, document.expires_on) == (PERSON.identity.sex, PERSON.expires_on) or at == 37
        else:
            assert document.identity is None


@pytest.mark.parametrize("missing", range(1, 60))
def test_a_cut_zone(missing):
    assert recognise("".join(LINES)[:-missing].encode()).error == "TRUNCATED"


def test_other_numbers_in_one_zone_are_refused():
    # every check digit holds, but the document number is not the end of the personal number
    lines = ["IDVNM0500007897093190000456<<3", "9002018F3002016VNM<<<<<<<<<<<8", LINES[2]]
    assert recognise("".join(lines).encode()).error == "BAD_CHECK_DIGIT"


def with_name(line: str) -> str:
    return "\r".join([*LINES[:2], line])


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("HHEN<<NIE<<<<<<<<<<<<<<<<<<<<<", "HHEN NIE"),
        ("Y<<BKRONG<<<<<<<<<<<<<<<<<<<<<", "Y BKRONG"),
        ("NGUYEN<<PHUOC<HOANG<MINH<AN<<<", "NGUYEN PHUOC HOANG MINH AN"),
        ("NGUYEN<<PHUOC<HOANG<MINH<ANH<T", None),  # it may go on
        ("NGUYEN<<PHUOC<HOANG<MINH<ANH<<", "NGUYEN PHUOC HOANG MINH ANH"),
        ("NGUYEN<<PHUOC<HOANG<MINH<ANHT<", None),
        ("TR4N<<THI<MAU<<<<<<<<<<<<<<<<<", None),
        ("<" * 30, None),
    ],
)
def test_the_name_has_no_check_digit_and_must_look_like_one(line, name):
    document = recognise(with_name(line).encode())
    assert document.error is None
    assert (document.identity.personal_id, document.identity.full_name) == ("093190000456", name)


@pytest.mark.parametrize(
    "zone",
    [
        ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"],
        ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
    ],
)
@pytest.mark.parametrize("joint", ["", "\r", "\r\n"])
def test_zones_of_other_documents_are_no_person_and_no_token(zone, joint):
    assert recognise(joint.join(zone).encode()) == Document(DocumentKind.UNKNOWN, error="UNKNOWN_FORMAT")
