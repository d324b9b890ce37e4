"""PACE and Chip Authentication against OpenPACE (Debian's libeac3), a foreign implementation, in both roles.

Passwords, nonces, private keys, domain parameters and ciphers are drawn from a fixed seed. In many runs our private
keys are chosen such that the nonce, a public key, the mapped generator or the shared secret begins with a zero byte,
where careless encodings fail. OpenPACE draws its own private keys.
"""

import ctypes
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kiosk.emrtd import pace, tlv
from kiosk.emrtd.apdu import Command, PlainChannel
from kiosk.emrtd.ciphers import CipherSuite, decrypt, encrypt, session_keys
from kiosk.emrtd.dh_groups import DhGroup
from kiosk.emrtd.errors import WrongKey
from kiosk.emrtd.key_agreement import EcGroup, Group, standardized
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.pace import Password
from kiosk.emrtd.security_infos import PaceInfo

CIPHERS = {1: "3DES_CBC_CBC", 2: "AES_CBC_CMAC_128", 3: "AES_CBC_CMAC_192", 4: "AES_CBC_CMAC_256"}
SELECT_APPLICATION = Command(0xA4, 0x04, 0x0C, bytes.fromhex("A0000002471001"))


class Buffer(ctypes.Structure):
    """BUF_MEM of OpenSSL."""

    _fields_ = [
        ("length", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("max", ctypes.c_size_t),
        ("flags", ctypes.c_ulong),
    ]


BufferRef = ctypes.POINTER(Buffer)


class Agreement(ctypes.Structure):
    """KA_CTX of OpenPACE."""

    _fields_ = [
        ("digest_and_cipher", ctypes.c_void_p * 6),
        ("lengths", ctypes.c_int * 2),
        ("functions", ctypes.c_void_p * 2),
        ("key", ctypes.c_void_p),
        ("shared_secret", BufferRef),
        ("k_enc", BufferRef),
        ("k_mac", BufferRef),
    ]


class PaceContext(ctypes.Structure):
    """PACE_CTX of OpenPACE."""

    _fields_ = [
        ("protocol", ctypes.c_int),
        ("version", ctypes.c_ubyte),
        ("id", ctypes.c_int),
        ("functions", ctypes.c_void_p * 2),
        ("static_key", ctypes.c_void_p),
        ("agreement", ctypes.POINTER(Agreement)),
    ]


class ChipAuthContext(ctypes.Structure):
    """CA_CTX of OpenPACE."""

    _fields_ = [
        ("version", ctypes.c_ubyte),
        ("protocol", ctypes.c_int),
        ("id", ctypes.c_int),
        ("flags", ctypes.c_int),
        ("agreement", ctypes.POINTER(Agreement)),
    ]


class Context(ctypes.Structure):
    """EAC_CTX of OpenPACE."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("openssl", ctypes.c_void_p * 3),
        ("pace", ctypes.POINTER(PaceContext)),
        ("paces", ctypes.c_void_p),
        ("restricted_identification", ctypes.c_void_p * 2),
        ("terminal_authentication", ctypes.c_void_p),
        ("chip_authentication", ctypes.POINTER(ChipAuthContext)),
    ]


EAC = ctypes.CDLL("libeac.so.3")
CRYPTO = ctypes.CDLL("libcrypto.so.3")
EAC.EAC_CTX_new.restype = ctypes.POINTER(Context)
EAC.PACE_SEC_new.restype = ctypes.c_void_p
for function in (
    EAC.PACE_STEP1_enc_nonce,
    EAC.PACE_STEP3A_generate_mapping_data,
    EAC.PACE_STEP3B_generate_ephemeral_key,
    EAC.PACE_STEP3D_compute_authentication_token,
    EAC.EAC_decrypt,
    EAC.EAC_authenticate,
):
    function.restype = BufferRef
EAC.EAC_init()


def taken(buffer) -> bytes:
    """The bytes of a buffer that a function returned; the buffer is freed."""
    assert buffer, "OpenPACE returned nothing"
    data = seen(buffer)
    CRYPTO.BUF_MEM_free(buffer)
    return data


def seen(buffer) -> bytes:
    """The bytes of a buffer that belongs to a context."""
    return ctypes.string_at(buffer.contents.data, buffer.contents.length)


def lent(data: bytes):
    """A buffer with *data*, for the time of a call."""
    chars = ctypes.create_string_buffer(data, len(data))
    buffer = Buffer(len(data), ctypes.cast(chars, ctypes.c_void_p), len(data), 0)
    buffer.kept = chars
    return ctypes.byref(buffer)


class OpenPace:
    """One side of a PACE run, played by OpenPACE."""

    def __init__(self, info: PaceInfo, password: Password, plain: bytes) -> None:
        """*plain*: the CAN's digits, or the lines of a card's MRZ."""
        kind = "ECDH" if info.elliptic else "DH"
        protocol = ctypes.c_int.in_dll(EAC, f"NID_id_PACE_{kind}_GM_{CIPHERS[int(info.oid[-1])]}")
        self.context = EAC.EAC_CTX_new()
        assert EAC.EAC_CTX_init_pace(self.context, protocol, info.parameter_id) == 1
        self.secret = ctypes.c_void_p(EAC.PACE_SEC_new(plain, ctypes.c_size_t(len(plain)), password.reference))
        assert self.secret

    def __enter__(self) -> "OpenPace":
        return self

    def __exit__(self, *exc: object) -> None:
        EAC.EAC_CTX_clear_free(self.context)
        EAC.PACE_SEC_clear_free(self.secret)

    def encrypted_nonce(self) -> bytes:
        return taken(EAC.PACE_STEP1_enc_nonce(self.context, self.secret))

    def take_nonce(self, encrypted: bytes) -> None:
        assert EAC.PACE_STEP2_dec_nonce(self.context, self.secret, lent(encrypted)) == 1

    def mapping_key(self) -> bytes:
        return taken(EAC.PACE_STEP3A_generate_mapping_data(self.context))

    def map_generator(self, theirs: bytes) -> None:
        assert EAC.PACE_STEP3A_map_generator(self.context, lent(theirs)) == 1

    def ephemeral_key(self) -> bytes:
        return taken(EAC.PACE_STEP3B_generate_ephemeral_key(self.context))

    def agree(self, theirs: bytes) -> None:
        assert EAC.PACE_STEP3B_compute_shared_secret(self.context, lent(theirs)) == 1
        assert EAC.PACE_STEP3C_derive_keys(self.context) == 1

    def token(self, theirs: bytes) -> bytes:
        return taken(EAC.PACE_STEP3D_compute_authentication_token(self.context, lent(theirs)))

    def accepts(self, token: bytes) -> bool:
        return EAC.PACE_STEP3D_verify_authentication_token(self.context, lent(token)) == 1

    @property
    def agreement(self) -> Agreement:
        return self.context.contents.pace.contents.agreement.contents

    @property
    def keys(self) -> tuple[bytes, bytes]:
        return seen(self.agreement.k_enc), seen(self.agreement.k_mac)

    @property
    def shared_secret(self) -> bytes:
        return seen(self.agreement.shared_secret)

    def open_command(self, protected: bytes, block: int) -> bytes:
        """The data field of a *protected* short command, its MAC verified."""
        assert EAC.EAC_CTX_set_encryption_ctx(self.context, 0) == 1
        assert EAC.EAC_increment_ssc(self.context) == 1
        header, body = protected[:4], protected[5 : 5 + protected[4]]
        objects = dict(tlv.iterate(body))
        assert body[-10:-8] == b"\x8e\x08"
        covered = padded(header, block) + padded(body[:-10], block)
        assert taken(EAC.EAC_authenticate(self.context, lent(covered))) == objects[0x8E]
        plain = taken(EAC.EAC_decrypt(self.context, lent(objects[0x87][1:])))
        return plain[: plain.rindex(b"\x80")]

    def protected_status(self, sw: bytes, block: int) -> bytes:
        """An answer without data, under the next counter."""
        assert EAC.EAC_increment_ssc(self.context) == 1
        status = b"\x99\x02" + sw
        return status + b"\x8e\x08" + taken(EAC.EAC_authenticate(self.context, lent(padded(status, block)))) + sw


def padded(data: bytes, block: int) -> bytes:
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


@dataclass(frozen=True)
class Case:
    """One run, as drawn. ``zero``: what begins with a zero byte; ``plain``: the password as OpenPACE takes it."""

    info: PaceInfo
    group: Group
    password: Password
    plain: bytes
    nonce: bytes
    zero: str
    draw: random.Random

    def mapping_scalar(self, theirs: bytes) -> int:
        """Our private key of the mapping, against their public key."""
        start = self.group.scalar(self.draw.randbytes)
        if self.zero == "mapping":
            return first(self.group, start, self.group.public_key(1))
        if self.zero == "generator":
            nonce = int.from_bytes(self.nonce, "big")
            return first(self.group, start, theirs, plus=self.group.public_key(nonce))
        return start

    def scalar(self, generator: bytes, theirs: bytes) -> int:
        """Our private key of the agreement."""
        start = self.group.scalar(self.draw.randbytes)
        if self.zero == "ephemeral":
            start = first(self.group, start, generator)
        if isinstance(self.group, DhGroup):  # of such secrets OpenPACE drops leading zeros: see the test of that below
            return first(self.group, start, theirs, zero=False)
        return first(self.group, start, theirs) if self.zero == "secret" else start


ZEROS = {"": 4, "nonce": 2, "mapping": 1, "generator": 1, "ephemeral": 1, "secret": 1}
"""What begins with a zero byte, and how often; the last four take a search of some 200 keys each."""
CURVES = {12: 40, 13: 40, 10: 2, 11: 2, 14: 4, 15: 4, 16: 3, 17: 2, 18: 2}


def first(group: Group, start: int, of: bytes, *, plus: bytes | None = None, zero: bool = True) -> int:
    """The first private key k >= *start* for which k * *of* (+ *plus*) begins with a zero byte, or does not."""
    k = start
    if isinstance(group, EcGroup):
        curve, step = group.curve, group.curve.decode(of)
        point = curve.add(curve.multiply(k, step), curve.decode(plus) if plus else None)
        while point is None or (curve.encode_coordinate(point[0])[0] == 0) is not zero:
            point, k = curve.add(point, step), k + 1
        return k
    assert isinstance(group, DhGroup)
    step = int.from_bytes(of, "big")
    value = pow(step, k, group.p) * int.from_bytes(plus or b"\x01", "big") % group.p
    while (value.to_bytes(group.key_bytes, "big")[0] == 0) is not zero:
        value, k = value * step % group.p, k + 1
    return k


def cases(seed: str, count: int, parameters: dict[int, int]) -> Iterator[Case]:
    """*count* runs over domain *parameters* (number: weight)."""
    draw = random.Random(seed)
    for _ in range(count):
        (parameter_id,) = draw.choices(list(parameters), weights=list(parameters.values()))
        oid = f"0.4.0.127.0.7.2.2.4.{1 if parameter_id < 8 else 2}.{draw.choice(list(CIPHERS))}"
        info = PaceInfo(oid, 2, parameter_id)
        (zero,) = draw.choices(list(ZEROS), weights=list(ZEROS.values()))
        nonce = draw.randbytes(info.suite.block_bytes * draw.choice((1, 1, 2)))
        if zero == "nonce":
            zeros = draw.randint(1, 4)
            nonce = bytes(zeros) + nonce[zeros:]
        if draw.random() < 0.5:
            can = f"{draw.randrange(10**6):06}"
            password, plain = Password.can(can), can.encode()
        else:
            number = "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=9))
            key = MrzKey(number, f"{draw.randrange(10**6):06}", f"{draw.randrange(10**6):06}")
            number, dates = key.information()[:10], key.information()[10:]
            password = Password.mrz(key)
            plain = b"IDVNM" + number + b"<" * 15 + dates[:7] + b"<" + dates[7:]
        yield Case(info, info.group(), password, plain, nonce, zero, draw)


class Chip:
    """OpenPACE behind the commands of PACE, and of one protected command after it."""

    def __init__(self, case: Case, partner: OpenPace) -> None:
        self.partner = partner
        suite, key = case.info.suite, pace.password_key(case.info.suite, case.password)
        if case.zero:  # the library draws its nonce itself, but takes another one where it decrypts it
            self.case, self.encrypted = case, encrypt(suite, key, case.nonce)
            partner.take_nonce(self.encrypted)
        else:
            self.encrypted = partner.encrypted_nonce()
            self.case = replace(case, nonce=decrypt(suite, key, self.encrypted))
        self.mapping = partner.mapping_key()
        self.ephemeral = b""
        self.selected = b""

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[0] & 0x0C:
            block = self.case.info.suite.block_bytes
            self.selected = self.partner.open_command(apdu, block)
            return self.partner.protected_status(b"\x90\x00", block)
        if apdu[1] == 0x22:
            return b"\x90\x00"
        data = apdu[7 : 7 + int.from_bytes(apdu[5:7], "big")] if apdu[4] == 0 else apdu[5 : 5 + apdu[4]]
        ((tag, value),) = list(tlv.iterate(tlv.expect(data, 0x7C))) or [(0x80, b"")]
        if tag == 0x80:
            answer = self.encrypted
        elif tag == 0x81:
            self.partner.map_generator(value)
            self.ephemeral = self.partner.ephemeral_key()
            answer = self.mapping
        elif tag == 0x83:
            self.partner.agree(value)
            self.theirs = value
            answer = self.ephemeral
        else:
            if not self.partner.accepts(value):
                return b"\x63\x00"
            answer = self.partner.token(self.theirs)
        return tlv.encode(0x7C, tlv.encode(0x80 if tag == 0x80 else tag + 1, answer)) + b"\x90\x00"


class Scalars:
    """The random source of our terminal: makes the private keys of a case come out."""

    def __init__(self, chip: Chip) -> None:
        self.case, self.chip = chip.case, chip
        self.mapping = 0

    def __call__(self, size: int) -> bytes:
        if not self.mapping:
            scalar = self.mapping = self.case.mapping_scalar(self.chip.mapping)
        else:
            generator = self.case.group.map_generator(self.case.nonce, self.mapping, self.chip.mapping)
            scalar = self.case.scalar(generator, self.chip.ephemeral)
        return (scalar - 1).to_bytes(size, "big")


def our_terminal(case: Case) -> None:
    """Ours as terminal with OpenPACE as chip, up to one command and answer under the new keys."""
    with OpenPace(case.info, case.password, case.plain) as partner:
        chip = Chip(case, partner)
        result = pace.open_channel(PlainChannel(chip.transmit), case.info, case.password, Scalars(chip))
        assert result.channel.send(SELECT_APPLICATION).ok
        assert chip.selected == SELECT_APPLICATION.data


def our_chip(case: Case) -> None:
    """Ours as chip, from the same pure functions, with OpenPACE as terminal."""
    info, group, suite = case.info, case.group, case.info.suite
    with OpenPace(info, case.password, case.plain) as partner:
        partner.take_nonce(encrypt(suite, pace.password_key(suite, case.password), case.nonce))
        theirs = partner.mapping_key()
        scalar = case.mapping_scalar(theirs)
        partner.map_generator(group.public_key(scalar))
        generator = group.map_generator(case.nonce, scalar, theirs)
        theirs = partner.ephemeral_key()
        scalar = case.scalar(generator, theirs)
        ours = group.public_key(scalar, generator)
        partner.agree(ours)
        keys = session_keys(suite, group.agree(scalar, theirs))
        assert [without_parity(info, key) for key in partner.keys] == [without_parity(info, key) for key in keys]
        assert partner.token(ours) == pace.authentication_token(suite, keys[1], info.oid, group.key_tag, ours)
        assert partner.accepts(pace.authentication_token(suite, keys[1], info.oid, group.key_tag, theirs))


def without_parity(info: PaceInfo, key: bytes) -> bytes:
    """*key* without the parity bits of 3DES, which OpenPACE leaves as they come."""
    return bytes(byte & 0xFE for byte in key) if info.suite is CipherSuite.DES3 else key


ROLES = pytest.mark.parametrize("role", [our_terminal, our_chip], ids=["our-terminal", "our-chip"])


def run(seed: str, count: int, parameters: dict[int, int], role: Callable[[Case], None]) -> None:
    """*count* runs without one failure; several kinds of zeros among them."""
    kinds: Counter[str] = Counter()
    for number, case in enumerate(cases(seed, count, parameters)):
        try:
            role(case)
        except Exception as error:
            raise AssertionError(f"run {number} of seed {seed}: {case.info}, zeros in {case.zero!r}") from error
        kinds[case.zero] += 1
    assert sum(kinds.values()) == count
    assert count < 90 or set(kinds) == set(ZEROS)


@ROLES
@pytest.mark.parametrize("part", range(5))
def test_ecdh_runs(role: Callable[[Case], None], part: int) -> None:
    run(f"ecdh {part}", 90, CURVES, role)


@ROLES
def test_dh_runs(role: Callable[[Case], None]) -> None:
    run("dh", 46, {0: 1}, role)
    run("dh 2048", 4, {1: 1, 2: 1}, role)


@pytest.mark.long
@ROLES
@pytest.mark.parametrize("part", range(10))
def test_many_ecdh_runs(role: Callable[[Case], None], part: int) -> None:
    run(f"many ecdh {part}", 475, CURVES, role)


@pytest.mark.long
@ROLES
def test_many_dh_runs(role: Callable[[Case], None]) -> None:
    run("many dh", 225, {0: 1}, role)
    run("many dh 2048", 25, {1: 1, 2: 1}, role)


@pytest.mark.parametrize("parameter_id", [0, 12, 13])
def test_a_wrong_password_is_noticed_by_both_sides(parameter_id: int) -> None:
    (case,) = cases("wrong", 1, {parameter_id: 1})
    other = replace(case, password=Password.can("000456"), plain=b"000456")
    with OpenPace(case.info, other.password, other.plain) as partner:
        chip = Chip(other, partner)
        with pytest.raises(WrongKey) as refused:
            pace.open_channel(PlainChannel(chip.transmit), case.info, case.password, random.Random(1).randbytes)
        assert refused.value.sw == 0x6300
    with pytest.raises(AssertionError):
        our_chip(replace(case, password=other.password))


def test_openpace_drops_leading_zeros_of_a_shared_secret_over_a_prime_field() -> None:
    """Ours keeps them, as RFC 2631 2.1.2 demands; that is why the runs above avoid such secrets with DH."""
    (case,) = cases("leading zeros", 1, {0: 1})
    group = case.group
    with OpenPace(case.info, case.password, case.plain) as partner:
        partner.take_nonce(encrypt(case.info.suite, pace.password_key(case.info.suite, case.password), case.nonce))
        mapping = partner.mapping_key()
        partner.map_generator(group.public_key(7))
        generator = group.map_generator(case.nonce, 7, mapping)
        theirs = partner.ephemeral_key()
        scalar = first(group, 2**159, theirs)
        partner.agree(group.public_key(scalar, generator))
        ours = group.agree(scalar, theirs)
        assert len(ours) == 128
        assert ours[0] == 0
        assert partner.shared_secret == ours.lstrip(b"\0")


@pytest.mark.parametrize("parameter_id", [10, 12, 13, 15, 16, 17, 18])
def test_chip_authentication_agrees_on_the_secret_of_openpace(parameter_id: int) -> None:
    """Version 2, which OpenPACE runs, differs in the derivation of keys; the agreement is the same."""
    group = standardized(parameter_id)
    assert isinstance(group, EcGroup)
    assert group.curve.crypto is not None
    draw = random.Random(parameter_id)
    private = group.scalar(draw.randbytes)
    key = ec.derive_private_key(private, group.curve.crypto())
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = group.public_key(private)
    scalar = first(group, group.scalar(draw.randbytes), public)
    context = EAC.EAC_CTX_new()
    protocol = ctypes.c_int.in_dll(EAC, "NID_id_CA_ECDH_AES_CBC_CMAC_128")
    assert EAC.EAC_CTX_init_ca(context, protocol, parameter_id) == 1
    assert EAC.CA_set_key(context, der, ctypes.c_size_t(len(der)), None, ctypes.c_size_t(0)) == 1
    assert EAC.CA_STEP4_compute_shared_secret(context, lent(group.public_key(scalar))) == 1
    secret = seen(context.contents.chip_authentication.contents.agreement.contents.shared_secret)
    EAC.EAC_CTX_clear_free(context)
    assert secret[0] == 0
    assert group.agree(scalar, public) == secret
