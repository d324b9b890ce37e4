"""Checks an evidence file again, offline: which claims hold by what is in it, and which are the station's word."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any, Final

from kiosk.emrtd import active_auth, passive_auth, security_infos
from kiosk.emrtd.errors import DataError
from kiosk.emrtd.findings import Finding
from kiosk.emrtd.passive_auth import PassiveResult
from kiosk.emrtd.results import Checks, CheckState, Verdict
from kiosk.emrtd.security_infos import ChipAuthenticationPublicKeyInfo
from kiosk.emrtd.sod import Sod, parse_sod
from kiosk.emrtd.trust import TrustAnchors
from kiosk.emrtd.verdict import anti_clone_findings, judge
from kiosk.evidence import Record, digest

_ANTI_CLONE: Final = ("DG14", "DG15")
_ALWAYS_ON_WORD: Final = ("read_at", "reader", "access", "files_read_from_a_chip")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The outcome. ``confirmed``: every claim that can be checked holds, and the recorded verdict follows from all.

    ``station_trusted``: whether the key that signed is the one expected; None: none was given. ``now``: the checks as
    they come out here, those on the station's word as recorded. ``verdict_now``: the verdict with the anchors given
    here. ``contradictions``: codes of claims that do not hold. ``on_station_word``: names of claims that nothing in
    the file proves.
    """

    confirmed: bool
    station_trusted: bool | None
    now: Checks
    verdict_now: Verdict
    contradictions: tuple[str, ...]
    on_station_word: tuple[str, ...]


def check_evidence(record: Record, anchors: TrustAnchors | None, station_key: bytes | None = None) -> Confirmation:
    """Check what ``evidence.open_evidence`` gave against *anchors*, as of the recorded time; never raises.

    *station_key*: the 32 raw bytes of the key that the station is known by. A recorded chain of ``no_anchor`` claims
    nothing: it is confirmed unless the chain fails here. A chain that was recorded as passed needs anchors here too.
    """
    files = {"EF.SOD": record.sod, "DG14": record.dg14, "DG15": record.dg15}
    held = {name: raw for name, raw in files.items() if raw is not None}
    passive = passive_auth.check(held, anchors, record.read_at)
    recorded = Checks(**record.checks.model_dump())
    now = Checks(
        hashes=_hashes(record, passive),
        signature=passive.signature,
        chain=passive.chain,
        active_authentication=_active_authentication(record, passive, recorded),
        chip_authentication=recorded.chip_authentication,
        downgrade=recorded.downgrade,
    )
    findings = _findings(record, passive)
    wrong = [
        *_differences(recorded, now),
        *_inconsistencies(record, passive),
        *(["ISSUER"] if record.issuer != passive.issuer else []),
        *(["VERDICT"] if judge(replace(now, chain=recorded.chain), findings) is not record.verdict else []),
    ]
    trusted = None if station_key is None else station_key == record.station_key.ed25519
    if trusted is False:
        wrong.append("STATION_KEY")
    return Confirmation(
        confirmed=not wrong,
        station_trusted=trusted,
        now=now,
        verdict_now=judge(now, findings),
        contradictions=tuple(wrong),
        on_station_word=_on_station_word(record, trusted),
    )


def confirmation_json(record: Record, outcome: Confirmation) -> dict[str, Any]:
    """The document of ``kioskctl verify-evidence``."""
    recorded = record.checks.model_dump()
    return {
        "confirmed": outcome.confirmed,
        "verdict": record.verdict,
        "verdict_now": outcome.verdict_now,
        "checks": {name: {"recorded": recorded[name], "now": getattr(outcome.now, name)} for name in recorded},
        "contradictions": list(outcome.contradictions),
        "rests_on_station_word": list(outcome.on_station_word),
        "station_trusted": outcome.station_trusted,
        "facility": record.facility,
        "station": record.station,
        "station_key": {
            "id": record.station_key.id,
            "ed25519": base64.b64encode(record.station_key.ed25519).decode("ascii"),
        },
        "read_at": record.read_at.isoformat(),
        "reader": record.reader,
        "access": record.access,
        "issuer": record.issuer,
        "findings": list(record.findings),
        "error": None,
    }


