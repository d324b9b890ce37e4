"""Whether a reading device is there, and since when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Presence(StrEnum):
    """What is known about a device."""

    ATTACHED = "attached"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class ReaderState:
    """One device's *presence* and the aware moment (UTC) it began."""

    presence: Presence
    since: datetime

    @property
    def attached(self) -> bool:
        """True while the device can read."""
        return self.presence is Presence.ATTACHED
