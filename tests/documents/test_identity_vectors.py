"""The worked vectors of identity-documents.md section 10, byte for byte as a scanner sends them."""

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.documents.as_json import decode_report
from kiosk.documents.recognise import recognise

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "identity_documents.json").read_text(encoding="utf-8"))
BY_ID = {vector["id"]: vector for vector in VECTORS}


def raw(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"].encode()


def test_no_vector_is_missing():
    assert list(BY_ID) == [f"V{n}" for n in range(1, 39)]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector):
    assert decode_report(raw(vector)) == vector["expected"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
@pytest.mark.parametrize("prefix", [b"", b"]Q1", b"\x02", b"\xef\xbb\xbf", b"\r\n\xef\xbb\xbf]Q2"])
@pytest.mark.parametrize("suffix", [b"", b"\r", b"\n", b"\r\n", b"\t", b"\0\0", b"\x03\r"])
def test_what_readers_add_changes_nothing(vector, prefix, suffix):
    assert decode_report(prefix + raw(vector) + suffix) == vector["expected"]


def test_decomposed_text_gives_the_same_person():
    assert recognise(raw(BY_ID["V18"])) == recognise(raw(BY_ID["V1"]))


def test_nobody_is_named_by_two_glued_scans():
    assert recognise(raw(BY_ID["V17"])).identity is None
