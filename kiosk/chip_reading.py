"""From a finished read of a chip to what the check-in keeps of it, and whether staff must look first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Final

from kiosk.card_slot import ChipTrouble
from kiosk.chip_model import ChipReading, ProviderOpinion
from kiosk.documents.chip_person import ChipPerson, UnreadableChip, person_of
from kiosk.emrtd.results import ChipRead, Verdict
from kiosk.model import Identity, local_day
from kiosk.ports import ChipVerifier, Clock

MakeEvidence = Callable[[ChipRead, datetime, str | None], Awaitable[bytes]]
"""The signed record of a read at a moment; with the model of the reader that someone else's program used."""

OTHER_PERSON: Final = "chip_other_person"
_DOUBTED: Final = {Verdict.FORGED: "chip_forged", Verdict.SUSPECTED_COPY: "chip_suspected_copy"}


class ChipJudge:
    """Brings together the person, the local checks, the provider's opinion and the evidence."""

    def __init__(
        self,
        clock: Clock,
        make_evidence: MakeEvidence,
        provider: ChipVerifier | None = None,
        *,
        simulated: bool = False,
    ) -> None:
        """*provider*: a licensed one that is asked beside the local checks; None: nobody.

        *simulated*: people with numbers of the simulators' range are expected (demo).
        """
        self._clock = clock
        self._make_evidence = make_evidence
        self._provider = provider
        self._simulated = simulated

    @property
    def asks_provider(self) -> bool:
        """Whether somebody outside is asked too, which people have a right to know."""
        return self._provider is not None

    def person(self, files: Mapping[str, bytes], qr: Identity | None) -> ChipPerson:
        """The person whom the files of a chip name; ChipTrouble CHIP_ERROR when they name nobody."""
        try:
            return person_of(files, qr, today=local_day(self._clock()), simulated_prefix=self._simulated)
        except UnreadableChip:
            raise ChipTrouble("CHIP_ERROR") from None

    async def reading(self, read: ChipRead, qr: Identity | None, *, reader: str | None = None) -> ChipReading:
        """What is kept of *read*; *qr* is what the card's own QR said, if it was scanned.

        *reader*: the model of somebody else's reader, for the evidence.

        A forged chip replaces nothing that the QR said: staff would register what the forger wrote.
        The provider's opinion stands beside the verdict and never raises it. ChipTrouble CHIP_ERROR when the chip
        names nobody.
        """
        person = self.person(read.files, qr)
        opinion = await self._provider.verify_chip(read.files) if self._provider else None
        detail = {
            "access": read.access,
            "access_note": read.access_note,
            "checks": asdict(read.checks),
            "findings": [*read.findings, *person.warnings],
            "mismatches": list(person.mismatches),
            "source": person.source,
            "provider": asdict(opinion) if opinion else None,
        }
        return ChipReading(
            identity=person.identity if qr is None or read.verdict is not Verdict.FORGED else qr,
            verdict=read.verdict.value,
            issuer=read.issuer,
            detail=detail,
            evidence=await self._make_evidence(read, self._clock(), reader),
            staff_reason=_staff_reason(read, person, qr, opinion),
        )


def _staff_reason(
    read: ChipRead, person: ChipPerson, qr: Identity | None, opinion: ProviderOpinion | None
) -> str | None:
    if read.verdict in _DOUBTED:
        return _DOUBTED[read.verdict]
    if qr is not None and qr.personal_id != person.identity.personal_id:
        return OTHER_PERSON
    if person.mismatches:
        return "chip_mismatch"
    if opinion and False in (
        opinion.active_authentication,
        opinion.passive_authentication,
        opinion.chip_authentication,
    ):
        return "chip_provider_refused"
    return None
