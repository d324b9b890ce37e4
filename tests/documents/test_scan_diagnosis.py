"""A scan of the test code tells what is wrong with a scanner, and never says "fine" for anything else."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiosk.documents.recognise import recognise
from kiosk.documents.scan_diagnosis import MAX_BYTES, diagnose, is_test_code
from kiosk.documents.scan_test_code import (
    TEST_NUMBER,
    TEST_PAYLOAD,
    TEST_TEXT,
    ScanFault,
    shapes,
    without_accents,
)
from tests.documents.scanner_modes import LAYOUTS, on_layout, received_at, typed_with

DROPPED = TEST_PAYLOAD.decode("ascii", "ignore")
PLAIN = without_accents(TEST_TEXT)
SPEEDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
TO_VIETNAMESE_KEYS = dict(zip("0123456789", "đăâêô\u0300\u0309\u0303\u0301\u0323", strict=True))
PERSON = "099190000001|364000123|Trần Thị Mẫu|02091990|Nữ|Xã Mẫu, Hậu Giang|05072021".encode()


def codes(scan: bytes | str, *, framed: bool = False) -> list[str]:
    raw = scan.encode() if isinstance(scan, str) else scan
    return [fault.value for fault in diagnose(raw, framed=framed).faults]


def test_the_test_code_is_a_sound_card_of_nobody():
    document = recognise(TEST_PAYLOAD, simulated_prefix=True)
    assert (document.error, document.warnings) == (None, ())
    assert document.identity.personal_id == TEST_NUMBER and TEST_NUMBER.startswith("099")
    assert set("0123456789") <= set(TEST_TEXT) and unicodedata.is_normalized("NFC", TEST_TEXT)
    tones = set(unicodedata.normalize("NFD", TEST_TEXT))
    assert set("\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b") - {"\u0300"} <= tones and "Đ" in TEST_TEXT


@pytest.mark.parametrize("suffix", ["\r", "\n", "\r\n", "\t"])
def test_a_scanner_in_order_is_fine(suffix):
    assert codes(TEST_TEXT + suffix) == ["FINE"]
    assert diagnose(TEST_PAYLOAD + suffix.encode()).kiosk_copes
    assert codes(TEST_TEXT, framed=True) == ["FINE"]


@pytest.mark.parametrize(
    ("scan", "expected"),
    [
        ("", ["NOTHING"]),
        ("\r\n", ["NOTHING"]),
        (TEST_TEXT, ["NO_SUFFIX"]),
        (TEST_TEXT + "\r\r", ["EXTRA_SUFFIX"]),
        (TEST_TEXT + "X\r", ["EXTRA_SUFFIX"]),
        ("]Q1" + TEST_TEXT + "\r", ["AIM_ID"]),
        ("Q" + TEST_TEXT + "\r", ["CODE_ID"]),
        ("kiosk:" + TEST_TEXT + "\r", ["PREFIX"]),
        ("]Q1" + DROPPED, ["ASCII_MODE", "AIM_ID", "NO_SUFFIX"]),
        (DROPPED + "\r", ["ASCII_MODE"]),
        (PLAIN + "\r", ["ASCII_MODE"]),
        (TEST_TEXT.encode("ascii", "replace"), ["ASCII_MODE", "NO_SUFFIX"]),
        ("".join(c if c.isascii() else "?" * len(c.encode()) for c in TEST_TEXT) + "\r", ["ASCII_MODE"]),
        (TEST_TEXT.upper() + "\r", ["CASE_CHANGED"]),
        (TEST_PAYLOAD.lower() + b"\r", ["CASE_CHANGED"]),
        (DROPPED.swapcase() + "\r", ["ASCII_MODE", "CASE_CHANGED"]),
        (unicodedata.normalize("NFD", TEST_TEXT) + "\r", ["DECOMPOSED"]),
        (TEST_PAYLOAD.decode("latin-1") + "\r", ["REENCODED"]),
        (TEST_PAYLOAD.decode("cp1252", "replace") + "\r", ["REENCODED"]),
        (TEST_PAYLOAD.decode("cp1252", "ignore") + "\r", ["REENCODED"]),
        (bytes(byte & 0x7F for byte in TEST_PAYLOAD) + b"\r", ["SEVEN_BITS"]),
        (bytes(byte | byte.bit_count() % 2 << 7 for byte in DROPPED.encode() + b"\r"), ["SEVEN_BITS", "ASCII_MODE"]),
        (TEST_TEXT + "\r" + TEST_TEXT + "\r", ["SCANNED_TWICE"]),
        (TEST_TEXT + TEST_TEXT + "\r", ["SCANNED_TWICE"]),
        (TEST_TEXT.replace("|", "") + "\r", ["SEPARATORS_LOST"]),
        (TEST_TEXT.replace("|23041985|Nam", "") + "\r", ["FIELDS_MISSING"]),
        (TEST_TEXT[:100] + "\r", ["TRUNCATED"]),
        (DROPPED[:100] + "\r", ["TRUNCATED", "ASCII_MODE"]),
        (TEST_NUMBER, ["TRUNCATED"]),
        (TEST_TEXT[20:] + "\r", ["START_LOST"]),
        (TEST_TEXT[::2] + "\r", ["OTHER_CODE"]),
        ("".join(c for i, c in enumerate(TEST_TEXT) if i % 7) + "\r", ["CHARACTERS_LOST"]),
        (TEST_TEXT.replace("Thử", "Xin"), ["DAMAGED"]),
        (TEST_TEXT.replace("Đặng", "Dặng"), ["DAMAGED"]),
        (PERSON, ["OTHER_CODE"]),
        (b"https://example.invalid/", ["OTHER_CODE"]),
        (b"\0\0\0", ["WRONG_SPEED"]),
    ],
)
def test_each_mode_is_told(scan, expected):
    assert codes(scan) == expected


def test_old_code_page_is_told_from_bytes_and_from_characters():
    parts = {"ẳ": "ă\u0309"}
    raw = b""
    for char in TEST_TEXT:
        try:
            raw += char.encode("cp1258")
        except UnicodeEncodeError:
            base, tone = _parted(parts.get(char, char))
            raw += base.encode("cp1258") + tone.encode("cp1258")
    assert codes(raw + b"\r") == ["CODE_PAGE_1258"]
    assert diagnose(raw + b"\r").kiosk_copes
    assert codes(raw.decode("cp1252") + "\r") == ["CODE_PAGE_1258"]


def _parted(char: str) -> tuple[str, str]:
    """The letter without its tone, and the tone."""
    for tone in "\u0300\u0301\u0303\u0309\u0323":
        for base in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY":
            if unicodedata.normalize("NFC", base + tone) == char:
                return base, tone
    return char, ""


@pytest.mark.parametrize("typed", [DROPPED, PLAIN], ids=["dropped", "plain"])
@pytest.mark.parametrize(("method", "code"), [("telex", "TELEX"), ("vni", "VNI")])
def test_typing_methods_are_recognised(method, code, typed):
    seen = typed_with(method, typed)
    assert seen != typed and seen.split("|")[0] == TEST_NUMBER
    assert codes(seen + "\n") == [code]
    assert not diagnose(seen.encode() + b"\n").kiosk_copes


@pytest.mark.parametrize("typed", [DROPPED, PLAIN], ids=["dropped", "plain"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_vietnamese_layout_is_recognised(typed, form):
    seen = "".join(TO_VIETNAMESE_KEYS.get(char, char) for char in typed)
    assert codes(unicodedata.normalize(form, seen) + "\n") == ["VIETNAMESE_LAYOUT", "ASCII_MODE"]


@pytest.mark.parametrize("typed", [DROPPED, PLAIN], ids=["dropped", "plain"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_other_layouts_are_recognised(layout, typed):
    assert codes(on_layout(layout, typed) + "\n") == ["OTHER_LAYOUT", "ASCII_MODE"]


@pytest.mark.parametrize("separator", "~¦'>｜")
def test_a_changed_separator_is_another_layout(separator):
    assert codes(TEST_TEXT.replace("|", separator) + "\r") == ["OTHER_LAYOUT"]


@pytest.mark.parametrize("listening", SPEEDS)
@pytest.mark.parametrize("sent_at", SPEEDS)
def test_another_speed_is_told(sent_at, listening):
    expected = "FINE" if sent_at == listening else "WRONG_SPEED"
    assert codes(received_at(TEST_PAYLOAD + b"\r", sent_at, listening)) == [expected]


@given(st.binary(max_size=400))
def test_never_raises_and_never_fine_for_other_bytes(raw):
    assert diagnose(raw).faults and "FINE" not in codes(raw)
    assert not is_test_code(raw)


@given(st.integers(0, len(TEST_PAYLOAD) - 1), st.integers(1, 255))
def test_one_changed_byte_is_never_fine(at, change):
    raw = bytearray(TEST_PAYLOAD)
    raw[at] ^= change
    for framed in (True, False):
        assert "FINE" not in codes(bytes(raw) + b"\r"[framed:], framed=framed)


@given(st.integers(0, len(TEST_PAYLOAD)), st.binary(min_size=1, max_size=20))
def test_inserted_bytes_are_never_fine(at, more):
    raw = TEST_PAYLOAD[:at] + more + TEST_PAYLOAD[at:]
    assume(raw != TEST_PAYLOAD)
    assert codes(raw, framed=True) != ["FINE"]


@given(st.sampled_from(shapes()), st.sampled_from(["", "]Q1", "Q"]), st.sampled_from(["\r", "\r\n", ""]))
def test_every_shape_is_a_test_and_named_by_its_faults(shape, before, after):
    raw = (before + shape.text + after).encode()
    assert set(shape.faults) <= set(diagnose(raw).faults)
    assert is_test_code(raw)


@given(st.text(alphabet="0123456789", min_size=9, max_size=9), st.sampled_from(TEST_TEXT.split("|")[2:]))
def test_somebody_elses_card_is_no_test(tail, field):
    assume("099" + tail != TEST_NUMBER)
    card = TEST_TEXT.replace(TEST_NUMBER, "099" + tail).replace(field, "")
    assert not is_test_code(card.encode()[:60])
    assert codes(f"099{tail}||Trần Thị Mẫu|02091990|Nữ|{field}|16072021") == ["OTHER_CODE"]


def test_much_is_cut_before_it_is_looked_at():
    assert diagnose(b"\xff" * MAX_BYTES * 10).code is ScanFault.WRONG_SPEED


def test_a_diagnosis_keeps_nothing_of_the_scan():
    assert "Mẫu" not in repr(diagnose(PERSON)) and "0991" not in repr(diagnose(PERSON))
