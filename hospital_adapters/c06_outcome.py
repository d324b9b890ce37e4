"""What an answer, or none, means: the classification of his-kiosk-c06.md section 8, point 2. Pure.

=============================================================  ==========================
End of a registration                                          Outcome
=============================================================  ==========================
nothing left this machine                                      HospitalUnavailable
429 or 503 with Retry-After, if ``gateway_503_is_safe``        HospitalUnavailable
any other 5xx, whatever its body says                          HospitalOutcomeUnknown
JSON with code 000                                             the Envelope: registered
JSON with another code                                         HospitalRejected
400 401 403 404 405 413 415 422 without a code                 HospitalRejected
anything else: time-out, reset, HTML, broken JSON, no code     HospitalOutcomeUnknown
=============================================================  ==========================
"""

from __future__ import annotations

import re

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_settings import C06Settings
from hospital_adapters.http_line import Answer, NoAnswer
from kiosk.errors import HospitalOutcomeUnknown, HospitalRejected, HospitalUnavailable

SIGNATURE = "c06.signature"
_OK = "000"
_REFUSED_BEFORE_PROCESSING = frozenset((400, 401, 403, 404, 405, 413, 415, 422))
# Longer ones could be a person's number, and reasons reach logs.
_SPEAKABLE = re.compile(r"[0-9A-Za-z_-]{1,6}")


def registration_outcome(end: Answer | NoAnswer, settings: C06Settings) -> wire.Envelope:
    """The envelope of a done registration; else one of the three hospital errors, as in the table above."""
    if isinstance(end, NoAnswer):
        if end.sent:
            raise HospitalOutcomeUnknown(f"c06.{end.reason}")
        raise HospitalUnavailable(f"c06.{end.reason}")
    envelope = wire.parse(end.body)
    code = envelope.code if envelope else None
    if end.status in (429, 503) and end.retry_after is not None and (end.status == 503 or code is None):
        if settings.gateway_503_is_safe:
            raise HospitalUnavailable(f"c06.http_{end.status}", retry_after=end.retry_after)
        raise HospitalOutcomeUnknown(f"c06.http_{end.status}")
    if end.status >= 500:
        raise HospitalOutcomeUnknown(f"c06.http_{end.status}")
    if envelope is not None and code == _OK:
        return envelope
    if signature_refused(end, code, settings):
        raise HospitalRejected(SIGNATURE, envelope.message if envelope else "")
    if envelope is not None and code is not None:
        raise HospitalRejected(_reason(code), envelope.message)
    if end.status in _REFUSED_BEFORE_PROCESSING:
        raise HospitalRejected(f"c06.http_{end.status}")
    if end.status != 200:
        raise HospitalOutcomeUnknown(f"c06.http_{end.status}")
    raise HospitalOutcomeUnknown("c06.no_code" if envelope else "c06.malformed")


def question_outcome(
    end: Answer | NoAnswer, settings: C06Settings, may_be_absent: bool = False
) -> wire.Envelope | None:
    """The envelope of a GET with code 000; None for code 404 where that is an answer; else HospitalUnavailable."""
    if isinstance(end, NoAnswer):
        raise HospitalUnavailable(f"c06.{end.reason}")
    envelope = wire.parse(end.body)
    code = envelope.code if envelope else None
    if envelope is not None and code == _OK:
        return envelope
    if code == "404" and may_be_absent:
        return None
    if signature_refused(end, code, settings):
        raise HospitalUnavailable(SIGNATURE)
    if code is not None:
        raise HospitalUnavailable(_reason(code))
    if end.status >= 400:
        raise HospitalUnavailable(f"c06.http_{end.status}", retry_after=end.retry_after)
    raise HospitalUnavailable("c06.no_code" if envelope else "c06.malformed")


def signature_refused(answer: Answer, code: str | None, settings: C06Settings) -> bool:
    """Whether the HIS refuses our account, secret or time stamp, as far as that can be told from code or status."""
    return code in settings.signature_codes or answer.status == 401 or (answer.status == 403 and code is None)


def _reason(code: str) -> str:
    return f"c06.{code}" if _SPEAKABLE.fullmatch(code) else "c06.other_code"
