"""Who a HIS behind C06 knows: call #6, by each number of a person in turn (his-kiosk-c06.md 3, 5, 6)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hospital_adapters import c06_mapping as mapping
from hospital_adapters.c06_calls import Calls
from hospital_adapters.c06_settings import C06Settings
from kiosk.errors import HospitalRejected, HospitalUnavailable
from kiosk.hospital_model import MatchedBy, MatchKind, PatientMatch, PatientRef
from kiosk.model import Identity

log = logging.getLogger(__name__)

SEX_REVERSED: Final = "c06.sex_reversed"
_PEOPLE = 20


class SexSelfTest:
    """Watches whether the HIS codes sex the other way round (6, row 1): more than half of the last 20 people differ.

    Only people count whom name and birth year show to be the same, each once, however often they are looked up.
    """

    def __init__(self) -> None:
        """Nobody seen yet."""
        self._differs: dict[PatientRef, bool] = {}
        self._told = False

    @property
    def failed(self) -> bool:
        """Whether the setting ``sex`` is wrong, as far as can be seen."""
        return len(self._differs) >= _PEOPLE and 2 * sum(self._differs.values()) > len(self._differs)

    def note(self, asked: Identity, match: PatientMatch) -> None:
        """Take one match in; logs once when the test begins to fail."""
        same = match.kind is MatchKind.ONE and match.person is not None and match.person.sex is not None
        differs = match.kind is MatchKind.MISMATCH and match.differences == ("sex",)
        whole = asked.sex is not None and asked.full_name is not None and asked.birth_date is not None
        if match.ref is None or not whole or not (same or differs):
            return
        self._differs.pop(match.ref, None)
        self._differs[match.ref] = differs
        if len(self._differs) > _PEOPLE:
            del self._differs[next(iter(self._differs))]
        if self.failed and not self._told:
            log.error("C06: the sex of most people differs: try the other setting of sex", extra={"code": SEX_REVERSED})
        self._told = self.failed


class Patients:
    """Finds people by their numbers."""

    def __init__(self, calls: Calls, settings: C06Settings, self_test: SexSelfTest) -> None:
        """*self_test* sees every match."""
        self._calls = calls
        self._settings = settings
        self._self_test = self_test

    async def find(self, identity: Identity, card: str | None) -> PatientMatch:
        """The first number that is known decides; NONE when none is, or there is none to ask with.

        HospitalUnavailable without a usable answer.
        """
        for by, number, fields in self._questions(identity, card):
            data = await self._rows(fields)
            if data is None:
                continue
            match = mapping.match_of(data, identity, number, self._settings, by)
            if match is None:
                raise HospitalUnavailable("c06.malformed")
            if match.kind is not MatchKind.NONE:
                self._self_test.note(identity, match)
                return match
        return PatientMatch(MatchKind.NONE)

    async def row(self, identity: Identity, card: str | None, ref: PatientRef) -> Mapping[str, Any]:
        """The row of the patient *ref*, as the HIS gives it. Found by the same numbers as the patient once was.

        HospitalRejected ``c06.patient_changed`` when it is no longer there; HospitalUnavailable without an answer.
        """
        for _, _, fields in self._questions(identity, card):
            data = await self._rows(fields)
            for found in data if isinstance(data, list) else [data]:
                if isinstance(found, dict) and mapping.ref_of(found) == ref:
                    return found
        raise HospitalRejected("c06.patient_changed")

    def _questions(self, identity: Identity, card: str | None) -> Iterator[tuple[MatchedBy, str, dict[str, str]]]:
        kinds = (
            (MatchedBy.PERSONAL_ID, identity.personal_id, self._settings.doc_type),
            (MatchedBy.OLD_ID, identity.old_id, self._settings.old_id_type),
        )
        for by, number, kind in kinds:
            if number and kind:
                yield by, number, {"SO_GTTT": number, "LOAI_GTTT": kind}
        if card and self._settings.patient_by_card:
            number = identity.personal_id or ""
            kind = self._settings.doc_type
            yield MatchedBy.CARD, card, {"SO_GTTT": number, "LOAI_GTTT": kind, "MA_THE_BHYT": card}

    async def _rows(self, fields: Mapping[str, str]) -> Any:
        signed = (fields["SO_GTTT"], fields["LOAI_GTTT"])
        envelope = await self._calls.ask("/benhnhan", fields, signed, may_be_absent=True)
        return None if envelope is None else envelope.data if envelope.data is not None else {}
