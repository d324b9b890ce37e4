"""One finding, and the words for its kind, its severity and its state."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

MOST_EVIDENCE: Final = 20
"""Event ids kept with one finding: enough for a facility to look them up, and no copy of the ledger."""

HUB: Final = ""
"""In the place of a name: the hub itself noted it. Nobody who signs in has an empty name."""


class Kind(StrEnum):
    """What a rule found; also the name of its words in `texts/findings.<language>.toml`."""

    SAME_PERSON = "same_person"
    PERSON_MISSING = "person_missing"
    OUTSIDE_HOURS = "outside_hours"
    TOO_FAST = "too_fast"
    CHIP_WITHOUT_VERDICT = "chip_without_verdict"
    CHIP_WITHOUT_ISSUER = "chip_without_issuer"
    TYPED_TO_CHIP = "typed_to_chip"
    ISSUER_ALONE = "issuer_alone"
    VERDICT_MIX = "verdict_mix"
    VISITS_SHRUNK = "visits_shrunk"
    VISITS_BELOW_SERVED = "visits_below_served"
    VISITS_BELOW_PORTAL = "visits_below_portal"
    ORIGIN_CHANGED = "origin_changed"
    SILENT_DAYS = "silent_days"
    STATION_MISSING = "station_missing"
    SEQ_REUSED = "seq_reused"
    SEQ_GAP = "seq_gap"
    NEW_EPOCH = "new_epoch"
    CLOCK_SUSPECT = "clock_suspect"


class Severity(StrEnum):
    """How much it matters, least first: worth a look, to be explained, the published figure may be wrong."""

    NOTE = "note"
    WARN = "warn"
    ALARM = "alarm"

    @property
    def rank(self) -> int:
        """Its place, the least is 0."""
        return list(Severity).index(self)


class State(StrEnum):
    """OPEN until somebody says something; EXPLAINED by the facility or the province; SETTLED by the province, or by
    the hub when later events took its ground away.
    """

    OPEN = "open"
    EXPLAINED = "explained"
    SETTLED = "settled"


Numbers = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found at a facility (``station`` empty: at the whole facility) from a day to a day (UTC+7).

    ``numbers``: what its words are made with. ``evidence``: at most MOST_EVIDENCE event ids. ``anchor``: what tells it
    from others of its kind at the same place, and stays when more of the same is found: a day, a month, an epoch.
    """

    kind: Kind
    facility: str
    station: str
    first_day: date
    last_day: date
    severity: Severity
    anchor: str
    numbers: Numbers = field(default_factory=dict)
    evidence: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """32 hex digits, the same in every run that finds it again."""
        place = json.dumps([self.kind, self.facility, self.station, self.anchor])
        return hashlib.sha256(place.encode()).hexdigest()[:32]


class FindingRefused(Exception):
    """Something about a finding that cannot be kept; `code` is stable."""

    def __init__(self, code: str, detail: str = "") -> None:
        """`unknown_finding`, `unknown_word`, `already_settled`, `reason_needed`, `bad_text`, `unknown_limit`,
        `unknown_facility` or `bad_number`.
        """
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
