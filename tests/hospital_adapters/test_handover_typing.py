"""Keys for Vietnamese text: what an input method makes of them is the text again, or there are none."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hospital_adapters.handover_typing import typed
from tests.hospital_adapters.typing_ime import telex, vni

LETTERS = "aăâeêioôơuưybcdđghklmnpqrstvx" + "AĂÂEÊIOÔƠUƯYBCDĐGHKLMNPQRSTVX"
TONED = "".join(
    unicodedata.normalize("NFC", letter + tone)
    for letter in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
    for tone in "\u0301\u0300\u0309\u0303\u0323"
)
NAMES = [
    "TRẦN THỊ MẪU",
    "NGUYỄN VĂN THỬ NGHIỆM",
    "HUỲNH VĂN NĂM",
    "Phường Đông Hưng Thuận",
    "Quỳnh Giang",
    "Gì gìn giữ giếng",
    "Quý Thuyền Khuya Khuỷu Người Hươu Xoài Xoáy Nguậy Nguôi Yêu Yến Ỷ Quyết Ngoằn Loan",
    "Số 12A/3, Ấp 5B, Xã Mẫu",
]
METHODS = [("telex", telex), ("vni", vni)]


def in_either_spelling(text: str, method, keys: str) -> bool:
    """The method's setting decides where the tone of an open oa, oe, uy stands; all else must be the same."""
    return all(
        any(word == method(key, modern=modern) for modern in (False, True))
        for word, key in zip(text.split(" "), keys.split(" "), strict=True)
    )


@pytest.mark.parametrize(("accents", "method"), METHODS)
@pytest.mark.parametrize("text", NAMES)
def test_an_input_method_gives_names_back(accents, method, text):
    keys = typed(text, accents)
    assert keys is not None and keys.isascii() and keys.isprintable()
    assert in_either_spelling(text, method, keys)


@pytest.mark.parametrize(("accents", "method"), METHODS)
@settings(max_examples=400)
@given(text=st.lists(st.text(LETTERS + TONED + "wfjzWFJZ0123456789-/,.'[]", min_size=1), min_size=1).map(" ".join))
@example(text="Hana")
@example(text="K'Brôih Đắk")
@example(text="TE1 a6 đ9 d9")
@example(text="as wa [o")
def test_whatever_is_typed_comes_back_as_it_was(accents, method, text):
    keys = typed(text, accents)
    assert keys is None or (keys.isascii() and in_either_spelling(text, method, keys))


ONSETS = ["", "b", "đ", "gi", "qu", "ngh", "th", "tr", "Đ", "NH", "x", "s", "S"]
RHYMES = (
    "á ắc ấn én ếch ính óm ốp ớn úng ứt ý ài áo iến yết oáng oắt oét uất uế uốc uýt uyển ướng ứa ười iều oái uôi óa oá"
)


SYLLABLES = [
    onset + rhyme
    for onset in ONSETS
    for rhyme in RHYMES.split()
    if onset not in ("qu", "gi") or rhyme[0] not in "iíìuúứướươy"  # there the same letters read in two ways
]


@pytest.mark.parametrize(("accents", "method"), METHODS)
def test_regular_syllables_are_typed(accents, method):
    keys = {syllable: typed(syllable, accents) for syllable in SYLLABLES}
    assert [syllable for syllable, key in keys.items() if key is None] == []
    assert [syllable for syllable, key in keys.items() if not in_either_spelling(syllable, method, str(key))] == []


@pytest.mark.parametrize("text", ["gía", "thụân", "óat", "xòai", "qúy", "tíên", "ngừơi"])
def test_a_tone_in_an_unusual_place_would_move_and_is_not_typed(text):
    assert typed(text, "telex") is None and typed(text, "vni") is None


@pytest.mark.parametrize("text", ["Hana", "Đắk", "K'Brôih", "Thuở", "wa", "a[b", "Trần\u200b", "Bas", "日本", "Đôđđ"])
def test_what_is_not_sure_is_not_typed_in_telex(text):
    assert typed(text, "telex") is None


@pytest.mark.parametrize("text", ["TE1", "A6", "d9", "Đắk", "ü"])
def test_what_is_not_sure_is_not_typed_in_vni(text):
    assert typed(text, "vni") is None


def test_card_numbers_and_codes_are_typed_as_they_are():
    for number in ("GD4939312345678", "099190000001", "TE1930000000001", "K-012", "01/02/1990", "93002"):
        assert typed(number, "telex") == number


def test_without_accents_and_as_it_is():
    assert typed("TRẦN ĐÌNH Mẫu", "none") == "TRAN DINH Mau"
    assert typed("Trần – Mẫu", "none") is None, "a dash is no key"
    assert typed("Trần Mẫu", "keep") == "Trần Mẫu"
