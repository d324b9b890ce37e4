"""The simulated PN532: frames by hand over its pseudo-terminal, commands, cards that come and go."""

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from simulators.chip_files import CARD_ACCESS, DG2
from simulators.chip_quirks import Quirks
from simulators.pn532 import SimulatedPn532
from simulators.pn532_frames import Kind, encode, take
from tests.simulators.chip.issued_cards import by_bac, card, opened, read, read_all

DEADLINE_S = 10
ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")
ERROR = bytes.fromhex("0000FF01FF7F8100")
WAKE_UP = bytes.fromhex("55550000000000000000000000000000")
SELECT = bytes.fromhex("00A4020C02011C")
READ = bytes.fromhex("00B09C0000")


class Host:
    """The other end of the line, which knows no more than bytes."""

    def __init__(self, link: Path) -> None:
        self.line = serial.Serial(str(link), 115200, timeout=DEADLINE_S)

    def send(self, data: bytes | str) -> None:
        self.line.write(bytes.fromhex(data) if isinstance(data, str) else data)

    def expect(self, expected: bytes) -> None:
        assert self.line.read(len(expected)) == expected

    def answer(self) -> bytes:
        head = self.line.read(5)
        assert head[:3] == b"\x00\x00\xff"
        if head == ERROR[:5]:
            self.expect(ERROR[5:])
            return b""
        size = head[3]
        if head[3:] == b"\xff\xff":
            extended = self.line.read(3)
            assert sum(extended) % 256 == 0
            size = int.from_bytes(extended[:2], "big")
            assert size > 255
        else:
            assert sum(head[3:]) % 256 == 0
        body = self.line.read(size + 2)
        assert sum(body) % 256 == 0
        assert body[-1:] == b"\x00"
        return body[:-2]

    def ask(self, command: bytes | str) -> bytes:
        """The answer, frame identifier first, to a command without it; empty for an error frame."""
        data = bytes.fromhex(command) if isinstance(command, str) else command
        self.send(encode(b"\xd4" + data))
        self.expect(ACK)
        return self.answer()

    def exchange(self, apdu: bytes) -> bytes:
        answer = self.ask(b"\x40\x01" + apdu)
        assert answer[:3] == b"\xd5\x41\x00"
        return answer[3:]

    def wake(self) -> None:
        self.send(WAKE_UP)
        assert self.ask("1401 14 01") == b"\xd5\x15"

    def few_retries(self) -> None:
        assert self.ask("3205FF0102") == b"\xd5\x33"

    def silent(self) -> bool:
        """True when nothing came before the answer to another command did."""
        self.send(encode(b"\xd4\x02"))
        self.expect(ACK)
        return self.answer() == bytes.fromhex("D50332010607")


@pytest.fixture
def reader(tmp_path) -> Iterator[SimulatedPn532]:
    with SimulatedPn532(tmp_path / "nfc") as device:
        yield device


@pytest.fixture
def host(reader) -> Iterator[Host]:
    end = Host(reader.link)
    yield end
    end.line.close()


