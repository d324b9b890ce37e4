"""Basic Access Control: the worked example of ICAO 9303-11, wrong keys, and chips that only pretend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.emrtd import bac
from kiosk.emrtd.apdu import Command, PlainChannel
from kiosk.emrtd.ciphers import CipherSuite, derive_key, encrypt, mac, pad
from kiosk.emrtd.errors import AccessDenied, ApduError, ChannelBroken, DataError, WrongKey
from kiosk.emrtd.mrz import MrzKey

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/icao_9303_11_appendix_d.json").read_text(encoding="utf-8"))
KEY = MrzKey(VECTOR["document_number"], VECTOR["birth"], VECTOR["expiry"])
CHALLENGE, ANSWER = (bytes.fromhex(step["response"]) for step in VECTOR["access"])


def numbers() -> Callable[[int], bytes]:
    drawn = iter((VECTOR["rnd_ifd"], VECTOR["k_ifd"]))

    def rng(size: int) -> bytes:
        number = bytes.fromhex(next(drawn))
        assert len(number) == size
        return number

    return rng


def opened(*answers: bytes) -> tuple[list[str], object]:
    """The commands sent, and the error or the channel."""
    sent: list[str] = []
    replies = iter(answers)

    def transmit(apdu: bytes) -> bytes:
        sent.append(apdu.hex().upper())
        return next(replies)

    try:
        return sent, bac.open_channel(PlainChannel(transmit), KEY, numbers())
    except (ApduError, ChannelBroken, DataError) as error:
        return sent, error


def test_the_worked_example_byte_for_byte() -> None:
    assert KEY.information().decode() == VECTOR["information"]
    seed = bac.access_seed(KEY.information())
    assert seed.hex().upper() == VECTOR["k_seed"]
    assert derive_key(CipherSuite.DES3, seed, 1).hex().upper() == VECTOR["k_enc"]
    assert derive_key(CipherSuite.DES3, seed, 2).hex().upper() == VECTOR["k_mac"]

    steps = VECTOR["access"] + VECTOR["secured"]
    sent: list[str] = []

    def transmit(apdu: bytes) -> bytes:
        sent.append(apdu.hex().upper())
        return bytes.fromhex(steps[len(sent) - 1]["response"])

    secure = bac.open_channel(PlainChannel(transmit), KEY, numbers())
    assert secure.send(Command(0xA4, 2, 0x0C, b"\x01\x1e")).ok
    assert secure.send(Command(0xB0, 0, 0, le=4)).data.hex().upper() == VECTOR["secured"][1]["data"]
    assert secure.send(Command(0xB0, 0, 4, le=18)).data.hex().upper() == VECTOR["secured"][2]["data"]
    assert sent == [step["command"] for step in steps]


def test_the_keys_of_a_vietnamese_card() -> None:
    """identity-documents.md 6, an invented card."""
    key = MrzKey("190000456", "900201", "300201")
    seed = bac.access_seed(key.information())
    assert key.information() == b"190000456390020183002016"
    assert seed.hex().upper() == "011B9D77704268E981F37A74341EC873"
    assert derive_key(CipherSuite.DES3, seed, 1).hex().upper() == "D62389CE07946DCB3E15FD2CF40804C1"
    assert derive_key(CipherSuite.DES3, seed, 2).hex().upper() == "F146EA43DAEA51AE3DD6A4D9B9A2CE01"


@pytest.mark.parametrize(
    ("sw", "tries_left"),
    [(0x6300, None), (0x63C2, 2), (0x63C0, 0), (0x6982, None), (0x6985, None), (0x6988, None)],
    ids=["6300", "63C2", "63C0", "6982", "6985", "6988"],
)
def test_a_wrong_key_is_told_from_a_broken_channel(sw: int, tries_left: int | None) -> None:
    sent, error = opened(CHALLENGE, sw.to_bytes(2, "big"))
    assert isinstance(error, WrongKey)
    assert (error.sw, error.tries_left, len(sent)) == (sw, tries_left, 2)


@pytest.mark.parametrize("sw", [0x6982, 0x6985, 0x6D00, 0x6A82], ids=hex)
def test_a_chip_without_bac_denies_access(sw: int) -> None:
    sent, error = opened(sw.to_bytes(2, "big"))
    assert isinstance(error, AccessDenied)
    assert (error.sw, len(sent)) == (sw, 1)


def test_a_blocked_chip_denies_access_and_other_refusals_stay_what_they_are() -> None:
    assert isinstance(opened(CHALLENGE, b"\x69\x83")[1], AccessDenied)
    error = opened(CHALLENGE, b"\x6f\x00")[1]
    assert type(error) is ApduError
    assert error.sw == 0x6F00
    assert isinstance(opened(CHALLENGE[1:])[1], DataError)


@pytest.mark.parametrize("at", [0, 31, 32, 39])
def test_a_chip_that_only_says_yes_is_found_out(at: int) -> None:
    flipped = ANSWER[:at] + bytes((ANSWER[at] ^ 1,)) + ANSWER[at + 1 :]
    assert isinstance(opened(CHALLENGE, flipped)[1], ChannelBroken)
    assert isinstance(opened(CHALLENGE, b"\x90\x00")[1], ChannelBroken)


@pytest.mark.parametrize("wrong", ["rnd_ic", "rnd_ifd"])
def test_both_random_numbers_must_come_back(wrong: str) -> None:
    parts = {name: bytes.fromhex(VECTOR[name]) for name in ("rnd_ic", "rnd_ifd")}
    parts[wrong] = bytes(8)
    sealed = encrypt(
        CipherSuite.DES3, bytes.fromhex(VECTOR["k_enc"]), parts["rnd_ic"] + parts["rnd_ifd"] + bytes(range(16))
    )
    checksum = mac(CipherSuite.DES3, bytes.fromhex(VECTOR["k_mac"]), pad(sealed, 8))
    assert isinstance(opened(CHALLENGE, sealed + checksum + b"\x90\x00")[1], ChannelBroken)
