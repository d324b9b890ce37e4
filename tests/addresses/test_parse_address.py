"""Addresses of cards to codes: the whole of Hậu Giang in six spellings, and what must stay ambiguous."""

import csv
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.addresses.parse import Confidence, NewPlace, OldPlace, parse_address
from kiosk.addresses.units import LIST_VERSION, province, provinces

COMMUNES = list(
    csv.DictReader(
        (Path(__file__).parents[1] / "vectors" / "hau-giang-communes-old-new.csv").read_text("utf-8-sig").splitlines()
    )
)
NEW = {row["new_commune_code"]: row for row in COMMUNES}
SHORT = {
    "Phường": "P.",
    "Xã": "X.",
    "Thị trấn": "TT.",
    "Thành phố": "TP.",
    "Thị xã": "TX.",
    "Huyện": "H.",
    "Tỉnh": "T.",
    "Quận": "Q.",
}
UNIT_WORD = re.compile(f"^({'|'.join(SHORT)}) ")


def without_accents(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in plain if not unicodedata.combining(char))


def spellings(*units: str) -> list[str]:
    """With unit words, without them, without accents, in capitals, decomposed, and with abbreviated unit words."""
    whole = ", ".join(units)
    return [
        whole,
        ", ".join(UNIT_WORD.sub("", unit) for unit in units),
        without_accents(whole),
        whole.upper(),
        unicodedata.normalize("NFD", whole),
        ", ".join(UNIT_WORD.sub(lambda word: SHORT[word[1]], unit) for unit in units),
    ]


def full_name(row: dict[str, str]) -> str:
    name, kind = row["old_commune_name"], row["old_unit_type"]
    return name if name.startswith(kind) else f"{kind} {name}"


def test_the_lists_are_whole():
    assert (len(provinces("old")), len(provinces("new"))) == (63, 34)
    assert sum(len(province("old", listed.unit.code).communes) for listed, _ in provinces("old")) == 10_035
    assert sum(len(province("new", listed.unit.code).communes) for listed, _ in provinces("new")) == 3_321
    assert (len(COMMUNES), len(NEW)) == (75, 28)


@pytest.mark.parametrize("row", COMMUNES, ids=lambda row: row["old_commune_code"])
def test_every_old_commune_of_hau_giang(row):
    for text in spellings(full_name(row), row["old_district_name"], row["old_province_name"]):
        found = parse_address("Ấp Thử Nghiệm, " + text)
        assert found.old is not None and found.old.commune is not None and found.old.district is not None, text
        codes = found.old.commune.code, found.old.district.code, found.old.province.code
        assert codes == (row["old_commune_code"], row["old_district_code"], row["old_province_code"])
        assert found.new is not None and found.new.commune is not None
        assert (found.new.commune.code, found.new.province.code) == (row["new_commune_code"], row["new_province_code"])
        assert (found.hamlet, found.list_version) == ("Ấp Thử Nghiệm", LIST_VERSION)
        assert found.confidence is (Confidence.EXACT if text != without_accents(text) else Confidence.FOLDED)


@pytest.mark.parametrize("row", NEW.values(), ids=lambda row: row["new_commune_code"])
def test_every_new_commune_of_hau_giang(row):
    for text in spellings(row["new_commune_name"], row["new_province_name"]):
        found = parse_address("Khu vực 3, " + text)
        assert found.old is None
        assert found.new is not None and found.new.commune is not None, text
        assert (found.new.commune.code, found.new.province.code) == (row["new_commune_code"], "92")


def test_without_the_district_one_name_alone_is_ambiguous():
    ambiguous = set()
    for row in COMMUNES:
        found = parse_address(UNIT_WORD.sub("", full_name(row)) + ", Hậu Giang")
        if found.confidence is Confidence.AMBIGUOUS:
            ambiguous.add(full_name(row))
            assert found.old is not None and found.old.commune is None
            assert row["old_commune_code"] in {place.commune.code for place in found.candidates if place.commune}
        else:
            assert found.old is not None and found.old.commune is not None
            assert found.old.commune.code == row["old_commune_code"]
    # two communes of one name, and communes that have the name of a district
    assert ambiguous == {
        "Xã Vĩnh Tường",
        "Phường Vĩnh Tường",
        "Xã Vị Thanh",
        "Xã Vị Thủy",
        "Xã Phụng Hiệp",
        "Phường Ngã Bảy",
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Xã Vĩnh Tường, Hậu Giang", "31459"),
        ("Phường Vĩnh Tường, Hậu Giang", "31475"),
        ("Vĩnh Tường, Vị Thuỷ, Hậu Giang", "31459"),
        ("Vĩnh Tường, Long Mỹ, Hậu Giang", "31475"),
        ("KV 3, P.III, TP.Vị Thanh, Hậu Giang", "31321"),
        ("P3, Vị Thanh, Hau Giang", "31321"),
        ("Phường 03, Vị Thanh, Hậu Giang, Việt Nam", "31321"),
        ("Số 12 - Xã Tân Bình - Huyện Phụng Hiệp - Tỉnh Hậu Giang", "31399"),
        ("Ấp 1 , Xã Tân Bình,, huyện Phụng Hiệp , -Hậu Giang", "31399"),
        ("xã Xà Phiên, huyện Long Mỹ, Hậu Giang", "31495"),
        ("Xà Phiên, Long Mỹ, Hậu Giang", "31495"),
        ("Phường Bến Nghé, Quận 1, TP.HCM", "26740"),
        ("Xuân Khánh, Ninh Kiều, Cần Thơ", "31144"),
    ],
)
def test_spellings_of_real_cards(text, code):
    found = parse_address(text)
    assert found.old is not None and found.old.commune is not None
    assert found.old.commune.code == code


