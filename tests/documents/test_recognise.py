"""What is no citizen card, several lines in one capture, and numbers without a document around them."""

from datetime import date

import pytest

from kiosk.documents.recognise import MAX_BYTES, MAX_TEXT, recognise
from kiosk.model import Coverage, Document, DocumentKind, Identity, KeyKind, PartialDate

FIRST = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021"
SECOND = "099075000003||Phạm Văn Thí Dụ|15031975|Nam|Xã Khác, Hậu Giang|06082022"


def read(text: str) -> Document:
    return recognise(text.encode(), simulated_prefix=True)


def name_of(document: Document) -> str | None:
    return document.identity.full_name if document.identity else None


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\0\0\0", b" \t ", b"]Q1\r", b"\xef\xbb\xbf", "\u202e\u200b".encode()])
def test_nothing_but_frame(raw):
    assert recognise(raw) == Document(DocumentKind.UNKNOWN, error="EMPTY")


@pytest.mark.parametrize("typed", ["099190000001", "0991 9000 0001", " 099-190-000-001 ", "099_190000001\r"])
def test_personal_number(typed):
    assert read(typed) == Document(DocumentKind.NUMBER, identity=Identity(personal_id="099190000001"), can="000001")


def test_simulated_numbers_warn_only_outside_the_demo():
    assert recognise(b"099190000001").warnings == ("W_UNKNOWN_PREFIX",)
    assert recognise(FIRST.encode()).warnings == ("W_UNKNOWN_PREFIX",)
    assert read(FIRST).warnings == ()


@pytest.mark.parametrize(
    ("typed", "coverage"),
    [
        ("9900000001", Coverage("9900000001", KeyKind.BHXH_10)),
        ("dn4 99 99 0000 0001", Coverage("DN4999900000001", KeyKind.BHYT_15, benefit_level="4")),
        ("DN401AB20000000", Coverage("DN401AB20000000", KeyKind.BHYT_15, benefit_level="4")),
        ("GD499099190000001", Coverage("GD499099190000001", KeyKind.BHYT_17, benefit_level="4")),
    ],
)
def test_insurance_numbers_name_nobody(typed, coverage):
    assert read(typed) == Document(DocumentKind.NUMBER, coverage=coverage)


@pytest.mark.parametrize(
    "text",
    [
        "99190000001",  # a lost zero is not padded
        "0991900000011",
        "GD6999900000001",
        "GD49999000000011",
        "a|b|c|d|e|f|g",
        "||||||||||||||",
        "trời xanh mây trắng nắng vàng và một câu rất dài",
        "trờixanhmâytrắngnắngvàngvàmộtcâurấtdài",
        '{"id":"099190000001","name":"Mau","dob":"1990"}',
        '["099190000001","364000123","Mau","02091990"]',
    ],
)
def test_other_input_is_never_a_person(text):
    assert read(text) == Document(DocumentKind.UNKNOWN, error="UNKNOWN_FORMAT")


def test_only_ascii_digits_make_a_number():
    assert read("٠٩٩١٩٠٠٠٠٠٠١").error == "UNKNOWN_FORMAT"


def test_cut_card_is_not_taken_for_the_short_insurance_code():
    assert read("099190000001|364000123").error == "TRUNCATED"
    assert read("099190000001|099190000002").error == "TRUNCATED"


@pytest.mark.parametrize(
    "token",
    ["a1" * 16, "QUJD/+z=" * 8, "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0.MEUCIQ-_9w", "vneid://share?t=" + "0f" * 16],
)
def test_tokens_are_told_apart_and_not_kept(token):
    assert read(token) == Document(DocumentKind.OPAQUE_TOKEN, error="OPAQUE_TOKEN")
    assert read(token[:31]) == Document(DocumentKind.UNKNOWN, error="UNKNOWN_FORMAT")


def test_binary_rubbish_is_no_token():
    document = recognise(b"\xff\xfe" * 40)
    assert (document.kind, document.error) == (DocumentKind.UNKNOWN, "UNKNOWN_FORMAT")
    assert document.warnings == ("W_ENCODING_DAMAGED",)


@pytest.mark.parametrize("text", ["HTTPS://example.invalid/", "http://example.invalid/|a|b|c|d|e|f"])
def test_web_addresses(text):
    assert read(text) == Document(DocumentKind.URL, error="URL_PAYLOAD")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_first_whole_scan_of_several(end):
    assert name_of(read(FIRST + end + SECOND)) == "Trần Thị Mẫu"
    assert name_of(read(FIRST[:30] + end + SECOND)) == "Phạm Văn Thí Dụ"
    assert read(FIRST + end + SECOND[:30]) == read(FIRST)
    assert read(FIRST + end + SECOND[20:]) == read(FIRST)


def test_first_scan_counts_even_without_issue_date():
    shorter = FIRST.rpartition("|")[0]
    assert read(shorter + "\r" + SECOND) == read(shorter)


