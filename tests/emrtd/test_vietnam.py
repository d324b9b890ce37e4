"""DG13 and the CAN rule: the example bytes of identity-documents.md 7.3, and a builder for everything else."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kiosk.emrtd import tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.vietnam import NEVER_EXPIRES, ChipDate, Dg13, can_of, parse_dg13
from tests.emrtd.vietnamese_card import ENCODINGS, PERSON, TAGS, dg13, entry, string, text_entries, wrap

EXAMPLES = {
    1: "30110201 01130C303933313930303030343536",
    2: "30170201 020C125472E1BAA76E205468E1BB8B204DE1BAAB75",
    4: "30090201 040C044EE1BBAF",
    12: "300F0201 0C0C0A30312F30322F32303330",
    13: "30280201 0D30110C0F5472E1BAA76E2056C4836E2043686130100C0E4CC3AA205468E1BB8B204DE1BAB9",
    14: "30030201 0E",
    15: "300E0201 0F1309333634303030313233",
    16: "30150201 10131030313233343536373839414243444546",
}


def parse_texts(**changes):
    return parse_dg13(dg13(text_entries(PERSON | {int(key[1:]): value for key, value in changes.items()}).values()))


def test_the_examples_of_the_reference():
    card = parse_dg13(dg13(map(bytes.fromhex, EXAMPLES.values())))
    assert card == Dg13(
        personal_id="093190000456",
        full_name="Trần Thị Mẫu",
        sex="F",
        expires_on=ChipDate("01/02/2030", "2030-02-01"),
        father="Trần Văn Cha",
        mother="Lê Thị Mẹ",
        spouses=(),
        old_id="364000123",
        chip_id="0123456789ABCDEF",
    )
    assert can_of(card.personal_id) == "000456"


@pytest.mark.parametrize("index", EXAMPLES)
def test_the_builder_makes_the_examples(index):
    built = {
        1: entry(1, string("093190000456", 0x13)),
        2: entry(2, string("Trần Thị Mẫu")),
        4: entry(4, string("Nữ")),
        12: entry(12, string("01/02/2030")),
        13: entry(13, wrap(0x30, string("Trần Văn Cha")), wrap(0x30, string("Lê Thị Mẹ"))),
        14: entry(14),
        15: entry(15, string("364000123", 0x13)),
        16: entry(16, string("0123456789ABCDEF", 0x13)),
    }
    assert built[index] == bytes.fromhex(EXAMPLES[index])


def test_a_whole_card():
    card = parse_texts()
    assert (card.personal_id, card.full_name, card.sex) == ("099190000456", "Trần Thị Mẫu", "F")
    assert card.birth_date == ChipDate("01/02/1990", "1990-02-01")
    assert (card.nationality, card.ethnicity, card.religion) == ("Việt Nam", "Kinh", "Không")
    assert (card.place_of_origin, card.marks) == (PERSON[8], PERSON[10])
    assert card.place_of_residence == PERSON[9].strip()
    assert (card.issued_on.iso, card.expires_on.iso, card.never_expires) == ("2021-07-05", "2030-02-01", False)
    assert (card.old_id, card.chip_id, card.problems) == ("364000123", "0123456789ABCDEF", ())


@pytest.mark.parametrize("width", [1, 2, 3])
def test_any_form_of_length(width):
    entries = [entry(i, string(text, TAGS.get(i, 0x0C), width), width=width) for i, text in PERSON.items() if i != 9]
    assert parse_dg13(dg13(entries, width=3)) == parse_dg13(dg13(e for i, e in text_entries().items() if i != 9))


@pytest.mark.parametrize("tag", ENCODINGS, ids="{:02X}".format)
def test_any_string_type(tag):
    name = "Tran Thi Mau" if tag == 0x14 else "Trần Thị Mẫu"
    assert parse_dg13(dg13([entry(2, string(name, tag))])).full_name == name


def test_text_is_composed_and_trimmed():
    loose = unicodedata.normalize("NFD", "  Trần\u200b  Thị Mẫu\0\0 ")
    assert parse_texts(_2=loose).full_name == "Trần Thị Mẫu"


@pytest.mark.parametrize("index", [2, 5, 6, 9, 15])
def test_empty_strings_are_nothing(index):
    assert parse_dg13(dg13([entry(1, string("099190000456", 0x13)), entry(index, string(""))])) == Dg13("099190000456")


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("1950", "1950"),
        ("02/1950", "1950-02"),
        ("00/00/1950", "1950"),
        ("00/02/1950", "1950-02"),
        ("1/2/1990", "1990-02-01"),
        ("01-02-1990", "1990-02-01"),
    ],
)
def test_birth_dates(text, iso):
    card = parse_texts(_3=text)
    assert (card.birth_date, card.problems) == (ChipDate(text, iso), ())


@pytest.mark.parametrize("text", ["31/02/1990", "01/13/1990", "05/00/1990", "0000", "1990-02-01", "?", "٠١/٠٢/١٩٩٠"])
def test_what_is_no_date_is_kept_as_text(text):
    card = parse_texts(_3=text)
    assert (card.birth_date, card.problems) == (ChipDate(text, None), ("ENTRY_3_VALUE",))


@pytest.mark.parametrize("text", [NEVER_EXPIRES, unicodedata.normalize("NFD", NEVER_EXPIRES), "KHÔNG THỜI HẠN"])
def test_a_card_without_end(text):
    card = parse_texts(_12=text)
    assert (card.never_expires, card.expires_on.iso, card.problems) == (True, None, ())


@pytest.mark.parametrize(("text", "sex"), [("Nam", "M"), ("NAM", "M"), ("Nữ", "F"), ("nu", "F")])
def test_sex(text, sex):
    assert parse_texts(_4=text).sex == sex


@pytest.mark.parametrize(
    ("index", "text", "field"),
    [(1, "09919000045", "personal_id"), (1, "09919000045O", "personal_id"), (4, "Khác", "sex")],
)
def test_values_that_say_nothing(index, text, field):
    card = parse_texts(**{f"_{index}": text})
    assert getattr(card, field) is None
    assert card.problems == (f"ENTRY_{index}_VALUE",)
    assert card.full_name == "Trần Thị Mẫu"


@pytest.mark.parametrize(
    ("values", "father", "mother"),
    [
        ((), None, None),
        ((wrap(0x30, string("Trần Văn Cha")),), "Trần Văn Cha", None),
        ((wrap(0x30, b""), wrap(0x30, string("Lê Thị Mẹ"))), None, "Lê Thị Mẹ"),
        ((wrap(0x30, string("")), wrap(0x30, string("Lê Thị Mẹ"))), None, "Lê Thị Mẹ"),
        ((string("Trần Văn Cha"), string("Lê Thị Mẹ")), "Trần Văn Cha", "Lê Thị Mẹ"),
    ],
    ids=["none", "one", "empty first", "empty name first", "bare strings"],
)
def test_parents(values, father, mother):
    card = parse_dg13(dg13([entry(13, *values)]))
    assert (card.father, card.mother) == (father, mother)


def test_spouses():
    spouses = [wrap(0x30, string(name)) for name in ("Võ Thử", "Hồ Ví Dụ")]
    assert parse_dg13(dg13([entry(14, *spouses)])).spouses == ("Võ Thử", "Hồ Ví Dụ")


def test_unknown_entries_are_kept():
    odd = tlv.encode(0x30, tlv.encode(0x01, b"\xff"))
    entries = [*text_entries().values(), entry(17, odd), entry(200, string("?")), wrap(0x30, b"\x02\x02\x01\x00\x05\0")]
    card = parse_dg13(dg13(entries))
    assert card.unknown == {17: odd, 200: string("?"), 256: b"\x05\0"}
    assert (card.full_name, card.problems) == ("Trần Thị Mẫu", ())


def test_members_before_the_set():
    members = tlv.encode(0x02, b"\x01") + tlv.encode(0x30, tlv.encode(0x06, b"\x2a")) + tlv.encode(0x31, b"")
    content = members + tlv.encode(0x31, b"".join(text_entries().values()))
    assert parse_dg13(tlv.encode(0x6D, tlv.encode(0x30, content))) == parse_texts()


@pytest.mark.parametrize("wrapper", [0x30, 0xA0, 0x04, None], ids=["sequence", "context", "octets", "none"])
def test_without_a_set_entries_are_searched_for(wrapper):
    entries = b"".join(text_entries().values())
    card = parse_dg13(tlv.encode(0x6D, entries if wrapper is None else tlv.encode(wrapper, entries)))
    assert "NO_SET" in card.problems
    assert (card.personal_id, card.chip_id, card.place_of_residence) == (PERSON[1], PERSON[16], PERSON[9].strip())


def test_padding_behind_the_file_changes_nothing():
    assert parse_dg13(dg13(text_entries().values()) + bytes(50)) == parse_texts()


KINH = entry(6, string("Kinh"))
DAMAGED_ENTRIES = {
    "undecodable": entry(6, b"\x0c\x02\xc3\x28"),
    "wrong type": entry(6, tlv.encode(0x04, b"Kinh")),
    "nested too deep": entry(6, wrap(0x30, wrap(0x30, string("Kinh")))),
    "length too short": KINH[:1] + b"\x05" + KINH[2:],
    "length too long": KINH[:1] + b"\x0c" + KINH[2:],
    "length swallows the next": KINH[:1] + bytes([len(KINH) - 2 + len(text_entries()[7])]) + KINH[2:],
    "length beyond the end": KINH[:1] + b"\x83\xff\xff\xff" + KINH[2:],
    "indefinite": KINH[:1] + b"\x80" + KINH[2:],
    "string too long": KINH[:6] + b"\x7f" + KINH[7:],
    "no index": wrap(0x30, string("Kinh")),
    "noise": b"\xff\xff\x00\x31",
}


@pytest.mark.parametrize("damaged", DAMAGED_ENTRIES.values(), ids=DAMAGED_ENTRIES)
def test_one_bad_entry_never_loses_the_rest(damaged):
    card = parse_dg13(dg13((text_entries() | {6: damaged}).values()))
    whole = parse_texts()
    assert card.ethnicity is None
    assert card.problems
    for name in Dg13.__dataclass_fields__:
        if name not in ("ethnicity", "problems"):
            assert getattr(card, name) == getattr(whole, name), name


def test_the_first_of_two_entries_counts():
    card = parse_dg13(dg13([*text_entries().values(), entry(2, string("Lê Văn Tèo"))]))
    assert (card.full_name, card.problems) == ("Trần Thị Mẫu", ("ENTRY_2_TWICE",))


@pytest.mark.parametrize("kept", [120, 200, 400])
def test_a_file_cut_off_keeps_what_was_read(kept):
    card = parse_dg13(dg13(text_entries().values())[:kept])
    assert (card.personal_id, card.full_name) == ("099190000456", "Trần Thị Mẫu")
    assert card.problems[0] == "FILE_CUT_OFF"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x6d",
        b"\x6d\x00",
        dg13([]),
        b"\x61" + dg13(text_entries().values())[1:],
        tlv.encode(0x6D, bytes(100)),
        dg13([*text_entries().values(), bytes(65_536)]),
    ],
    ids=["empty", "tag only", "no content", "no entry", "another file", "zeros", "too large"],
)
def test_what_is_no_dg13(data):
    with pytest.raises(DataError):
        parse_dg13(data)


@pytest.mark.parametrize(
    "unit",
    [
        b"\x30\x83\x00\xff\x00\x02\x01\x01",
        b"\x30\x82\xff\xff",
        b"\x31\x80",
        b"\x30\x05\x02\x01\x01\x0c\x00",
        b"\x0c\x00",
    ],
    ids=["huge entries", "open sequences", "indefinite", "many entries", "many strings"],
)
def test_hostile_files_are_bounded(unit):
    content = unit * (60_000 // len(unit))
    for data in (tlv.encode(0x6D, content), dg13([content]), dg13([entry(2, content)])):
        try:
            card = parse_dg13(data)
        except DataError:
            continue
        assert len(card.problems) <= 600


texts = st.text(st.characters(exclude_categories=("C",)), max_size=300)


def normal(text):
    return " ".join(unicodedata.normalize("NFC", text).split()) or None


@given(
    st.permutations([2, 5, 6, 7, 8, 9, 10, 15, 16]),
    st.lists(texts, min_size=9, max_size=9),
    st.sampled_from([0x0C, 0x13, 0x16, 0x1E]),
    st.sampled_from([0, 3]),
)
def test_any_strings_in_any_order(order, values, tag, width):
    # The scan for entries must not mistake text for them: control characters are the only ones that could look so.
    card = parse_dg13(dg13([entry(i, string(t, tag, width), width=width) for i, t in zip(order, values, strict=True)]))
    by_index = dict(zip(order, values, strict=True))
    assert (card.full_name, card.place_of_residence) == (normal(by_index[2]), normal(by_index[9]))
    assert (card.old_id, card.chip_id, card.marks) == (normal(by_index[15]), normal(by_index[16]), normal(by_index[10]))
    assert card.problems == ()


@given(st.binary(max_size=300))
@example(dg13(text_entries().values()))
def test_no_bytes_raise_anything_else(content):
    for data in (content, tlv.encode(0x6D, content), dg13([content]), dg13([entry(2, content)])):
        try:
            parse_dg13(data)
        except DataError:
            continue


@settings(max_examples=200)
@given(st.integers(0, 2_000), st.integers(1, 255))
def test_a_flipped_byte_costs_at_most_two_entries(at, flip):
    data = bytearray(dg13(text_entries().values()))
    header = data.index(bytes.fromhex("020101"))
    at = header + at % (len(data) - header)
    data[at] ^= flip
    card, whole = parse_dg13(bytes(data)), parse_texts()
    fields = [name for name in Dg13.__dataclass_fields__ if name not in ("problems", "unknown")]
    assert sum(getattr(card, name) != getattr(whole, name) for name in fields) <= 2


@pytest.mark.parametrize("text", ["", "00000456", "09319000045O", "0931900004567", "٠٩٣١٩٠٠٠٠٤٥٦", " 093190000456"])
def test_no_can_from_anything_but_a_number(text):
    with pytest.raises(ValueError, match="twelve digits"):
        can_of(text)


def test_the_can_keeps_its_zeros():
    assert can_of("093190000456") == "000456"