@pytest.mark.parametrize("text", ["Long Mỹ, Hậu Giang", "Ấp 3, Long Mỹ, Hậu Giang"])
def test_two_districts_of_one_name_are_not_chosen_between(text):
    found = parse_address(text)
    assert found.confidence is Confidence.AMBIGUOUS
    assert {place.district.code for place in found.candidates if isinstance(place, OldPlace) and place.district} == {
        "936",
        "937",
    }
    assert found.old is not None and found.old.district is None


@pytest.mark.parametrize(
    ("text", "province_code"),
    [("Xã Mẫu, Hậu Giang", "93"), ("Hậu Giang", "93"), ("x, y, z, Tỉnh Cà Mau", None)],
)
def test_an_unknown_commune_leaves_the_province(text, province_code):
    found = parse_address(text)
    assert (found.old is None) is (province_code is None)
    assert found.old is None or found.old == OldPlace(found.old.province)
    assert found.new is not None and found.new.commune is None


@pytest.mark.parametrize("text", ["", " , ,", "Xã Mẫu", "không biết", "Paris, France", "P., X., H."])
def test_no_address_has_no_codes(text):
    found = parse_address(text)
    assert (found.old, found.new, found.confidence, found.candidates) == (None, None, Confidence.NONE, ())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Khu vực 3, Vị Thanh, Hậu Giang", {"Thành phố Vị Thanh", "Xã Vị Thanh"}),
        ("Hòa An, Phụng Hiệp, Cần Thơ", {"Xã Phụng Hiệp", "Xã Hòa An"}),  # an old district in a new province
        ("Ninh Kiều, Cần Thơ", {"Quận Ninh Kiều", "Phường Ninh Kiều"}),
    ],
)
def test_a_name_of_two_levels_is_not_chosen_between(text, names):
    found = parse_address(text)
    assert found.confidence is Confidence.AMBIGUOUS
    assert found.new is None or found.new.commune is None
    units = [place.commune or place.district for place in found.candidates if isinstance(place, OldPlace)]
    units += [place.commune for place in found.candidates if isinstance(place, NewPlace)]
    assert {unit.name for unit in units if unit} == names


@pytest.mark.parametrize(
    ("text", "became"),
    [
        ("Phường Tân An, Quận Ninh Kiều, Thành phố Cần Thơ", "31135"),
        ("Ấp 1, Xã Tân Hưng, Huyện Cái Bè, Tiền Giang", "28426"),
        ("Phường Võ Thị Sáu, Quận 3, TP Hồ Chí Minh", "27139"),
    ],
)
def test_an_old_commune_has_the_new_one_that_it_went_into(text, became):
    found = parse_address(text)
    assert found.old is not None and found.new is not None and found.new.commune is not None
    assert found.new.commune.code == became


def test_a_split_commune_has_only_its_new_province():
    found = parse_address("Phường Cầu Ông Lãnh, Quận 1, Thành phố Hồ Chí Minh")
    assert found.old is not None and found.old.commune is not None
    assert found.new == NewPlace(found.new.province) and found.new.province.code == "79"


def test_a_commune_that_is_not_there_leaves_the_province():
    found = parse_address("Phường VII, Vị Thanh, Cần Thơ")
    assert (found.old, found.hamlet) == (None, "Phường VII, Vị Thanh")
    assert found.new is not None and found.new == NewPlace(found.new.province)


def test_another_kind_of_unit_is_not_exact():
    found = parse_address("Xã Bình Thạnh, TP Hồ Chí Minh")
    assert found.confidence is Confidence.FOLDED


def test_a_new_address_has_no_district():
    found = parse_address("Ấp 3, xã Vĩnh Tường, TP Cần Thơ")
    assert found.old is None
    assert found.new == NewPlace(found.new.province, found.new.commune)
    assert found.new.commune is not None and (found.new.commune.code, found.hamlet) == ("31459", "Ấp 3")


UNITS = st.sampled_from(
    ["Hậu Giang", "Cần Thơ", "Long Mỹ", "Vị Thanh", "Xã Vĩnh Tường", "P.", "TP", "III", "Quận 1", "H. Châu Thành A", ""]
)


@given(st.one_of(st.text(max_size=200), st.lists(UNITS, max_size=6).map(", ".join)))
def test_no_text_raises_and_nothing_is_chosen_among_several(text):
    found = parse_address(text)
    assert found.text_raw == text
    if found.confidence is Confidence.AMBIGUOUS:
        assert len(found.candidates) > 1
        assert found.old is None or found.old.commune is None
        assert found.new is None or found.new.commune is None
    else:
        assert found.candidates == ()


def every(epoch: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for listed, _ in provinces(epoch):
        whole = province(epoch, listed.unit.code)
        if epoch == "new":
            rows += [(commune.unit.name, listed.unit.name, commune.unit.code) for commune in whole.communes]
        for district, communes in whole.districts:
            rows += [(unit.unit.name, district.unit.name, listed.unit.name, unit.unit.code) for unit in communes]
    return rows


def check(rows: list[tuple[str, ...]]) -> None:
    for *units, code in rows:
        for text in spellings(*units):
            found = parse_address(text)
            place = found.old if len(units) == 3 else found.new
            chosen = place.commune.code if place and place.commune else None
            candidates = {other.commune.code for other in found.candidates if other.commune}
            assert chosen == code or code in candidates, text


def test_communes_of_the_whole_country():
    check(every("old")[::97] + every("new")[::43])


@pytest.mark.long
def test_all_communes_of_the_whole_country():
    check(every("old") + every("new"))
