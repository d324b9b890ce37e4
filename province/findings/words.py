"""The words for people, from `texts/findings.<language>.toml`: one table per kind."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from province.findings.finding import Kind

LANGUAGES: Final = ("vi", "en")


@cache
def _texts(language: str) -> Mapping[str, Mapping[str, str]]:
    file = resources.files("province").joinpath(f"texts/findings.{language}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def words_of(kind: Kind, numbers: Mapping[str, int | str], language: str = "vi") -> tuple[str, str, str]:
    """Title, sentence and doubt of a finding of *kind*. Raises KeyError for an unknown language's file or a number
    that the sentence needs and the finding lacks.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    texts, terms = _texts(language)[str(kind)], _texts(language)["terms"]
    named = {name: _named(value, terms) if isinstance(value, str) else value for name, value in numbers.items()}
    return texts["title"], texts["words"].format_map(named), texts["doubt"]


def _named(codes: str, terms: Mapping[str, str]) -> str:
    return ", ".join(terms.get(code, code) for code in codes.split(", "))


def said_by_hub(code: str, language: str = "vi") -> str:
    """The words for a note of the hub itself."""
    return _texts(language)["hub"][code]
