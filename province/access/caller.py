"""Somebody who asks the hub for something: a person who signed in, or a program with an API key."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller is there for; each may do all that the ones before may, FACILITY only for its own facility."""

    FACILITY = "facility"
    VIEWER = "viewer"
    ANALYST = "analyst"
    ADMIN = "admin"

    def reaches(self, least: "Role") -> bool:
        """Whether this role may do what `least` may."""
        order = list(Role)
        return order.index(self) >= order.index(least)


class Scope(StrEnum):
    """What an API key is good for."""

    READ = "read"
    UPLOAD = "upload"
    FEDERATE = "federate"


@dataclass(frozen=True, slots=True)
class Caller:
    """A known caller, or the public where pages are open to it.

    ``name``: of the account or label of the key, for the audit. ``facility``: the only one that the caller may see and
    speak for; None: all. ``scopes``: of a key; a person who signed in has none. ``signed_in``: a person with an
    account.
    """

    name: str
    role: Role
    facility: str | None = None
    scopes: frozenset[Scope] = frozenset()
    signed_in: bool = False

    def may_see(self, facility: str) -> bool:
        """Whether figures of this facility (its code) are for the caller's eyes."""
        return self.facility is None or self.facility == facility

    def may_speak_for(self, facility: str) -> bool:
        """Whether the caller may confirm or object in the facility's name: a person of this facility, or an admin for
        one that has signed on paper; never a program.
        """
        own = self.role is Role.FACILITY and self.facility == facility
        return self.signed_in and (own or self.role is Role.ADMIN)
