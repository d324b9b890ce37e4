"""One simulated hisnguonmo server: its switches, clock, tables, tokens, forced modes and the calls it got."""

import base64
import binascii
import hashlib
import time
from typing import Any

from simulators.his_c06_modes import ForcedModes
from simulators.his_c06_settings import Clock
from simulators.his_hisnguonmo_settings import Settings
from simulators.his_hisnguonmo_tables import Tables


class Tokens:
    """Who is signed in, and until when."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._given = 0

    def give(self, life: float) -> str:
        """A new token that holds `life` seconds."""
        self._given += 1
        token = hashlib.sha256(f"token {self._given}".encode()).hexdigest()
        self._ends[token] = time.monotonic() + life
        return token

    def holds(self, token: str | None) -> bool:
        """Whether a token was given here and still holds."""
        return token is not None and self._ends.get(token, 0.0) > time.monotonic()

    def forget(self) -> None:
        """Nobody is signed in any more."""
        self._ends.clear()


class Server:
    """All state of the simulator."""

    def __init__(self, settings: Settings) -> None:
        self._start = settings
        self.settings = settings
        self.clock = Clock(settings.today)
        self.tables = Tables(self.clock)
        self.tokens = Tokens()
        self.modes = ForcedModes()
        self.calls: list[dict[str, Any]] = []

    def reset(self) -> None:
        """Back to the start; held requests are let go."""
        self.settings = self._start
        self.clock.set(None, self._start.today)
        self.tables = Tables(self.clock)
        self.tokens.forget()
        self.modes.reset()
        self.calls.clear()

    def knows(self, authorization: str | None) -> bool:
        """Whether a Basic header names application, user and password of this server's account."""
        kind, _, coded = (authorization or "").partition(" ")
        try:
            said = base64.b64decode(coded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        wanted = f"{self.settings.application}:{self.settings.user}:{self.settings.password}"
        return kind == "Basic" and said == wanted
