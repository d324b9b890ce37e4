"""Rubbish near documents: worked vectors mutated, spliced and misread. The seed is printed and can be set.

``DECODE_FUZZ_SEED=123 pytest -m long tests/documents/test_fuzz.py`` repeats a run.
"""

import json
import os
import random
import re
import unicodedata
from pathlib import Path

import pytest

from kiosk.documents.as_json import document_json
from kiosk.documents.recognise import recognise
from kiosk.model import Document, DocumentKind, Identity, KeyKind
from tests.documents.printed import texts

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "identity_documents.json").read_text(encoding="utf-8"))
SCANS = [bytes.fromhex(one["hex"]) if "hex" in one else one["text"].encode() for one in VECTORS]
PIECES = [
    *(
        b"|",
        b"||||",
        b"$",
        b"|$",
        b"\r",
        b"\n",
        b"\r\n",
        b"\0",
        b"~",
        b"-",
        b"<",
        b"0",
        b"9" * 12,
        b" ",
        b"\xff",
        b"]Q1",
    ),
    *("\uff5c", "\u00a6", "\u00a0", "\u200b", "\u202e", "\ufffd", "\u0300", "đ\u0323", "毫", "Nữ", "’", "\U0001f600"),
]
CODECS = ("latin-1", "cp1252", "cp1258", "shift_jis", "big5", "utf-16-le")
ERRORS = {
    *(None, "EMPTY", "UNKNOWN_FORMAT", "URL_PAYLOAD", "OPAQUE_TOKEN", "TRUNCATED", "BAD_ID_NUMBER", "BAD_DATE"),
    "BAD_CHECK_DIGIT",
}
NUMBER_OF = {
    KeyKind.PERSONAL_12: re.compile("[0-9]{12}"),
    KeyKind.BHXH_10: re.compile("[0-9]{10}"),
    KeyKind.BHYT_15: re.compile("[A-Z]{2}[1-5][0-9A-Z]{12}"),
    KeyKind.BHYT_17: re.compile("[A-Z]{2}[1-5][0-9A-Z]{2}[0-9]{12}"),
}


def near_a_document(rng: random.Random) -> bytes:
    """One of the vectors after a few mutations; one in twenty is noise."""
    if rng.random() < 0.05:
        return rng.randbytes(rng.randrange(200))
    raw = bytearray(rng.choice(SCANS))
    for _ in range(rng.randint(1, 4)):
        MUTATIONS[rng.randrange(len(MUTATIONS))](raw, rng)
    return bytes(raw)


def flip(raw: bytearray, rng: random.Random) -> None:
    if raw:
        raw[rng.randrange(len(raw))] = rng.randrange(256)


def insert(raw: bytearray, rng: random.Random) -> None:
    piece = rng.choice(PIECES)
    at = rng.randint(0, len(raw))
    raw[at:at] = piece.encode() if isinstance(piece, str) else piece


def delete(raw: bytearray, rng: random.Random) -> None:
    at = rng.randint(0, len(raw))
    del raw[at : at + rng.choice((1, 1, 2, 8, 40))]


def splice(raw: bytearray, rng: random.Random) -> None:
    other = rng.choice(SCANS)
    raw[rng.randint(0, len(raw)) :] = other[rng.randint(0, len(other)) :]


def swap_fields(raw: bytearray, rng: random.Random) -> None:
    fields = raw.split(b"|")
    one, other = rng.randrange(len(fields)), rng.randrange(len(fields))
    fields[one], fields[other] = fields[other], fields[one]
    raw[:] = b"|".join(fields)


def misread(raw: bytearray, rng: random.Random) -> None:
    raw[:] = raw.decode(rng.choice(CODECS), "replace").encode()


def decompose(raw: bytearray, rng: random.Random) -> None:
    raw[:] = unicodedata.normalize(rng.choice(("NFD", "NFKC")), raw.decode("utf-8", "replace")).encode()


MUTATIONS = (flip, insert, insert, delete, splice, swap_fields, misread, decompose)


def is_sound(document: Document) -> bool:
    """What holds for every document, whatever was scanned."""
    person, coverage = document.identity, document.coverage
    number = person.personal_id if person else None
    return (
        document.error in ERRORS
        and (number is None or re.fullmatch("[0-9]{12}", number) is not None)
        and document.can == (number[-6:] if number else None)
        and (coverage is None or NUMBER_OF[coverage.key_kind].fullmatch(coverage.number) is not None)
        and (document.error is None or person in (None, Identity(personal_id=number)))
        and all(is_visible(text) for text in texts(document_json(document)))
        and (person is None or person.full_name is None or is_a_name(person.full_name, document))
    )


def is_visible(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text) and not any(
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") for char in text
    )


def is_a_name(name: str, document: Document) -> bool:
    """Letters of Latin script, or the document says that its text is damaged."""
    if "W_ENCODING_DAMAGED" in document.warnings:
        return True
    return all(
        char in " '’‘ʼʻ`´‐‑–—.,·()-" or unicodedata.combining(char) or unicodedata.name(char).startswith("LATIN")
        for char in name
    )


@pytest.mark.parametrize("count", [5_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_rubbish_near_documents(count):
    seed = int(os.environ.get("DECODE_FUZZ_SEED", random.SystemRandom().randrange(2**32)))
    print(f"DECODE_FUZZ_SEED={seed}")
    rng = random.Random(seed)
    kinds = set()
    for at in range(count):
        raw = near_a_document(rng)
        document = recognise(raw, simulated_prefix=True)
        assert is_sound(document), f"payload {at} of seed {seed}: {raw!r}"
        kinds.add((document.kind, document.error))
    assert len(kinds) > 15 and DocumentKind.MRZ in {kind for kind, _ in kinds}
