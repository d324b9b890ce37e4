"""HL7 v2 text: what two independent parsers see in our messages, control ids, acknowledgements of odd receivers."""

import random
import unicodedata
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import hl7v2_mapping as mapping
from hospital_adapters import hl7v2_settings
from hospital_adapters import hl7v2_wire as wire
from kiosk.documents.text import fold
from kiosk.hospital_model import Encounter, MatchKind, PatientMatch, PatientRef, Service, Slip
from kiosk.model import Certainty, Coverage, EligibilityClass, Identity, KeyKind, PartialDate, RouteHint, Sex
from tests.peers.mllp_trees import Tree, by_hl7apy, by_python_hl7

SETTINGS = hl7v2_settings.load({"url": "mllp://his.example", "visit_segment": True})
NOW = datetime.fromisoformat("2026-01-05T00:12:40+00:00")
TEXTS = 15
NAME = 0
"""Which of the texts is the person's name."""
# Delimiters, what ends segments and blocks, what HL7 gives a meaning, what turns or hides text, and letters.
NASTY = (
    *"|^~\\&#\"'\r\n\t\v\f\x00\x1b\x1c\x1d\x85\u2028\u2029",
    *("\u202e", "\u202d", "\u2066", "\u2069", "\u200b", "\u200d", "\ufeff", "\u00a0", "\ufffe", "\ud800", "\U000e0041"),
    *("\\F\\", "\\X0D\\", "\\.br\\", "\\E", "\\H\\", "\\", '""', "\rPID|1||", "\rOBX|1|ST|x", "\x1c\r\x0bMSH|^~\\&|"),
    *"aZ09 ĂăƠơƯưĐđẾếỮữ",
    *("e\u0302\u0301", "\u0301", "ក", "漢", "😀", "İ", "ß", "ﬁ"),
)


def message(texts: list[str]) -> str:
    """A whole A04 with a text in every field that takes text from outside; some begin with a letter of ours."""
    name, address, citizen, old, card, registered, level, department, *rest = texts
    room, room_name, code, checkin, lookup, route, facility = rest
    encounter = Encounter(
        checkin_id=checkin,
        facility="99001",
        happened_at=NOW,
        identity=Identity("C" + citizen, "O" + old, name, PartialDate(1990, 9), Sex.FEMALE, address),
        service=Service("501", room, room_name, department, "Khoa", "1", True),
        patient=PatientMatch(MatchKind.ONE, PatientRef(None, "P" + code)),
        coverage=Coverage("D" + card, KeyKind.BHYT_15, "R" + registered, date(2026, 1, 1), benefit_level="L" + level),
        eligibility=EligibilityClass.INSURED,
        route=RouteHint(route, Certainty.HINT),
        lookup_receipt=lookup,
        slip=Slip.REFERRAL,
    )
    head = mapping.header("A04", wire.control_id("V1", "A04"), NOW, facility, SETTINGS)
    body = mapping.visit_segments(encounter, "V1", facility, SETTINGS)
    return wire.encode([head, mapping.event_segment("A04", NOW), *body])


MARKS = ["ÂÂ", *(f"ZZ{number}ZZ" for number in range(1, TEXTS))]
TEMPLATE = by_python_hl7(message(MARKS))[1]


def expected(texts: list[str]) -> Tree:
    """The tree of a message, from that of a message with a mark in place of each text."""
    inserted, tree = dict(zip(MARKS, texts, strict=True)), Tree()
    for place, marked in TEMPLATE.items():
        found = next((mark for mark in MARKS if mark in marked), "")
        tree[place] = wire.carried(marked.replace(found, inserted[found])) if found else marked
    plain = fold(wire.carried(texts[NAME]))
    tree["PID", 5, 2, 1, 1] = wire.carried(plain)
    if plain in ("", wire.carried(texts[NAME]).upper()):
        del tree["PID", 5, 2, 7, 1], tree["PID", 5, 2, 1, 1]
    return {place: text for place, text in tree.items() if text}


def random_text(dice: random.Random) -> str:
    pieces = []
    for _ in range(dice.randint(1, 8)):
        any_char = chr(dice.randrange(0x110000)) if dice.random() < 0.3 else dice.choice(NASTY)
        pieces.append(any_char)
    return "".join(pieces)


def assert_structure_stands(count: int, seed: int) -> None:
    """*count* random texts, each in a field of its own, *TEXTS* a message."""
    dice = random.Random(seed)
    pool = [random_text(dice) for _ in range(count + TEXTS)]
    for start in range(0, count, TEXTS):
        texts = pool[start : start + TEXTS]
        texts[NAME] = "Ầ" + texts[NAME]
        sent = message(texts)
        assert sent.encode().count(b"\x0b") + sent.encode().count(b"\x1c") == 0
        names, tree = by_hl7apy(sent)
        assert names == ["MSH", "EVN", "PID", "PD1", "PV1", "IN1", "ZVN"], (seed, start)
        assert (names, tree) == by_python_hl7(sent), (seed, start)
        assert tree == expected(texts), (seed, start)


