"""Asks and tells a HIS behind C06, judges each end, and keeps silent for a while after a refused signature."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from hospital_adapters.c06_http import C06Client
from hospital_adapters.c06_outcome import SIGNATURE, question_outcome, registration_outcome
from hospital_adapters.c06_settings import C06Settings
from hospital_adapters.c06_wire import Envelope
from hospital_adapters.http_line import Answer, NoAnswer
from kiosk.errors import HospitalRejected, HospitalUnavailable
from kiosk.ports import Clock

log = logging.getLogger(__name__)

SIGNATURE_PAUSE_S = 60.0


class Calls:
    """The calls of one adapter. After a refused signature nothing is sent for a minute (HospitalUnavailable
    ``c06.signature``): neither a wrong secret nor a wrong clock gets better by asking, and a HIS may lock out who keeps
    trying.
    """

    def __init__(self, settings: C06Settings, secret: str, clock: Clock, monotonic: Callable[[], float]) -> None:
        """*clock* signs, *monotonic* counts the seconds of silence. ConfigError when ``ca_file`` cannot be read."""
        self._settings = settings
        self._monotonic = monotonic
        self._client = C06Client(settings, secret, clock)
        self._paused_until: float | None = None

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    async def ask(
        self, path: str, fields: Mapping[str, str], signed: tuple[str | None, ...], may_be_absent: bool = False
    ) -> Envelope | None:
        """The good answer of a GET; None for code 404 if it *may_be_absent*. Else HospitalUnavailable."""
        return self.judge(await self.probe(path, fields, signed), may_be_absent)

    async def ask_rows(
        self, path: str, fields: Mapping[str, str] | None = None, signed: tuple[str | None, ...] = ()
    ) -> list[Any]:
        """The list in the good answer of a GET; HospitalUnavailable also when it is none."""
        return rows_of(await self.ask(path, fields or {}, signed))

    async def probe(self, path: str, fields: Mapping[str, str], signed: tuple[str | None, ...]) -> Answer | NoAnswer:
        """How a GET ends, not judged yet. HospitalUnavailable while silent."""
        self._refuse_while_paused()
        return await self._client.get(path, fields, signed)

    def judge(self, end: Answer | NoAnswer, may_be_absent: bool = False) -> Envelope | None:
        """What such an end means, as in `ask`."""
        try:
            return question_outcome(end, self._settings, may_be_absent)
        except HospitalUnavailable as failure:
            if failure.reason == SIGNATURE:
                self._pause()
            raise

    async def tell(self, path: str, body: Mapping[str, Any], signed: tuple[str | None, ...]) -> Envelope:
        """The good answer of a POST, sent once. Errors as in c06_outcome."""
        self._refuse_while_paused()
        end = await self._client.post(path, body, signed)
        try:
            return registration_outcome(end, self._settings)
        except HospitalRejected as refusal:
            if refusal.reason == SIGNATURE:
                self._pause()
            raise

    def _pause(self) -> None:
        self._paused_until = self._monotonic() + SIGNATURE_PAUSE_S
        log.error("C06: the HIS refuses our merchant, secret or clock; nothing is sent for %d s", SIGNATURE_PAUSE_S)

    def _refuse_while_paused(self) -> None:
        left = (self._paused_until or 0.0) - self._monotonic()
        if self._paused_until is not None and left > 0:
            raise HospitalUnavailable(SIGNATURE, retry_after=left)


def rows_of(envelope: Envelope | None) -> list[Any]:
    """The list in an answer; HospitalUnavailable ``c06.malformed`` when there is none."""
    if envelope is None or not isinstance(envelope.data, list):
        raise HospitalUnavailable("c06.malformed")
    return envelope.data
