"""What readers, keyboards and decoders do to the text of a document: undone where it can be, told where it cannot."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kiosk.documents.recognise import recognise
from kiosk.model import Coverage, Document, DocumentKind, Identity
from tests.documents.printed import Printed, citizen_cards, documents, insurance_cards, new_cards, zones

CITIZEN = (DocumentKind.CCCD_QR, DocumentKind.CC_QR)
REPAIRS = {"W_ENCODING_REPAIRED", "W_LAYOUT_FIXED"}
LAYOUT = str.maketrans("1234567890", "ăâêô\u0300\u0309\u0303\u0301\u0323đ")
TONES = dict(zip("sfrxj", "\u0301\u0300\u0309\u0303\u0323", strict=True))
SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])

Damage = Callable[[str], bytes]


def wrong_guess(codec: str, errors: str = "strict") -> Damage:
    return lambda text: text.encode().decode(codec, errors).encode()


def cp1258(text: str) -> bytes:
    """*text* as Windows writes it: base letter, then the tone. UnicodeEncodeError for letters it does not have."""
    out = b""
    for char in text:
        try:
            out += char.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", char)
            tone = next((mark for mark in "\u0300\u0301\u0303\u0309\u0323" if mark in parts), None)
            if tone is None:
                raise
            out += unicodedata.normalize("NFC", parts.replace(tone, "")).encode("cp1258") + tone.encode("cp1258")
    return out


def vietnamese_keys(text: str) -> bytes:
    """Digits typed where the host's keyboard layout has accents; fields that mix digits and letters left out."""
    fields = [field.translate(LAYOUT) if field.isdigit() else field for field in text.split("|")]
    return "|".join(fields).encode()


def separated_by(bar: str) -> Damage:
    return lambda text: text.replace("|", bar).encode()


REVERSIBLE: dict[str, Damage] = {
    "none": str.encode,
    "NFD": lambda text: unicodedata.normalize("NFD", text).encode(),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0").encode(),
    **{f"taken for {codec}": wrong_guess(codec) for codec in ("big5", "shift_jis", "cp932", "latin-1", "cp1252")},
    "code page 1258": cp1258,
}
OF_CITIZEN_CARDS: dict[str, Damage] = {
    "Vietnamese keys": vietnamese_keys,
    **{f"separated by {bar}": separated_by(bar) for bar in ("~", "\u00a6", "\uff5c")},
    "label": lambda text: b"CCCD: " + text.encode(),
}
FRAMES = st.tuples(
    st.sampled_from([b"", b"\r\n", b"\x02", b"]Q1", b"\xef\xbb\xbf", b"\r\n\xef\xbb\xbf]Q2"]),
    st.sampled_from([b"", b"\r", b"\r\n", b"\n", b"\t", b"\x03", b"\0\0\0", b"\0\xff\xfe", b"|\r"]),
)


def damaged(text: str, damage: Damage) -> bytes | None:
    """None where the letters of *text* have no place in the code page."""
    try:
        return damage(text)
    except UnicodeError:
        return None


def check(printed: Printed, raw: bytes) -> Document:
    document = recognise(raw, simulated_prefix=True)
    assert (document.kind, document.error, document.identity) == (printed.kind, None, printed.identity)
    assert (document.coverage, document.expires_on) == (printed.coverage, printed.expires_on)
    number = printed.identity.personal_id
    assert document.can == (number and number[-6:])
    assert "W_ENCODING_DAMAGED" not in document.warnings
    return document


@SLOW
@given(printed=documents(), frame=FRAMES)
def test_what_can_be_undone_changes_nothing(printed, frame):
    prefix, suffix = frame
    assume(printed.kind is not DocumentKind.MRZ or b"|" not in suffix)
    for name, damage in REVERSIBLE.items():
        raw = damaged(printed.text, damage)
        if raw is None or (name == "no-break spaces" and printed.kind is DocumentKind.MRZ):
            continue
        document = check(printed, prefix + raw + suffix)
        sound = unicodedata.normalize("NFC", raw.decode("utf-8", "replace")).replace("\u00a0", " ") == printed.text
        assert bool(REPAIRS & set(document.warnings)) is not sound, name


@SLOW
@given(printed=st.one_of(citizen_cards(), new_cards()), frame=FRAMES)
def test_what_keyboards_and_phones_do_to_citizen_cards(printed, frame):
    prefix, suffix = frame
    assume(b"|" not in suffix)
    for name, damage in OF_CITIZEN_CARDS.items():
        document = check(printed, prefix + damage(printed.text) + suffix)
        assert ("W_LAYOUT_FIXED" in document.warnings) is (name != "label"), name


