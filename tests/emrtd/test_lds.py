"""The file table, EF.COM, DG1 and DG2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd import tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.lds import FILES, Com, Portrait, mrz_of, parse_com, portrait

ZONE = b"IDVNM1900004563093190000456<<39002018F3002016VNM<<<<<<<<<<<4TRAN<<THI<MAU<<<<<<<<<<<<<<<<<"
DG1 = bytes.fromhex("615D5F1F5A") + ZONE
JPEG = bytes.fromhex("FFD8FFE000104A464946") + bytes(500) + bytes.fromhex("FFD9")
JP2 = bytes.fromhex("0000000C6A5020200D0A870A") + bytes(500)
CODESTREAM = bytes.fromhex("FF4FFF51002F") + bytes(500)


def face_record(image, points=0, block_length=None):
    length = 20 + 8 * points + 12 + len(image)
    block = (length if block_length is None else block_length).to_bytes(4, "big") + points.to_bytes(2, "big")
    block += bytes(14) + bytes(8 * points) + bytes(12) + image
    return b"FAC\x00010\x00" + (14 + length).to_bytes(4, "big") + b"\x00\x01" + block


def dg2(record, tag=0x5F2E, count=1):
    header = bytes.fromhex("A10E81010282010087020101880200085F2E")[:-2]
    template = tlv.encode(0x7F60, header + tlv.encode(tag, record))
    return tlv.encode(0x75, tlv.encode(0x7F61, tlv.encode(0x02, bytes([count])) + template * count))


def test_the_table_of_files():
    assert len(FILES) == 20
    assert all(name == file.name and file.sfi == file.fid & 0xFF for name, file in FILES.items())
    assert [FILES[f"DG{n}"].fid for n in (1, 2, 13, 14, 15, 16)] == [0x0101, 0x0102, 0x010D, 0x010E, 0x010F, 0x0110]
    assert [FILES[f"DG{n}"].tag for n in (1, 2, 3, 13, 14, 15)] == [0x61, 0x75, 0x63, 0x6D, 0x6E, 0x6F]
    assert {name for name, file in FILES.items() if not file.in_application} == {"EF.CardAccess", "EF.CardSecurity"}
    assert FILES["EF.CardSecurity"].fid == FILES["EF.SOD"].fid == 0x011D


def test_identifiers_are_unique_where_they_are_selected():
    places = [(file.in_application, file.fid) for file in FILES.values()]
    assert len(set(places)) == len(places)


def test_com_of_a_vietnamese_card():
    data = bytes.fromhex("6018 5F0104 30313037 5F3606 303430303030 5C06 6175636D6E6F")
    assert parse_com(data) == Com("0107", "040000", ("DG1", "DG2", "DG3", "DG13", "DG14", "DG15"))


def test_com_with_a_tag_nobody_knows():
    assert parse_com(bytes.fromhex("60045C0261FE")) == Com(None, None, ("DG1",))


@pytest.mark.parametrize("data", ["", "6100", "6000", "60045C0461", "60075F010430313037"])
def test_no_com(data):
    with pytest.raises(DataError):
        parse_com(bytes.fromhex(data))


def test_dg1():
    mrz = mrz_of(DG1)
    assert (mrz.valid, mrz.personal_number, mrz.full_name) == (True, "093190000456", "TRAN THI MAU")


@pytest.mark.parametrize("filler", [b"\x00" * 40, b"\xff" * 3], ids=["zeros", "ones"])
def test_padding_behind_a_file_changes_nothing(filler):
    assert mrz_of(DG1 + filler) == mrz_of(DG1)
    assert portrait(dg2(face_record(JPEG)) + filler) == Portrait("jpeg", JPEG)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DG1[:-1],
        b"\x60" + DG1[1:],
        bytes.fromhex("61045F1E0141"),
        tlv.encode(0x61, tlv.encode(0x5F1F, b"\xff" * 90)),
    ],
    ids=["empty", "cut", "tag", "no zone", "not ascii"],
)
def test_no_dg1(data):
    with pytest.raises(DataError):
        mrz_of(data)


@pytest.mark.parametrize("points", [0, 1, 7])
@pytest.mark.parametrize(
    ("image", "kind"), [(JPEG, "jpeg"), (JP2, "jp2"), (CODESTREAM, "jp2")], ids=["jpeg", "jp2", "j2k"]
)
def test_portraits(image, kind, points):
    assert portrait(dg2(face_record(image, points))) == Portrait(kind, image)


@pytest.mark.parametrize("count", [1, 2])
def test_the_first_portrait_counts(count):
    assert portrait(dg2(face_record(JPEG), count=count)).data == JPEG


def test_the_constructed_record():
    record = face_record(JPEG)
    assert portrait(dg2(record, tag=0x7F2E)).data == JPEG
    assert portrait(dg2(tlv.encode(0x5F2E, record), tag=0x7F2E)).data == JPEG


@pytest.mark.parametrize("length", [0, 10, 0xFFFFFFFF])
def test_a_wrong_block_length_loses_no_image(length):
    assert portrait(dg2(face_record(JPEG, block_length=length))).data == JPEG


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DG1,
        bytes.fromhex("75057F61020200"),
        dg2(b"FIR\0" + bytes(50)),
        dg2(b"FAC\0"),
        dg2(face_record(b"GIF89a")),
        dg2(face_record(JPEG), tag=0x5F2D),
        dg2(face_record(JPEG))[:-1],
    ],
    ids=["empty", "other file", "no template", "fingers", "cut record", "gif", "no record", "cut file"],
)
def test_no_portrait(data):
    with pytest.raises(DataError):
        portrait(data)


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data, record):
    for read, raw in ((parse_com, data), (mrz_of, data), (portrait, data), (portrait, dg2(b"FAC\0" + record))):
        try:
            read(raw)
        except DataError:
            continue


@given(st.integers(0, 700), st.integers(0, 255))
def test_a_flipped_byte_raises_nothing_else(at, value):
    whole = dg2(face_record(JPEG, points=2))
    for read, data in ((mrz_of, DG1), (portrait, whole)):
        damaged = bytearray(data)
        damaged[at % len(data)] = value
        try:
            read(bytes(damaged))
        except DataError:
            continue
