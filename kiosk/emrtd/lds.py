"""The logical data structure: the files of an eMRTD and what is inside those of ICAO itself.

Source: ICAO 9303-10 3 and 4 (files, tags, EF.COM, DG1, DG2); ISO 19794-5:2005 5 (the record around the face image).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from kiosk.emrtd import tlv
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.mrz import Mrz, parse

EMRTD_AID: Final = bytes.fromhex("A0000002471001")
"""The application of ICAO 9303 (9303-10 3.6)."""


@dataclass(frozen=True, slots=True)
class LdsFile:
    """A file of the chip. ``fid``: two-byte identifier; ``sfi``: short one (5 bits); ``tag``: the file's first tag.

    ``in_application`` is False for the files of the MF, which are read before the application is selected. The
    identifier of EF.CardSecurity and of EF.SOD is the same: which of them answers depends on what is selected.
    """

    name: str
    fid: int
    sfi: int
    tag: int
    in_application: bool = True


_GROUP_TAGS: Final = (
    0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70,
)  # fmt: skip

FILES: Final[Mapping[str, LdsFile]] = MappingProxyType(
    {
        file.name: file
        for file in (
            LdsFile("EF.CardAccess", 0x011C, 0x1C, 0x31, in_application=False),
            LdsFile("EF.CardSecurity", 0x011D, 0x1D, 0x30, in_application=False),
            LdsFile("EF.COM", 0x011E, 0x1E, 0x60),
            LdsFile("EF.SOD", 0x011D, 0x1D, 0x77),
            *(LdsFile(f"DG{n}", 0x0100 + n, n, tag) for n, tag in enumerate(_GROUP_TAGS, start=1)),
        )
    }
)
"""All files by the name they have in ``ChipRead.files`` (ICAO 9303-10 table 34)."""

_GROUP_OF_TAG: Final = {tag: f"DG{n}" for n, tag in enumerate(_GROUP_TAGS, start=1)}
_RECORD_HEADER: Final = 14
_FACE_BLOCK: Final = 20
_FEATURE_POINT: Final = 8
_IMAGE_BLOCK: Final = 12

ImageFormat = Literal["jpeg", "jp2"]
_SIGNATURES: Final[tuple[tuple[bytes, ImageFormat], ...]] = (
    (bytes.fromhex("FFD8FF"), "jpeg"),
    (bytes.fromhex("0000000C6A5020200D0A"), "jp2"),
    (bytes.fromhex("FF4FFF51"), "jp2"),  # a bare codestream, without the boxes of the file format
)


@dataclass(frozen=True, slots=True)
class Com:
    """EF.COM. ``groups``: names of the data groups present ("DG1"), in the file's order; unknown tags are left out.

    Versions as the four and six digits of the file, None where it has none. Not signed: a hint, never a proof.
    """

    lds_version: str | None
    unicode_version: str | None
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Portrait:
    """The face image of DG2: ``jpeg``, or JPEG 2000 as ``jp2`` (file format or bare codestream)."""

    format: ImageFormat
    data: bytes


def parse_com(data: bytes) -> Com:
    """EF.COM from the whole file; DataError when it cannot be understood."""
    values = dict(tlv.iterate(tlv.expect(data, FILES["EF.COM"].tag)))
    if 0x5C not in values:
        raise DataError("EF.COM without a list of tags")
    groups = tuple(_GROUP_OF_TAG[tag] for tag in values[0x5C] if tag in _GROUP_OF_TAG)
    return Com(_digits(values.get(0x5F01)), _digits(values.get(0x5F36)), groups)


def mrz_of(dg1: bytes) -> Mrz:
    """The machine-readable zone in the whole file DG1; DataError when there is none. Check digits: ``Mrz.valid``."""
    zone = tlv.find(tlv.expect(dg1, FILES["DG1"].tag), 0x5F1F)
    if zone is None:
        raise DataError("DG1 without an MRZ")
    try:
        return parse(zone.decode("ascii"))
    except UnicodeDecodeError:
        raise DataError("an MRZ that is not ASCII") from None


def portrait(dg2: bytes) -> Portrait:
    """The first face image in the whole file DG2; DataError when there is none in a known format."""
    group = tlv.find(tlv.expect(dg2, FILES["DG2"].tag), 0x7F61)
    template = None if group is None else tlv.find(group, 0x7F60)
    if template is None:
        raise DataError("DG2 without a biometric template")
    record = tlv.find(template, 0x5F2E)
    if record is None and (wrapped := tlv.find(template, 0x7F2E)) is not None:
        # The constructed form holds the record in a 5F2E of its own; some issuers put it there as it is.
        record = wrapped if wrapped.startswith(b"FAC\0") else tlv.find(wrapped, 0x5F2E)
    if record is None or not record.startswith(b"FAC\0"):
        raise DataError("DG2 without a face record of ISO 19794-5")
    return _image(record)


def _image(record: bytes) -> Portrait:
    face = record[_RECORD_HEADER:]
    block_length = int.from_bytes(face[0:4], "big")
    points = int.from_bytes(face[4:6], "big")
    start = _FACE_BLOCK + _FEATURE_POINT * points + _IMAGE_BLOCK
    # Documents with a wrong block length are in the field; the image decoder stops at the image's own end anyway.
    image = face[start : block_length if start < block_length <= len(face) else len(face)]
    for signature, kind in _SIGNATURES:
        if image.startswith(signature):
            return Portrait(kind, image)
    raise DataError("a face image that is neither JPEG nor JPEG 2000")


def _digits(value: bytes | None) -> str | None:
    return None if value is None else value.decode("ascii", "replace")