def _hashes(record: Record, passive: PassiveResult) -> CheckState:
    """What ``passive_auth.check`` would say of all data groups, from their hashes alone."""
    sod = _parsed(record)
    if sod is None or passive.hashes is CheckState.FAILED:
        return passive.hashes
    names = [name for name in record.hashes if name in sod.hashes or name not in _ANTI_CLONE]
    if any(sod.hashes.get(name) != bytes.fromhex(record.hashes[name]) for name in names):
        return CheckState.FAILED
    return CheckState.PASSED if names else CheckState.NOT_DONE


def _active_authentication(record: Record, passive: PassiveResult, recorded: Checks) -> CheckState:
    transcript = record.active_authentication
    if record.dg15 is None:
        posted = record.access is None  # the chip may have what was not posted
        return CheckState.NOT_DONE if posted and "DG15" in passive.covered else CheckState.NOT_SUPPORTED
    if transcript is None:
        refused = record.access is not None and recorded.active_authentication is CheckState.FAILED
        return CheckState.FAILED if refused else CheckState.NOT_DONE
    try:
        proven = active_auth.verify(record.dg15, transcript.challenge, transcript.response, record.dg14)
    except DataError:
        return CheckState.NOT_DONE
    return CheckState.PASSED if proven else CheckState.FAILED


def _findings(record: Record, passive: PassiveResult) -> set[str]:
    """What was recorded, with the findings on DG14 and DG15 made anew."""
    covered = passive.covered if record.access else passive.covered & record.hashes.keys()  # as `pushed_chip` does
    kept = {*record.findings} - {Finding.ANTI_CLONE_KEY_MISSING, Finding.ANTI_CLONE_KEY_UNSIGNED}
    return kept | set(anti_clone_findings(covered, record.hashes.keys()))


def _differences(recorded: Checks, now: Checks) -> list[str]:
    names = ["hashes", "signature", "active_authentication"]
    if recorded.chain is not CheckState.NO_ANCHOR or now.chain is CheckState.FAILED:
        names.append("chain")
    return [name.upper() for name in names if getattr(recorded, name) is not getattr(now, name)]


def _inconsistencies(record: Record, passive: PassiveResult) -> list[str]:
    """Parts of the record that do not belong together."""
    sod = _parsed(record)
    wrong = []
    if sod is not None and record.hash_algorithm != sod.digest:
        wrong.append("HASH_ALGORITHM")
    for name, raw in (("DG14", record.dg14), ("DG15", record.dg15)):
        if record.hashes.get(name) != (None if raw is None else digest(record.hash_algorithm, raw)):
            wrong.append(name)
    if record.checks.chip_authentication is CheckState.NOT_SUPPORTED and _offers_chip_authentication(record, passive):
        wrong.append("CHIP_AUTHENTICATION")
    return wrong


def _offers_chip_authentication(record: Record, passive: PassiveResult) -> bool:
    if record.dg14 is None:
        return record.access is None and "DG14" in passive.covered
    try:
        infos = security_infos.parse(record.dg14)
    except DataError:
        return False
    return any(isinstance(info, ChipAuthenticationPublicKeyInfo) for info in infos)


def _on_station_word(record: Record, trusted: bool | None) -> tuple[str, ...]:
    done = (CheckState.PASSED, CheckState.FAILED)
    names = list(_ALWAYS_ON_WORD)
    if record.active_authentication is not None:
        names.append("challenge_was_random")
    elif record.checks.active_authentication is CheckState.FAILED:
        names.append("active_authentication")
    names += [name for name in ("chip_authentication", "downgrade") if getattr(record.checks, name) in done]
    if record.findings:
        names.append("findings")
    if trusted is None:
        names.append("station_key")
    return tuple(names)


def _parsed(record: Record) -> Sod | None:
    try:
        return None if record.sod is None else parse_sod(record.sod)
    except DataError:
        return None
