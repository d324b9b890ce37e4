"""The chip's side of secure messaging, written apart from the product: seals answers, opens commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from kiosk.emrtd.ciphers import CipherSuite


def tlv(tag: int, value: bytes) -> bytes:
    """One object with the shortest length."""
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    return bytes((tag, 0x81, size)) + value if size < 0x100 else bytes((tag, 0x82)) + size.to_bytes(2, "big") + value


def objects(data: bytes) -> dict[int, bytes]:
    """The objects of a command's data field."""
    found = {}
    at = 0
    while at < len(data):
        tag, first, at = data[at], data[at + 1], at + 2
        size = first
        if first & 0x80:
            size, at = int.from_bytes(data[at : at + (first & 0x7F)], "big"), at + (first & 0x7F)
        found[tag] = data[at : at + size]
        at += size
    return found


@dataclass
class Peer:
    """Keys and counter of the chip; ``handle`` gets (header, data, le or None) and gives (data, status word)."""

    suite: CipherSuite
    k_enc: bytes
    k_mac: bytes
    counter: int = 0
    handle: Callable[[bytes, bytes, int | None], tuple[bytes, int]] = lambda header, data, le: (b"", 0x9000)
    commands: list[tuple[bytes, bytes, int | None]] = field(default_factory=list)
    forge: Callable[[bytes], bytes] = lambda answer: answer

    @property
    def block(self) -> int:
        return 8 if self.suite is CipherSuite.DES3 else 16

    def transmit(self, apdu: bytes) -> bytes:
        """Open, handle, seal."""
        header, rest = apdu[:4], apdu[4:]
        if rest[0]:
            field_, le = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            assert len(le) == 1, "a protected short command asks for an answer"
        else:
            size = int.from_bytes(rest[1:3], "big")
            field_, le = rest[3 : 3 + size], rest[3 + size :]
            assert len(le) == 2, "an extended command has extended Le"
        found = objects(field_)
        assert list(found) == [tag for tag in (0x85, 0x87, 0x97, 0x8E) if tag in found], "order of the objects"
        covered = self._pad(header) + field_[:-10] if len(found) > 1 else header
        assert self.mac(covered) == found[0x8E], "MAC of the command"
        data = b""
        if 0x87 in found:
            assert not header[1] & 1 and found[0x87][0] == 1
            data = self.open(found[0x87][1:])
        if 0x85 in found:
            assert header[1] & 1
            data = self.open(found[0x85])
        expected = None
        if 0x97 in found:
            asked = found[0x97]
            expected = int.from_bytes(asked, "big") or (256 if len(asked) == 1 else 65536)
        self.commands.append((header, data, expected))
        answer, sw = self.handle(header, data, expected)
        return self.forge(self.seal(answer, sw, odd=bool(header[1] & 1)))

    def seal(self, data: bytes, sw: int, *, odd: bool = False) -> bytes:
        """A protected answer; the counter goes on."""
        self.counter += 1
        out = b""
        if data:
            sealed = self._cbc().encryptor().update(self._pad(data))
            out = tlv(0x85, sealed) if odd else tlv(0x87, b"\x01" + sealed)
        out += tlv(0x99, sw.to_bytes(2, "big"))
        self.counter -= 1
        return out + tlv(0x8E, self.mac(out)) + sw.to_bytes(2, "big")

    def seal_objects(self, body: bytes, sw: int) -> bytes:
        """Any *body* with a right MAC behind it."""
        return body + tlv(0x8E, self.mac(body)) + sw.to_bytes(2, "big")

    def open(self, sealed: bytes) -> bytes:
        plain = self._cbc().decryptor().update(sealed)
        return plain[: plain.rindex(b"\x80")]

    def mac(self, covered: bytes) -> bytes:
        """MAC of the next counter over *covered*; the counter goes on."""
        self.counter += 1
        message = self._pad(self.counter.to_bytes(self.block, "big") + covered)
        if self.suite is not CipherSuite.DES3:
            cmac = CMAC(algorithms.AES(self.k_mac))
            cmac.update(message)
            return cmac.finalize()[:8]
        one, two = self.k_mac[:8], self.k_mac[8:]
        block = bytes(8)
        for at in range(0, len(message), 8):
            block = self._des(one, bytes(a ^ b for a, b in zip(block, message[at : at + 8], strict=True)), encrypt=True)
        return self._des(one, self._des(two, block, encrypt=False), encrypt=True)

    def _cbc(self) -> Cipher[modes.CBC]:
        if self.suite is CipherSuite.DES3:
            return Cipher(TripleDES(self.k_enc + self.k_enc[:8]), modes.CBC(bytes(8)))
        key = algorithms.AES(self.k_enc)
        iv = Cipher(key, modes.ECB()).encryptor().update(self.counter.to_bytes(16, "big"))
        return Cipher(key, modes.CBC(iv))

    @staticmethod
    def _des(key: bytes, block: bytes, *, encrypt: bool) -> bytes:
        cipher = Cipher(TripleDES(key * 3), modes.ECB())
        return (cipher.encryptor() if encrypt else cipher.decryptor()).update(block)

    def _pad(self, data: bytes) -> bytes:
        return data + b"\x80" + bytes(-(len(data) + 1) % self.block)
