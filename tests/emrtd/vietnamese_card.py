"""Builds the zone, DG1 and DG13 of an invented Vietnamese card, sound or with any part changed."""

from kiosk.emrtd import tlv
from kiosk.emrtd.mrz import check_digit

TAGS = {1: 0x13, 3: 0x13, 11: 0x13, 15: 0x13, 16: 0x13}
ENCODINGS = {0x0C: "utf-8", 0x13: "utf-8", 0x16: "utf-8", 0x14: "latin-1", 0x1E: "utf-16-be"}
PERSON = {
    1: "099190000456",
    2: "Trần Thị Mẫu",
    3: "01/02/1990",
    4: "Nữ",
    5: "Việt Nam",
    6: "Kinh",
    7: "Không",
    8: "Xã Mẫu, Hậu Giang",
    9: "Ấp Thử Nghiệm, Xã Mẫu, Huyện Châu Thành, Tỉnh Hậu Giang, " * 3,
    10: "Nốt ruồi cách 1cm trên trước đầu lông mày phải",
    11: "05/07/2021",
    12: "01/02/2030",
    15: "364000123",
    16: "0123456789ABCDEF",
}


def zone(
    number="099190000456",
    birth="900201",
    expiry="300201",
    names="TRAN<<THI<MAU",
    nation="VNM",
    sex="F",
    document_number=None,
):
    """Three lines with sound check digits."""
    short = number[3:] if document_number is None else document_number
    first = f"IDVNM{short}{check_digit(short)}{number:<<14}"
    first += check_digit(first[15:29])
    second = f"{birth}{check_digit(birth)}{sex}{expiry}{check_digit(expiry)}{nation}".ljust(29, "<")
    composite = check_digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])
    return (first, second + composite, names[:30].ljust(30, "<"))


def dg1(lines=None):
    return tlv.encode(0x61, tlv.encode(0x5F1F, "".join(lines or zone()).encode()))


def wrap(tag, value, width=0):
    """A TLV whose length takes *width* bytes behind 8x, or the shortest form for 0."""
    if not width:
        return tlv.encode(tag, value)
    return bytes([tag, 0x80 | width]) + len(value).to_bytes(width, "big") + value


def string(text, tag=0x0C, width=0):
    return wrap(tag, text.encode(ENCODINGS[tag]), width)


def entry(index, *values, width=0):
    return wrap(0x30, bytes([2, 1, index]) + b"".join(values), width)


def text_entries(texts=None):
    texts = PERSON if texts is None else texts
    return {index: entry(index, string(text, TAGS.get(index, 0x0C))) for index, text in texts.items()}


def dg13(entries, width=0):
    return wrap(0x6D, wrap(0x30, wrap(0x31, b"".join(entries), width), width), width)
