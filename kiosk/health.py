"""What the daemon last saw of everything around it: for ``/readyz`` and the status line of the staff screen."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from kiosk.model import Eligibility

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Part:
    """One neighbour: ``ok`` is None until it has been asked."""

    name: str
    ok: bool | None = None
    reason: str | None = None

    def note(self, ok: bool, reason: str | None) -> None:
        """Take in the newest experience; logs the fall and the return once, not every try."""
        if ok is not self.ok and not (ok and self.ok is None):
            log.log(
                logging.INFO if ok else logging.WARNING,
                "%s is %s",
                self.name,
                "back" if ok else "not usable",
                extra={"reason": reason},
            )
        self.ok = ok
        self.reason = None if ok else reason

    def view(self) -> dict[str, object]:
        """As the staff screen shows it."""
        return {"ok": self.ok, "reason": self.reason}


@dataclass(slots=True)
class Health:
    """The neighbours of one daemon."""

    gateway: Part = field(default_factory=lambda: Part("gateway"))
    hospital: Part = field(default_factory=lambda: Part("hospital"))
    store: Part = field(default_factory=lambda: Part("store", ok=True))
    readers: dict[str, Part] = field(
        default_factory=lambda: {name: Part(name) for name in ("scanner", "camera", "keyboard")}
    )
    cards: Part = field(default_factory=lambda: Part("card reader"))

    @property
    def codes_ok(self) -> bool | None:
        """Whether some reader of codes works; None where none is configured."""
        known = [part.ok for part in self.readers.values() if part.ok is not None]
        return any(known) if known else None

    def answered(self, answer: Eligibility) -> None:
        """A lookup ended: an alarm when our account or officer is refused, a warning when nobody answers."""
        if answer.attempts == 0:
            return
        self.gateway.note(not answer.status.unanswered, answer.reason)
