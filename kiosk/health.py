"""What the daemon last saw of everything around it: for ``/readyz`` and the status line of the staff screen."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from kiosk.documents.cccd_qr import NO_DIACRITICS
from kiosk.documents.recognise import recognise
from kiosk.documents.text import ENCODING_DAMAGED, ENCODING_REPAIRED, LAYOUT_FIXED
from kiosk.model import DocumentKind, Eligibility

log = logging.getLogger(__name__)

_IN_A_ROW = 3
_SIGNS = {
    LAYOUT_FIXED: "layout",
    ENCODING_DAMAGED: "accents",
    NO_DIACRITICS: "accents",
    ENCODING_REPAIRED: "encoding",
}
_CITIZEN_CARDS = (DocumentKind.CCCD_QR, DocumentKind.CC_QR)


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
class ScannerHealth:
    """Whether the scanner, or the computer behind it, spoils what it reads; keeps a count and nothing of a scan.

    ``fault``: None, or after three damaged scans in a row "accents" (dropped), "layout" (another keyboard layout) or
    "encoding" (a wrong code page, which could be repaired).
    """

    fault: str | None = None
    _in_a_row: int = 0

    def note_scan(self, raw: bytes) -> None:
        """Take in one scan as it came. Only a whole citizen card proves the scanner good: its name has accents."""
        document = recognise(raw)
        found = next((fault for sign, fault in _SIGNS.items() if sign in document.warnings), None)
        if found is not None:
            self._in_a_row += 1
            if self._in_a_row >= _IN_A_ROW:
                self._change(found)
        elif document.kind in _CITIZEN_CARDS and document.error is None:
            self._in_a_row = 0
            self._change(None)

    def _change(self, fault: str | None) -> None:
        if fault != self.fault:
            log.log(logging.WARNING if fault else logging.INFO, "the scanner's text", extra={"reason": fault or "none"})
        self.fault = fault


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
    printer: Part = field(default_factory=lambda: Part("printer"))
    scanner: ScannerHealth = field(default_factory=ScannerHealth)

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
