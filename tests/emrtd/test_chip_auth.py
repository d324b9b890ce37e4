"""Chip Authentication with the simulated chip, which shares no code with the reader, and with scripted answers."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import chip_auth, oids, tlv
from kiosk.emrtd.apdu import Command, Response
from kiosk.emrtd.chip_auth import ChipAuthFailed
from kiosk.emrtd.ciphers import CipherSuite
from kiosk.emrtd.curves import CURVES
from kiosk.emrtd.dh_groups import GROUPS
from kiosk.emrtd.errors import ChannelBroken, ChipLost, DataError
from simulators.chip_files import DG14, Profile
from simulators.chip_infos import ChipAuthentication
from simulators.chip_quirks import Quirks
from tests.simulators.chip.issued_cards import card, issued, opened, read_all

SUITES = {None: "DES3", "3DES": "DES3", "AES-128": "AES128", "AES-192": "AES192", "AES-256": "AES256"}
MSE_AT, MSE_KAT = (0x22, 0x41, 0xA4), (0x22, 0x41, 0xA6)


def drawn(seed: int = 5):
    return random.Random(seed).randbytes


@pytest.mark.parametrize("key_id", [None, 7], ids=["only-key", "key-7"])
@pytest.mark.parametrize("explicit", [True, False], ids=["explicit", "named"])
@pytest.mark.parametrize("cipher", SUITES, ids=str)
def test_a_chip_with_the_key_goes_on_under_new_keys(cipher: str | None, explicit: bool, key_id: int | None) -> None:
    offer = ChipAuthentication(cipher=cipher, explicit=explicit, key_id=key_id)
    chip = card(profile=Profile(chip_authentication=offer, dg13=False, dg2_size=0))
    old = opened(chip)
    dg14 = read_all(old, DG14)
    found = chip_auth.offers(dg14)[0]
    assert (found.suite.name, found.key_id, found.group.name) == (SUITES[cipher], key_id, "brainpoolP256r1")
    new = chip_auth.run(old, dg14, drawn())
    assert chip_auth.confirm(new)
    assert read_all(new, DG14) == dg14
    with pytest.raises(ChannelBroken):  # the old keys are worth nothing any more
        old.send(Command(0xB0, le=4))


@pytest.mark.parametrize("curve", ["secp256r1", "secp384r1", "brainpoolP384r1", "brainpoolP512r1", "secp521r1"])
def test_other_curves(curve: str) -> None:
    chip = card(profile=Profile(chip_authentication=ChipAuthentication(curve), dg13=False, dg2_size=0))
    old = opened(chip)
    assert chip_auth.confirm(chip_auth.run(old, read_all(old, DG14), drawn()))


def test_a_copy_that_bluffs_is_found_out() -> None:
    chip = card(Quirks(ca_bluff=True), ca_key=None)
    old = opened(chip)
    new = chip_auth.run(old, issued().files[DG14], drawn())
    assert not chip_auth.confirm(new)
    with pytest.raises(ChannelBroken):
        new.send(Command(0xB0, le=4))


def test_a_copy_with_a_key_of_its_own_is_found_out() -> None:
    chip = card(ca_key=ec.generate_private_key(ec.BrainpoolP256R1()))
    assert not chip_auth.confirm(chip_auth.run(opened(chip), issued().files[DG14], drawn()))


def test_a_copy_without_the_key_refuses() -> None:
    old = opened(card(ca_key=None))
    with pytest.raises(ChipAuthFailed) as refused:
        chip_auth.run(old, issued().files[DG14], drawn())
    assert refused.value.sw == 0x6A88
    assert old.send(Command(0xA4, 0x02, 0x0C, b"\x01\x0e")).ok  # the session goes on


@pytest.mark.parametrize("sw", [0x6985, 0x6A80, 0x6D00])
def test_the_first_refusal_is_told(sw: int) -> None:
    with pytest.raises(ChipAuthFailed) as refused:
        chip_auth.run(opened(card(Quirks(ca_refused=sw))), issued().files[DG14], drawn())
    assert refused.value.sw == sw


def test_the_new_channel_does_not_depend_on_chance() -> None:
    """A recorded exchange can be replayed with the recorded random bytes."""
    spoken = []
    for _ in range(2):
        channel = Spoken({})
        chip_auth.run(channel, issued().files[DG14], drawn())
        spoken.append(channel.commands)
    assert spoken[0] == spoken[1]


class Spoken:
    """A channel that keeps the commands; *refuse*: status words for (INS, P1, P2), everything else is 9000."""

    def __init__(self, refuse: dict[tuple[int, int, int], int]) -> None:
        self.refuse = refuse
        self.commands: list[Command] = []

    def send(self, command: Command) -> Response:
        self.commands.append(command)
        return Response(b"", self.refuse.get((command.ins, command.p1, command.p2), 0x9000))

    @property
    def headers(self) -> list[tuple[int, int, int]]:
        return [(command.ins, command.p1, command.p2) for command in self.commands]


def entry(oid: str, *values: bytes) -> bytes:
    return tlv.encode(0x30, tlv.encode(0x06, oids.content(oid)) + b"".join(values))


def number(value: int) -> bytes:
    return tlv.encode(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def dg14(*entries: bytes) -> bytes:
    return tlv.encode(0x6E, tlv.encode(0x31, b"".join(entries)))


KEY = ec.derive_private_key(4711, ec.BrainpoolP256R1()).public_key()
SPKI = KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def protocol(cipher: int, *key_id: int, kind: int = 2) -> bytes:
    return entry(f"0.4.0.127.0.7.2.2.3.{kind}.{cipher}", number(1), *map(number, key_id))


def public_key(*key_id: int, spki: bytes = SPKI) -> bytes:
    return entry("0.4.0.127.0.7.2.2.1.2", spki, *map(number, key_id))


def test_the_commands_for_aes_are_those_of_the_standard() -> None:
    channel = Spoken({})
    chip_auth.run(channel, dg14(public_key(7), protocol(2, 7)), lambda size: (5 - 1).to_bytes(size, "big"))
    point = ec.derive_private_key(5, ec.BrainpoolP256R1()).public_key()
    ours = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert [command.encode().hex().upper() for command in channel.commands] == [
        "002241A40F800A04007F00070202030202840107",
        "00860000457C438041" + ours.hex().upper() + "00",
    ]


def test_the_command_for_3des_is_that_of_the_standard() -> None:
    channel = Spoken({})
    chip_auth.run(channel, dg14(public_key()), lambda size: (5 - 1).to_bytes(size, "big"))
    point = ec.derive_private_key(5, ec.BrainpoolP256R1()).public_key()
    ours = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert [command.encode().hex().upper() for command in channel.commands] == ["002241A6439141" + ours.hex().upper()]


@pytest.mark.parametrize(
    ("cipher", "refused", "spoken"),
    [
        (2, {MSE_AT: 0x6A86}, [MSE_AT, MSE_KAT]),
        (1, {MSE_KAT: 0x6A86}, [MSE_KAT, MSE_AT, (0x86, 0, 0)]),
        (2, {(0x86, 0, 0): 0x6D00}, [MSE_AT, (0x86, 0, 0), MSE_KAT]),
    ],
    ids=["aes-knows-only-kat", "3des-knows-only-at", "aes-without-general-authenticate"],
)
def test_the_other_command_is_tried_where_one_is_refused(cipher, refused, spoken) -> None:
    channel = Spoken(refused)
    chip_auth.run(channel, dg14(public_key(), protocol(cipher)), drawn())
    assert channel.headers == spoken


def test_both_refused_is_a_failure() -> None:
    channel = Spoken({MSE_AT: 0x6A80, MSE_KAT: 0x6A86})
    with pytest.raises(ChipAuthFailed) as refused:
        chip_auth.run(channel, dg14(public_key(), protocol(4)), drawn())
    assert refused.value.sw == 0x6A80


def test_the_strongest_cipher_and_the_key_that_belongs_to_it_are_chosen() -> None:
    other = ec.derive_private_key(3, ec.SECP256R1()).public_key()
    second = public_key(2, spki=other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    found = chip_auth.offers(dg14(public_key(1), protocol(1, 1), protocol(2, 1), second, protocol(4, 2)))
    assert [(offer.suite, offer.key_id, offer.group.name) for offer in found] == [
        (CipherSuite.AES256, 2, "secp256r1"),
        (CipherSuite.AES128, 1, "brainpoolP256r1"),
        (CipherSuite.DES3, 1, "brainpoolP256r1"),
    ]


def test_keys_without_a_protocol_of_their_kind_are_not_offered() -> None:
    assert chip_auth.offers(dg14(public_key(1), protocol(2, 2))) == ()
    assert chip_auth.offers(dg14(public_key(), protocol(2, kind=1))) == ()
    assert chip_auth.offers(dg14(protocol(2))) == ()
    with pytest.raises(DataError):
        chip_auth.run(Spoken({}), dg14(protocol(2)), drawn())


def test_unknown_and_broken_keys_are_not_offered() -> None:
    broken = SPKI[:-1] + bytes((SPKI[-1] ^ 1,))
    ed25519 = tlv.encode(0x30, bytes.fromhex("300506032B6570") + tlv.encode(0x03, bytes(33)))
    assert chip_auth.offers(dg14(public_key(1, spki=broken), public_key(2, spki=ed25519), protocol(2))) == ()
    assert len(chip_auth.offers(dg14(public_key(1, spki=broken), public_key(2), protocol(2)))) == 1


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@pytest.mark.parametrize("cipher", [1, 2])
def test_chip_authentication_over_prime_fields(group, cipher: int) -> None:
    algorithm = entry("1.2.840.10046.2.1", tlv.encode(0x30, number(group.p) + number(group.g) + number(group.q)))
    key = number(pow(group.g, 4711, group.p))
    spki = tlv.encode(0x30, algorithm + tlv.encode(0x03, b"\x00" + key))
    file = dg14(entry("0.4.0.127.0.7.2.2.1.1", spki), protocol(cipher, kind=1))
    channel = Spoken({})
    chip_auth.run(channel, file, lambda size: (815 - 1).to_bytes(size, "big"))
    value = pow(group.g, 815, group.p)
    ours = value.to_bytes((value.bit_length() + 7) // 8, "big")
    expected = tlv.encode(0x91, ours) if cipher == 1 else tlv.encode(0x7C, tlv.encode(0x80, ours))
    assert channel.commands[-1].data == expected
    assert channel.commands[-1].le in (None, 256 if len(ours) <= 128 else 65_536)


def test_a_card_that_leaves_is_lost() -> None:
    class Gone:
        def send(self, command: Command) -> Response:
            raise ChipLost("the card is gone")

    with pytest.raises(ChipLost):
        chip_auth.run(Gone(), dg14(public_key(), protocol(2)), drawn())
    with pytest.raises(ChipLost):
        chip_auth.confirm(Gone())


@given(st.binary(max_size=200) | st.binary(max_size=200).map(dg14) | st.binary(max_size=120).map(
    lambda spki: dg14(public_key(spki=tlv.encode(0x30, spki)))))  # fmt: skip
def test_arbitrary_files_offer_nothing_or_are_a_data_error(data: bytes) -> None:
    try:
        assert chip_auth.offers(data) == ()
    except DataError:
        return
    with pytest.raises(DataError):
        chip_auth.run(Spoken({}), data, drawn())


def test_a_shared_secret_with_leading_zeros_keeps_them() -> None:
    """Of 256 chips and readers one pair would fail otherwise: the keys are derived from the whole coordinate."""
    curve = next(curve for curve in CURVES if curve.name == "brainpoolP256r1")
    chip = card(profile=Profile(dg13=False, dg2_size=0))
    private = chip.data.ca_key
    assert private is not None
    scalar, step = 1, private.public_key().public_numbers()
    point = (step.x, step.y)
    while curve.encode_coordinate(point[0])[0]:
        point, scalar = curve.add(point, (step.x, step.y)), scalar + 1
    old = opened(chip)
    new = chip_auth.run(old, read_all(old, DG14), lambda size: (scalar - 1).to_bytes(size, "big"))
    assert chip_auth.confirm(new)