class TestFrames:
    def test_the_frames_of_the_manual(self, host):
        host.send(WAKE_UP)
        host.send("0000FF02FED4022A00")
        host.expect(ACK + bytes.fromhex("0000FF06FAD50332010607E800"))
        host.send("0000FF05FBD4140114010200")
        host.expect(ACK + bytes.fromhex("0000FF02FED5151600"))
        host.send("0000FF06FAD43205000001F400")
        host.expect(ACK + bytes.fromhex("0000FF02FED533F800"))
        host.send("0000FF04FCD44A0100E100")
        host.expect(ACK + bytes.fromhex("0000FF03FDD54B00E000"))

    def test_a_sleeping_chip_hears_nothing(self, host):
        host.send("0000FF02FED4022A00")
        host.send(WAKE_UP)
        assert host.silent()

    def test_frames_come_in_pieces(self, host):
        for byte in WAKE_UP + bytes.fromhex("0000FF02FED4022A00"):
            host.send(bytes((byte,)))
        host.expect(ACK)
        assert host.answer() == bytes.fromhex("D50332010607")

    @pytest.mark.parametrize(
        "damaged",
        ["0000FF02FDD4022A00", "0000FF02FED4022B00", "0000FFFFFF010A00D402", "FF00AA0000", "0000FF00FE00"],
    )
    def test_a_damaged_frame_is_not_acknowledged(self, host, damaged):
        host.wake()
        host.send(damaged)
        assert host.silent()

    def test_nack_repeats_the_last_answer(self, host):
        host.wake()
        host.ask("02")
        host.send(NACK)
        assert host.answer() == bytes.fromhex("D50332010607")

    @pytest.mark.parametrize("command", ["99", "", "4A", "4A0300", "4A0109", "4A0103", "40", "00", "0099", "32"])
    def test_unknown_commands_get_the_error_frame(self, host, command):
        host.wake()
        assert host.ask(command) == b""

    def test_a_foreign_frame_identifier_gets_the_error_frame(self, host):
        host.wake()
        host.send("0000FF02FED5022900")
        host.expect(ACK + ERROR)

    def test_any_command_is_answered(self, reader, host):
        host.wake()
        host.few_retries()
        reader.lay(card())
        draw = Random(1)
        known = (0x00, 0x02, 0x12, 0x14, 0x40, 0x44, 0x4A, 0x52)
        for _ in range(500):
            code = draw.choice(known) if draw.random() < 0.9 else draw.choice((0x06, 0x08, 0x56, 0x99))
            answer = host.ask(bytes((code, draw.randrange(4))) + draw.randbytes(draw.choice((0, 1, 5, 262))))
            assert answer[:2] in (b"", bytes((0xD5, code + 1)))

    def test_the_field_needs_a_configured_chip(self, host):
        host.send(WAKE_UP)
        assert host.ask("4A0100") == b""

    @given(data=st.binary(max_size=400))
    def test_any_bytes_are_taken_in(self, data):
        buffer = bytearray(data)
        while take(buffer) is not None:
            pass
        assert len(buffer) <= 273

    @given(data=st.binary(min_size=1, max_size=265), noise=st.sets(st.sampled_from(range(0x55))))
    def test_frames_survive_their_own_encoding(self, data, noise):
        buffer = bytearray(bytes(noise) + encode(data))
        assert take(buffer) == (Kind.DATA, data)
        assert take(buffer) is None


class TestTargets:
    def test_a_card_of_type_a(self, reader, host):
        host.wake()
        chip = card()
        reader.lay(chip)
        answer = host.ask("4A0100")
        assert answer[:4] == bytes.fromhex("D54B0101")
        assert answer[4:9] == bytes.fromhex("0008200408")
        assert answer[12:] == chip.ats
        assert chip.ats[0] == len(chip.ats)

    def test_a_card_of_type_b(self, reader, host):
        host.wake()
        host.few_retries()
        reader.lay(card(Quirks(type_b=True)))
        assert host.ask("4A0100") == b"\xd5\x4b\x00"
        answer = host.ask("4A010300")
        assert answer[:5] == bytes.fromhex("D54B010150")
        assert len(answer) == 4 + 12 + 2
        assert answer[-2] == 1
        assert host.exchange(SELECT) == b"\x90\x00"

    def test_the_search_waits_for_a_card(self, reader, host):
        host.wake()
        host.send(encode(bytes.fromhex("D44A0100")))
        host.expect(ACK)
        reader.lay(card())
        assert host.answer()[:4] == bytes.fromhex("D54B0101")

    def test_the_search_is_given_up(self, reader, host):
        host.wake()
        host.send(encode(bytes.fromhex("D44A0100")))
        host.expect(ACK)
        host.send(ACK)
        assert host.silent()
        reader.lay(card())
        assert host.silent()

    def test_no_card(self, host):
        host.wake()
        host.few_retries()
        assert host.ask("4A0100") == b"\xd5\x4b\x00"
        assert host.ask(b"\x40\x01" + SELECT) == b"\xd5\x41\x27"
        assert host.ask("0006") == b"\xd5\x01\x01"

    def test_a_new_search_activates_the_chip_anew(self, reader, host):
        host.wake()
        reader.lay(card())
        for _ in range(2):
            host.ask("4A0100")
            assert host.exchange(bytes.fromhex("00B0000001")) == b"\x69\x86"
            assert host.exchange(READ)[-2:] == b"\x90\x00"

    def test_power_down_forgets_everything(self, reader, host):
        host.wake()
        reader.lay(card())
        host.ask("4A0100")
        assert host.ask("16F0") == b"\xd5\x17\x00"
        host.send(encode(bytes.fromhex("D402")))
        host.wake()
        assert host.ask(b"\x40\x01" + SELECT) == b"\xd5\x41\x27"


