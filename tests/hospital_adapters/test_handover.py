"""Visits made ready for a clerk's scanner: which keys fill which field."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters.handover import HandoverAdapter, create
from hospital_adapters.handover_settings import FieldName, load
from kiosk.errors import ConfigError
from kiosk.hospital_model import Encounter, Service, Slip
from kiosk.model import VIETNAM, Coverage, EligibilityClass, Identity, KeyKind, PartialDate, Sex
from kiosk.ports import AdapterContext
from tests.contracts.hospital import PortContract, insured

HAPPENED = datetime(2026, 1, 5, 7, 12, 31, tzinfo=VIETNAM)
GENERAL = Service("P101", "NOI01", "Khám Nội - phòng 101", "KNOI", "Khoa Nội", "1", insured=True)
PAID = replace(GENERAL, insured=False)
ALL = list(get_args(FieldName))
CARD = Coverage("GD4929900000001", KeyKind.BHYT_15, "99001", date(2026, 1, 1), date(2026, 12, 31), date(2025, 1, 1))


def no_secret(name: str) -> str:
    raise ConfigError(name)


def adapter(**settings: Any) -> HandoverAdapter:
    return create({"fields": ["full_name"], **settings}, AdapterContext("99001", no_secret))


def visit(**changes: Any) -> Encounter:
    person = Identity(
        "099190000001", "364000123", "TRẦN THỊ MẪU", PartialDate(1990, 9, 2), Sex.FEMALE, "Ấp Thử, Xã Mẫu"
    )
    return replace(Encounter("checkin-1", "99001", HAPPENED, person, GENERAL, lookup_receipt="7ZK3M0QX9T"), **changes)


class HandoverPeer:
    secrets = ("TRẦN THỊ", "0991900")

    def __init__(self) -> None:
        self.adapter = adapter(fields=ALL)

    def encounter(self, serial: int) -> Encounter:
        return visit(
            checkin_id=f"checkin-{serial}", identity=replace(visit().identity, personal_id=f"0991900{serial:05}")
        )

    async def registered(self, checkin_id: str) -> int:
        return 0


@pytest.fixture
def peer() -> HandoverPeer:
    return HandoverPeer()


class TestContract(PortContract):
    pass


async def test_every_field_has_its_value() -> None:
    person = replace(visit().identity, address="Số 5, Phường Ninh Kiều, Thành phố Cần Thơ")
    made = await adapter(fields=ALL, accents="keep").hand_over(insured(visit(identity=person, slip=Slip.REFERRAL)))
    assert [name for name, _ in made.fields] == ALL
    assert dict(made.fields) == {
        "personal_id": "099190000001",
        "old_id": "364000123",
        "full_name": "TRẦN THỊ MẪU",
        "birth_date": "02/09/1990",
        "birth_year": "1990",
        "sex": "Nữ",
        "address": "Số 5, Phường Ninh Kiều, Thành phố Cần Thơ",
        "province_code": "92",
        "commune_code": "31135",
        "card": "GD4929900000001",
        "registered_facility": "99001",
        "valid_from": "01/01/2026",
        "valid_to": "31/12/2026",
        "five_years_on": "",
        "service": "Khám Nội - phòng 101",
        "service_code": "NOI01",
        "department": "Khoa Nội",
        "insured": "BHYT",
        "happened_at": "05/01/2026 07:12",
        "checkin_id": "checkin-1",
        "lookup_receipt": "7ZK3M0QX9T",
        "slip": "Giấy chuyển tuyến",
    }
    assert made.typed == "\t".join(value for _, value in made.fields)


async def test_the_scanner_types_keys_between_and_behind_the_fields() -> None:
    fields = ["tab", "personal_id", "full_name", "enter", "birth_date", "tab", "tab", "sex", "card"]
    made = await adapter(fields=fields, between="semicolon", last="enter").hand_over(visit(coverage=CARD))
    assert made.typed == "\t099190000001;TRAANF THIJ MAAUX\r02/09/1990\t\tNuwx;GD4929900000001\r"
    assert [name for name, _ in made.fields] == ["personal_id", "full_name", "birth_date", "sex", "card"]
    assert made.left_out == ()


async def test_what_the_scanner_cannot_type_stays_empty_and_is_named() -> None:
    person = replace(visit().identity, full_name="H'HEN ĐẮK MẪU", address="Thôn 1; Xã Mẫu")
    made = await adapter(fields=["full_name", "address", "sex"], between=";").hand_over(visit(identity=person))
    assert made.typed == ";;Nuwx"
    assert made.left_out == ("full_name", "address")
    assert dict(made.fields)["full_name"] == "H'HEN ĐẮK MẪU"


async def test_unknown_values_are_empty() -> None:
    made = await adapter(fields=ALL).hand_over(visit(identity=Identity(), lookup_receipt=None))
    known = {name for name, value in made.fields if value}
    assert known == {"service", "service_code", "department", "insured", "happened_at", "checkin_id"}
    assert made.typed.count("\t") == len(ALL) - 1


@pytest.mark.parametrize(
    ("encounter", "words"),
    [
        (insured(visit()), "co"),
        (visit(), "chua"),
        (visit(eligibility=EligibilityClass.MISCONFIGURED), "chua"),
        (visit(eligibility=EligibilityClass.NEEDS_STAFF), "co"),
        (visit(service=PAID, eligibility=EligibilityClass.NOT_INSURED), "khong"),
        (visit(service=PAID), "khong"),
        (visit(eligibility=EligibilityClass.NOT_INSURED), ""),
    ],
)
async def test_how_the_visit_is_registered(encounter: Encounter, words: str) -> None:
    settings = {"insured": "co", "unchecked": "chua", "self_pay": "khong"}
    made = await adapter(fields=["insured"], insured=settings).hand_over(encounter)
    assert made.typed == words


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("dd/mm/yyyy", "02/09/1990"),
        ("dd-mm-yyyy", "02-09-1990"),
        ("ddmmyyyy", "02091990"),
        ("yyyy-mm-dd", "1990-09-02"),
        ("yyyymmdd", "19900902"),
    ],
)
async def test_dates_as_the_form_wants_them(form: str, written: str) -> None:
    assert (await adapter(fields=["birth_date"], date_format=form).hand_over(visit())).typed == written


@pytest.mark.parametrize(("rule", "written"), [("yyyy", "1948"), ("first_of_january", "01/01/1948"), ("nothing", "")])
@pytest.mark.parametrize("born", [PartialDate(1948), PartialDate(1948, 3)])
async def test_a_birth_date_that_is_not_whole(rule: str, written: str, born: PartialDate) -> None:
    person = replace(visit().identity, birth_date=born)
    made = await adapter(fields=["birth_date"], birth_year_only=rule).hand_over(visit(identity=person))
    assert made.typed == written


async def test_the_day_is_the_one_in_vietnam() -> None:
    late = datetime.fromisoformat("2026-01-04T23:30:00+00:00")
    made = await adapter(fields=["happened_at"], between=";").hand_over(visit(happened_at=late))
    assert made.typed == "05/01/2026 06:30"


@given(
    name=st.text(max_size=40), address=st.text(max_size=60), between=st.sampled_from(["tab", "enter", "semicolon", "|"])
)
async def test_no_text_moves_another_field(name: str, address: str, between: str) -> None:
    person = replace(visit().identity, full_name=name, address=address)
    fields = ["personal_id", "full_name", "address", "sex"]
    for accents in ("keep", "telex", "vni", "none"):
        made = await adapter(fields=fields, between=between, accents=accents).hand_over(visit(identity=person))
        separator = {"tab": "\t", "enter": "\r", "semicolon": ";"}.get(between, between)
        parts = made.typed.split(separator)
        assert len(parts) == len(fields)
        assert parts[0] == "099190000001" and parts[3]
        assert all(part.isprintable() for part in parts)
        values = dict(made.fields)
        typed = dict(zip(fields, parts, strict=True))
        for field in ("full_name", "address"):
            assert (typed[field] == "") == (values[field] == "" or field in made.left_out)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, r"hospital\.fields: Field required"),
        ({"fields": []}, r"hospital\.fields: "),
        ({"fields": ["tab"]}, r"hospital\.fields: expected each field of the form once"),
        ({"fields": ["card", "card"]}, r"hospital\.fields: expected each field of the form once"),
        ({"fields": ["phone"]}, r"hospital\.fields\.0"),
        ({"fields": ["card"], "url": "x"}, r"hospital\.url: unknown key, expected one of accents, "),
        ({"fields": ["card"], "between": "\t"}, r"hospital\.between: "),
        ({"fields": ["card"], "accents": "viqr"}, r"hospital\.accents: "),
        ({"fields": ["card"], "sex": {"X": "1"}}, r"hospital\.sex\.X: unknown key, expected one of F, M"),
        ({"fields": ["card"], "sex": {"M": "a\tb"}}, r"hospital\.sex\.M: "),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(settings)
