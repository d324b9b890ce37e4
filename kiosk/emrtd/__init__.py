"""Reads electronic travel documents and identity cards (ICAO 9303) and says what their chips prove.

Pure: bytes go through a connection of the caller's; no reader and no network is touched here, and no file but those
that ``load_anchors`` is given. What is exported here is imported when it is first used: who needs a part only, such as
``kiosk.emrtd.mrz``, does not pay for cryptography.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kiosk.emrtd.chip import AccessKey, Connection, read_chip
    from kiosk.emrtd.errors import (
        AccessDenied,
        ApduError,
        ChannelBroken,
        ChipLost,
        DataError,
        EmrtdError,
        NotAnEmrtd,
        WrongKey,
    )
    from kiosk.emrtd.files import SizeMemory
    from kiosk.emrtd.lds import mrz_of, portrait
    from kiosk.emrtd.mrz import MrzKey
    from kiosk.emrtd.results import Access, ChallengeResponse, Checks, CheckState, ChipRead, Verdict
    from kiosk.emrtd.trust import TrustAnchors, TrustError, load_anchors

__all__ = [
    "Access",
    "AccessDenied",
    "AccessKey",
    "ApduError",
    "ChallengeResponse",
    "ChannelBroken",
    "CheckState",
    "Checks",
    "ChipLost",
    "ChipRead",
    "Connection",
    "DataError",
    "EmrtdError",
    "MrzKey",
    "NotAnEmrtd",
    "SizeMemory",
    "TrustAnchors",
    "TrustError",
    "Verdict",
    "WrongKey",
    "load_anchors",
    "mrz_of",
    "portrait",
    "read_chip",
]

_MODULES: Final = {
    "chip": ("AccessKey", "Connection", "read_chip"),
    "errors": (
        "AccessDenied", "ApduError", "ChannelBroken", "ChipLost", "DataError", "EmrtdError", "NotAnEmrtd", "WrongKey",
    ),
    "files": ("SizeMemory",),
    "lds": ("mrz_of", "portrait"),
    "mrz": ("MrzKey",),
    "results": ("Access", "ChallengeResponse", "CheckState", "Checks", "ChipRead", "Verdict"),
    "trust": ("TrustAnchors", "TrustError", "load_anchors"),
}  # fmt: skip
_HOME: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
