"""What a stranger can send in about a card that was read, or that could not be: nothing of it says whose card it is.

Protocols, algorithms, sizes, status words and times; no name, number or date, no key, certificate, hash or serial
number. Lengths of files stay: they are what reading is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kiosk.emrtd import asn1, lds, public_keys, security_infos, tlv
from kiosk.emrtd.certificates import Certificate
from kiosk.emrtd.errors import DataError, EmrtdError
from kiosk.emrtd.recording import Exchange, Trace
from kiosk.emrtd.results import ChipRead
from kiosk.emrtd.security_infos import ActiveAuthenticationInfo, ChipAuthenticationPublicKeyInfo, SecurityInfo
from kiosk.emrtd.sod import parse_sod

_FORMAT: Final = 1
_UNREADABLE: Final = "unreadable"
_READS: Final = (0xB0, 0xB1)
_SELECT: Final = 0xA4
_GET_RESPONSE: Final = 0xC0
_BY_SHORT_ID: Final = {file.sfi: file.name for file in lds.FILES.values() if file.in_application}
_PLAIN_STEPS: Final = {0x22: "PACE", 0x86: "PACE", 0x84: "BAC", 0x82: "BAC"}
_PROTECTED_STEPS: Final = {0x22: "Chip Authentication", 0x86: "Chip Authentication", 0x88: "Active Authentication"}

T = TypeVar("T")


def report(outcome: ChipRead | EmrtdError, trace: Trace, card_type: str) -> dict[str, Any]:
    """The report as a JSON object: strings, numbers, lists, objects and null only.

    *outcome*: what ``read_chip`` returned or raised on the connection of *trace*. *card_type*: hex of the answer to
    reset. ``steps``: one after the other, with bytes both ways and milliseconds at card and reader. ``longest_answer``:
    bytes of the longest answer to a READ BINARY, secure messaging included: the read size that was found.
    """
    read = outcome if isinstance(outcome, ChipRead) else None
    files = {} if read is None else read.files
    reads = [each.received for each in trace.exchanges if each.header[1:2] and each.header[1] in _READS]
    return {
        "report": _FORMAT,
        "card_type": card_type,
        "error": None if isinstance(outcome, ChipRead) else _error(outcome),
        "access": None if read is None else read.access,
        "access_note": None if read is None else read.access_note,
        "checks": None if read is None else asdict(read.checks),
        "verdict": None if read is None else read.verdict,
        "findings": [] if read is None else list(read.findings),
        "seconds": None if read is None else round(read.seconds, 3),
        "apdus": sum(bool(each.header) for each in trace.exchanges),
        "resets": sum(not each.header for each in trace.exchanges),
        "longest_answer": max(reads, default=0),
        "files": {name: len(data) for name, data in files.items()},
        "card_access": _card_access(files.get("EF.CardAccess") or trace.card_access),
        "dg2": _part(files, "DG2", lambda data: lds.portrait(data).format),
        "dg14": _part(files, "DG14", lambda data: [_info(info) for info in security_infos.parse(data)]),
        "dg15": _part(files, "DG15", lambda data: _key(tlv.expect(data, lds.FILES["DG15"].tag))),
        "sod": _part(files, "EF.SOD", _sod),
        "steps": _steps(trace.exchanges),
        "exchanges": [str(each) for each in trace.exchanges],
    }


def _error(error: EmrtdError) -> dict[str, str | None]:
    return {"code": error.code, "sw": None if error.sw is None else f"{error.sw:04X}", "why": str(error)}


def _part(files: Mapping[str, bytes], name: str, describe: Callable[[bytes], T]) -> T | str | None:
    """What is told of the file *name*; None when it was not read."""
    if name not in files:
        return None
    try:
        return describe(files[name])
    except DataError:
        return _UNREADABLE


def _card_access(data: bytes) -> str | None:
    """The whole file in hex; anyone may read it without a key, and nobody's name has a place in it."""
    try:
        security_infos.parse(data)
        return data[: tlv.total_length(data)].hex()
    except DataError:
        return None


def _info(info: SecurityInfo) -> dict[str, Any]:
    told: dict[str, Any] = {"oid": info.oid}
    if isinstance(info, ChipAuthenticationPublicKeyInfo):
        told["key"] = _key(info.spki)
    if isinstance(info, ActiveAuthenticationInfo):
        told["signature"] = info.signature_algorithm
    return told


def _sod(data: bytes) -> dict[str, Any]:
    sod = parse_sod(data)
    signer = sod.signed.signers[0]
    certificates = [_certificate(der) for der in sod.signed.certificates]
    return {
        "version": sod.version,
        "hash": sod.digest,
        "groups": sorted(sod.hashes, key=lambda name: int(name.removeprefix("DG"))),
        "digest": _algorithm(signer.digest_algorithm),
        "signature": _algorithm(signer.algorithm),
        "signer_named_by": "key" if signer.issuer is None else "issuer",
        "certificates": certificates,
    }


def _certificate(der: bytes) -> dict[str, str] | str:
    try:
        certificate = Certificate.load(der)
        return {"key": _key(certificate.spki), "signature": _algorithm(certificate.algorithm)}
    except DataError:
        return _UNREADABLE


def _algorithm(identifier: bytes) -> str:
    return asn1.dotted(asn1.members(identifier).take(asn1.OID).value)


def _key(spki: bytes) -> str:
    """Kind and size of a public key, such as ``RSA 3072`` or ``brainpoolP256r1``; only the kind if it is unusable."""
    try:
        key = public_keys.load_spki(spki)
    except DataError:
        return f"{_UNREADABLE} {_algorithm(asn1.members(spki).take(asn1.SEQUENCE).raw)}"
    if isinstance(key, RSAPublicKey):
        return f"RSA {key.key_size}"
    return key.curve.name


def _steps(exchanges: list[Exchange]) -> list[dict[str, Any]]:
    named: list[tuple[str, Exchange]] = []
    step = ""
    for exchange in exchanges:
        step = _step(exchange.header, step)
        named.append((step, exchange))
    found = []
    for name, group in groupby(named, key=lambda pair: pair[0]):
        part = [exchange for _, exchange in group]
        found.append(
            {
                "step": name,
                "commands": len(part),
                "sent": sum(each.sent for each in part),
                "received": sum(each.received for each in part),
                "milliseconds": round(sum(each.milliseconds for each in part), 1),
            }
        )
    return found


def _step(header: bytes, before: str) -> str:
    """What a command with this *header* is part of; *before*: the step of the one before it."""
    if not header:
        return "reset"
    cla, ins, p1 = header[0], header[1], header[2]
    protected = bool(cla & 0x0C)
    if ins == _GET_RESPONSE:
        return before
    if ins == _SELECT and p1 == 0x04:
        return "SELECT of the application"
    if ins in _READS and protected:
        if ins == 0xB0 and p1 & 0x80:
            return _BY_SHORT_ID.get(p1 & 0x1F, "a file")
        return before
    if ins == _SELECT or ins in _READS:
        return "a file" if protected else "EF.CardAccess"
    return (_PROTECTED_STEPS if protected else _PLAIN_STEPS).get(ins, f"INS {ins:02X}")
