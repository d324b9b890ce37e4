"""Our words as HL7 v2.5.1 fields, message by message, and the settings that change them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from hospital_adapters import hl7v2_mapping as mapping
from hospital_adapters import hl7v2_settings
from hospital_adapters import hl7v2_wire as wire
from kiosk.errors import ConfigError
from kiosk.hospital_model import Encounter, MatchKind, PatientMatch, PatientRef, Receipt, Service, Slip
from kiosk.model import Certainty, Coverage, EligibilityClass, Identity, KeyKind, PartialDate, RouteHint, Sex

NOW = datetime.fromisoformat("2026-01-05T00:12:40+00:00")
ADDRESS = "Ấp 5, Xã Vị Thủy, Thành phố Cần Thơ"
CARD = Coverage("GD4929900000001", KeyKind.BHYT_15, "01005", date(2026, 1, 1), date(2026, 12, 31))
VISIT = Encounter(
    checkin_id="0198c0de-0000-7000-8000-000000000001",
    facility="99001",
    happened_at=datetime.fromisoformat("2026-01-05T00:12:31.987+00:00"),
    identity=Identity("099190000001", "099000108", "Trần Thị Mẫu", PartialDate(1990, 9, 2), Sex.FEMALE, ADDRESS),
    service=Service("501", "NOI01", "Khám Nội - phòng 101", "11", "Khoa Nội", "1", True),
    patient=PatientMatch(MatchKind.ONE, PatientRef("77", "0000456")),
    coverage=CARD,
    eligibility=EligibilityClass.INSURED,
    priority=True,
    route=RouteHint("1.1", Certainty.HINT),
    lookup_receipt="LR-1",
    slip=Slip.REFERRAL,
)


def settings(**wanted: object) -> hl7v2_settings.Hl7v2Settings:
    return hl7v2_settings.load({"url": "mllp://his.example"} | wanted)


def lines(encounter: Encounter = VISIT, **wanted: object) -> Mapping[str, str]:
    """The segments of a visit's message by name."""
    text = wire.encode(mapping.visit_segments(encounter, "VISIT1", "99001", settings(**wanted)))
    return {line[:3]: line for line in text.split("\r") if line}


def fields(segment: str, encounter: Encounter = VISIT, **wanted: object) -> list[str]:
    return [*lines(encounter, **wanted)[segment].split("|"), *[""] * 50]


def test_a_whole_visit() -> None:
    head = mapping.header("A04", "CONTROL1", NOW, "99001", settings())
    text = wire.encode([head, mapping.event_segment("A04", VISIT.happened_at)])
    assert text == (
        "MSH|^~\\&|KIOSK|99001|||20260105071240+0700||ADT^A04^ADT_A01|CONTROL1|P|2.5.1|||||VNM|UNICODE UTF-8\r"
        "EVN|A04|20260105071231+0700\r"
    )
    assert list(lines(visit_segment=True).values()) == [
        "PID|1||099190000001^^^VNM-CCCD^NI~GD4929900000001^^^VSS^SB~0000456^^^99001^MR~099000108^^^VNM-CMND^NI"
        "||Trần Thị Mẫu~TRAN THI MAU^^^^^^L||19900902|F|||Ấp 5^^Xã Vị Thủy^Thành phố Cần Thơ^^VNM^H^^^31441"
        "|||||||||||||||VNM",
        "PD1|||^^^^^VSS^FI^^^01005",
        "PV1|1|O|11^NOI01^^99001^^^^^Khám Nội - phòng 101"
        + "|" * 16
        + "VISIT1^^^KIOSK^VN"
        + "|" * 25
        + "20260105071231+0700",
        "IN1|1|BHYT^Bảo hiểm y tế|VSS|VSS||||||||20260101|20261231||4||SEL"
        + "|" * 19
        + "GD4929900000001"
        + "|" * 13
        + "099190000001^^^VNM-CCCD^NI",
        f"ZVN|{VISIT.checkin_id}|insured|LR-1|1.1|referral|Y",
    ]


@pytest.mark.parametrize("event", mapping.STRUCTURES)
def test_every_message_is_valid_by_the_rules_of_the_version(event: str) -> None:
    body = {
        "A04": mapping.visit_segments,
        "A08": mapping.visit_segments,
        "A28": mapping.person_segments,
    }
    if event == "A11":
        kept = Receipt(visit_id="VISIT1", registration_id="citizen:099190000001")
        segments = mapping.withdrawal_segments(kept, "99001", settings())
    else:
        segments = [*body[event](VISIT, "VISIT1", "99001", settings())]
    head = mapping.header(event, "CONTROL1", NOW, "99001", settings(receiving_application="HIS&1.2.3&ISO"))
    text = wire.encode([head, mapping.event_segment(event, NOW), *segments])
    assert parse_message(text, validation_level=VALIDATION_LEVEL.STRICT, force_validation=True)


def test_a_withdrawal_names_visit_and_person_as_the_receipt_does() -> None:
    kept = Receipt(visit_id="VISIT1", registration_id=mapping.known_as(VISIT, "VISIT1"))
    assert wire.encode(mapping.withdrawal_segments(kept, "99001", settings())) == (
        "PID|1||099190000001^^^VNM-CCCD^NI||^^^^^^U\r" + "PV1|1|O" + "|" * 17 + "VISIT1^^^KIOSK^VN\r"
    )
    bare = wire.encode(mapping.withdrawal_segments(Receipt(visit_id="VISIT1"), "99001", settings()))
    assert bare.startswith("PID|1||VISIT1^^^KIOSK^VN||")


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({"citizen_id_type": "NNVNM"}, "099190000001^^^VNM-CCCD^NNVNM"),
        ({"card_id_type": "HC"}, "GD4929900000001^^^VSS^HC"),
        ({"patient_id_type": "PI"}, "0000456^^^99001^PI"),
        ({"authorities": {"citizen": "C06"}}, "099190000001^^^C06^NI"),
        ({"authorities": {"old": "OLD&1.2.3&ISO"}}, "099000108^^^OLD&1.2.3&ISO^NI"),
        ({"authorities": {"patient": "HIS"}}, "0000456^^^HIS^MR"),
    ],
)
def test_numbers_are_called_as_the_hospital_calls_them(wanted: dict[str, object], number: str) -> None:
    assert number in fields("PID", **wanted)[3].split("~")


