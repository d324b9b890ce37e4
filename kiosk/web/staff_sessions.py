"""Sessions of staff, in memory only: they lock when nobody touches them, and end after hours or by word."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Final

from kiosk.web.staff_roles import Role

_LOCK_SECONDS: Final = 10 * 60.0
_IDLE_SECONDS = 4 * 3600.0
_LIFE_SECONDS = 12 * 3600.0
_UNLOCK_TRIES: Final = 5


@dataclass(slots=True)
class Session:
    """Whose it is. ``must_change``: only to choose a password; ``tries``: failed ones to unlock it."""

    user: str
    roles: frozenset[Role]
    must_change: bool
    born: float
    seen: float
    locked: bool = False
    tries: int = 0


@dataclass
class Sessions:
    """All sessions of this daemon, by their secret tokens."""

    _open: dict[str, Session] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, user: str, roles: frozenset[Role], *, must_change: bool) -> str:
        """A new session's token."""
        for token in list(self._open):
            self.get(token)
        token = secrets.token_urlsafe(32)
        now = time.monotonic()
        self._open[token] = Session(user, roles, must_change, now, now)
        return token

    def get(self, token: str | None, *, active: bool = False) -> Session | None:
        """The session, perhaps locked by now; None when there is none, or it is over.

        *active*: a person does something with it. What a page asks by itself keeps no session open.
        """
        session = self._open.get(token or "")
        if token is None or session is None:
            return None
        now = time.monotonic()
        idle = now - session.seen
        if idle > _IDLE_SECONDS or now - session.born > _LIFE_SECONDS:
            del self._open[token]
            return None
        session.locked = session.locked or idle > _LOCK_SECONDS
        if active and not session.locked:
            session.seen = now
        return session

    def lock(self, token: str | None) -> None:
        """Somebody leaves the screen alone for a while."""
        if (session := self.get(token)) is not None:
            session.locked = True

    def unlock(self, token: str) -> None:
        """Whoever it belongs to is back."""
        session = self._open[token]
        session.locked, session.tries, session.seen = False, 0, time.monotonic()

    def failed_unlock(self, token: str) -> None:
        """Somebody guesses: after some tries the session is over."""
        session = self._open[token]
        session.tries += 1
        if session.tries >= _UNLOCK_TRIES:
            del self._open[token]

    def end(self, token: str | None) -> None:
        """End one."""
        self._open.pop(token or "", None)

    def end_all_of(self, user: str, *, but: str | None = None) -> None:
        """End all of *user*, but for the one with the token *but*."""
        for token in [token for token, session in self._open.items() if session.user == user and token != but]:
            del self._open[token]
