"""What can go wrong between a terminal and an eMRTD chip. The tree; nothing else leaves this package.

::

    EmrtdError              code: stable, upper case (interfaces, section 3)
    ├── ChipLost            CARD_LOST      the card left the field or the reader died; place it again
    ├── ApduError           CHIP_ERROR     a status word nobody expected; ``sw`` is carried up unchanged
    │   ├── AccessDenied    ACCESS_DENIED  the chip refuses: no access protocol, or a file that needs more rights
    │   ├── WrongKey        WRONG_KEY      CAN or MRZ is not this chip's; ``tries_left`` where the chip said so
    │   └── NotAnEmrtd      NOT_AN_EMRTD   the application of ICAO 9303 is not on this card
    ├── ChannelBroken       CHIP_ERROR     secure messaging ended: 6987, 6988, a wrong MAC or counter
    └── DataError           CHIP_ERROR     bytes of the chip that no standard allows

Messages carry no personal data and no keys: they reach logs.
"""

from __future__ import annotations

from typing import Final

STATUS_WORDS: Final = {
    0x9000: "success",
    0x6282: "end of file reached",
    0x6300: "authentication failed",
    0x6700: "wrong length",
    0x6882: "secure messaging not supported",
    0x6982: "security status not satisfied",
    0x6983: "authentication method blocked",
    0x6984: "reference data not usable",
    0x6985: "conditions of use not satisfied",
    0x6986: "command not allowed",
    0x6987: "secure messaging objects missing",
    0x6988: "secure messaging objects wrong",
    0x6A80: "wrong data field",
    0x6A81: "function not supported",
    0x6A82: "file not found",
    0x6A86: "wrong P1 or P2",
    0x6A88: "referenced data not found",
    0x6B00: "offset outside the file",
    0x6D00: "instruction not supported",
    0x6E00: "class not supported",
    0x6F00: "no precise diagnosis",
}
"""Names of the status words of ISO 7816-4 that eMRTDs answer with."""


def status_name(sw: int) -> str:
    """The symbolic name of a status word; unknown ones stay numbers, never an error."""
    if sw & 0xFFF0 == 0x63C0:
        return f"authentication failed, {sw & 0xF} tries left"
    return STATUS_WORDS.get(sw, "unknown status word")


class EmrtdError(Exception):
    """Root; ``code`` is stable and safe to show, ``sw`` the status word behind it or None."""

    code = "CHIP_ERROR"
    sw: int | None = None


class ChipLost(EmrtdError):
    """The card is gone. Raised by connections, passed through by everything here."""

    code = "CARD_LOST"


class ApduError(EmrtdError):
    """The chip answered a command with a status word that ends what was going on."""

    def __init__(self, sw: int, doing: str) -> None:
        """*doing*: the step in plain words, such as "READ BINARY of DG1"."""
        super().__init__(f"{doing}: {sw:04X} {status_name(sw)}")
        self.sw = sw
        self.doing = doing


class AccessDenied(ApduError):
    """The chip refuses access, and not because of a wrong key."""

    code = "ACCESS_DENIED"


class WrongKey(ApduError):
    """The chip does not know this CAN or MRZ; ``tries_left`` from 63Cx, else None."""

    code = "WRONG_KEY"

    def __init__(self, sw: int, doing: str) -> None:
        """Read the tries left from the status word."""
        super().__init__(sw, doing)
        self.tries_left = sw & 0xF if sw & 0xFFF0 == 0x63C0 else None


class NotAnEmrtd(ApduError):
    """The card has no eMRTD application."""

    code = "NOT_AN_EMRTD"


class ChannelBroken(EmrtdError):
    """Secure messaging cannot go on; the chip must be activated anew. ``sw`` where the chip said why."""

    def __init__(self, why: str, sw: int | None = None) -> None:
        """*why* in plain words, without any key or data."""
        super().__init__(why if sw is None else f"{why}: {sw:04X} {status_name(sw)}")
        self.sw = sw


class DataError(EmrtdError):
    """A file or an answer of the chip that cannot be understood."""