def wedge(text: str) -> bytes:
    """A scanner that types and has keys for ASCII only."""
    return text.encode("ascii", "ignore")


def telex(text: str) -> bytes:
    """The same into an input method that makes accents of letters."""
    typed = wedge(text).decode()
    for keys, letter in (("aa", "â"), ("ee", "ê"), ("oo", "ô"), ("dd", "đ"), ("w", "ư")):
        typed = typed.replace(keys, letter)
    typed = re.sub("([aeiouy])([sfrxj])", lambda found: found[1] + TONES[found[2]], typed)
    return unicodedata.normalize("NFC", typed).encode()


IRREVERSIBLE: dict[str, Damage] = {
    "letters dropped": wedge,
    "question marks": lambda text: text.encode("ascii", "replace"),
    "Telex": telex,
    **{f"taken for {codec}": wrong_guess(codec, "replace") for codec in ("cp1252", "shift_jis", "big5", "cp1258")},
    "cp1252, gaps left out": wrong_guess("cp1252", "ignore"),
}


def says_nothing_wrong(document: Document, printed: Printed) -> None:
    """Number and birth date as printed or none; the name too, unless a warning says that it is not to be trusted."""
    person = document.identity
    if person is None:
        return
    known = printed.identity
    assert person.personal_id in (None, known.personal_id)
    if document.error is None:
        assert person.birth_date in (None, known.birth_date)
    told = {"W_ENCODING_DAMAGED", "W_NO_DIACRITICS"} & set(document.warnings)
    assert told or person.full_name in (None, known.full_name)


@SLOW
@given(printed=documents())
def test_what_cannot_be_undone_is_told(printed):
    for damage in IRREVERSIBLE.values():
        says_nothing_wrong(recognise(damage(printed.text), simulated_prefix=True), printed)


@SLOW
@given(printed=st.one_of(citizen_cards(), new_cards()))
def test_a_lost_byte_of_a_letter_is_told(printed):
    raw = printed.text.encode()
    # One accented letter in the whole card would leave a single byte, which is a letter of the Vietnamese code page.
    assume(sum(not char.isascii() for char in printed.text) > 1)
    for place in [place for place, byte in enumerate(raw) if byte >= 0x80]:
        says_nothing_wrong(recognise(raw[:place] + raw[place + 1 :], simulated_prefix=True), printed)


@settings(max_examples=100)
@given(printed=st.one_of(citizen_cards(), new_cards(), zones(), insurance_cards()), left=st.integers(0, 600))
def test_a_cut_scan_names_nobody_else(printed, left):
    first_field = len(printed.text.split("|")[0])
    assume(printed.kind is DocumentKind.MRZ or left > first_field)
    document = recognise(printed.text.encode()[:left], simulated_prefix=True)
    if document.kind is DocumentKind.VSSID_QR:
        # A code cut in the hex of its name is what VssID shows; nothing in it tells that the name goes on.
        assert (printed.identity.full_name or "").startswith((document.identity and document.identity.full_name) or "")
        return
    says_nothing_wrong(document, printed)


@SLOW
@given(first=documents(), second=documents(), end=st.sampled_from(["\r", "\n", "\r\n"]))
def test_of_two_documents_the_first_counts(first, second, end):
    assume("\n" not in first.text and "\r" not in first.text)
    check(first, (first.text + end + second.text).encode())


@settings(max_examples=150)
@given(first=documents(), second=documents(), cut=st.integers(0, 700))
def test_documents_run_together_are_never_mixed(first, second, cut):
    start = first.text[: cut % (len(first.text) + 1)]
    # Digits of the first alone before a number cannot be told from a longer number.
    assume("|" in start or first.kind is DocumentKind.MRZ)
    assume(not re.search(r"\A[^|]*\|[0-9]*\Z", start))
    document = recognise((start + second.text).encode(), simulated_prefix=True)
    assert document.error is not None or is_of(document, first) or is_of(document, second)


def is_of(document: Document, printed: Printed) -> bool:
    """Whether everything in *document* is of that one card."""
    known = facts(printed.identity) | facts(printed.coverage)
    seen = facts(document.identity) | facts(document.coverage)
    known_address, address = known.pop("address", ""), seen.pop("address", "")
    return seen.items() <= known.items() and known_address.startswith(address)


def facts(part: Identity | Coverage | None) -> dict[str, Any]:
    """What is known of a person or a card."""
    return {name: value for name, value in asdict(part).items() if value is not None} if part else {}
