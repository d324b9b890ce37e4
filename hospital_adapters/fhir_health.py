"""One look at a FHIR server for a technician: version, clock, login, and the right to search visits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hospital_adapters import fhir_outcome as outcome
from hospital_adapters import fhir_read as read
from hospital_adapters.fhir_login import REFUSED
from hospital_adapters.fhir_session import Session
from hospital_adapters.fhir_settings import FhirSettings
from hospital_adapters.fhir_text import query
from kiosk.errors import HospitalUnavailable
from kiosk.model import AdapterHealth

_SKEW_S = 60
_RELEASES = ("4.0", "4.3")
_NOBODY = "check"
_WORDS = {
    "fhir.connect_timeout": "the FHIR server did not take a connection in time",
    "fhir.read_timeout": "the FHIR server did not answer in time",
    "fhir.connection_lost": "the FHIR server hung up",
    "fhir.unreachable": "the FHIR server cannot be reached",
    "fhir.tls": "the FHIR server's certificate was refused",
    outcome.UNAUTHORIZED: "the FHIR server refuses our login",
    "fhir.http_403": "our account may not search visits in the FHIR server",
    "fhir.http_404": "there is no FHIR server under this address",
    outcome.MALFORMED: "what answers is no FHIR server",
    REFUSED: "the login server refuses our account",
    "fhir.login_connect_timeout": "the login server did not take a connection in time",
    "fhir.login_unreachable": "the login server cannot be reached",
    "fhir.login_tls": "the login server's certificate was refused",
}


async def health_of(session: Session, settings: FhirSettings, now: datetime) -> AdapterHealth:
    """Never raises. ``details``: ``fhir_version``; ``software``; ``skew_s``, how far its clock is ahead of *now*."""
    problems: list[str] = []
    details: dict[str, Any] = {}
    try:
        statement, answer = await session.capabilities()
        version = read.text(statement.get("fhirVersion")) or "?"
        details["fhir_version"] = version[:20]
        details["software"] = (read.text(read.part(statement, "software", "name")) or "")[:60]
        if not version.startswith(_RELEASES):
            problems.append("the server speaks another version of FHIR than R4")
        if answer.date is not None:
            details["skew_s"] = skew = round((answer.date - now).total_seconds())
            if abs(skew) > _SKEW_S:
                problems.append("the clocks of the FHIR server and of this machine differ by more than a minute")
        # the statement is often open to everybody, so it shows neither login nor rights
        nobody = [("identifier", f"{settings.system('checkin')}|{_NOBODY}"), ("_summary", "count")]
        await session.bundle("Encounter", query(nobody))
    except HospitalUnavailable as error:
        problems.append(_WORDS.get(error.reason, f"the FHIR server cannot be asked ({error.reason})"))
    return AdapterHealth(ok=not problems, problems=tuple(problems), details=details)
