"""Accounts for ``kioskctl user``: the way back in when nobody can sign in any more."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from kiosk.web.admin_answers import OPERATOR
from kiosk.web.staff_accounts import StaffAccounts
from kiosk.web.staff_session_api import User, UserRoles
from kiosk.web.staff_users import StaffUsers


def users_router(accounts: StaffAccounts) -> APIRouter:
    """The routes under ``/users``."""
    router = APIRouter(prefix="/users")
    users = StaffUsers(accounts)

    @router.get("")
    async def listed() -> dict[str, Any]:
        """All accounts."""
        return {"users": await users.listed()}

    @router.post("")
    async def add(body: UserRoles) -> dict[str, Any]:
        """A new account with a one-time password."""
        return {"name": body.name.strip(), "one_time_password": await users.add(body.name, body.roles, OPERATOR)}

    @router.post("/roles")
    async def roles(body: UserRoles) -> dict[str, Any]:
        """Other roles."""
        await users.set_roles(body.name, body.roles, OPERATOR)
        return await listed()

    @router.post("/disable")
    async def disable(body: User) -> dict[str, Any]:
        """Let nobody in under this name."""
        await users.disable(body.name, OPERATOR)
        return await listed()

    @router.post("/reset")
    async def reset(body: User) -> dict[str, Any]:
        """A new one-time password; every lock is gone."""
        return {"name": body.name, "one_time_password": await users.reset(body.name, OPERATOR)}

    return router
