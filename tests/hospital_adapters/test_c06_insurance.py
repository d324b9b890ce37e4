"""Call #7: the ten people of his-kiosk-c06.md section 11 looked up by the hospital, through the gateway port."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters.c06_insurance import answer_of, citizen_number, question
from hospital_adapters.c06_settings import C06Settings
from kiosk.errors import ConfigError, HospitalUnavailable
from kiosk.insurance.via_his import ViaHospital
from kiosk.model import EligibilityClass as Class
from kiosk.model import Identity, KeyKind, LookupKey, PartialDate, Sex
from simulators.his_c06 import Settings as SimSettings
from tests.hospital_adapters.c06_peer import HASTY, PEOPLE, C06Peer

TODAY = date(2026, 1, 5)
SIM = SimSettings(today=TODAY)
NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
SETTINGS = C06Settings(url="https://his.example", merchant="M", secret_file="s")


@pytest.fixture
async def peer() -> AsyncIterator[C06Peer]:
    async with C06Peer(SIM, asks_insurer=True, timeouts=HASTY) as running:
        yield running


def key_of(person: Identity, **changes: Any) -> LookupKey:
    values = {
        "number": person.personal_id,
        "kind": KeyKind.PERSONAL_12,
        "full_name": person.full_name,
        "birth_date": person.birth_date,
        "sex": person.sex,
    }
    return LookupKey(**(values | changes))


async def asked(peer: C06Peer, key: LookupKey) -> tuple[str, str, str | None]:
    gateway = ViaHospital(peer.adapter, 5, lambda: NOW)
    answer = await gateway.lookup(key, TODAY)
    await gateway.close()
    return answer.status, answer.reason, answer.coverage.number if answer.coverage else None


@pytest.mark.parametrize(
    ("number", "status", "reason", "card"),
    [
        (1, Class.INSURED, "valid", "DN4999900000001"),
        (2, Class.INSURED, "valid", "HN2999900000003"),
        (3, Class.INSURED, "valid", "HT3999900000004"),
        (4, Class.INSURED, "valid", "GD4999900000005"),
        (5, Class.NOT_INSURED, "expired", "GD4999900000013"),
        (6, Class.NEEDS_STAFF, "not_found", None),
        (7, Class.INSURED, "valid", "DN4999900000030"),
        (8, Class.CANNOT_SAY, "his_unavailable", None),
        (9, Class.INSURED, "valid", "DN4999900000109"),
        (10, Class.INSURED, "valid", "DN4999900000110"),
    ],
)
async def test_the_ten_people(peer: C06Peer, number: int, status: Class, reason: str, card: str | None) -> None:
    assert await asked(peer, key_of(PEOPLE[number])) == (status, reason, card)
    calls = [call for call in (await peer.sim("calls"))["calls"] if call["endpoint"] == "bhyt"]
    assert [call["sign"] for call in calls] == ["ok"]


async def test_a_withdrawn_card_that_the_hospital_does_not_accept_is_not_insured(peer: C06Peer) -> None:
    person = Identity("099166000016", None, "Cao Thị Thu Hồi", PartialDate(1966, 6, 16), Sex.FEMALE)
    assert await asked(peer, key_of(person)) == (Class.NOT_INSURED, "withdrawn", None)


@pytest.mark.parametrize("keys", ["upper", "camel"])
@pytest.mark.parametrize("dates", ["iso", "compact", "slash"])
@pytest.mark.parametrize("sex", ["standard", "reversed"])
async def test_every_way_of_writing(keys: str, dates: str, sex: str) -> None:
    sim = SIM.changed({"keys": keys, "dates": dates, "sex": sex})
    async with C06Peer(sim, asks_insurer=True, sex=sex) as peer:
        for number, card in ((1, "DN4999900000001"), (2, "HN2999900000003"), (4, "GD4999900000005")):
            assert await asked(peer, key_of(PEOPLE[number])) == (Class.INSURED, "valid", card)


HARMLESS = ("bom", "code_int", "extra_fields", "no_stt", "duplicate")
"""Modes that change nothing of this answer."""


@pytest.mark.parametrize("mode", [mode for mode in C06Peer.garbage if mode not in HARMLESS])
async def test_nonsense_never_makes_anybody_insured(peer: C06Peer, mode: str) -> None:
    await peer.sim("mode", endpoint="bhyt", mode=mode, times=2)
    status, reason, card = await asked(peer, key_of(PEOPLE[1]))
    assert status in (Class.CANNOT_SAY, Class.NEEDS_STAFF)
    if mode == "wrong_person":
        assert (status, reason, card) == (Class.NEEDS_STAFF, "wrong_person", None)


async def test_a_bhyt_card_is_asked_with_the_citizen_number_of_its_holder(peer: C06Peer) -> None:
    card = key_of(PEOPLE[1], number="DN4999900000001", kind=KeyKind.BHYT_15, other_numbers=("099190000001",))
    assert await asked(peer, card) == (Class.INSURED, "valid", "DN4999900000001")
    alone = key_of(PEOPLE[1], number="DN4999900000001", kind=KeyKind.BHYT_15)
    assert await asked(peer, alone) == (Class.NEEDS_STAFF, "his_no_number", None)
    assert sum(call["endpoint"] == "bhyt" for call in (await peer.sim("calls"))["calls"]) == 1


async def test_without_the_vendors_word_nothing_is_asked() -> None:
    async with C06Peer(SIM) as peer:
        assert not peer.adapter.capabilities.eligibility
        with pytest.raises(ConfigError, match=r"^insurance\.adapter: "):
            ViaHospital(peer.adapter, 5, lambda: NOW)


async def test_an_answer_that_is_no_object_is_no_answer(peer: C06Peer) -> None:
    await peer.sim("mode", endpoint="bhyt", mode="null_data", times=2)
    with pytest.raises(HospitalUnavailable):
        await peer.adapter.eligibility(key_of(PEOPLE[1]))


def test_a_sex_that_no_document_told_is_the_numbers_own() -> None:
    fields = question(key_of(PEOPLE[1], sex=None), "099190000001", SETTINGS)
    assert fields["GIOI_TINH"] == "2"
    assert fields["NGAY_SINH"] == "1990-09-02"
    assert question(key_of(PEOPLE[4]), "099048000005", SETTINGS)["NGAY_SINH"] == "1948"


def test_the_citizen_number_is_found_among_all() -> None:
    assert citizen_number(key_of(PEOPLE[1], number="9900000001", kind=KeyKind.BHXH_10)) is None


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["000", "010", "2026-01-01"])
)
FIELDS = ("HO_TEN", "MA_THE_BHYT", "DIA_CHI", "NGAY_SINH", "GIOI_TINH", "MA_DKBD", "GT_THE_TU", "GT_THE_DEN")


@given(
    st.dictionaries(
        st.sampled_from((*FIELDS, "PHAN_TUYEN", "MA_KQ", "TEN_KQ", "TIEP_NHAN_BHYT")),
        SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2),
    )
)
def test_any_answer_is_read_without_an_error(data: dict[str, Any]) -> None:
    answer = answer_of(data, NOW, SETTINGS)
    assert answer is not None
    if answer.status is Class.INSURED:
        assert data.get("TIEP_NHAN_BHYT") in (1, "1", True, "true") or data["MA_KQ"] in (0, "0", "00", "000")
    assert answer.result_code is None or len(answer.result_code) in (3, 5)


@pytest.mark.parametrize("data", [None, [], [{}], "", 0, True])
def test_what_is_no_object_is_no_answer(data: Any) -> None:
    assert answer_of(data, NOW, SETTINGS) is None
