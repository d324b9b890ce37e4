"""Whom the hospital knows, asked in passing: its answer is worth a short wait and no more."""

from __future__ import annotations

from kiosk.hospital_model import PatientMatch
from kiosk.in_passing import in_passing
from kiosk.model import Identity
from kiosk.ports import HospitalAdapter


async def find_patient(hospital: HospitalAdapter, identity: Identity, wait: float) -> PatientMatch | None:
    """Who the hospital knows; None when it cannot say within *wait* seconds, the push asks again then."""
    if not hospital.capabilities.find_patient or identity.personal_id is None:
        return None
    return await in_passing(hospital.find_patient(identity), wait)
