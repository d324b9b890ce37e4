"""Codes of a home from the address of the card, and of the district that was abolished."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import c06_settings
from hospital_adapters.c06_address import HomeCodes, home_codes
from simulators.his_c06 import Settings as SimSettings
from tests.hospital_adapters.c06_peer import PEOPLE, C06Peer, visit

OLD_FORM = "Khu vực 1, Phường I, TP Vị Thanh, Hậu Giang"
NEW_FORM = "Ấp 1, Xã Vĩnh Tường, Thành phố Cần Thơ"
DEFAULTS = {"province_code": "79", "commune_code": "26740", "district": "760"}


def codes(address: str | None, **keys: Any) -> HomeCodes:
    return home_codes(
        address, c06_settings.load({"url": "https://his.example", "merchant": "M", "secret_file": "s"} | keys)
    )


@pytest.mark.parametrize(
    ("address", "keys", "expected"),
    [
        (NEW_FORM, {}, ("92", "", "31459")),
        (OLD_FORM, {}, ("92", "", "31321")),
        (NEW_FORM, {"district_code_old": True}, ("92", "935", "31459")),
        (OLD_FORM, {"district_code_old": True}, ("92", "930", "31321")),
        (NEW_FORM, DEFAULTS, ("92", "760", "31459")),
        ("Xã Mẫu, Cần Thơ", DEFAULTS | {"district_code_old": True}, ("92", "760", "")),
        ("Ấp Thử 1, xã Mẫu", {}, ("", "", "")),
        ("Ấp Thử 1, xã Mẫu", DEFAULTS, ("79", "760", "26740")),
        (None, DEFAULTS, ("79", "760", "26740")),
        ("", {}, ("", "", "")),
    ],
)
def test_codes_of_an_address(address: str | None, keys: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert codes(address, **keys) == HomeCodes(*expected)


def test_a_commune_of_several_old_districts_names_none() -> None:
    """Nothing tells in which of them a person lived."""
    for commune in ("Xã Vĩnh Thuận Đông", "Phường Ô Môn"):
        found = codes(f"{commune}, Thành phố Cần Thơ", district_code_old=True)
        assert found.commune and found.district == ""
    stated = codes("Phường Châu Văn Liêm, Quận Ô Môn, Thành phố Cần Thơ", district_code_old=True)
    assert (stated.district, stated.commune) == ("917", "31153")


@given(st.text(max_size=80))
def test_any_text_gives_codes_or_none(text: str) -> None:
    found = codes(text, district_code_old=True)
    for code, digits in ((found.province, 2), (found.district, 3), (found.commune, 5)):
        assert code == "" or (code.isascii() and code.isdigit() and len(code) == digits)


@pytest.mark.parametrize("address", [NEW_FORM, OLD_FORM])
async def test_a_hospital_that_wants_the_district_gets_the_old_one(address: str) -> None:
    person = replace(PEOPLE[6], address=address)
    async with C06Peer(SimSettings(require_district=True), district_code_old=True) as peer:
        assert (await peer.adapter.push(visit(person))).number


async def test_the_province_may_go_under_both_names() -> None:
    async with C06Peer(also_send_matinh_cu_tru=True) as peer:
        assert (await peer.adapter.push(visit(replace(PEOPLE[6], address=NEW_FORM)))).number
        [call] = await peer.calls("dangky-kcb")
        assert call["unknown_keys"] == ["MATINH_CU_TRU"]
