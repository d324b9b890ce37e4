"""What two independent parsers of FHIR see of a Bundle whose every text is somebody's mischief."""

import json
import random
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import fhir_settings
from hospital_adapters.fhir_bundle import Held, registration
from hospital_adapters.fhir_check import check_bundle
from hospital_adapters.fhir_text import carried, number, query, search_value
from kiosk.errors import HospitalRejected
from kiosk.hospital_model import Encounter, Service, Slip
from kiosk.model import Certainty, Coverage, EligibilityClass, Identity, KeyKind, PartialDate, RouteHint, Sex
from tests.peers.fhir_server import Parser, started

SETTINGS = fhir_settings.load(
    {
        "url": "https://his.example/fhir",
        "eligibility_response": True,
        "name_split": "first",
        "priority_code": "A",
        "systems": {"object_code": "urn:example:codes", "room": "urn:example:rooms"},
    }
)
NOW = datetime.fromisoformat("2026-01-05T00:12:40+00:00")
CHECKIN = "0198c0de-0000-7000-8000-000000000001"
TEXTS = 12
# What JSON, XML, URLs, FHIR's searches and references give a meaning, what no FHIR text holds, what turns or hides
# text, and letters.
NASTY = (
    *"\"\\/{}[],:&|$%?#+=<>'\r\n\t\v\f\x00\x1b\x7f\x85\u2028\u2029",
    *("\u202e", "\u2066", "\u2069", "\u200b", "\u200d", "\ufeff", "\u00a0", "\ufffe", "\ufdd0", "\ud800", "\udc00"),
    *(
        '"},{"resourceType":"Patient"',
        "\\u0000",
        "\\",
        "urn:uuid:",
        "Patient/1",
        "<div>",
        "&amp;",
        "|system",
        "__proto__",
    ),
    *"aZ09 ĂăƠơƯưĐđẾếỮữ",
    *("e\u0302\u0301", "\u0301", "ក", "漢", "😀", "İ", "ß", "ﬁ"),
)


def bundle(texts: list[str]) -> dict[str, Any]:
    """A whole registration with a text in every field that takes text from outside; the name begins with letters."""
    name, address, citizen, old, card, registered, level, room, room_name, route, lookup, follows = texts
    encounter = Encounter(
        checkin_id=CHECKIN,
        facility="99001",
        happened_at=NOW,
        identity=Identity(citizen, old, "Đỗ " + name, PartialDate(1990, 9), Sex.FEMALE, address),
        service=Service(room, room, room_name, "11", "Khoa", "1", True),
        coverage=Coverage(card, KeyKind.BHYT_15, registered, date(2026, 1, 1), benefit_level=level),
        eligibility=EligibilityClass.INSURED,
        priority=True,
        route=RouteHint(route, Certainty.HINT),
        lookup_receipt=lookup,
        follows=follows,
        slip=Slip.REFERRAL,
    )
    return registration(encounter, Held(), "99001", NOW, SETTINGS)


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def by_library(text: str) -> dict[str, Any]:
    """The values that fhir.resources reads, by their paths."""
    return dict(leaves(json.loads(Bundle.model_validate_json(text).model_dump_json()), "Bundle"))


def shapes(paths: Any) -> set[str]:
    """Paths without the numbers in lists, where an absent element makes the next ones move up."""
    return {"".join(char for char in path if not char.isdigit()) for path in paths}


PLAIN = [
    "Văn Thử",
    "Ấp 3",
    "099190000001",
    "099000101",
    "GD4929900000001",
    "99001",
    "4",
    "NOI",
    "Khám",
    "1.1",
    "R7",
    "A7",
]
WHOLE = shapes(dict(leaves(bundle(PLAIN), "Bundle")))


def texts_at_random(dice: random.Random) -> list[str]:
    """Most texts wild, some as they should be."""
    wild = ["".join(dice.choices(NASTY, k=dice.randrange(12))) for _ in range(TEXTS)]
    return [plain if dice.random() < 0.2 else text for plain, text in zip(PLAIN, wild, strict=True)]


