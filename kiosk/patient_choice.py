"""Staff say which of the people whom the hospital system suggests somebody is; nobody is taken without their word.

Suggested are people of the same name and birth date who stand under none of the numbers shown. Choosing one decides
where the visit is registered. It never merges two records and never changes one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from kiosk import outbox_table, records
from kiosk.checkin import CheckIns
from kiosk.hospital_model import Candidate, MatchKind, PatientMatch
from kiosk.in_passing import in_passing
from kiosk.model import Identity
from kiosk.records import CheckIn
from kiosk.staffwork import StaffRefusal

_FRESH_SECONDS: Final = 300.0
_WAIT_SECONDS: Final = 8.0
_MOST_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One candidate, and the word under which staff may choose them for a while."""

    token: str
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class _Asked:
    until: float
    about: Identity
    suggestions: Sequence[Suggestion] = field(default=())


def can_choose(checkins: CheckIns, checkin: CheckIn) -> bool:
    """Whether staff may ask for suggestions: the hospital can, and the visit is not registered under anybody yet."""
    match = checkin.patient
    person = checkin.identity
    return (
        checkins.hospital.capabilities.suggest
        and checkin.closed_reason is None
        and checkin.state == "accepted"
        and checkin.hospital_state != "accepted"
        and (match is None or match.kind is not MatchKind.ONE)
        and bool(person.full_name and person.birth_date)
    )


class PatientChoice:
    """Suggestions that were shown lately, in memory only."""

    def __init__(self, checkins: CheckIns, clock: Callable[[], float] = time.monotonic) -> None:
        """*clock*: seconds that never go back."""
        self._checkins = checkins
        self._clock = clock
        self._asked: dict[str, _Asked] = {}

    async def suggestions(self, checkin_id: str, who: str) -> Sequence[Suggestion]:
        """Whom the hospital suggests, at most ten, for *who*, which the audit keeps; good for five minutes.

        StaffRefusal: NO_SUCH_CHECK_IN, CLOSED, ALREADY_REGISTERED, UNDER_WAY, OUTCOME_UNKNOWN, CANNOT_SUGGEST, and
        HOSPITAL_SILENT when it does not answer in time.
        """

        def seen(connection: sa.Connection) -> CheckIn:
            checkin = self._open(connection, checkin_id)
            records.add_audit(connection, self._checkins.clock(), who, "candidates_seen", checkin_id, {})
            return checkin

        checkin = await self._checkins.store.run(seen)
        found = await in_passing(self._checkins.hospital.suggest(checkin.identity), _WAIT_SECONDS)
        if found is None:
            raise StaffRefusal("HOSPITAL_SILENT")
        suggestions = tuple(Suggestion(secrets.token_urlsafe(12), each) for each in found)
        now = self._clock()
        self._asked = {key: asked for key, asked in self._asked.items() if asked.until > now}
        while len(self._asked) >= _MOST_KEPT:
            self._asked.pop(next(iter(self._asked)))
        self._asked[checkin_id] = _Asked(now + _FRESH_SECONDS, checkin.identity, suggestions)
        return suggestions

    async def choose(self, checkin_id: str, token: str | None, who: str) -> CheckIn:
        """The person is the suggested one, or (None) none of them: a new patient of the hospital.

        StaffRefusal as `suggestions`; NO_SUCH_CANDIDATE when the token names nobody shown lately.
        """
        asked = self._asked.get(checkin_id)
        if asked is None or asked.until <= self._clock():
            raise StaffRefusal("NO_SUCH_CANDIDATE")
        match = PatientMatch(MatchKind.NONE, decided=True)
        if token is not None:
            chosen = next((each.candidate for each in asked.suggestions if each.token == token), None)
            if chosen is None:
                raise StaffRefusal("NO_SUCH_CANDIDATE")
            match = PatientMatch(MatchKind.ONE, chosen.ref, chosen.person)

        def work(connection: sa.Connection) -> CheckIn:
            if self._open(connection, checkin_id).identity != asked.about:  # corrected since
                raise StaffRefusal("NO_SUCH_CANDIDATE")
            records.update(connection, checkin_id, patient=match)
            action = "patient_new" if token is None else "patient_chosen"
            records.add_audit(connection, self._checkins.clock(), who, action, checkin_id, {})
            return _existing(connection, checkin_id)

        decided = await self._checkins.store.run(work)
        self._asked.pop(checkin_id, None)
        return decided

    def _open(self, connection: sa.Connection, checkin_id: str) -> CheckIn:
        checkin = _existing(connection, checkin_id)
        if checkin.closed_reason is not None:
            raise StaffRefusal("CLOSED")
        if checkin.hospital_state == "accepted":
            raise StaffRefusal("ALREADY_REGISTERED")
        row = outbox_table.of_ref(connection, outbox_table.HOSPITAL, checkin_id)
        if row is not None and row.state in ("waiting", "sending"):
            raise StaffRefusal("UNDER_WAY")
        if row is not None and row.state == "parked" and row.uncertain:
            raise StaffRefusal("OUTCOME_UNKNOWN")
        if not can_choose(self._checkins, checkin):
            raise StaffRefusal("CANNOT_SUGGEST")
        return checkin


def _existing(connection: sa.Connection, checkin_id: str) -> CheckIn:
    checkin = records.get(connection, checkin_id)
    if checkin is None:
        raise StaffRefusal("NO_SUCH_CHECK_IN")
    return checkin
