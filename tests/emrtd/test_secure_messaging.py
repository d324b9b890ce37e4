"""Secure messaging against the worked example of ICAO 9303-11 and against a chip's side written for the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd.apdu import EXTENDED_LE, Command, PlainChannel, Response
from kiosk.emrtd.ciphers import CipherSuite
from kiosk.emrtd.errors import ChannelBroken, ChipLost
from kiosk.emrtd.secure_messaging import SecureMessaging
from tests.emrtd.secured_peer import Peer, tlv

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/icao_9303_11_appendix_d.json").read_text(encoding="utf-8"))
READ = Command(0xB0, 0, 0, le=200)


def pair(suite: CipherSuite) -> tuple[SecureMessaging, Peer]:
    k_enc, k_mac = bytes(range(1, suite.key_bytes + 1)), bytes(range(101, 101 + suite.key_bytes))
    peer = Peer(suite, k_enc, k_mac, counter=7)
    channel = PlainChannel(peer.transmit)
    return SecureMessaging(channel, suite, k_enc, k_mac, (7).to_bytes(suite.block_bytes, "big")), peer


def broken(forge: Callable[[Peer, bytes], bytes], suite: CipherSuite = CipherSuite.AES128) -> ChannelBroken:
    """The error that a forged answer ends in; the channel must be dead after it, whatever the chip says then."""
    secure, peer = pair(suite)
    peer.handle = lambda header, data, le: (b"twenty bytes of data", 0x9000)
    assert secure.send(READ).data == b"twenty bytes of data"
    peer.forge = lambda answer: forge(peer, answer)
    with pytest.raises(ChannelBroken) as caught:
        secure.send(READ)
    asked = len(peer.commands)
    peer.forge = lambda answer: answer
    with pytest.raises(ChannelBroken):
        secure.send(READ)
    assert len(peer.commands) == asked, "a dead channel must send nothing"
    return caught.value


def test_the_worked_example_byte_for_byte() -> None:
    steps = iter(VECTOR["secured"])

    def transmit(apdu: bytes) -> bytes:
        step = next(steps)
        assert apdu.hex().upper() == step["command"]
        return bytes.fromhex(step["response"])

    secure = SecureMessaging(
        PlainChannel(transmit), CipherSuite.DES3, *(bytes.fromhex(VECTOR[name]) for name in ("ks_enc", "ks_mac", "ssc"))
    )
    assert secure.send(Command(0xA4, 2, 0x0C, bytes.fromhex("011E"))) == Response(b"", 0x9000)
    for step, command in zip(
        VECTOR["secured"][1:], (Command(0xB0, 0, 0, le=4), Command(0xB0, 0, 4, le=18)), strict=True
    ):
        assert secure.send(command) == Response(bytes.fromhex(step["data"]), 0x9000)


@pytest.mark.parametrize("suite", list(CipherSuite), ids=lambda suite: suite.name)
@given(
    data=st.binary(max_size=300),
    answer=st.binary(max_size=300),
    le=st.sampled_from([None, 1, 255, 256, 257, EXTENDED_LE]),
    ins=st.sampled_from([0xB0, 0xB1]),
    sw=st.sampled_from([0x9000, 0x6282, 0x6A82, 0x6B00, 0x6982]),
)
def test_both_sides_understand_each_other(
    suite: CipherSuite, data: bytes, answer: bytes, le: int | None, ins: int, sw: int
) -> None:
    secure, peer = pair(suite)
    peer.handle = lambda header, received, expected: (answer, sw)
    for _ in range(3):
        assert secure.send(Command(ins, 1, 2, data, le)) == Response(answer, sw)
    assert peer.commands == [(bytes((0x0C, ins, 1, 2)), data, le)] * 3


def test_chained_commands_keep_their_class_bit() -> None:
    secure, peer = pair(CipherSuite.AES128)
    secure.send(Command(0x86, data=b"part", le=256, cla=0x10))
    assert peer.commands[0][0] == bytes((0x1C, 0x86, 0, 0))


def test_a_command_of_255_bytes_grows_into_the_extended_form() -> None:
    secure, peer = pair(CipherSuite.DES3)
    peer.handle = lambda header, data, le: (bytes(250), 0x9000)
    assert secure.send(Command(0x88, data=bytes(255), le=256)).data == bytes(250)
    assert peer.commands[0][1] == bytes(255)


FAULTS: dict[str, Callable[[Peer, bytes], bytes]] = {
    "no-objects": lambda peer, answer: answer[-2:],
    "plain-data": lambda peer, answer: b"twenty bytes of data\x90\x00",
    "no-mac": lambda peer, answer: answer[:-12] + answer[-2:],
    "mac-flipped": lambda peer, answer: answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:],
    "mac-short": lambda peer, answer: answer[:-12] + tlv(0x8E, answer[-10:-3]) + answer[-2:],
    "data-flipped": lambda peer, answer: answer[:5] + bytes((answer[5] ^ 1,)) + answer[6:],
    "outer-status": lambda peer, answer: answer[:-2] + b"\x62\x82",
    "bytes-behind": lambda peer, answer: answer[:-2] + b"\x00" + answer[-2:],
    "cut-off": lambda peer, answer: answer[:9] + answer[-2:],
    "no-status": lambda peer, answer: _again(peer, tlv(0x87, b"\x01" + bytes(16))),
    "short-status": lambda peer, answer: _again(peer, tlv(0x99, b"\x90")),
    "unknown-object": lambda peer, answer: _again(peer, tlv(0x80, b"x") + tlv(0x99, b"\x90\x00")),
    "object-twice": lambda peer, answer: _again(peer, tlv(0x87, b"\x01" + bytes(16)) * 2 + tlv(0x99, b"\x90\x00")),
    "status-twice": lambda peer, answer: _again(peer, tlv(0x99, b"\x90\x00") * 2),
    "indicator": lambda peer, answer: _again(peer, tlv(0x87, b"\x02" + bytes(16)) + tlv(0x99, b"\x90\x00")),
    "no-cryptogram": lambda peer, answer: _again(peer, tlv(0x87, b"\x01") + tlv(0x99, b"\x90\x00")),
    "half-block": lambda peer, answer: _again(peer, tlv(0x87, b"\x01" + bytes(15)) + tlv(0x99, b"\x90\x00")),
    "padding": lambda peer, answer: _again(peer, tlv(0x87, b"\x01" + bytes(16)) + tlv(0x99, b"\x90\x00")),
    "ber-object-for-even-instruction": lambda peer, answer: _again(peer, tlv(0x85, bytes(16)) + tlv(0x99, b"\x90\x00")),
}


def _again(peer: Peer, body: bytes) -> bytes:
    """Another *body* under a right MAC of the same counter."""
    peer.counter -= 1
    return peer.seal_objects(body, 0x9000)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_the_channel(fault: str) -> None:
    broken(FAULTS[fault])


@pytest.mark.parametrize("suite", [CipherSuite.DES3, CipherSuite.AES256], ids=lambda suite: suite.name)
def test_any_flipped_bit_ends_the_channel(suite: CipherSuite) -> None:
    _, peer = pair(suite)
    length = len(peer.seal(b"twenty bytes of data", 0x9000))
    for at in range(length):
        broken(lambda peer, answer, at=at: answer[:at] + bytes((answer[at] ^ 0x10,)) + answer[at + 1 :], suite)


@pytest.mark.parametrize("sw", [0x6987, 0x6988, 0x6A82, 0x6982, 0x6B00, 0x6700, 0x6D00, 0x9000], ids=hex)
def test_a_status_word_in_plain_is_no_answer_and_says_why(sw: int) -> None:
    assert broken(lambda peer, answer: sw.to_bytes(2, "big")).sw == sw


def test_an_answer_of_the_command_before_is_refused() -> None:
    secure, peer = pair(CipherSuite.AES128)
    answers: list[bytes] = []
    peer.forge = lambda answer: answers.append(answer) or answers[0]
    secure.send(READ)
    with pytest.raises(ChannelBroken):
        secure.send(READ)


def test_a_lost_card_ends_the_channel_too() -> None:
    secure, peer = pair(CipherSuite.AES128)

    def gone(header: bytes, data: bytes, le: int | None) -> tuple[bytes, int]:
        raise ChipLost("gone")

    peer.handle = gone
    with pytest.raises(ChipLost):
        secure.send(READ)
    with pytest.raises(ChannelBroken):
        secure.send(READ)


@given(raw=st.binary(max_size=80), ins=st.sampled_from([0xB0, 0xB1]))
def test_arbitrary_answers_break_the_channel_and_nothing_else(raw: bytes, ins: int) -> None:
    secure, peer = pair(CipherSuite.AES128)
    peer.forge = lambda answer: raw + b"\x90\x00"
    with pytest.raises(ChannelBroken):
        secure.send(Command(ins, le=10))
