"""How a simulated card differs from a well-behaved one: one field for each failure known from the field.

Source: identity-documents.md 7.2 and 8.3, faults-threats-speed.md 6.1, ICAO 9303-11 4.
"""

from dataclasses import dataclass
from typing import Literal


class CardRemoved(Exception):
    """The card left the field; `back_after_ms` says when it lies there again (None: not by itself)."""

    def __init__(self, back_after_ms: int | None = None) -> None:
        super().__init__("the card is gone")
        self.back_after_ms = back_after_ms


@dataclass(frozen=True, kw_only=True)
class Quirks:
    """The behaviour of one card; the defaults are a citizen card that works.

    Files and reading

    - `mf_6d00`: SELECT of the master file answers 6D00, as Vietnamese cards do.
    - `not_an_emrtd`: there is no eMRTD application and nothing under the master file.
    - `card_access_missing`: EF.CardAccess is not there.
    - `max_le`: most bytes that one READ BINARY with short lengths may ask for (Le 00 asks for 256); `over_max` is what
      asking for more brings: 6700, 6988 and the end of the session, or just `max_le` bytes.
    - `short_answers`: bytes that every READ BINARY gives less than it could, while at least one is left.
    - `no_sfi`: status word that refuses short file ids (6A82 or 6A86); 0 accepts them.
    - `extended`: most bytes in one answer of extended length, up to 65,533; 0 is a card without extended lengths.
    - `extended_lie`: the card names extended lengths in its ATR and answers 6700 to them.

    Access

    - `pace_sabotaged`: `6982` at the first step, a `wrong_token` of the chip at the last, or always `6300`.
    - `pace_needs_pause`: milliseconds that must pass between PACE and the next command, or the session breaks; 0: none.
    - `no_bac`: GET CHALLENGE and EXTERNAL AUTHENTICATE answer 6D00.
    - `try_counter`: wrong passwords until the card blocks (6983), told as 63Cx; 0: plain 6300 and no end.

    Sessions

    - `plain_errors_under_sm`: an error is told without secure messaging, which ends the session.
    - `sm_breaks_after`: once in its life, the session breaks (6988) after so many protected commands.
    - `removal_after`: once in its life, the card is lost after so many commands; `back_after_ms`: until it lies there
      again, None: only when someone lays it down.

    Proofs

    - `ca_refused`, `aa_refused`: status word that refuses Chip or Active Authentication; 0 accepts.
    - `ca_bluff`: the card accepts Chip Authentication and cannot follow with the new keys.
    - `aa_wrong_signature`: random bytes in the place of a signature.

    Radio: `type_b` is a card of ISO 14443 type B. `latency_ms` for each command and `us_per_byte` both ways are waited
    for by the simulated readers only.
    """

    mf_6d00: bool = True
    not_an_emrtd: bool = False
    card_access_missing: bool = False
    max_le: int = 0
    over_max: Literal["6700", "6988", "short"] = "short"
    short_answers: int = 0
    no_sfi: int = 0
    extended: int = 0
    extended_lie: bool = False
    pace_sabotaged: Literal["", "6982", "wrong_token", "6300"] = ""
    pace_needs_pause: int = 0
    no_bac: bool = False
    try_counter: int = 0
    plain_errors_under_sm: bool = False
    sm_breaks_after: int = 0
    removal_after: int | None = None
    back_after_ms: int | None = None
    ca_refused: int = 0
    ca_bluff: bool = False
    aa_refused: int = 0
    aa_wrong_signature: bool = False
    type_b: bool = False
    latency_ms: float = 0
    us_per_byte: float = 0

    def air_time_s(self, sent: int, received: int) -> float:
        """Seconds that one command of *sent* bytes and its answer of *received* bytes take."""
        return self.latency_ms / 1e3 + (sent + received) * self.us_per_byte / 1e6
