"""The words of the pages in Vietnamese and English: `province/texts/<room>.<language>.toml`."""

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any


class Language(StrEnum):
    """A language of the pages; the first is what somebody sees who has not chosen."""

    VIETNAMESE = "vi"
    ENGLISH = "en"


class Texts:
    """All texts in one language, by `room.key` or `room.group.key`."""

    def __init__(self, language: Language, found: dict[str, str]) -> None:
        """*found*: all texts by their whole key."""
        self.language = language
        self._found = found

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with `{name}` replaced by the value of that name. Raises KeyError for an unknown key."""
        text = self._found[key]
        return text.format(**values) if values else text

    def __contains__(self, key: object) -> bool:
        """Whether there is a text of this key."""
        return key in self._found

    def keys(self) -> set[str]:
        """The keys of all texts."""
        return set(self._found)


@cache
def texts_in(language: Language) -> Texts:
    """The texts in this language, read once."""
    found: dict[str, str] = {}
    ending = f".{language}.toml"
    for file in resources.files("province").joinpath("texts").iterdir():
        if file.name.endswith(ending):
            room = file.name.removesuffix(ending)
            found |= _flat(room, tomllib.loads(file.read_text("utf-8")))
    return Texts(language, found)


def _flat(name: str, group: dict[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in group.items():
        whole = f"{name}.{key}"
        flat |= _flat(whole, value) if isinstance(value, dict) else {whole: str(value)}
    return flat
