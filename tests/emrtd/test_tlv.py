"""BER-TLV: what is written is read again, and nothing but DataError comes out of arbitrary bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import tlv
from kiosk.emrtd.errors import DataError

TAGS = st.sampled_from([0x04, 0x30, 0x61, 0x7C, 0x87, 0x5F1F, 0x7F49, 0x7F2E, 0x5F8101])


@given(st.lists(st.tuples(TAGS, st.binary(max_size=300)), max_size=5))
def test_written_and_read_again(objects: list[tuple[int, bytes]]) -> None:
    data = b"".join(tlv.encode(tag, value) for tag, value in objects)
    assert list(tlv.iterate(data)) == objects
    for tag, value in objects:
        assert tlv.total_length(tlv.encode(tag, value)[:8]) == len(tlv.encode(tag, value))
        assert tlv.find(data, tag) == next(found for name, found in objects if name == tag)
        assert tlv.expect(tlv.encode(tag, value) + b"padding", tag) == value


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_take_as_few_bytes_as_they_can(size: int) -> None:
    encoded = tlv.encode(0x04, bytes(size))
    assert tlv.parse_one(encoded) == (0x04, bytes(size), len(encoded))
    assert len(encoded) - size == (2 if size < 128 else 3 if size < 256 else 4 if size < 65_536 else 5)


@pytest.mark.parametrize(
    "data",
    ["", "30", "3080", "3081", "3084000000FF", "30850000000001", "3005AA", "5F", "5F81", "5F818101AA", "30FF"],
)
def test_what_is_cut_off_indefinite_or_too_large_is_refused(data: str) -> None:
    with pytest.raises(DataError):
        tlv.parse_one(bytes.fromhex(data))


def test_the_tag_that_is_due_must_stand_there() -> None:
    assert tlv.find(b"\x04\x01a", 0x30) is None
    with pytest.raises(DataError, match="tag 4 where 30"):
        tlv.expect(b"\x04\x01a", 0x30)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_end_in_objects_or_in_a_data_error(data: bytes) -> None:
    with contextlib.suppress(DataError):
        assert sum(len(value) + 2 for _, value in tlv.iterate(data)) <= len(data)
    with contextlib.suppress(DataError):
        tag, value, end = tlv.parse_one(data)
        assert data[:end].endswith(value)
        assert tlv.total_length(data) == end
        assert tlv.read_tag(data, 0)[0] == tag