def test_a_person_without_any_number_goes_by_the_visits() -> None:
    nameless = replace(VISIT, identity=Identity(full_name="Trần Thị Mẫu"), patient=None, coverage=None)
    assert fields("PID", nameless)[3] == "VISIT1^^^KIOSK^VN"
    assert [fields("PID", nameless)[at] for at in (7, 8, 11, 26)] == ["", "U", "", ""]


def test_a_card_that_is_the_citizens_number_is_not_sent_as_another_number() -> None:
    same = replace(VISIT, coverage=Coverage("099190000001", KeyKind.PERSONAL_12), patient=None)
    assert "SB" not in fields("PID", same)[3]
    assert (fields("IN1", same)[36], fields("IN1", same)[15]) == ("099190000001", "")


@pytest.mark.parametrize(
    ("name", "split", "written"),
    [
        ("Trần Thị Mẫu", "none", "Trần Thị Mẫu~TRAN THI MAU^^^^^^L"),
        ("Trần Thị Hoa Mẫu", "words", "Trần^Mẫu^Thị Hoa~TRAN^MAU^THI HOA^^^^L"),
        ("Lê Năm", "words", "Lê^Năm~LE^NAM^^^^^L"),
        ("Y", "words", "Y"),
        ("Kim Sa Ron", "none", "Kim Sa Ron"),
    ],
)
def test_names(name: str, split: str, written: str) -> None:
    renamed = replace(VISIT, identity=replace(VISIT.identity, full_name=name))
    assert fields("PID", renamed, name_split=split)[5] == written


@pytest.mark.parametrize(
    ("birth", "written"),
    [(PartialDate(1948), "1948"), (PartialDate(1948, 7), "194807"), (PartialDate(1948, 7, 3), "19480703"), (None, "")],
)
def test_a_birth_date_is_as_long_as_it_is_known(birth: PartialDate | None, written: str) -> None:
    assert fields("PID", replace(VISIT, identity=replace(VISIT.identity, birth_date=birth)))[7] == written


@pytest.mark.parametrize(
    ("address", "written"),
    [
        (
            "Số 12, ấp Thạnh Lợi, xã Vị Thanh, huyện Vị Thủy, Hậu Giang",
            "Số 12, ấp Thạnh Lợi^^Xã Vị Thanh 1^Thành phố Cần Thơ^^VNM^H^^^31465",
        ),
        ("12 Nowhere Street", "12 Nowhere Street^^^^^^H"),
        ("Hậu Giang", "Hậu Giang^^^^^^H"),
        (None, ""),
    ],
)
def test_units_of_an_address_are_named_only_where_they_are_certain(address: str | None, written: str) -> None:
    assert fields("PID", replace(VISIT, identity=replace(VISIT.identity, address=address)))[11] == written


@pytest.mark.parametrize(
    "changes",
    [
        {"eligibility": EligibilityClass.CANNOT_SAY},
        {"eligibility": EligibilityClass.NOT_INSURED},
        {"coverage": None},
        {"service": replace(VISIT.service, insured=False)},
    ],
)
def test_only_a_confirmed_card_on_an_insured_visit_is_told(changes: dict[str, object]) -> None:
    told = lines(replace(VISIT, **changes))
    assert "IN1" not in told and "PD1" not in told and "GD49" not in str(told)


def test_codes_for_everybody_come_from_the_settings() -> None:
    assert fields("PID", ethnicity_code="99", citizenship="VN")[22:27] == ["99", "", "", "", "VN"]
    assert "ZVN" not in lines()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "https://his.example"}, "hospital.url: "),
        ({"url": "mllp://his.example:0"}, "hospital.url: "),
        ({"url": "mllp://his.example:70000"}, "hospital.url: "),
        ({"url": "mllp://user@his.example"}, "hospital.url: "),
        ({"url": "mllp://his.example/path"}, "hospital.url: "),
        ({"url": "mllp://[::1"}, "hospital.url: "),
        ({"url": "mllp://"}, "hospital.url: "),
        ({"citizen_id_type": "XX"}, "hospital.citizen_id_type: "),
        ({"sending_application": "KIOSK|1"}, "hospital.sending_application: "),
        ({"new_patient": "a28_a04"}, "hospital: .*needs receiver_deduplicates"),
        ({"ca_file": "his.pem"}, "hospital: .*need url = mllps"),
        ({"timeouts": {"answer": 0}}, "hospital.timeouts.answer: "),
        ({"timeouts": {"read": 1}}, "hospital.timeouts.read: unknown key, expected one of answer, connect"),
        ({"receiver_deduplicates": "yes"}, "hospital.receiver_deduplicates: "),
        ({"port": 2575}, "hospital.port: unknown key, expected one of authorities, "),
    ],
)
def test_a_wrong_setting_stops_the_start(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings(**wrong)


def test_the_registered_port_is_the_default() -> None:
    assert settings().address == ("his.example", 2575)
    assert settings(url="mllps://[::1]:6661").address == ("::1", 6661)