def test_no_text_alters_the_structure() -> None:
    assert_structure_stands(3_000, seed=20260105)


@pytest.mark.long
def test_no_text_alters_the_structure_at_length() -> None:
    assert_structure_stands(100_000, seed=20260106)


@given(st.text())
def test_what_is_carried_has_nothing_that_hl7_or_mllp_cannot_carry(text: str) -> None:
    carried = wire.carried(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in carried)
    assert carried == " ".join(carried.split()) and carried != '""'
    assert wire.carried(carried) == carried
    carried.encode()


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x1EF9, categories=("L", "N", "P", "S")), min_size=1))
def test_visible_text_is_carried_as_it_is(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert wire.carried(text) == ("" if composed == '""' else composed)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Nguyễn Văn A|B^C~D\\E&F", r"Nguyễn Văn A\F\B\S\C\R\D\E\E\T\F"),
        ("A\rPID|1", r"A PID\F\1"),
        ("A\x0b\x1c\r\x00B\u202eC", "A BC"),
        ('""', ""),
        ("\\F\\", r"\E\F\E\ ".strip()),
        ("Nguye\u0302\u0303n", "Nguyễn"),
    ],
)
def test_how_a_text_is_written(text: str, field: str) -> None:
    assert wire.encode([wire.Segment("PID", {5: text})]) == (f"PID|||||{field}\r" if field else "PID\r")


def test_the_visit_number_fits_a_cx_and_follows_the_time() -> None:
    first = wire.visit_number("0198c0de-0000-7000-8000-000000000001")
    later = wire.visit_number("0198c0de-0001-7000-8000-000000000001")
    assert len(first) == 15 and first.isascii() and first.isalnum() and first < later
    assert wire.visit_number("0198c0de-0000-7000-8000-000000000002")[:10] == first[:10]
    numbers = {wire.visit_number(f"0198c0de-0000-7000-8000-{serial:012d}") for serial in range(500)}
    assert len(numbers) == 500


@given(st.text(), st.sampled_from(sorted(mapping.STRUCTURES)), st.text())
def test_control_ids_fit_and_differ_by_all_they_stand_for(checkin_id: str, event: str, content: str) -> None:
    visit = wire.visit_number(checkin_id)
    made = wire.control_id(visit, event, content)
    assert len(made) == 20 and made.isascii() and made.isalnum()
    assert made == wire.control_id(visit, event, content)
    others = {wire.control_id(visit, other, content) for other in mapping.STRUCTURES}
    assert len(others) == len(mapping.STRUCTURES) and made in others
    assert wire.control_id(visit, event, content + "x") != made


ODD_ACKS = {
    "node-hl7-server": (b"MSH|^~\\&|HIS||KIOSK||20260105||ACK^A04^ACK_A04|ACK|P|2.7\rMSA|AA|ID1", ("AA", "ID1", "")),
    "simple-hl7": (b"MSH|^~\\&|HIS|||| |ACK||P|2.3\rMSA|AR|\r", ("AR", "", "")),
    "line feeds": (b"MSH|^~\\&|HIS\nMSA|ae|ID1|x\n", ("AE", "ID1", "")),
    "both line ends": (b"\r\nMSH|^~\\&|HIS\r\nMSA|CA|ID1 \r\n", ("CA", "ID1", "")),
    "own delimiters": (b"MSH$%~\\&$HIS\rMSA$AR$ID1\rERR$$$203%x", ("AR", "ID1", "203")),
    "ERR-1 of old": (b"MSH|^~\\&|HIS\rMSA|AE|ID1\rERR|PID^1^5^101&x", ("AE", "ID1", "101")),
    "MSA-6": (b"MSH|^~\\&|HIS\rMSA|AE|ID1||||207^x", ("AE", "ID1", "207")),
    "no letters": (b"\xff\xfeMSH|^~\\&|HIS\rMSA|AA|ID1", None),
    "a message of theirs": (b"MSH|^~\\&|HIS|||||ADT^A08|ID1\rPID|1", None),
    "cut short": (b"MSH|", None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("name", ODD_ACKS)
def test_acknowledgements_of_odd_receivers(name: str) -> None:
    block, wanted = ODD_ACKS[name]
    ack = wire.read_ack(block)
    assert (ack and (ack.code, ack.control_id, ack.error)) == wanted


@given(st.binary() | st.binary().map(lambda noise: b"MSH|^~\\&|HIS\rMSA|AA|ID1|" + noise + b"\rERR|" + noise))
def test_any_bytes_as_an_acknowledgement(block: bytes) -> None:
    ack = wire.read_ack(block)
    assert ack is None or (ack.text == wire.carried(ack.text)[:500] and isinstance(ack.code, str))
