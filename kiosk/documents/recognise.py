"""Any capture of a scanner, camera or keyboard to a `Document`; the order of the tests is the specification.

Source: identity-documents.md section 9. Health-insurance codes are tested for before citizen cards, because both may
start with a personal number.
"""

import re
from itertools import islice

from kiosk.documents.bhyt_qr import is_insurance_card, is_vssid, read_insurance_card, read_vssid
from kiosk.documents.card_number import benefit_level_of, classify_number
from kiosk.documents.cccd_qr import NO_ISSUE_DATE, read_card
from kiosk.documents.mrz import read_zone, starts_zone
from kiosk.documents.personal_id import SEX_MISMATCH, SIMULATED_PREFIXES, YEAR_MISMATCH, can_of, number_warnings
from kiosk.documents.text import ENCODING_DAMAGED, read_text, unframe
from kiosk.model import Coverage, Document, DocumentKind, Identity, KeyKind

MAX_BYTES = 2953
"""What the largest QR symbol holds (version 40, level L); the longest printed in practice has 600."""

MAX_TEXT = 2048
"""The same for what is not ASCII: no card comes near, even misread and sent twice; only tokens may be longer."""

_MAX_LINES = 8
_MAX_FIELDS = 32
_LINE_END = re.compile(rb"[\r\n]+")
_SCAN_START = re.compile(rb"[0-9]{10,12}(?:\||$)|[A-Z]{2}[1-5][0-9A-Z]{12}|[Hh][Tt][Tt][Pp]")
_CARD_AND_FACILITY = re.compile("([A-Z]{2}[1-5][0-9A-Z]{12})([0-9]{2}[0-9A-Z]{3})")
_PAYMENT_CODE = "000201"
# Codes of other kinds, some of which hold secrets, and numbers however long: no VNeID code.
_NO_TOKEN = re.compile(
    "(?:WIFI|OTPAUTH[A-Z-]*|MAILTO|MATMSG|MECARD|BEGIN|TEL|SMSTO|GEO|BITCOIN):.*|[0-9]+", re.IGNORECASE
)
_OF_TWO = frozenset({SEX_MISMATCH, YEAR_MISMATCH})
_TOKEN = re.compile(r"[^\s<>\"{}]{32,}", re.ASCII)
"""JWT, base64, hex and the like; ``<`` is in the zones of foreign documents, the others in what apps send as JSON."""

_NOT_WHOLE = frozenset({"EMPTY", "TRUNCATED", "UNKNOWN_FORMAT"})


def recognise(raw: bytes, *, simulated_prefix: bool = False) -> Document:
    """What the bytes of one capture are. Never raises, whatever the bytes.

    *raw* as a scanner sends it, with or without suffix. With *simulated_prefix* numbers starting 099 count as
    allocated (demo, training). The result's ``error`` is one of EMPTY, UNKNOWN_FORMAT, URL_PAYLOAD, OPAQUE_TOKEN,
    TRUNCATED, BAD_ID_NUMBER, BAD_DATE, BAD_CHECK_DIGIT, or None. Of two scans in
    one capture the first whole one counts.
    """
    prefixes = SIMULATED_PREFIXES if simulated_prefix else frozenset()
    if len(raw) > (MAX_BYTES if raw.isascii() else MAX_TEXT):
        return _unknown("UNKNOWN_FORMAT")
    payload = unframe(raw)
    if starts_zone(payload):
        return read_zone(payload, extra_prefixes=prefixes)
    lines = list(islice((line for line in _LINE_END.split(payload) if unframe(line)), _MAX_LINES))
    if len(lines) < 2:
        return _recognise_one(payload, prefixes)
    return _first_whole(lines, prefixes)


def _first_whole(lines: list[bytes], prefixes: frozenset[str]) -> Document:
    for index, line in enumerate(lines):
        document = _recognise_one(unframe(line), prefixes)
        whole = document.error not in _NOT_WHOLE
        if whole and NO_ISSUE_DATE not in document.warnings:
            return document
        # A line end inside a field: only lines that start no scan of their own may complete this one.
        joined = line + b"".join(_continuation(lines[index + 1 :]))
        if joined != line and joined.count(b"|") + 1 in (7, 11):
            completed = _recognise_one(joined, prefixes)
            if completed.error is None and not _OF_TWO & set(completed.warnings):
                return completed
        if whole:
            return document
    return _recognise_one(unframe(lines[0]), prefixes)


def _continuation(lines: list[bytes]) -> list[bytes]:
    until = next((index for index, line in enumerate(lines) if _SCAN_START.match(unframe(line))), len(lines))
    return lines[:until]


def _recognise_one(payload: bytes, prefixes: frozenset[str]) -> Document:
    scan = read_text(payload)
    text = scan.text.strip()
    if not text:
        return _unknown("EMPTY")
    if text[:4].lower() == "http":
        return Document(DocumentKind.URL, error="URL_PAYLOAD")
    if "|" not in text:
        return _bare(text, scan.warnings, prefixes)
    fields = text.split("|")
    if len(fields) > _MAX_FIELDS:
        return _unknown("UNKNOWN_FORMAT", scan.warnings)
    if is_insurance_card(fields):
        return read_insurance_card(fields, warnings=scan.warnings, extra_prefixes=prefixes)
    if is_vssid(fields):
        return read_vssid(fields, warnings=scan.warnings, extra_prefixes=prefixes)
    if fields[-1].strip() == "$":
        fields.pop()
    return read_card(fields, warnings=scan.warnings, extra_prefixes=prefixes)


def _bare(text: str, warnings: tuple[str, ...], prefixes: frozenset[str]) -> Document:
    if classified := classify_number(text):
        kind, number = classified
        if kind is KeyKind.PERSONAL_12:
            return Document(
                DocumentKind.NUMBER,
                identity=Identity(personal_id=number),
                can=can_of(number),
                warnings=warnings + number_warnings(number, extra_prefixes=prefixes),
            )
        coverage = Coverage(number=number, key_kind=kind, benefit_level=benefit_level_of(kind, number))
        return Document(DocumentKind.NUMBER, coverage=coverage, warnings=warnings)
    if parts := _CARD_AND_FACILITY.fullmatch(text.upper()):  # one hospital system appends the registered facility
        number, facility = parts.groups()
        level = benefit_level_of(KeyKind.BHYT_15, number)
        coverage = Coverage(number, KeyKind.BHYT_15, registered_facility=facility, benefit_level=level)
        return Document(DocumentKind.NUMBER, coverage=coverage, warnings=warnings)
    if text.startswith(_PAYMENT_CODE) or ENCODING_DAMAGED in warnings:
        return _unknown("UNKNOWN_FORMAT", warnings)
    if text.isascii() and _TOKEN.fullmatch(text) and not _NO_TOKEN.fullmatch(text):
        return Document(DocumentKind.OPAQUE_TOKEN, error="OPAQUE_TOKEN")
    return _unknown("UNKNOWN_FORMAT", warnings)


def _unknown(error: str, warnings: tuple[str, ...] = ()) -> Document:
    return Document(DocumentKind.UNKNOWN, warnings=warnings, error=error)
