"""Who may do what on the staff's and the counter's routes: one table, asked at every request.

A route that the table does not name is a supervisor's alone, so that a new route is never open by oversight.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account is for; one may have several."""

    RECEPTIONIST = "receptionist"
    SUPERVISOR = "supervisor"
    TECHNICIAN = "technician"


ALL_ROLES: Final = tuple(Role)
_STAFF: Final = "/api/v1/staff"
_STATIONS: Final = "/api/v1/stations"

OWN: Final = frozenset(
    {
        "POST /session/active",
        "POST /session/lock",
        "POST /own/password",
        "POST /own/pin",
        "POST /own/totp",
        "POST /own/totp/confirm",
        "POST /own/totp/remove",
    }
)
"""What everybody may do for an account of their own, even before a first password is changed."""

_AROUND: Final = frozenset(
    {"GET /status", "GET /board", "GET /services", "POST /decode", "GET /duty", "POST /duty/try-again"}
)
_PATIENTS: Final = frozenset(
    {
        "GET /check-ins",
        "POST /check-ins",
        "POST /check-ins/search",
        "GET /check-ins/{checkin_id}",
        "GET /pending",
        "GET /tickets",
        "POST /calls/{number}/answered",
        "GET /hand-over",
        "GET /figures",
        "POST /pending/evidence",
        "POST /duty/sign-on",
        "POST /duty/sign-off",
        *(f"POST /hand-over/{{checkin_id}}/{act}" for act in ("open", "release", "confirm", "again")),
        *(
            f"POST /check-ins/{{checkin_id}}/{act}"
            for act in (
                "reveal",
                "portrait",
                "holder-check",
                "override",
                "recheck",
                "push",
                "amend",
                "cancel",
                "note",
                "reprint",
                "service",
                "candidates",
                "patient",
                "identify",
                "evidence",
                "differences",
                "accept-fields",
            )
        ),
    }
)
_OF_ROLE: Final = {
    Role.RECEPTIONIST: OWN | _AROUND | _PATIENTS,
    Role.TECHNICIAN: OWN | _AROUND,
}


def may(roles: Collection[Role], method: str, path: str) -> bool:
    """Whether somebody with *roles* may use the route with this template *path*."""
    if Role.SUPERVISOR in roles:
        return True
    if path == _STATIONS or path.startswith(_STATIONS + "/"):
        return Role.RECEPTIONIST in roles
    act = f"{method} {path.removeprefix(_STAFF)}"
    return any(act in _OF_ROLE[role] for role in roles)


def is_own(method: str, path: str) -> bool:
    """Whether the route is about the account of who asks."""
    return f"{method} {path.removeprefix(_STAFF)}" in OWN
