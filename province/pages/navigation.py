"""The pages that the navigation offers, in order: a page is added here when it exists."""

from dataclasses import dataclass
from typing import Final

from province.access.caller import Caller


@dataclass(frozen=True, slots=True)
class Item:
    """One page. ``key``: its words are the text `base.nav.<key>`. ``signed_in``: only for people with an account.

    ``for_all``: not for people of one facility.
    """

    path: str
    key: str
    signed_in: bool = False
    for_all: bool = False


NAVIGATION: Final = (
    Item("/", "overview"),
    Item("/causes", "causes"),
    Item("/months", "months"),
    Item("/findings", "findings", signed_in=True),
    Item("/fleet", "fleet", signed_in=True),
    Item("/quarantine", "quarantine", signed_in=True),
    Item("/uploads", "uploads", signed_in=True),
    Item("/method", "method"),
)


def offered(caller: Caller | None) -> list[Item]:
    """The pages for this caller; none on the page for signing in (*caller* None)."""
    if caller is None:
        return []
    return [
        item
        for item in NAVIGATION
        if (caller.signed_in or not item.signed_in) and (caller.facility is None or not item.for_all)
    ]
