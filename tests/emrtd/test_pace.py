"""PACE against the worked examples of ICAO 9303-11, and against chips that answer wrongly."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.emrtd import key_agreement, pace, pace_cam, tlv
from kiosk.emrtd.apdu import Command, PlainChannel
from kiosk.emrtd.ciphers import CipherSuite, decrypt, session_keys
from kiosk.emrtd.errors import AccessDenied, ApduError, ChipLost, DataError, EmrtdError, WrongKey
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.pace import Password
from kiosk.emrtd.security_infos import ChipAuthenticationPublicKeyInfo, PaceInfo, pace_infos, parse
from simulators.chip_access import Pace
from simulators.chip_infos import PaceInfo as SimulatedPaceInfo

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "pace_icao_9303_11.json").read_text())
EXAMPLES = pytest.mark.parametrize("name", ["G.1", "G.2"])
SELECT_APPLICATION = Command(0xA4, 0x04, 0x0C, bytes.fromhex("A0000002471001"))
MRZ = Password.mrz(MrzKey("T22000129", "640812", "101031"))


def example(name: str) -> dict[str, bytes]:
    """The values of a worked example that are octet strings."""
    return {key: bytes.fromhex(value) for key, value in VECTORS[name].items() if key not in ("oid", "parameter_id")}


def info_of(name: str) -> PaceInfo:
    (info,) = pace_infos(bytes.fromhex(VECTORS[name]["card_access"]))
    return info


def drawing(*scalars: bytes) -> Callable[[int], bytes]:
    """A random source that makes these private keys come out."""
    left = iter(scalars)
    return lambda size: (int.from_bytes(next(left), "big") - 1).to_bytes(size, "big")


class Script:
    """A chip that expects exactly these commands and gives these answers."""

    def __init__(self, *steps: tuple[bytes, bytes]) -> None:
        self.left: Iterator[tuple[bytes, bytes]] = iter(steps)

    def __call__(self, apdu: bytes) -> bytes:
        expected, answer = next(self.left)
        assert apdu.hex() == expected.hex()
        return answer


def general_authenticate(tag: int, value: bytes, cla: int = 0x10) -> bytes:
    data = tlv.encode(0x7C, tlv.encode(tag, value))
    return bytes((cla, 0x86, 0, 0, len(data))) + data + b"\x00"


def dynamic(tag: int, value: bytes, sw: int = 0x9000) -> bytes:
    return tlv.encode(0x7C, tlv.encode(tag, value)) + sw.to_bytes(2, "big")


def steps_of(name: str) -> list[tuple[bytes, bytes]]:
    """The exchange of a worked example, command by command."""
    value = example(name)
    oid = bytes.fromhex("04007F000702020402" if name == "G.1" else "04007F000702020401") + b"\x02"
    return [
        (bytes.fromhex("0022C1A40F800A") + oid + bytes.fromhex("830101"), b"\x90\x00"),
        (bytes.fromhex("10860000027C0000"), dynamic(0x80, value["encrypted_nonce"])),
        (general_authenticate(0x81, value["terminal_mapping_public"]), dynamic(0x82, value["chip_mapping_public"])),
        (general_authenticate(0x83, value["terminal_public"]), dynamic(0x84, value["chip_public"])),
        (general_authenticate(0x85, value["terminal_token"], 0x00), dynamic(0x86, value["chip_token"])),
    ]


def run(name: str, steps: list[tuple[bytes, bytes]], password: Password = MRZ) -> pace.PaceResult:
    value = example(name)
    rng = drawing(value["terminal_mapping_private"], value["terminal_private"])
    return pace.open_channel(PlainChannel(Script(*steps)), info_of(name), password, rng)


def test_the_mrz_becomes_the_password_of_the_example() -> None:
    assert MrzKey("T22000129", "640812", "101031").information().decode() == VECTORS["mrz_information"]
    assert bytes.fromhex(VECTORS["password_secret"]) == MRZ.secret
    assert pace.password_key(CipherSuite.AES128, MRZ) == bytes.fromhex(VECTORS["k_pi"])


def test_the_can_becomes_the_password_of_the_reference() -> None:
    key = pace.password_key(CipherSuite.AES128, Password.can("000456"))
    assert key.hex().upper() == "1637DC4DEAC85D026B723B3569DC7F41"
    assert Password.can("000456").reference == 2
    assert "456" not in repr(Password.can("000456"))


@pytest.mark.parametrize("text", ["", "12345a", "١٢٣٤٥٦", "12 456"], ids=["empty", "letter", "arabic", "space"])
def test_a_can_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        Password.can(text)


@EXAMPLES
def test_every_value_of_the_example_comes_out(name: str) -> None:
    value, info = example(name), info_of(name)
    group = info.group()
    secrets = {key: int.from_bytes(value[key], "big") for key in value if key.endswith("_private")}
    assert decrypt(info.suite, bytes.fromhex(VECTORS["k_pi"]), value["encrypted_nonce"]) == value["nonce"]
    assert group.public_key(secrets["terminal_mapping_private"]) == value["terminal_mapping_public"]
    assert group.public_key(secrets["chip_mapping_private"]) == value["chip_mapping_public"]
    for private, public in (("terminal_mapping_private", "chip_mapping_public"),
                            ("chip_mapping_private", "terminal_mapping_public")):  # fmt: skip
        assert group.map_generator(value["nonce"], secrets[private], value[public]) == value["mapped_generator"]
    assert group.public_key(secrets["terminal_private"], value["mapped_generator"]) == value["terminal_public"]
    assert group.agree(secrets["terminal_private"], value["chip_public"]) == value["shared_secret"]
    assert session_keys(info.suite, value["shared_secret"]) == (value["k_enc"], value["k_mac"])
    for token, public in (("terminal_token", "chip_public"), ("chip_token", "terminal_public")):
        made = pace.authentication_token(info.suite, value["k_mac"], info.oid, group.key_tag, value[public])
        assert made == value[token]


@EXAMPLES
def test_the_commands_of_the_example_are_sent_and_the_channel_has_its_keys(name: str) -> None:
    value = example(name)
    spoken: list[bytes] = []
    script = Script(*steps_of(name))

    def transmit(apdu: bytes) -> bytes:
        spoken.append(apdu)
        return script(apdu) if len(spoken) <= 5 else b"\x69\x88"

    rng = drawing(value["terminal_mapping_private"], value["terminal_private"])
    result = pace.open_channel(PlainChannel(transmit), info_of(name), MRZ, rng)
    assert result.cam is None
    with pytest.raises(EmrtdError):
        result.channel.send(SELECT_APPLICATION)
    if name == "G.1":  # the first protected command under the keys of the example, counter 1
        assert spoken[-1].hex().upper() == "0CA4040C1D871101752F676B09FAC86A87D632749A49C7CC8E08C18BA1FCE707BD9F00"


def changed(name: str, index: int, answer: bytes) -> list[tuple[bytes, bytes]]:
    steps = steps_of(name)
    steps[index] = (steps[index][0], answer)
    return steps


@pytest.mark.parametrize(("sw", "tries"), [(0x6300, None), (0x63C2, 2), (0x63C0, 0)], ids=["6300", "63C2", "63C0"])
def test_a_token_that_the_chip_refuses_means_a_wrong_password(sw: int, tries: int | None) -> None:
    with pytest.raises(WrongKey) as refused:
        run("G.1", changed("G.1", 4, sw.to_bytes(2, "big")))
    assert (refused.value.sw, refused.value.tries_left) == (sw, tries)


@pytest.mark.parametrize("answer", [dynamic(0x86, bytes(8)), dynamic(0x86, b""), dynamic(0x87, bytes(8))],
                         ids=["other", "empty", "missing"])  # fmt: skip
def test_a_chip_that_does_not_show_the_password_has_another_one(answer: bytes) -> None:
    with pytest.raises(WrongKey) as refused:
        run("G.1", changed("G.1", 4, answer))
    assert refused.value.tries_left is None


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("sw", [0x6982, 0x6983, 0x6985], ids=lambda sw: f"{sw:04X}")
def test_a_chip_that_lets_nobody_in_denies_access(index: int, sw: int) -> None:
    with pytest.raises(AccessDenied) as refused:
        run("G.1", changed("G.1", index, sw.to_bytes(2, "big")))
    assert refused.value.sw == sw


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("sw", [0x6A80, 0x6D00, 0x6F00], ids=lambda sw: f"{sw:04X}")
def test_any_other_refusal_keeps_its_status_word(index: int, sw: int) -> None:
    with pytest.raises(ApduError) as refused:
        run("G.1", changed("G.1", index, sw.to_bytes(2, "big")))
    assert type(refused.value) is ApduError
    assert refused.value.sw == sw


def test_6300_before_the_tokens_is_no_wrong_password() -> None:
    with pytest.raises(ApduError) as refused:
        run("G.1", changed("G.1", 2, b"\x63\x00"))
    assert not isinstance(refused.value, WrongKey)


def test_a_warning_of_earlier_wrong_passwords_is_no_refusal() -> None:
    run("G.1", changed("G.1", 0, b"\x63\xc2"))
    with pytest.raises(AccessDenied):
        run("G.1", changed("G.1", 0, b"\x63\xc0"))


@pytest.mark.parametrize(
    ("index", "answer"),
    [
        (1, dynamic(0x80, b"")),
        (1, dynamic(0x80, bytes(15))),
        (1, dynamic(0x80, bytes(80))),
        (1, dynamic(0x81, bytes(16))),
        (1, b"\x90\x00"),
        (1, b"\x7c\x90\x00"),
        (2, dynamic(0x82, b"\x00")),
        (2, dynamic(0x82, b"\x04" + bytes(64))),
        (2, dynamic(0x82, example("G.1")["chip_mapping_public"][:-1])),
        (2, dynamic(0x82, b"\x02" + example("G.1")["chip_mapping_public"][1:33])),
        (3, dynamic(0x84, example("G.1")["terminal_public"])),
        (3, dynamic(0x84, example("G.1")["chip_public"] + b"\x00")),
        (3, dynamic(0x84, bytes(65))),
        (4, b"\x90\x00"),
    ],
    ids=["no-nonce", "half-block", "long-nonce", "other-tag", "nothing", "cut-off", "infinity", "off-curve", "short",
         "compressed", "our-own-key", "long", "zeros", "no-token"],
)  # fmt: skip
def test_answers_that_no_standard_allows_are_data_errors(index: int, answer: bytes) -> None:
    with pytest.raises(DataError):
        run("G.1", changed("G.1", index, answer))


@pytest.mark.parametrize(
    "key", [b"", b"\x00", b"\x01", b"\x02", bytes(129), b"\xff" * 128], ids=["empty", "0", "1", "2", "long", "large"]
)
@pytest.mark.parametrize("index", [2, 3])
def test_dh_keys_outside_the_group_are_data_errors(index: int, key: bytes) -> None:
    with pytest.raises(DataError):
        run("G.2", changed("G.2", index, dynamic(0x80 + 2 * (index - 1), key)))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_arbitrary_answers_end_in_a_known_error(data: st.DataObject) -> None:
    index = data.draw(st.integers(1, 4))
    good = steps_of("G.1")[index][1]
    answer = data.draw(
        st.binary(min_size=2, max_size=80)
        | st.builds(lambda cut: good[:cut] + b"\x90\x00", st.integers(0, len(good) - 3))
        | st.builds(lambda at, bit: bytes((*good[:at], good[at] ^ bit, *good[at + 1 :])),
                    st.integers(0, len(good) - 1), st.integers(1, 255))
    )  # fmt: skip
    left = iter([*steps_of("G.1")[:index]])

    def transmit(apdu: bytes) -> bytes:
        step = next(left, None)
        return answer if step is None else step[1]

    value = example("G.1")
    rng = drawing(value["terminal_mapping_private"], value["terminal_private"])
    with pytest.raises(EmrtdError):
        pace.open_channel(PlainChannel(transmit), info_of("G.1"), MRZ, rng).channel.send(SELECT_APPLICATION)


def test_a_card_that_leaves_is_lost() -> None:
    def transmit(apdu: bytes) -> bytes:
        raise ChipLost("the card is gone")

    with pytest.raises(ChipLost):
        pace.open_channel(PlainChannel(transmit), info_of("G.1"), MRZ, random.Random(1).randbytes)


def test_the_parameters_are_named_where_the_chip_offers_several() -> None:
    spoken: list[bytes] = []

    def transmit(apdu: bytes) -> bytes:
        spoken.append(apdu)
        return b"\x6a\x80"

    offered = "3128" + "3012060A04007F0007020204020202010202010D" + "3012060A04007F0007020204020402010202010C"
    for info in pace_infos(bytes.fromhex(offered)):
        with pytest.raises(ApduError):
            pace.open_channel(PlainChannel(transmit), info, MRZ, random.Random(1).randbytes)
    assert [apdu[-3:].hex() for apdu in spoken] == ["84010c", "84010d"]


# --- chip authentication mapping -------------------------------------------------------------------------------------


def subject_public_key(curve_oid: str, point: bytes) -> bytes:
    algorithm = tlv.encode(0x30, bytes.fromhex("06072A8648CE3D0201" + curve_oid))
    return tlv.encode(0x30, algorithm + tlv.encode(0x03, b"\x00" + point))


BRAINPOOL_P256 = "06092B2403030208010107"


def card_security(point: bytes, curve_oid: str = BRAINPOOL_P256) -> tuple[ChipAuthenticationPublicKeyInfo, ...]:
    return (ChipAuthenticationPublicKeyInfo("0.4.0.127.0.7.2.2.1.2", subject_public_key(curve_oid, point), None),)


def example_proof(sealed: bytes | None) -> pace_cam.CamProof:
    value = example("I.1")
    group = key_agreement.standardized(13)
    assert group is not None
    return pace_cam.proof(group, CipherSuite.AES128, value["k_enc"], value["chip_mapping_public"], sealed)


def test_the_chip_authentication_data_of_the_example_is_opened_and_proves_the_key() -> None:
    value = example("I.1")
    proof = example_proof(value["encrypted_chip_authentication_data"])
    assert proof.data == int.from_bytes(value["chip_authentication_data"], "big")
    assert proof.verify(card_security(value["chip_static_public"]))
    assert str(proof.data) not in repr(proof)


def test_another_key_or_another_curve_proves_nothing() -> None:
    value = example("I.1")
    proof = example_proof(value["encrypted_chip_authentication_data"])
    assert not proof.verify(())
    assert not proof.verify(card_security(value["chip_mapping_public"]))
    assert not proof.verify(card_security(value["chip_static_public"][:-1] + b"\x00"))
    assert not proof.verify(card_security(value["chip_static_public"], "06082A8648CE3D030107"))
    assert not proof.verify(parse(bytes.fromhex("31143012060A04007F0007020204020202010202010D")))
    own_too = card_security(value["chip_mapping_public"]) + card_security(value["chip_static_public"])
    assert proof.verify(own_too)


@given(st.none() | st.binary(max_size=80) | st.binary(min_size=48, max_size=48))
def test_other_chip_authentication_data_proves_nothing(sealed: bytes | None) -> None:
    assert not example_proof(sealed).verify(card_security(example("I.1")["chip_static_public"]))


@pytest.mark.parametrize("cipher", ["AES-128", "AES-192", "AES-256"])
def test_a_chip_with_cam_is_opened_and_proves_its_key(cipher: str) -> None:
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    peer = Pace(SimulatedPaceInfo("ECDH-CAM", cipher, 13), b"000456", key, random.Random(cipher).randbytes)

    def transmit(apdu: bytes) -> bytes:
        if apdu[1] == 0x22:
            return b"\x90\x00"
        objects = dict(tlv.iterate(tlv.expect(apdu[5:-1], 0x7C)))
        return tlv.encode(0x7C, peer.step(objects)) + b"\x90\x00"

    arc = {"AES-128": 2, "AES-192": 3, "AES-256": 4}[cipher]
    info = PaceInfo(f"0.4.0.127.0.7.2.2.4.6.{arc}", 2, 13)
    draw = random.Random(cipher + "terminal").randbytes
    result = pace.open_channel(PlainChannel(transmit), info, Password.can("000456"), draw)
    assert result.cam is not None
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert result.cam.verify(card_security(public))
    other = ec.generate_private_key(ec.BrainpoolP256R1()).public_key()
    assert not result.cam.verify(card_security(other.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)))
