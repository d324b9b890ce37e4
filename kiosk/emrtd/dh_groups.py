"""Groups of Diffie-Hellman over prime fields: the three standardized ones, and arithmetic in any of them.

Source: RFC 5114 2.1 to 2.3 (values), ICAO 9303-11 9.5.1 (their numbers 0 to 2) and 9.4.4 (encoding of public keys),
RFC 2631 2.1.2 and 2.1.5 (shared secret, checks of a public key).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from kiosk.emrtd.errors import DataError

_FEWEST_BITS: Final = 1024
_MOST_BITS: Final = 4096  # a longer prime from a hostile file would only cost time


@dataclass(frozen=True, slots=True)
class DhGroup:
    """The subgroup of order *q* that *g* makes in the integers modulo the prime *p*; *q* None where a key names none.

    A ``key_agreement.Group``. Raises DataError for values that make no group of a sane size.
    """

    name: str
    p: int
    g: int
    q: int | None = None

    key_tag: ClassVar[int] = 0x84

    def __post_init__(self) -> None:
        """Refuse what would cost time or protect nothing."""
        if not _FEWEST_BITS <= self.p.bit_length() <= _MOST_BITS or self.p % 2 == 0 or not 2 <= self.g <= self.p - 2:
            raise DataError("no usable Diffie-Hellman group")
        if self.q is not None and not (160 <= self.q.bit_length() < self.p.bit_length() and (self.p - 1) % self.q == 0):
            raise DataError("no usable Diffie-Hellman subgroup")

    @property
    def key_bytes(self) -> int:
        """Length of the longest public key, and of every shared secret."""
        return (self.p.bit_length() + 7) // 8

    def scalar(self, rng: Callable[[int], bytes]) -> int:
        """A private key, the same for the same bytes of *rng*: 1 to q-1, or to p-2 where q is not known."""
        order = self.q or self.p - 1
        return int.from_bytes(rng((order.bit_length() + 7) // 8 + 8), "big") % (order - 1) + 1

    def public_key(self, scalar: int, generator: bytes | None = None) -> bytes:
        """*generator* (default: the group's own) to the power of *scalar*, as it goes to the chip."""
        return self._encode(pow(self.g if generator is None else self._decode(generator), scalar, self.p))

    def agree(self, scalar: int, public: bytes) -> bytes:
        """The shared secret with the holder of *public*, as long as the prime. DataError for a weak public key."""
        secret = pow(self._decode(public), scalar, self.p)
        if secret == 1:
            raise DataError("a Diffie-Hellman secret that everyone knows")
        return secret.to_bytes(self.key_bytes, "big")  # leading zeros stay (RFC 2631 2.1.2)

    def map_generator(self, nonce: bytes, scalar: int, public: bytes) -> bytes:
        """Generic mapping: g^nonce * public^scalar (ICAO 9303-11 4.4.3.3.1)."""
        mapped = pow(self.g, int.from_bytes(nonce, "big"), self.p) * pow(self._decode(public), scalar, self.p) % self.p
        if mapped == 1:
            raise DataError("a mapped generator that generates nothing")
        return self._encode(mapped)

    def _encode(self, value: int) -> bytes:
        """An unsigned integer in the fewest octets (ICAO 9303-11 9.4.4, BSI TR-03110-3 D.2.1.1)."""
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    def _decode(self, data: bytes) -> int:
        value = int.from_bytes(data, "big")
        if len(data) > self.key_bytes or not 2 <= value <= self.p - 2:
            raise DataError(f"{len(data)} bytes are no public key of {self.name}")
        if self.q is not None and pow(value, self.q, self.p) != 1:
            raise DataError(f"a public key outside the subgroup of {self.name}")
        return value


def standardized(parameter_id: int) -> DhGroup | None:
    """The group of ICAO's standardized domain parameters 0, 1 or 2."""
    return GROUPS[parameter_id] if 0 <= parameter_id < len(GROUPS) else None


def _group(name: str, *, p: str, g: str, q: str) -> DhGroup:
    return DhGroup(name, int(p, 16), int(g, 16), int(q, 16))


GROUPS: Final = (
    _group(
        "RFC 5114 1024/160",
        p="B10B8F96A080E01DDE92DE5EAE5D54EC52C99FBCFB06A3C69A6A9DCA52D23B61"
        "6073E28675A23D189838EF1E2EE652C013ECB4AEA906112324975C3CD49B83BF"
        "ACCBDD7D90C4BD7098488E9C219A73724EFFD6FAE5644738FAA31A4FF55BCCC0"
        "A151AF5F0DC8B4BD45BF37DF365C1A65E68CFDA76D4DA708DF1FB2BC2E4A4371",
        g="A4D1CBD5C3FD34126765A442EFB99905F8104DD258AC507FD6406CFF14266D31"
        "266FEA1E5C41564B777E690F5504F213160217B4B01B886A5E91547F9E2749F4"
        "D7FBD7D3B9A92EE1909D0D2263F80A76A6A24C087A091F531DBF0A0169B6A28A"
        "D662A4D18E73AFA32D779D5918D08BC8858F4DCEF97C2A24855E6EEB22B3B2E5",
        q="F518AA8781A8DF278ABA4E7D64B7CB9D49462353",
    ),
    _group(
        "RFC 5114 2048/224",
        p="AD107E1E9123A9D0D660FAA79559C51FA20D64E5683B9FD1B54B1597B61D0A75"
        "E6FA141DF95A56DBAF9A3C407BA1DF15EB3D688A309C180E1DE6B85A1274A0A6"
        "6D3F8152AD6AC2129037C9EDEFDA4DF8D91E8FEF55B7394B7AD5B7D0B6C12207"
        "C9F98D11ED34DBF6C6BA0B2C8BBC27BE6A00E0A0B9C49708B3BF8A3170918836"
        "81286130BC8985DB1602E714415D9330278273C7DE31EFDC7310F7121FD5A074"
        "15987D9ADC0A486DCDF93ACC44328387315D75E198C641A480CD86A1B9E587E8"
        "BE60E69CC928B2B9C52172E413042E9B23F10B0E16E79763C9B53DCF4BA80A29"
        "E3FB73C16B8E75B97EF363E2FFA31F71CF9DE5384E71B81C0AC4DFFE0C10E64F",
        g="AC4032EF4F2D9AE39DF30B5C8FFDAC506CDEBE7B89998CAF74866A08CFE4FFE3"
        "A6824A4E10B9A6F0DD921F01A70C4AFAAB739D7700C29F52C57DB17C620A8652"
        "BE5E9001A8D66AD7C17669101999024AF4D027275AC1348BB8A762D0521BC98A"
        "E247150422EA1ED409939D54DA7460CDB5F6C6B250717CBEF180EB34118E98D1"
        "19529A45D6F834566E3025E316A330EFBB77A86F0C1AB15B051AE3D428C8F8AC"
        "B70A8137150B8EEB10E183EDD19963DDD9E263E4770589EF6AA21E7F5F2FF381"
        "B539CCE3409D13CD566AFBB48D6C019181E1BCFE94B30269EDFE72FE9B6AA4BD"
        "7B5A0F1C71CFFF4C19C418E1F6EC017981BC087F2A7065B384B890D3191F2BFA",
        q="801C0D34C58D93FE997177101F80535A4738CEBCBF389A99B36371EB",
    ),
    _group(
        "RFC 5114 2048/256",
        p="87A8E61DB4B6663CFFBBD19C651959998CEEF608660DD0F25D2CEED4435E3B00"
        "E00DF8F1D61957D4FAF7DF4561B2AA3016C3D91134096FAA3BF4296D830E9A7C"
        "209E0C6497517ABD5A8A9D306BCF67ED91F9E6725B4758C022E0B1EF4275BF7B"
        "6C5BFC11D45F9088B941F54EB1E59BB8BC39A0BF12307F5C4FDB70C581B23F76"
        "B63ACAE1CAA6B7902D52526735488A0EF13C6D9A51BFA4AB3AD8347796524D8E"
        "F6A167B5A41825D967E144E5140564251CCACB83E6B486F6B3CA3F7971506026"
        "C0B857F689962856DED4010ABD0BE621C3A3960A54E710C375F26375D7014103"
        "A4B54330C198AF126116D2276E11715F693877FAD7EF09CADB094AE91E1A1597",
        g="3FB32C9B73134D0B2E77506660EDBD484CA7B18F21EF205407F4793A1A0BA125"
        "10DBC15077BE463FFF4FED4AAC0BB555BE3A6C1B0C6B47B1BC3773BF7E8C6F62"
        "901228F8C28CBB18A55AE31341000A650196F931C77A57F2DDF463E5E9EC144B"
        "777DE62AAAB8A8628AC376D282D6ED3864E67982428EBC831D14348F6F2F9193"
        "B5045AF2767164E1DFC967C1FB3F2E55A4BD1BFFE83B9C80D052B985D182EA0A"
        "DB2A3B7313D3FE14C8484B1E052588B9B7D2BBD2DF016199ECD06E1557CD0915"
        "B3353BBB64E0EC377FD028370DF92B52C7891428CDC67EB6184B523D1DB246C3"
        "2F63078490F00EF8D647D148D47954515E2327CFEF98C582664B4C0F6CC41659",
        q="8CF83642A709A097B447997640129DA299B1A47D1EB3750BA308B0FE64F5FBD3",
    ),
)
"""By ICAO's number: RFC 5114 2.1, 2.2, 2.3."""
