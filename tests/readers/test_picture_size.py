"""The size of pictures from their first bytes."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.readers.picture_size import picture_size
from kiosk.readers.qr_decoder import PictureUnreadable, decode_picture
from simulators.frames import picture


@given(st.sampled_from([".png", ".jpg", ".webp", ".bmp"]), st.integers(1, 300), st.integers(1, 300))
def test_the_size_is_that_of_the_picture(kind, width, height):
    assert picture_size(picture(np.zeros((height, width), np.uint8), kind)) == (width, height)


def test_segments_before_the_frame_of_a_jpeg_are_passed_over():
    jpeg = picture(np.zeros((30, 50), np.uint8), ".jpg")
    comment = b"\xff\xfe" + struct.pack(">H", 2000) + bytes(1998)
    assert picture_size(jpeg[:2] + comment + b"\xff" + jpeg[2:]) == (50, 30)


@pytest.mark.parametrize(
    ("chunk", "size"),
    [
        (b"VP8 " + bytes(10) + struct.pack("<HH", 320 | 1 << 14, 200), (320, 200)),
        (b"VP8L" + bytes(4) + b"\x2f" + struct.pack("<I", 319 | 199 << 14) + bytes(5), (320, 200)),
        (b"VP8X" + bytes(8) + (319).to_bytes(3, "little") + (199).to_bytes(3, "little"), (320, 200)),
        (b"ALPH" + bytes(14), None),
    ],
)
def test_each_kind_of_webp_says_its_size(chunk, size):
    assert picture_size(b"RIFF\0\0\0\0WEBP" + chunk) == size


def test_a_picture_that_unpacks_to_gigabytes_is_refused_unopened():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    assert picture_size(png) == (60_000, 60_000)
    with pytest.raises(PictureUnreadable):
        decode_picture(png)


@given(st.binary(max_size=64), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF0000WEBP", b"BM"]))
def test_any_bytes_have_a_size_or_none(data, start):
    size = picture_size(start + data)
    assert size is None or (size[0] > 0 and size[1] > 0)
