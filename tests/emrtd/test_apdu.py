"""Commands on the line, answers from it, and the plain channel's two habits: GET RESPONSE and the corrected Le."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd.apdu import EXTENDED_LE, Command, PlainChannel, Response
from kiosk.emrtd.errors import ChipLost, DataError, status_name


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (Command(0x84), "00840000"),
        (Command(0x84, le=8), "0084000008"),
        (Command(0xB0, 0x81, le=256), "00B0810000"),
        (Command(0xA4, 2, 0x0C, b"\x01\x1e"), "00A4020C02011E"),
        (Command(0x86, data=b"\x7c\x00", le=256, cla=0x10), "10860000027C0000"),
        (Command(0xB0, le=257), "00B00000000101"),
        (Command(0xB0, le=EXTENDED_LE), "00B00000000000"),
        (Command(0x88, data=b"ab", le=EXTENDED_LE), "0088000000000261620000"),
        (Command(0x22, data=bytes(256)), "00220000000100" + "00" * 256),
    ],
    ids=[
        "case-1",
        "case-2",
        "le-256",
        "case-3",
        "case-4-chained",
        "le-257",
        "le-65536",
        "case-4-extended",
        "long-data",
    ],
)
def test_the_four_cases_short_and_extended(command: Command, line: str) -> None:
    assert command.encode().hex().upper() == line


@given(st.binary(max_size=300))
def test_an_answer_is_data_and_a_status_word(raw: bytes) -> None:
    if len(raw) < 2:
        with pytest.raises(DataError):
            Response.decode(raw)
    else:
        response = Response.decode(raw)
        assert response.data + response.sw.to_bytes(2, "big") == raw


def test_only_lengths_and_status_words_are_shown() -> None:
    assert str(Response(b"\x09\x31\x90", 0x9000)) == "3 bytes, 9000 success"
    assert str(Response(b"", 0x63C2)) == "0 bytes, 63C2 authentication failed, 2 tries left"
    assert status_name(0x1234) == "unknown status word"
    assert (Command(0x88).name, Command(0xEE).name) == ("INTERNAL AUTHENTICATE", "INS EE")


class Script:
    """Answers in order, and the commands they were given to."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.sent.append(apdu.hex().upper())
        return bytes.fromhex(self.answers.pop(0))


def test_an_answer_in_parts_is_put_together() -> None:
    script = Script("01026102", "03046101", "059000")
    assert PlainChannel(script.transmit).send(Command(0xB0, le=256)) == Response(bytes((1, 2, 3, 4, 5)), 0x9000)
    assert script.sent == ["00B0000000", "00C0000002", "00C0000001"]


def test_a_length_that_the_chip_corrects_is_asked_again_once() -> None:
    script = Script("6C03", "0102039000")
    assert PlainChannel(script.transmit).send(Command(0xB0, le=256)) == Response(b"\1\2\3", 0x9000)
    assert script.sent == ["00B0000000", "00B0000003"]
    assert PlainChannel(Script("6C03", "6C02").transmit).send(Command(0xB0, le=256)) == Response(b"", 0x6C02)


def test_a_chip_that_promises_more_for_ever_is_left() -> None:
    assert PlainChannel(lambda apdu: b"\x61\x00").send(Command(0xB0, le=256)) == Response(b"", 0x6100)
    sent: list[bytes] = []

    def drip(apdu: bytes) -> bytes:
        sent.append(apdu)
        return bytes(200) + b"\x61\x00"

    assert PlainChannel(drip).send(Command(0xB0, le=256)).sw == 0x6100
    assert len(sent) < 400


def test_a_reader_that_answers_nothing_has_lost_the_card() -> None:
    with pytest.raises(ChipLost):
        PlainChannel(lambda apdu: b"").send(Command(0xB0, le=1))
