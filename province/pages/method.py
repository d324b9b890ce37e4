"""What the page `/method` says: definitions, and how far the figures can be trusted."""

from functools import cache
from importlib import resources
from typing import Final

from province.pages.texts import Language

SECTIONS: Final = {
    "origins": ("origin.his", "origin.portal_file", "origin.manual", "origin.stations", "origin.desk"),
    "signing": ("sign.station", "sign.once", "sign.upload", "sign.revision", "sign.personal"),
    "closing": ("close.confirm", "close.freeze", "close.adjust", "close.object", "close.parallel"),
    "findings": ("find.persons", "find.times", "find.chips", "find.counts", "find.silence"),
    "unseen": ("blind.collusion", "blind.presence", "blind.desks", "blind.treatment"),
    "checks": ("check.recompute", "check.document", "check.files"),
}
"""The sections after the definitions: the texts `method.<section>` over `method.<point>`."""


@cache
def definitions(language: Language) -> list[tuple[str, str]]:
    """Terms and what they mean (interfaces.md 6), in the order in which they build on each other."""
    text = resources.files("province").joinpath(f"texts/method.{language}.txt").read_text("utf-8")
    pairs = (line.partition(": ") for line in text.splitlines())
    return [(term, meaning) for term, _, meaning in pairs]
