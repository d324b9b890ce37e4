"""Where a ``[hospital]`` table points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def addresses(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Every address that the kiosk calls: ``url``, any ``..._url`` and what is in ``urls``, in tables below too.

    Identifier systems, which look like addresses and are never called, have other names.
    """
    return tuple(dict.fromkeys(_found(settings)))


def _found(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, str) and value and (name == "url" or name.endswith("_url")):
            yield value
        elif isinstance(value, Mapping):
            yield from (each for each in value.values() if isinstance(each, str)) if name == "urls" else _found(value)
