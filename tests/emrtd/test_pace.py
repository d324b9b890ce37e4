"""PACE against the worked examples of ICAO 9303-11, and against chips that answer wrongly."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.emrtd import pace, tlv
from kiosk.emrtd.apdu import Command, PlainChannel
from kiosk.emrtd.ciphers import CipherSuite, decrypt, session_keys
from kiosk.emrtd.errors import DataError, EmrtdError
from kiosk.emrtd.mrz import MrzKey
from kiosk.emrtd.pace import Password
from kiosk.emrtd.security_infos import PaceInfo, pace_infos

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
