"""Reading one file through a channel whose chip has habits: what is asked for, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import tlv
from kiosk.emrtd.apdu import EXTENDED_LE, Command, Response
from kiosk.emrtd.errors import AccessDenied, ApduError, ChannelBroken, ChipLost, DataError
from kiosk.emrtd.files import LADDER, FileReader, Progress, ReadSize
from kiosk.emrtd.lds import FILES


@dataclass
class Chip:
    """A channel to a chip with one file, and habits.

    ``most``: bytes it gives at once; ``refuses``: status word for more than it takes, by the largest Le that it takes;
    ``exact``: refuses an Le beyond the end with this status word; ``drip``: gives so many bytes, whatever is asked.
    """

    content: bytes
    name: str = "DG2"
    most: int = EXTENDED_LE
    refuses: tuple[int, int] | None = None
    exact: int = 0
    drip: int = 0
    short_ids: int = 0x9000
    forgets: bool = False
    fails_at: int | None = None
    asked: list[Command] = field(default_factory=list)
    selected: bool = False

    def send(self, command: Command) -> Response:
        if self.fails_at == len(self.asked):
            self.fails_at, self.selected = None, False
            raise ChipLost("lost")
        self.asked.append(command)
        if command.ins == 0xA4:
            assert (command.p1, command.p2, command.le) == (0x02, 0x0C, None)
            self.selected = command.data == FILES[self.name].fid.to_bytes(2, "big")
            return Response(b"", 0x9000 if self.selected else 0x6A82)
        response = self._read(command)
        if self.forgets and not response.ok:
            self.selected = False
        return response

    def _read(self, command: Command) -> Response:
        assert command.le is not None
        if command.p1 & 0x80:
            if self.short_ids != 0x9000:
                return Response(b"", self.short_ids)
            assert (command.ins, command.p2) == (0xB0, 0)
            if command.p1 & 0x1F != FILES[self.name].sfi:
                return Response(b"", 0x6A82)
            self.selected, at = True, 0
        elif command.ins == 0xB0:
            at = command.p1 << 8 | command.p2
        else:
            assert (command.p1, command.p2) == (0, 0)
            at = int.from_bytes(tlv.expect(command.data, 0x54), "big")
        if not self.selected:
            return Response(b"", 0x6986)
        le = command.le
        if self.refuses and le > self.refuses[0]:
            return Response(b"", self.refuses[1])
        if command.ins == 0xB1:
            le -= len(tlv.encode(0x53, bytes(le))) - le
        left = len(self.content) - at
        if left <= 0 or (self.exact and le > left):
            return Response(b"", self.exact or 0x6B00)
        part = self.content[at : at + min(le, self.most, self.drip or le)]
        sw = 0x6282 if le > left and le not in (256, EXTENDED_LE) else 0x9000
        return Response(tlv.encode(0x53, part) if command.ins == 0xB1 else part, sw)


def file_of(size: int, name: str = "DG2") -> bytes:
    """A file of *size* bytes of content that differ everywhere."""
    content = b"".join(n.to_bytes(3, "big") for n in range(size // 3 + 1))[:size]
    return tlv.encode(FILES[name].tag, content)


def read(chip: Chip, size: int = LADDER[0], progress: Progress | None = None) -> bytes | None:
    return FileReader(ReadSize(size)).read(chip, FILES[chip.name], progress or Progress())


# -- what is asked for -----------------------------------------------------------------------------------------------


def test_one_command_with_extended_lengths() -> None:
    chip = Chip(file_of(15_000))
    assert read(chip) == chip.content
    assert chip.asked == [Command(0xB0, 0x82, 0, le=EXTENDED_LE)]


def test_short_reads_ask_for_no_byte_twice_and_none_too_many() -> None:
    chip = Chip(file_of(500))
    assert read(chip, 231) == chip.content
    assert chip.asked == [
        Command(0xB0, 0x82, 0, le=231),
        Command(0xB0, 0, 231, le=231),
        Command(0xB0, 1, 206, le=len(chip.content) - 462),
    ]


@pytest.mark.parametrize("size", LADDER)
def test_offsets_beyond_32_kib_use_the_odd_instruction(size: int) -> None:
    chip = Chip(file_of(70_000), most=1000)
    assert read(chip, size) == chip.content
    far = [command for command in chip.asked if command.ins == 0xB1]
    assert far
    assert {len(tlv.expect(command.data, 0x54)) for command in far} == {2, 3}
    assert max(command.le or 0 for command in chip.asked) <= size


def test_a_refused_size_is_refused_for_the_odd_instruction_too() -> None:
    chip = Chip(file_of(40_000), refuses=(112, 0x6700))
    assert read(chip) == chip.content


@pytest.mark.parametrize("sw", [0x6700, 0x6F00, 0x6C80], ids=hex)
@pytest.mark.parametrize("most", [size for size in LADDER if size < EXTENDED_LE])
def test_the_ladder_goes_down_to_what_is_taken(most: int, sw: int) -> None:
    chip = Chip(file_of(1000), refuses=(most, sw))
    reader = FileReader(ReadSize.known(None))
    assert reader.read(chip, FILES["DG2"], Progress()) == chip.content
    assert (reader.size.size, reader.size.proven) == (most, True)


@pytest.mark.parametrize("known", [None, 17, 231], ids=str)
def test_the_ladder_starts_at_what_is_known(known: int | None) -> None:
    assert ReadSize.known(known).size == (231 if known == 231 else EXTENDED_LE)


@pytest.mark.parametrize("drip", [1, 2, 7, 100])
def test_answers_shorter_than_asked_are_gone_on_from(drip: int) -> None:
    chip = Chip(file_of(300), drip=drip)
    assert read(chip, 231) == chip.content


@pytest.mark.parametrize("sw", [0x6B00, 0x6700], ids=hex)
def test_a_chip_that_wants_to_be_asked_for_no_more_than_there_is(sw: int) -> None:
    chip = Chip(file_of(40, "DG1"), "DG1", exact=sw)
    assert read(chip) == chip.content


def test_padding_behind_the_file_is_cut_off() -> None:
    chip = Chip(file_of(100) + bytes(60))
    assert read(chip) == chip.content[:-60]


# -- short ids and selection -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sw", [0x6A82, 0x6A86, 0x6A81, 0x6B00, 0x6986], ids=hex)
def test_without_short_ids_files_are_selected_from_then_on(sw: int) -> None:
    chip = Chip(file_of(100), short_ids=sw)
    reader = FileReader(ReadSize(231))
    for _ in range(2):
        assert reader.read(chip, FILES["DG2"], Progress()) == chip.content
    assert [command.ins for command in chip.asked] == [0xB0, 0xA4, 0xB0, 0xA4, 0xB0]


def test_a_file_that_is_not_there_is_none_and_short_ids_stay() -> None:
    chip = Chip(file_of(100))
    reader = FileReader(ReadSize(231))
    assert reader.read(chip, FILES["DG13"], Progress()) is None
    assert reader.short_ids
    reader.short_ids = False
    assert reader.read(chip, FILES["DG13"], Progress()) is None


def test_a_chip_that_forgets_its_file_over_a_refusal_is_told_again() -> None:
    chip = Chip(file_of(1000), refuses=(192, 0x6700), forgets=True)
    assert read(chip) == chip.content


def test_a_chip_that_always_forgets_is_left() -> None:
    class Forgetful(Chip):
        def send(self, command: Command) -> Response:
            super().send(command)
            return Response(b"", 0x9000 if command.ins == 0xA4 else 0x6986)

    chip = Forgetful(file_of(10))
    with pytest.raises(ApduError):
        read(chip)
    assert len(chip.asked) < 20


def test_a_session_that_ends_over_a_short_id_is_not_tried_by_short_id_again() -> None:
    class Plain(Chip):
        def send(self, command: Command) -> Response:
            response = super().send(command)
            if response.sw == 0x6A86:
                raise ChannelBroken("the chip answered without secure messaging", response.sw)
            return response

    reader = FileReader(ReadSize(231))
    chip = Plain(file_of(100), short_ids=0x6A86)
    with pytest.raises(ChannelBroken):
        reader.read(chip, FILES["DG2"], Progress())
    assert reader.read(chip, FILES["DG2"], Progress()) == chip.content


# -- going on after a loss -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(6))
def test_what_was_read_is_kept_over_a_loss(at: int) -> None:
    chip, progress = Chip(file_of(1000)), Progress()
    chip.fails_at = at
    reader = FileReader(ReadSize(231))
    try:
        assert reader.read(chip, FILES["DG2"], progress) == chip.content
    except ChipLost:
        kept = len(progress.data)
        assert kept == min(231 * at, len(chip.content))
        chip.asked.clear()
        assert reader.read(chip, FILES["DG2"], progress) == chip.content
        assert len(chip.asked) == 5 - at + (1 if kept else 0)


# -- what must not be accepted, and must end -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size"), [("DG13", 64 * 1024), ("EF.SOD", 64 * 1024), ("DG2", 256 * 1024)], ids=["DG13", "SOD", "DG2"]
)
def test_files_that_are_too_large_are_refused_at_once(name: str, size: int) -> None:
    chip = Chip(tlv.encode(FILES[name].tag, bytes(size)), name, most=200)
    with pytest.raises(DataError, match="claims"):
        read(chip)
    assert len(chip.asked) == 1


def test_a_file_that_ends_before_its_length_is_refused() -> None:
    with pytest.raises(DataError, match="ends early"):
        read(Chip(file_of(1000)[:600], most=200))
    with pytest.raises(DataError, match="ends early"):
        read(Chip(file_of(1000)[:600], most=200), 231)


def test_end_of_file_with_bytes_is_gone_on_from() -> None:
    """Some chips warn because more was asked for than there is, and still give less than there is."""

    class Cautious(Chip):
        def send(self, command: Command) -> Response:
            response = super().send(command)
            return Response(response.data[:50] or response.data, 0x6282) if response.data else response

    chip = Cautious(file_of(300))
    assert read(chip, 231) == chip.content


def test_a_chip_that_is_strict_about_the_end_is_strict_beyond_32_kib_too() -> None:
    chip = Chip(file_of(33_000), exact=0x6B00)
    chip.most = 1000
    assert read(chip, 223) == chip.content


def test_a_file_in_crumbs_is_refused() -> None:
    chip = Chip(file_of(5000), drip=1)
    with pytest.raises(DataError, match="too many parts"):
        read(chip)


@pytest.mark.parametrize("sw", [0x6982, 0x6985], ids=hex)
def test_a_file_that_needs_more_rights(sw: int) -> None:
    chip = Chip(file_of(10), short_ids=sw)
    with pytest.raises(AccessDenied) as caught:
        read(chip)
    assert caught.value.sw == sw


@pytest.mark.parametrize("response", [Response(b"", 0x9000), Response(b"", 0x6282)], ids=["9000", "6282"])
def test_answers_without_a_byte_never_loop(response: Response) -> None:
    asked = 0

    class Empty:
        def send(self, command: Command) -> Response:
            nonlocal asked
            asked += 1
            return response

    with pytest.raises((DataError, ApduError)):
        FileReader(ReadSize(EXTENDED_LE)).read(Empty(), FILES["DG1"], Progress())
    assert asked <= len(LADDER) + 2


@pytest.mark.parametrize("head", ["75", "7584", "758401000000", "7580", "75FF", "7F8F8F0101"])
def test_a_head_that_is_none(head: str) -> None:
    with pytest.raises(DataError):
        read(Chip(bytes.fromhex(head)))


SW = st.sampled_from([0x9000, 0x6282, 0x6700, 0x6F00, 0x6C10, 0x6982, 0x6A82, 0x6A86, 0x6B00, 0x6986, 0x6100, 0x6D00])


@given(
    st.lists(st.tuples(st.binary(max_size=12), SW), min_size=1, max_size=8),
    st.binary(max_size=6),
    st.sampled_from(LADDER),
)
def test_whatever_a_chip_answers_the_read_ends(answers: list[tuple[bytes, int]], partial: bytes, size: int) -> None:
    """The answers come round and round; the announced size bounds how often."""
    asked = 0

    class Any:
        def send(self, command: Command) -> Response:
            nonlocal asked
            asked += 1
            return Response(*answers[asked % len(answers)])

    try:
        found = FileReader(ReadSize(size)).read(Any(), FILES["DG1"], Progress(bytearray(partial)))
    except (ApduError, DataError):
        pass
    else:
        assert found is None or tlv.total_length(found[:8]) == len(found)