def test_line_end_inside_a_field_is_dropped():
    assert read(FIRST.replace("Xã Mẫu, ", "Xã Mẫu,\n ")) == read(FIRST)
    assert read(FIRST.replace("Trần Thị", "Trần \r\nThị")) == read(FIRST)


def test_oversized_input_is_refused_unread():
    assert recognise(FIRST.encode() + b" " * (MAX_TEXT - len(FIRST.encode()))).error is None
    assert recognise(FIRST.encode() + b" " * MAX_TEXT).error == "UNKNOWN_FORMAT"
    assert recognise(b"a1" * (MAX_BYTES // 2)).error == "OPAQUE_TOKEN"
    assert recognise(b"a1" * MAX_BYTES).error == "UNKNOWN_FORMAT"


@pytest.mark.parametrize("junk", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad"])
def test_invisible_characters_never_reach_a_name(junk):
    assert read(FIRST.replace("Thị", f"T{junk}hị")) == read(FIRST)


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u2028", "\t", "   "])
def test_every_blank_is_one_blank(blank):
    assert read(FIRST.replace("Trần Thị", f"Trần{blank}Thị")) == read(FIRST)


def test_nul_inside_a_name_cuts_the_scan():
    assert read(FIRST.replace("Thị", "T\0hị")).error == "TRUNCATED"


def test_label_of_a_phone_app():
    assert read("CCCD: " + FIRST) == read(FIRST)


def test_fullwidth_bar_separates_only_whole_cards():
    assert read(FIRST.replace("|", "\uff5c")).identity == read(FIRST).identity
    assert read(FIRST.replace("|", "\uff5c", 3)).identity != read(FIRST).identity


def test_tilde_in_an_address_is_no_separator():
    address = "Xã Mẫu ~ Hậu Giang"
    document = read(f"099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|{address}")
    assert document.identity is not None
    assert document.identity.address == address


def test_everything_typed_through_the_vietnamese_layout():
    layout = dict(zip("1234567890", "ăâêô\u0300\u0309\u0303\u0301\u0323đ", strict=True))
    fields = [
        "".join(layout.get(char, char) for char in field) if field.isdigit() else field for field in FIRST.split("|")
    ]
    document = read("|".join(fields))
    assert document.identity == read(FIRST).identity
    assert document.warnings == ("W_LAYOUT_FIXED",)


def test_person_in_full():
    assert read(FIRST).identity == Identity(
        personal_id="099190000001",
        old_id="364000123",
        full_name="Trần Thị Mẫu",
        birth_date=PartialDate(1990, 9, 2),
        sex="F",
        address="Xã Mẫu, Hậu Giang",
        issued_on=date(2021, 7, 5),
    )


def test_a_line_end_inside_a_name_is_mended_only_where_number_and_person_agree():
    mended = read("099090000456|364000123|Trần\rVăn B|03031990|Nam|Xã Mẫu|05072021")
    assert (mended.error, mended.identity.personal_id) == (None, "099090000456")
    mixed = read("099190000456|364000123|Trần\rVăn B|03031980|Nam|Xã Mẫu|05072021")
    assert (mixed.error, name_of(mixed)) == ("TRUNCATED", None)


def test_a_cut_number_before_another_scan_takes_nobodys_name():
    glued = "099190000456|099090000123|Nguyễn Văn Thử|15031990|Nam|Xã Mẫu|20082022"
    assert (read(glued).error, read(glued).identity) == ("UNKNOWN_FORMAT", None)
    own = "099090000456|099090000123|Nguyễn Văn Thử|15031990|Nam|Xã Mẫu|20082022"  # a cancelled number of his own
    assert (read(own).error, read(own).identity.old_id) == (None, "099090000123")


@pytest.mark.parametrize(
    "text",
    [
        "WIFI:T:WPA;S:khoa-kham;P:mat-khau-khong-ai-biet;;",
        "otpauth://totp/nguoi-mau?secret=JBSWY3DPEHPK3PXP&issuer=mau",
        "1" * 36,
    ],
)
def test_other_secrets_are_no_tokens(text):
    assert read(text).error == "UNKNOWN_FORMAT"


@pytest.mark.parametrize("lost", ["\x01", "\x0b", "\x1b", "\x7f", "\x85"])
def test_a_letter_that_lost_its_bits_is_told(lost):
    card = f"099085001111|364209176|Thạch S{lost} Rây|23041985|Nam|Ấp Một, Xã Mẫu, Hậu Giang|16072021"
    assert "W_ENCODING_DAMAGED" in read(card).warnings


def test_a_name_encoded_twice_in_hex_is_left_out():
    twice = "NGÔ VÂN HÀ".encode().decode("latin-1").encode().hex()
    card = f"GD4999900000001|{twice}|01/02/1990|2|-|93 - 001|01/01/2020|-|15/12/2019|93019900000001|-|4|-|-|$"
    assert (name_of(read(card)), "W_BAD_HEX" in read(card).warnings) == (None, True)
