"""Charset repair, folding, and numbers: the small parts under recognition."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.card_number import benefit_level_of, classify_number
from kiosk.documents.personal_id import PROVINCE_PREFIXES, birth_year_of, number_warnings, sex_of
from kiosk.documents.text import clean, fold, read_text, same_name, unframe
from kiosk.model import KeyKind, PartialDate, Sex


@pytest.mark.parametrize(
    "text", ["Nguyễn Thị Thử", "Đặng Văn Ô", "HÀ", "Võ", "Hồ Ước Mơ", "Ðặng", "Ea H'leo – Buôn Ŏ", "a b"]
)
def test_sound_text_stays_as_it_is(text):
    assert read_text(text.encode()).text == text
    assert read_text(text.encode()).warnings == ()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("V繭", "Võ"),
        ("HÃ\u00a0", "Hà"),
        ("Tr蘯ｧn", "Trần"),
        ("Tráº§n Thá»‹", "Trần Thị"),
    ],
)
def test_wrong_guesses_are_undone(raw, text):
    assert (read_text(raw.encode()).text, read_text(raw.encode()).warnings) == (text, ("W_ENCODING_REPAIRED",))


@pytest.mark.parametrize(
    "raw",
    [
        "TrÇn ThÞ MÉu".encode(),
        "HÃ´ng Ä".encode(),
        b"Th\xe1\xba|M\xe1\xba\xabu",
        "Tráº§n \u0081".encode() + b"\xe5\xad",
        "日本".encode(),
        b"Tr\xe1\xba",
        "Tr\ue000n".encode(),
    ],
)
def test_what_cannot_be_undone_is_marked(raw):
    assert read_text(raw).warnings == ("W_ENCODING_DAMAGED",)


def test_frame_additions():
    assert unframe(b"\r\n\x02\xef\xbb\xbf]Q3abc\t\x03\r\n\0rest") == b"abc"
    assert unframe(b"]abc") == b"]abc"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Trần   Thị Mẫu ", "TRAN THI MAU"),
        ("đặng ĐỨC", "DANG DUC"),
        (unicodedata.normalize("NFD", "Nguyễn Ước"), "NGUYEN UOC"),
        ("K'Brêu", "KBREU"),
        ("H’Hen Niê", "HHEN NIE"),
        ("Đinh Y-Thuyên", "DINH Y THUYEN"),
        ("Ƀrôih", "BROIH"),
        ("Ðặng ðức", "DANG DUC"),
        (unicodedata.normalize("NFD", "  Ðỗ\u00a0 Đình\tđ "), "DO DINH D"),
        ("ŉ ǰ ß \u1fb3\u0301 \u0345", "N J SS ΑΙ Ι"),
        ("", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


NAMES = st.text() | st.text("ĐđÐðdDẶặƯưỗ\u0301\u0323\u0345\u0390\u1fb3ŉǰßΐ \t\u00a0")


@given(NAMES)
def test_fold_twice_is_fold_once(text):
    assert fold(fold(text)) == fold(text)


@given(NAMES)
def test_fold_ignores_the_normal_form_and_the_case_of_d(text):
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text)) == fold(text)
    assert fold(text.translate(str.maketrans("đðĐÐ", "dddd"))) == fold(text)


@given(NAMES)
def test_folded_text_has_single_blanks_and_no_marks(text):
    folded = fold(text)
    assert folded == " ".join(folded.split()) and folded == folded.upper()
    assert not any(unicodedata.combining(char) or char in "ĐđÐð" for char in folded)


@given(st.text())
def test_clean_text_is_composed_and_printable(text):
    cleaned = clean(text)
    assert cleaned == unicodedata.normalize("NFC", cleaned)
    assert not any(unicodedata.category(char)[0] == "C" for char in cleaned)


@pytest.mark.parametrize("heap", ["\u0301" * 6, "\u0323\u0301" * 700, "\u0301" * 700 + "\u0334" * 700, "\u0e34"])
def test_marks_that_no_letter_has_are_damage(heap):
    damaged = read_text(f"Tra{heap}n".encode())
    assert (damaged.text, damaged.warnings) == ("Tra\ufffdn", ("W_ENCODING_DAMAGED",))


def test_sixty_three_provinces():
    assert len(PROVINCE_PREFIXES) == 63
    assert "093" in PROVINCE_PREFIXES


@pytest.mark.parametrize(
    ("digit", "sex", "century"),
    [("0", "M", 1900), ("1", "F", 1900), ("2", "M", 2000), ("3", "F", 2000), ("9", "F", 2300)],
)
def test_digits_of_a_personal_number(digit, sex, century):
    number = f"099{digit}05000001"
    assert (sex_of(number), birth_year_of(number)) == (Sex(sex), century + 5)


def test_number_warnings():
    assert number_warnings("099190000001", extra_prefixes=frozenset({"099"})) == ()
    assert number_warnings("099190000001") == ("W_UNKNOWN_PREFIX",)
    assert number_warnings("101190000001") == ("W_FOREIGN_PREFIX",)
    assert number_warnings("099305000001", sex=Sex.MALE, birth=PartialDate(1905)) == (
        "W_UNKNOWN_PREFIX",
        "W_SEX_MISMATCH",
        "W_YEAR_MISMATCH",
    )


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (" 0991-9000_0001 ", (KeyKind.PERSONAL_12, "099190000001")),
        ("9900000001", (KeyKind.BHXH_10, "9900000001")),
        ("gd4 99 9900000001", (KeyKind.BHYT_15, "GD4999900000001")),
        ("gd499 099190000001", (KeyKind.BHYT_17, "GD499099190000001")),
        ("GD49999000000010", None),
        ("GD499990000000100099001", None),
        ("GD0999900000001", None),
        ("GD499ABCDEFGHIJKL", None),
        ("09919000000", None),
        ("０９９１９０００００01", None),
        ("", None),
    ],
)
def test_typed_numbers(typed, expected):
    assert classify_number(typed) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("H’Hen Niê", "H' HEN NIÊ", True),
        ("H’Hen Niê", "HHEN NIE", True),
        ("H’Hen Niê", "H HEN NIE", True),
        ("Đinh Y-Thuyên", "ĐINH Y THUYÊN", True),
        ("Đinh Y-Thuyên", "DINH YTHUYEN", True),
        ("Y Bkrông", "Y BKRONG", True),
        ("K’Sor Ƀlŭ", "KSOR BLU", True),
        ("Siu Ơ̆", "SIU O", True),
        ("Thạch Sa Rây", "Thạch Sa Rai", False),
        ("Y Bkrông", "Bkrông", False),
    ],
)
def test_same_name(one, other, same):
    assert same_name(one, other) is same_name(other, one) is same


@given(st.text(max_size=30))
def test_a_classified_number_is_never_shortened(text):
    if found := classify_number(text):
        assert len(found[1]) == sum(1 for char in text if not char.isspace() and char not in "-_")


def test_benefit_level():
    assert benefit_level_of(*(KeyKind.BHYT_15, "TE1999900000001")) == "1"
    assert benefit_level_of(KeyKind.BHXH_10, "9900000001") is None


@pytest.mark.parametrize("number", ["", "9", "GD"])
def test_a_number_that_is_too_short_has_no_benefit_level(number: str) -> None:
    assert benefit_level_of(KeyKind.BHYT_15, number) is None
