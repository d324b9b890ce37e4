"""The files that pages load: all shipped with the package, in `province/static`."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file. ``tag``: changes with its content."""

    content: bytes
    media_type: str
    tag: str


@cache
def static_files() -> dict[str, StaticFile]:
    """All files by name; licences and other files that no page loads are left out."""
    found: dict[str, StaticFile] = {}
    for file in resources.files("province").joinpath("static").iterdir():
        ending = file.name.rpartition(".")[2]
        if ending in _TYPES:
            content = file.read_bytes()
            found[file.name] = StaticFile(content, _TYPES[ending], hashlib.sha256(content).hexdigest()[:12])
    return found


def address(name: str) -> str:
    """The address of a file, which changes with its content so that browsers may keep it for good.

    Raises KeyError for a name that is not there.
    """
    return f"/static/{name}?v={static_files()[name].tag}"
