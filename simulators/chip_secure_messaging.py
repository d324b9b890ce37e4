"""The card's side of secure messaging: commands are opened, answers sealed, and any fault ends the session.

Source: ICAO 9303-11 9.8, ISO 7816-4 6.
"""

from typing import Final

from simulators.chip_apdu import Apdu, Object, parse_objects
from simulators.chip_ber import tlv
from simulators.chip_ciphers import AUTHENTICATION, DES3, ENCRYPTION, Suite, pad, unpad

_CRYPTOGRAM_ODD: Final = 0x85
_CRYPTOGRAM: Final = 0x87
_MAC: Final = 0x8E
_LE: Final = 0x97
_STATUS: Final = 0x99
_STATUS_AND_MAC_BYTES: Final = 4 + 10
MISSING: Final = 0x6987
INCORRECT: Final = 0x6988


class ChannelFault(Exception):
    """A protected command that breaks the session; `sw` is the plain status word that says so."""

    def __init__(self, sw: int = INCORRECT) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


class SecureChannel:
    """One session: its keys and send sequence counter."""

    def __init__(self, suite: Suite, secret: bytes, counter: int = 0) -> None:
        """Session keys from the shared *secret*; *counter* is the SSC before the first command."""
        self.suite = suite
        self._enc = suite.key(secret, ENCRYPTION)
        self._mac = suite.key(secret, AUTHENTICATION)
        self._counter = counter

    def open(self, command: Apdu) -> Apdu:
        """The plain command in a protected one. ChannelFault when an object is missing, out of order or wrong."""
        self._count()
        try:
            *objects, last = parse_objects(command.data) or [Object(0, b"", b"")]
        except ValueError:
            raise ChannelFault from None
        if last.tag != _MAC:
            raise ChannelFault(MISSING)
        cryptogram_tag = _CRYPTOGRAM_ODD if command.ins & 1 else _CRYPTOGRAM
        if [item.tag for item in objects] not in ([], [cryptogram_tag], [_LE], [cryptogram_tag, _LE]):
            raise ChannelFault
        block = self.suite.block
        covered = self._ssc() + pad(command.header, block)
        if objects:
            covered = pad(covered + b"".join(item.raw for item in objects), block)
        if last.value != self.suite.mac(self._mac, covered):
            raise ChannelFault
        values = {item.tag: item.value for item in objects}
        data = self._decrypt(values[cryptogram_tag], command.ins) if cryptogram_tag in values else b""
        le, extended = None, False
        if _LE in values:
            extended = len(values[_LE]) == 2
            if len(values[_LE]) not in (1, 2):
                raise ChannelFault
            le = int.from_bytes(values[_LE], "big") or (65536 if extended else 256)
        return Apdu(command.cla & ~0x0C, command.ins, command.p1, command.p2, data, le, extended)

    def seal(self, ins: int, data: bytes, sw: int) -> bytes:
        """The protected answer to a command with *ins*, status word at the end."""
        self._count()
        body = b""
        if data:
            cryptogram = self.suite.encrypt(self._enc, pad(data, self.suite.block), self._iv())
            body = tlv(_CRYPTOGRAM_ODD, cryptogram) if ins & 1 else tlv(_CRYPTOGRAM, b"\x01" + cryptogram)
        body += tlv(_STATUS, sw.to_bytes(2, "big"))
        mac = self.suite.mac(self._mac, pad(self._ssc() + body, self.suite.block))
        return body + tlv(_MAC, mac) + sw.to_bytes(2, "big")

    def room(self, limit: int) -> int:
        """How many plain bytes fit into a protected answer of *limit* bytes, status word not counted."""
        block = self.suite.block
        size = (limit - _STATUS_AND_MAC_BYTES) // block * block
        while size > 0 and len(tlv(_CRYPTOGRAM, bytes(size + 1))) + _STATUS_AND_MAC_BYTES > limit:
            size -= block
        return max(size - 1, 0)

    def _decrypt(self, value: bytes, ins: int) -> bytes:
        if not ins & 1:
            if value[:1] != b"\x01":
                raise ChannelFault
            value = value[1:]
        if not value or len(value) % self.suite.block:
            raise ChannelFault
        try:
            return unpad(self.suite.decrypt(self._enc, value, self._iv()))
        except ValueError:
            raise ChannelFault from None

    def _count(self) -> None:
        self._counter = (self._counter + 1) % (1 << 8 * self.suite.block)

    def _ssc(self) -> bytes:
        return self._counter.to_bytes(self.suite.block, "big")

    def _iv(self) -> bytes | None:
        return None if self.suite is DES3 else self.suite.encrypt(self._enc, self._ssc())
