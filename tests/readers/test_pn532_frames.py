"""Frames and targets of the PN532, without any line."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.readers.pn532_frames import ACK, MAX_DATA, NACK, FrameError, Mark, Unframer, frame, target_a, target_b

ERROR = bytes.fromhex("0000FF01FF7F8100")
SEL_RES_ISO_DEP, SEL_RES_MIFARE = "20", "08"


def target(sel_res: str, rest: str) -> bytes:
    return bytes.fromhex(f"01 01 0008 {sel_res} 04 08010203 {rest}")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("D402", "0000FF02FED4022A00"),
        ("D414011401", "0000FF05FBD4140114010200"),
        ("D44A0100", "0000FF04FCD44A0100E100"),
    ],
    ids=["GetFirmwareVersion", "SAMConfiguration", "InListPassiveTarget"],
)
def test_frames_of_the_reference(data, line):
    assert frame(bytes.fromhex(data)) == bytes.fromhex(line)
    assert Unframer().feed(bytes.fromhex(line)) == [bytes.fromhex(data)]


@pytest.mark.parametrize(
    ("line", "mark"), [(ACK, Mark.ACK), (NACK, Mark.NACK), (ERROR, Mark.ERROR)], ids=["ack", "nack", "error"]
)
def test_marks(line, mark):
    assert Unframer().feed(line) == [mark]


@pytest.mark.parametrize("size", [0, MAX_DATA + 1])
def test_lengths_that_no_frame_has(size):
    with pytest.raises(FrameError):
        frame(bytes(size))


@given(st.lists(st.binary(min_size=2, max_size=MAX_DATA), max_size=4), st.lists(st.integers(0, 2000), max_size=12))
def test_frames_come_back_in_pieces_of_any_size(bodies, places):
    stream = ACK + b"".join(b"\x55" + frame(body) for body in bodies)
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    unframer = Unframer()
    found = [item for start, end in itertools.pairwise(edges) for item in unframer.feed(stream[start:end])]
    assert found == [Mark.ACK, *bodies]


@given(st.binary(min_size=2, max_size=MAX_DATA), st.data())
def test_one_wrong_bit_is_never_taken_for_data(body, data):
    line = bytearray(frame(body))
    place = data.draw(st.integers(3, len(line) - 2))
    line[place] ^= 1 << data.draw(st.integers(0, 7))
    assert body not in Unframer().feed(bytes(line) + ACK)


@given(st.lists(st.binary(max_size=600), max_size=4))
def test_any_bytes_are_bounded_and_never_an_error(pieces):
    unframer = Unframer()
    for piece in pieces:
        assert all(isinstance(item, Mark) or 1 <= len(item) <= MAX_DATA for item in unframer.feed(piece))


def test_reset_forgets_half_a_frame():
    unframer = Unframer()
    unframer.feed(frame(b"\xd5\x03\x32")[:6])
    unframer.reset()
    assert unframer.feed(frame(b"\xd5\x03\x33")) == [b"\xd5\x03\x33"]


def test_card_that_speaks_apdus():
    found = target_a(target(SEL_RES_ISO_DEP, "0578807002"))
    assert found is not None
    assert (found.number, found.card_type) == (1, "0578807002")


def test_card_type_knows_no_identifier():
    one, other = target(SEL_RES_ISO_DEP, "0578807002"), bytearray(target(SEL_RES_ISO_DEP, "0578807002"))
    other[6:10] = b"\x08\xaa\xbb\xcc"
    assert target_a(one) == target_a(bytes(other))
    b = bytes.fromhex("01 01 50 11223344 E1F35E11 778171 01 00")
    assert target_b(b) == target_b(b.replace(b"\x11\x22\x33\x44", b"\x55\x66\x77\x88"))
    assert target_b(b).card_type == "e1f35e11778171"


def test_card_without_apdus_has_no_type():
    assert target_a(target(SEL_RES_MIFARE, "")).card_type == ""


def test_no_card():
    assert target_a(b"\x00") is None
    assert target_b(b"\x00") is None


@given(st.binary(max_size=60))
def test_any_target_is_one_or_an_error(data):
    for parse in (target_a, target_b):
        try:
            found = parse(data)
        except FrameError:
            continue
        assert found is None or found.number == data[1]
