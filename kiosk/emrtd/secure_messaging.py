"""Secure messaging: a channel over a channel, encrypted and authenticated both ways.

Source: ICAO 9303-11 9.8 (command and response structure 9.8.4 and 9.8.5, 3DES 9.8.7, AES 9.8.6), ISO 7816-4 6.
"""

from __future__ import annotations

from typing import Final

from kiosk.emrtd import tlv
from kiosk.emrtd.apdu import EXTENDED_LE, SHORT_LE, Channel, Command, Response
from kiosk.emrtd.ciphers import ChannelCipher, CipherSuite, mac_equal, pad, unpad
from kiosk.emrtd.errors import ChannelBroken, DataError, EmrtdError

_CLA_SECURE: Final = 0x0C
_CRYPTOGRAM_BER: Final = 0x85  # odd instruction codes: no padding indicator in front
_CRYPTOGRAM: Final = 0x87
_LE: Final = 0x97
_STATUS: Final = 0x99
_MAC: Final = 0x8E
_PADDING_INDICATOR: Final = b"\x01"


class SecureMessaging:
    """A channel whose answers are proven to come from the holder of the session keys, in order.

    Anything wrong in an answer ends it for good: the keys are dropped, and this and every later ``send`` raises
    ChannelBroken. A chip ends its own side on any fault as well, so only a fresh activation helps.
    """

    def __init__(self, channel: Channel, cipher: CipherSuite, k_enc: bytes, k_mac: bytes, ssc: bytes) -> None:
        """*channel* carries the protected commands; *k_enc*, *k_mac*: ``cipher.key_bytes`` each.

        *ssc*: the send sequence counter before the first command, ``cipher.block_bytes`` long (zeros after PACE and
        Chip Authentication, from the random numbers after BAC).
        """
        self._channel = channel
        self._block = cipher.block_bytes
        self._keys: ChannelCipher | None = ChannelCipher(cipher, k_enc, k_mac)
        self._ssc = int.from_bytes(ssc, "big")

    @property
    def channel(self) -> Channel:
        """The channel below, for a protocol that replaces these keys by new ones (Chip Authentication)."""
        return self._channel

    def send(self, command: Command) -> Response:
        """Protect *command*, carry it, and open the answer.

        A status word of refusal that the chip protected is an answer like any other. ChannelBroken for one in plain
        (``sw`` tells which: the chip has ended the session, and anyone could have made it up), for a wrong MAC, and
        for whatever else the standard does not allow; ChipLost when the card is gone.
        """
        if self._keys is None:
            raise ChannelBroken("secure messaging has ended")
        try:
            return self._unprotect(command, self._channel.send(self._protect(command, self._keys)), self._keys)
        except DataError as error:
            self._keys = None
            raise ChannelBroken(f"a protected answer cannot be read: {error}") from None
        except EmrtdError:
            self._keys = None
            raise

    def _protect(self, command: Command, keys: ChannelCipher) -> Command:
        counter = self._next_counter()
        objects = b""
        if command.data:
            cryptogram = keys.encrypt(pad(command.data, self._block), counter)
            if command.ins & 1:
                objects += tlv.encode(_CRYPTOGRAM_BER, cryptogram)
            else:
                objects += tlv.encode(_CRYPTOGRAM, _PADDING_INDICATOR + cryptogram)
        if command.le is not None:
            short = command.le <= SHORT_LE and not command.extended
            le = command.le % (SHORT_LE if short else EXTENDED_LE)
            objects += tlv.encode(_LE, le.to_bytes(1 if short else 2, "big"))
        cla = command.cla | _CLA_SECURE
        header = pad(bytes((cla, command.ins, command.p1, command.p2)), self._block)
        objects += tlv.encode(_MAC, self._mac(keys, counter + header, objects))
        long_answer = command.extended or len(objects) > 255
        return Command(command.ins, command.p1, command.p2, objects, EXTENDED_LE if long_answer else SHORT_LE, cla)

    def _unprotect(self, command: Command, response: Response, keys: ChannelCipher) -> Response:
        counter = self._next_counter()
        if not response.data:
            raise ChannelBroken("the chip answered without secure messaging", response.sw)
        cryptogram: bytes | None = None
        indicator = b""
        status: bytes | None = None
        at = 0
        while True:
            start = at
            tag, value, at = tlv.parse_one(response.data, at)
            if tag == _MAC:
                break
            if status is not None:
                raise DataError("an object between status and MAC")
            if tag == _STATUS:
                status = value
            elif cryptogram is None and (tag == _CRYPTOGRAM or (tag == _CRYPTOGRAM_BER and command.ins & 1)):
                indicator, cryptogram = (value[:1], value[1:]) if tag == _CRYPTOGRAM else (_PADDING_INDICATOR, value)
            else:
                raise DataError(f"object {tag:X} has no place there")
        if at != len(response.data):
            raise DataError("bytes after the MAC")
        if not mac_equal(value, self._mac(keys, counter, response.data[:start])):
            raise ChannelBroken("the MAC of an answer is wrong")
        if status is None or len(status) != 2:
            raise DataError("no status word under the MAC")
        if int.from_bytes(status, "big") != response.sw:
            raise ChannelBroken("the status word is not the protected one", response.sw)
        if cryptogram is None:
            return Response(b"", response.sw)
        return Response(self._open(keys, counter, indicator, cryptogram), response.sw)

    def _open(self, keys: ChannelCipher, counter: bytes, indicator: bytes, cryptogram: bytes) -> bytes:
        if indicator != _PADDING_INDICATOR or not cryptogram or len(cryptogram) % self._block:
            raise DataError("a cryptogram of a wrong form")
        padded = keys.decrypt(cryptogram, counter)
        plain = unpad(padded)
        if plain is None or len(padded) - len(plain) > self._block:
            raise DataError("wrong padding")
        return plain

    def _next_counter(self) -> bytes:
        self._ssc = (self._ssc + 1) % (1 << 8 * self._block)
        return self._ssc.to_bytes(self._block, "big")

    def _mac(self, keys: ChannelCipher, start: bytes, objects: bytes) -> bytes:
        # A header alone is whole blocks already; padding it twice would be another MAC (9303-11 9.8.4).
        return keys.mac(start + pad(objects, self._block) if objects else start)
