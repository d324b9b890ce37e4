"""What an answer, or none, means. Pure; a transaction is stored whole or not at all (FHIR R4 3.1.0.11.2).

==================================================  =======================================================
End of a write                                      Outcome
==================================================  =======================================================
nothing left this machine                           HospitalUnavailable
200, 201 with the Bundle that was asked for         done
200, 201 with anything else                         HospitalOutcomeUnknown
401, also with a new token; 429                     HospitalUnavailable: nothing was done
409                                                 HospitalRejected ``fhir.conflict``, once it came twice
412                                                 HospitalRejected ``fhir.several``: several match, or it has changed
400 403 404 405 406 410 413 415 422                 HospitalRejected, with the server's words for staff
any other, 5xx; time-out, reset                     HospitalOutcomeUnknown
==================================================  =======================================================
"""

from __future__ import annotations

from hospital_adapters import fhir_read as read
from hospital_adapters.fhir_read import Resource
from hospital_adapters.http_line import Answer, NoAnswer
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable

UNAUTHORIZED = "fhir.http_401"
CONFLICT = "fhir.conflict"
SEVERAL = "fhir.several"
MALFORMED = "fhir.malformed"
_REFUSED = frozenset((400, 403, 404, 405, 406, 410, 413, 415, 422))


def written(end: Answer | NoAnswer) -> Answer:
    """The answer to a write that was done; else one of the three hospital errors, as in the table above."""
    if isinstance(end, NoAnswer):
        if end.sent:
            raise HospitalOutcomeUnknown(f"fhir.{end.reason}")
        raise HospitalUnavailable(f"fhir.{end.reason}")
    match end.status:
        case 200 | 201:
            return end
        case 401 | 429:
            raise HospitalUnavailable(f"fhir.http_{end.status}", retry_after=end.retry_after)
        case 409:
            raise HospitalRejected(CONFLICT, read.outcome_text(end.body))
        case 412:
            raise HospitalRejected(SEVERAL, read.outcome_text(end.body))
        case refused if refused in _REFUSED:
            raise HospitalRejected(f"fhir.http_{refused}", read.outcome_text(end.body))
    raise HospitalOutcomeUnknown(f"fhir.http_{end.status}")


def told(end: Answer | NoAnswer) -> Resource | None:
    """The resource that a question was answered with, None for 404 and 410; else HospitalUnavailable."""
    if isinstance(end, NoAnswer):
        raise HospitalUnavailable(f"fhir.{end.reason}")
    if end.status in (404, 410):
        return None
    if end.status != 200:
        raise HospitalUnavailable(f"fhir.http_{end.status}", retry_after=end.retry_after)
    resource = read.parse(end.body)
    if resource is None:
        raise HospitalUnavailable(MALFORMED)
    return resource