class TestExchanges:
    @pytest.fixture
    def lying(self, reader, host):
        chip = card()
        host.wake()
        host.few_retries()
        reader.lay(chip)
        host.ask("4A0100")
        return chip

    def test_a_card_is_read_over_the_line(self, lying, host):
        channel = opened(SimpleNamespace(transmit=host.exchange, data=lying.data))
        assert read_all(channel, DG2) == lying.data.files[DG2]
        assert host.ask("0006") == b"\xd5\x01\x00"

    def test_answers_of_256_bytes_take_the_extended_frame(self, lying, host):
        channel = by_bac(SimpleNamespace(transmit=host.exchange, data=lying.data))
        assert len(read(channel, short=2).data) == 231

    def test_chained_commands_and_answers(self, reader, host):
        chip = card(Quirks(extended=32_768))
        host.wake()
        reader.lay(chip)
        host.ask("4A0100")

        def transmit(apdu: bytes) -> bytes:
            while len(apdu) > 200:
                assert host.ask(b"\x40\x41" + apdu[:200]) == b"\xd5\x41\x00"
                apdu = apdu[200:]
            answer, data = host.ask(b"\x40\x01" + apdu), b""
            while answer[2] == 0x40:
                data += answer[3:]
                answer = host.ask("4001")
            assert answer[2] == 0
            return data + answer[3:]

        channel = opened(SimpleNamespace(transmit=transmit, data=chip.data))
        assert read(channel, short=2, le=65536).data == chip.data.files[DG2]
        long = transmit(bytes.fromhex("00A4040C0001F4") + bytes(500))
        assert long == b"\x6a\x82"

    def test_a_card_that_is_gone_times_out_until_it_is_found_again(self, lying, reader, host):
        reader.take_away()
        assert reader.card is None
        assert host.ask(b"\x40\x01" + READ) == b"\xd5\x41\x01"
        assert host.ask("0006") == b"\xd5\x01\x01"
        reader.lay(lying)
        assert host.ask(b"\x40\x01" + READ) == b"\xd5\x41\x01"
        assert host.ask("4A0100")[:3] == b"\xd5\x4b\x01"
        assert host.exchange(READ)[-2:] == b"\x90\x00"

    def test_release_and_other_targets(self, lying, host):
        assert host.ask(b"\x40\x02" + READ) == b"\xd5\x41\x27"
        assert host.ask("5200") == b"\xd5\x53\x00"
        assert host.ask(b"\x40\x01" + READ) == b"\xd5\x41\x27"

    def test_no_field_no_card(self, lying, host):
        assert host.ask("320100") == b"\xd5\x33"
        assert host.ask(b"\x40\x01" + READ) == b"\xd5\x41\x0a"

    def test_a_slow_card_is_pulled_in_the_middle(self, reader, host):
        host.wake()
        reader.lay(card(Quirks(latency_ms=3_600_000)))
        host.ask("4A0100")
        host.send(encode(b"\xd4\x40\x01" + READ))
        host.expect(ACK)
        reader.take_away()
        assert host.answer() == b"\xd5\x41\x01"

    def test_a_card_that_slips_is_found_again(self, reader, host):
        host.wake()
        reader.lay(card(Quirks(removal_after=1, back_after_ms=1)))
        host.ask("4A0100")
        assert host.exchange(READ)[-2:] == b"\x90\x00"
        assert host.ask(b"\x40\x01" + READ) == b"\xd5\x41\x01"
        assert host.ask("4A0100")[:3] == b"\xd5\x4b\x01"
        assert host.exchange(READ)[-2:] == b"\x90\x00"


class TestPort:
    def test_unplugging_removes_link_and_thread(self, tmp_path):
        before = set(threading.enumerate())
        device = SimulatedPn532(tmp_path / "nfc")
        assert device.plugged
        assert device.link.is_symlink()
        device.unplug()
        device.unplug()
        assert not device.plugged
        assert not device.link.is_symlink()
        assert set(threading.enumerate()) == before

    def test_plugging_in_again_starts_asleep_and_keeps_the_card(self, reader):
        chip = card()
        reader.lay(chip)
        for _ in range(3):
            reader.unplug()
            reader.plug()
            host = Host(reader.link)
            host.wake()
            host.ask("4A0100")
            assert host.exchange(READ) == chip.data.master_files[CARD_ACCESS] + b"\x90\x00"
            host.line.close()

    def test_something_in_the_way_is_left_alone(self, tmp_path):
        (tmp_path / "nfc").write_text("mine")
        with pytest.raises(FileExistsError):
            SimulatedPn532(tmp_path / "nfc")
        assert (tmp_path / "nfc").read_text() == "mine"

    def test_a_folder_that_is_missing(self, tmp_path):
        with pytest.raises(OSError):
            SimulatedPn532(tmp_path / "absent" / "nfc")

    def test_the_line_may_be_closed_and_opened(self, reader):
        for _ in range(3):
            host = Host(reader.link)
            host.wake()
            assert host.silent()
            host.line.close()