def assert_structure_stands(parser: Parser, count: int, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(count):
        texts = texts_at_random(dice)
        sent = bundle(texts)
        wire = json.dumps(sent, ensure_ascii=False).encode().decode("utf-8")
        parser.give(wire)
        meant = dict(leaves(sent, "Bundle"))
        assert by_library(wire) == meant
        assert parser.leaves() == meant
        assert shapes(meant) <= WHOLE
        resources = {entry["resource"]["resourceType"]: entry["resource"] for entry in sent["entry"]}
        person, visit, card = resources["Patient"], resources["Encounter"], resources.get("Coverage")
        assert person["name"][0]["text"] == carried("Đỗ " + texts[0])
        assert person.get("address", [{}])[0].get("text", "") == carried(texts[1])
        numbers = [row["value"] for row in person["identifier"] if row["use"] != "temp"]
        assert numbers == [text for text in texts[2:5] if number(text)]
        assert (card["subscriberId"] if card else None) == number(texts[4])
        assert visit.get("serviceType", {}).get("text", "") == carried(texts[8])


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    with started("parse.mjs") as told:
        yield Parser(told)


def test_no_text_alters_the_structure(parser: Parser) -> None:
    assert_structure_stands(parser, 3_000, seed=20260105)


@pytest.mark.long
def test_no_text_alters_the_structure_at_length(parser: Parser) -> None:
    assert_structure_stands(parser, 100_000, seed=20260106)


def test_the_other_parser_is_strict(parser: Parser) -> None:
    for wrong in ({"gender": 1}, {"birthDate": "1990-13-01"}, {"name": [{"text": "a\x00"}]}, {"city": "x"}):
        parser.give(json.dumps({"resourceType": "Patient", **wrong}))
        assert isinstance(parser.leaves(), str)
    parser.give(json.dumps({"resourceType": "Patient", "birthDate": "1990"}))
    assert parser.leaves() == {"Patient.resourceType": "Patient", "Patient.birthDate": "1990"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nguye\u0302\u0303n  Văn\r\nA", "Nguyễn Văn A"),
        ("A\x00B\u202eC\ud800\ufffeD", "ABCD"),
        ("\x00\u200b", ""),
        ('"}, {"resourceType": "Patient"', '"}, {"resourceType": "Patient"'),
    ],
)
def test_what_is_carried_of_a_text(text: str, expected: str) -> None:
    assert carried(text) == expected


@given(st.text())
def test_what_is_carried_can_stand_in_fhir(text: str) -> None:
    found = carried(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in found)
    assert found == " ".join(found.split()) == carried(found)
    found.encode()


@pytest.mark.parametrize("text", ["099190000001", "DN4939999999999", "1.1", "NOI-01/2", "a" * 64])
def test_numbers_are_sent_as_they_are(text: str) -> None:
    assert number(text) == text


@pytest.mark.parametrize("text", ["", None, "09919 0000001", "099190000001\x00", "a|b", "a,b", "Đ1", "a" * 65, "1\n"])
def test_a_number_that_is_none_is_not_repaired(text: str | None) -> None:
    assert number(text) is None


@given(st.text(), st.text())
def test_a_value_in_a_search_stays_one_value(name: str, more: str) -> None:
    text = query([("name", search_value(carried(name))), ("birthdate", search_value(carried(more)))])
    assert text.count("&") == 1 and text.count("=") == 2 and text.isascii()
    assert not set(text) & set(' "<>#+?\\^`{}')


def changed(kind: str, **elements: Any) -> dict[str, Any]:
    """A good Bundle but for one resource."""
    sent = bundle(PLAIN)
    for entry in sent["entry"]:
        if entry["resource"]["resourceType"] == kind:
            entry["resource"] |= elements
    return sent


@pytest.mark.parametrize(
    "sent",
    [
        changed("Patient", gender="x"),
        changed("Patient", gender=["male"]),
        changed("Patient", birthDate="01/09/1990"),
        changed("Patient", nickname="x"),
        changed("Encounter", status="here"),
        changed("Encounter", subject={"reference": 1}),
        changed("Coverage", status="valid"),
        changed("Coverage", payor=[]),
        changed("CoverageEligibilityResponse", outcome="done"),
        changed("CoverageEligibilityResponse", request=None),
        bundle(PLAIN) | {"type": "message-in-a-bottle"},
    ],
    ids=lambda sent: None,
)
def test_what_fhir_does_not_allow_is_never_sent(sent: dict[str, Any]) -> None:
    check_bundle(bundle(PLAIN))
    with pytest.raises(HospitalRejected, match=r"^fhir\.not_valid$") as caught:
        check_bundle(sent)
    assert caught.value.__context__ is None
