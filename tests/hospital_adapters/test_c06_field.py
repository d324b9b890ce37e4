"""The profile ``field``: what differs from the published interface in hospitals, and calls that only some have."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hospital_adapters import c06_body as body_of
from hospital_adapters import c06_settings
from kiosk.errors import HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import MatchedBy, MatchKind, PatientMatch, PatientRef, Receipt, Service
from kiosk.model import Coverage, EligibilityClass, Identity, KeyKind, PartialDate, Sex
from tests.hospital_adapters.c06_peer import PEOPLE, TODAY, adapter_for, peer_of, room, visit

CARD = Coverage("DN4999900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31))
HIS_ROOM = Service("1/P501/NOI01", "NOI01", "Khám Nội", "11", "Khoa Nội", "1", True)
FOUND = PatientMatch(MatchKind.ONE, PatientRef("101", "BN000001"))
KNOWN = replace(visit(PEOPLE[1], service=HIS_ROOM, patient=FOUND), coverage=CARD, eligibility=EligibilityClass.INSURED)


def settings(**keys: Any) -> c06_settings.C06Settings:
    return c06_settings.load(
        {"url": "https://his.example", "merchant": "M", "secret_file": "s", "profile": "field"} | keys
    )


ROW = {
    "ID_BN": 101,
    "MA_BN": "BN000001",
    "HO_TEN": "TRAN THI MAU",
    "NGAY_SINH": "02/09/1990",
    "GIOI_TINH": Decimal(2),
    "MA_DANTOC": "01",
    "DIA_CHI": "Ấp Thử 1",
    "SO_GTTT": None,
    "EMAIL": "",
    "MA_THE_BHYT": "DN4999900000009",
    "THEM": {"A": 1},
}


def test_the_field_body_of_a_known_person() -> None:
    """Their row as it is, but for dates in the published form; gaps filled from the card, halves of one thing not."""
    encounter = replace(KNOWN, eligibility=EligibilityClass.CANNOT_SAY)
    body = body_of.registration(encounter, "99001", settings(province_code="79"), ROW)
    assert body["THONG_TIN_DICH_VU"] == {
        "ID_KHOA": "11",
        "ID_PHONG_KHAM": "P501",
        "MA_DICH_VU": "NOI01",
        "ID_LOAI_KHAM": "1",
        "DU_PHONG": "CK1;id=01JGZ5T3Q8W4",
    }
    assert body.keys() == {"BN_UU_TIEN", "ID_LOAI_KHAM", "DU_PHONG", "THONG_TIN_BENH_NHAN", "THONG_TIN_DICH_VU"}
    block = body["THONG_TIN_BENH_NHAN"]
    told = {"ID_BN": 101, "HO_TEN": "TRAN THI MAU", "NGAY_SINH": "1990-09-02", "GIOI_TINH": 2, "MA_DANTOC": "01"}
    told |= {"SO_GTTT": "099190000001", "MA_NGHE_NGHIEP": "00000", "NGAY_VAO": "2026-01-05 07:12:31", "EMAIL": ""}
    told |= {"MA_THE_BHYT": "DN4999900000009", "THEM": None, "MA_CSKCB": "99001", "MA_LOAI_KCB": "01"}
    assert {name: block[name] for name in told} == told
    assert not {"HO_BN", "TEN_BN", "MATINH_CUTRU", "MAXA_CU_TRU"} & block.keys()


def test_the_field_body_holds_the_confirmed_card() -> None:
    block = body_of.registration(KNOWN, "99001", settings(), ROW)
    assert block["THONG_TIN_BENH_NHAN"]["MA_THE_BHYT"] == "DN4999900000001"
    assert block["THONG_TIN_BENH_NHAN"]["GT_THE_DEN"] == "2026-12-31"


async def test_a_known_patients_row_goes_back_whole() -> None:
    """Their address and codes stay as the HIS holds them, whatever the card says; only the visit is ours."""
    async with peer_of("field", {"dates": "compact", "keys": "camel"}) as peer:
        person = replace(PEOPLE[1], address="Ấp Khác, Phường Vị Tân, Thành phố Cần Thơ", issued_on=date(2021, 7, 5))
        found = await peer.adapter.find_patient(person)
        receipt = await peer.adapter.push(visit(person, service=await room(peer, "NOI01"), patient=found))
        assert (receipt.patient_code, receipt.tickets[0].room) == ("BN000001", "Phòng 101")
        again = await peer.adapter.find_patient(person)
        assert again.person is not None and again.person.address == "Ấp Thử 1, xã Mẫu"
        assert [call["unknown_keys"] for call in await peer.calls("dangky-kcb")] == [[]]


async def test_a_patient_who_is_gone_is_not_registered() -> None:
    async with peer_of("field") as peer:
        gone = PatientMatch(MatchKind.ONE, PatientRef("999", "BN000999"))
        with pytest.raises(HospitalRejected, match=r"^c06\.patient_changed$"):
            await peer.adapter.push(visit(PEOPLE[1], service=await room(peer, "NOI01"), patient=gone))
        await peer.mode("benhnhan", "http_500_before", times=2)
        found = PatientMatch(MatchKind.ONE, PatientRef("101", "BN000001"))
        with pytest.raises(HospitalUnavailable, match=r"^c06\.http_500$"):
            await peer.adapter.push(visit(PEOPLE[1], service=await room(peer, "NOI01"), patient=found))
        assert await peer.calls("dangky-kcb") == []


async def test_staff_said_which_of_two_rows_it_is() -> None:
    async with peer_of("field") as peer:
        chosen = PatientMatch(MatchKind.ONE, PatientRef("119", "BN000019"))
        receipt = await peer.adapter.push(visit(PEOPLE[9], service=await room(peer, "NOI01"), patient=chosen))
        assert receipt.patient_code == "BN000019"


async def test_the_menu_is_the_same_from_tree_and_lists() -> None:
    async with peer_of("field") as lists, peer_of("field", tree_path="/dich-vu-tree") as tree:
        one = {row.id: row for row in await lists.adapter.services(TODAY)}
        other = {row.id: row for row in await tree.adapter.services(TODAY)}
        assert one == other and len(one) == 12
        assert one["1/P501/NOI01"].name == "Khám Nội - phòng 101"
        assert one["0/P506/NGO02"].name == "Khám Ngoại dịch vụ - Phòng 106"
        assert [call["endpoint"] for call in (await tree.sim("calls"))["calls"]] == ["dich-vu-tree"]


@pytest.mark.parametrize(("priority", "accepted"), [(False, 0), (True, 1)])
async def test_priority_is_told(priority: bool, accepted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer_of("field") as peer:
        encounter = replace(peer.encounter(1, await room(peer, "NOI01")), priority=priority)
        sent: list[Any] = []
        client = peer.adapter._calls._client
        post = client.post
        monkeypatch.setattr(client, "post", lambda path, body, signed: (sent.append(body), post(path, body, signed))[1])
        assert isinstance(await peer.adapter.push(encounter), Receipt)
        assert sent[0]["BN_UU_TIEN"] == accepted
        assert "ID_BN" not in sent[0]["THONG_TIN_BENH_NHAN"] and sent[0]["THONG_TIN_BENH_NHAN"]["MA_BN"] == ""


async def test_calls_may_stand_at_other_places() -> None:
    """The catalogues at one base, the rest at another, as met in the field."""
    async with peer_of("doc") as catalogues, peer_of("doc") as rest:
        names = ("loai-kham", "khoa", "dichvu")
        adapter = adapter_for(rest.url, urls=dict.fromkeys(names, catalogues.url))
        assert len(await adapter.services(TODAY)) == 12
        assert (await adapter.push(visit(PEOPLE[6]))).number
        assert [call["endpoint"] for call in (await catalogues.sim("calls"))["calls"]] == list(names)
        assert [call["endpoint"] for call in (await rest.sim("calls"))["calls"]] == ["dangky-kcb"]
        await adapter.close()


async def test_codes_that_the_hospital_does_not_list_are_told() -> None:
    async with peer_of("field", code_lists=True, nationality_code="124") as peer:
        assert (await peer.adapter.check()).problems == ("the HIS does not list the setting nationality_code",)


async def test_somebody_found_by_their_card_where_that_is_agreed() -> None:
    person = Identity("099199900001", None, "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE)
    for agreed, kind in ((True, MatchKind.MISMATCH), (False, MatchKind.NONE)):
        async with peer_of("field", {"by_card": True}, patient_by_card=agreed) as peer:
            other = await peer.adapter.find_patient(person, "DN4999900000001")
            assert other.kind is kind
            match = await peer.adapter.find_patient(replace(person, personal_id=None), "DN4999900000001")
            assert match.matched_by is (MatchedBy.CARD if agreed else None)
            if agreed:
                assert (other.differences, match.ref) == (("personal_id",), PatientRef("101", "BN000001"))
                encounter = visit(replace(person, personal_id=None), service=await room(peer, "NOI01"), patient=match)
                assert (await peer.adapter.push(replace(encounter, coverage=CARD))).patient_code == "BN000001"
