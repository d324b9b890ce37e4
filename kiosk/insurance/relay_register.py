"""The facility's register of the day at the relay, as stations see it: short waits, and never in anybody's way."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ValidationError

from kiosk.errors import GatewayMisconfigured, GatewayUnavailable, RegisterUnavailable
from kiosk.insurance import relay_wire as wire
from kiosk.insurance.relay_line import RelayLine
from kiosk.insurance.vss_codes import Reason
from kiosk.register_model import Elsewhere, Handed, Passage

_FIND_SECONDS: Final = 1.5
_CLAIM_SECONDS: Final = 2.0
_TELL_SECONDS: Final = 5.0


class RelayRegister:
    """``kiosk.ports.VisitRegister`` through the relay, which the gateway's connection is used for."""

    shared = True

    def __init__(self, line: RelayLine, station: str) -> None:
        """*station*: the one whose key *line* carries."""
        self._line = line
        self._station = station

    async def find(self, passage: Passage) -> Elsewhere | None:
        """See ``VisitRegister``; at most 1.5 s."""
        try:
            found = await self._tell(wire.FIND, self._told(passage), _FIND_SECONDS)
        except RegisterUnavailable:
            return None
        return found.elsewhere

    async def claim(self, passage: Passage) -> Elsewhere | None:
        """See ``VisitRegister``; at most 2 s."""
        try:
            found = await self._tell(wire.CLAIM, self._told(passage), _CLAIM_SECONDS)
        except RegisterUnavailable:
            return None
        return None if found.first else found.elsewhere

    async def accepted(self, passage: Passage, ticket: Handed) -> Elsewhere | None:
        """See ``VisitRegister``."""
        return (await self._tell(wire.ACCEPTED, self._told(passage, ticket), _TELL_SECONDS)).elsewhere

    async def ended(self, checkin_id: str) -> None:
        """See ``VisitRegister``."""
        body = wire.Ended(checkin_id=checkin_id, station=self._station)
        await self._tell(wire.ENDED, body, _TELL_SECONDS)

    async def close(self) -> None:
        """The connection is the gateway's."""

    def _told(self, passage: Passage, ticket: Handed | None = None) -> BaseModel:
        try:
            return wire.Told.of(passage, self._station, ticket)
        except ValidationError:
            raise RegisterUnavailable(Reason.BAD_KEY) from None

    async def _tell(self, path: str, body: BaseModel, within: float) -> wire.Registered:
        try:
            return wire.Registered.model_validate_json(await self._line.post(path, body, within))
        except (GatewayUnavailable, GatewayMisconfigured) as error:
            raise RegisterUnavailable(error.reason) from None
        except ValidationError:
            raise RegisterUnavailable(Reason.RELAY_ERROR) from None
