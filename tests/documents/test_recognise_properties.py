"""Properties over generated payloads: no bytes raise, people survive the wire, two people never become one."""

import unicodedata
from dataclasses import replace

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from kiosk.documents.as_json import document_json
from kiosk.documents.recognise import recognise
from kiosk.model import Document, DocumentKind, Identity
from tests.documents.printed import fields, names, payload, people, texts

WRONG_CODECS = ("big5", "shift_jis", "cp932", "latin-1", "cp1252")


def read(text: str) -> Document:
    return recognise(text.encode(), simulated_prefix=True)


def damaged_card() -> st.SearchStrategy[bytes]:
    """Bytes near a card: parts of one, cut, doubled and with bytes thrown in."""
    pieces = st.one_of(
        people().map(lambda person: payload(person).encode()),
        st.binary(max_size=8),
        st.sampled_from(
            [b"|", b"$", b"\r", b"\n", b"\0", b"~", b"\xef\xbd\x9c", b"]Q1", b"http", b"IDVNM", "đ\u0323".encode()]
        ),
    )
    return st.lists(pieces, max_size=5).map(b"".join)


@settings(max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=300), damaged_card(), st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))
    )
)
@example(b"\xff" * 4096)
@example(b"\xff" * 65536)
@example(b"099190000001|" * 5041)
def test_no_bytes_raise_and_all_text_is_composed_and_visible(raw):
    document = recognise(raw)
    for text in texts(document_json(document)):
        assert text == unicodedata.normalize("NFC", text)
        assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in text)
    if document.error is not None and document.identity is not None:
        assert document.identity == Identity(personal_id=document.identity.personal_id)


@given(people(), st.sampled_from(["NFC", "NFD"]), st.sampled_from(["", "\r", "\n", "\r\n", "\t", "|", "|||", "\0\0"]))
def test_a_card_gives_its_person(person, form, suffix):
    document = read(unicodedata.normalize(form, payload(person)) + suffix)
    assert (document.error, document.identity) == (None, person)
    assert document.can == person.personal_id[-6:]
    assert not {"W_ENCODING_REPAIRED", "W_ENCODING_DAMAGED", "W_LAYOUT_FIXED"} & set(document.warnings)


@given(people(), st.lists(st.one_of(st.just(""), names), min_size=4, max_size=4))
def test_a_new_card_gives_its_person(person, extra):
    document = read("|".join(fields(person) + extra))
    assert (document.kind, document.identity, document.extra) == (DocumentKind.CC_QR, person, tuple(extra))


@given(people(), st.sampled_from(WRONG_CODECS))
@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
def test_every_wrong_guess_is_undone(person, codec):
    sound = payload(person)
    try:
        damaged = sound.encode().decode(codec)
    except UnicodeDecodeError:
        assume(False)
    assume(damaged != sound)
    document = read(damaged)
    assert document.identity == person
    assert "W_ENCODING_REPAIRED" in document.warnings


def shapes(person: Identity) -> st.SearchStrategy[str]:
    """The card's text in each shape that recognition accepts."""
    seven = fields(person)
    return st.sampled_from(
        [
            "|".join(seven),
            "|".join(seven[:6]),
            "|".join([seven[0], *seven[2:]]),
            "|".join(seven) + "||||",
            "|".join([*seven, "", "Trần Văn Cha", "", ""]),
        ]
    )


@settings(max_examples=200)
@given(st.data(), people(), people())
def test_two_glued_scans_name_nobody(data, first, second):
    glued = data.draw(shapes(first)) + data.draw(shapes(second))
    document = read(glued)
    assert document.error is not None
    assert document.identity is None or document.identity == Identity(personal_id=first.personal_id)


@settings(max_examples=200)
@given(st.data(), people(), people())
def test_a_cut_scan_glued_to_a_whole_one_never_mixes_them(data, first, second):
    whole, start = payload(second), payload(first)
    cut = data.draw(st.integers(1, len(start) - 1))
    # A number alone before a scan reads as that scan's owner with a twelve-digit old number (a legal card).
    assume(cut != len(fields(first)[0]) + 1)
    document = read(start[:cut] + whole)
    assert document.error is not None
    assert document.identity is None or document.identity == Identity(personal_id=document.identity.personal_id)


@settings(max_examples=150)
@given(st.data(), people(), people(), st.sampled_from(["\r", "\n", "\r\n"]))
def test_of_two_scans_the_first_whole_one_counts(data, first, second, end):
    assume(replace(first, old_id=None) != replace(second, old_id=None))
    one = data.draw(shapes(first))
    assert read(one + end + payload(second)) == read(one)
    cut = data.draw(st.integers(14, 20))
    assert read(payload(first)[:cut] + end + payload(second)).identity in (
        second,
        Identity(personal_id=first.personal_id),
    )
