"""Looks for texts in raw bytes, in every form in which they could have been written."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

Needles = Mapping[str, frozenset[bytes]]
"""What is looked for, by a word for it that may be printed."""


def forms(text: str) -> frozenset[bytes]:
    """The bytes of *text*: composed and decomposed, with and without accents, upper and lower, in usual encodings."""
    folded = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    folded = folded.replace("đ", "d").replace("Đ", "D")
    spellings = {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), folded}
    spellings |= {change(word) for word in spellings for change in (str.upper, str.lower, str.title)}
    found: set[bytes] = set()
    for word in spellings:
        plain = word.encode()
        found |= {plain, word.encode("utf-16-le"), word.encode("utf-16-be"), quote(word).encode()}
        found |= {json.dumps(word)[1:-1].encode(), word.replace(" ", "").encode(), word.replace(" ", "+").encode()}
        found |= {plain.hex().encode(), plain.hex().upper().encode()}
        found |= {_in_base64(plain, shift) for shift in range(3)}
    return frozenset(found)


def _in_base64(plain: bytes, shift: int) -> bytes:
    """The characters of Base64 that *plain* decides alone when *shift* bytes stand before it."""
    encoded = base64.b64encode(bytes(shift) + plain)
    return encoded[(0, 2, 3)[shift] : len(encoded) - (0, 4, 3)[(len(plain) + shift) % 3]]


def needles(secrets: Mapping[str, str]) -> Needles:
    """All forms of each of *secrets*, by the word for it."""
    return {word: forms(text) for word, text in secrets.items()}


def files_under(folders: Iterable[Path]) -> Iterator[Path]:
    """Every file below *folders*, hidden ones included."""
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def hits(content: bytes, wanted: Needles) -> list[str]:
    """The words for what stands in *content*."""
    return [word for word, texts in wanted.items() if any(text in content for text in texts)]
