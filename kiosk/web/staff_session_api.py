"""Routes of sessions and accounts: who asks and whether they may, the own account, and users for a supervisor."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kiosk.web.staff_accounts import AccountRefusal, StaffAccounts
from kiosk.web.staff_roles import Role, is_own, may
from kiosk.web.staff_sessions import Session
from kiosk.web.staff_users import StaffUsers

COOKIE: Final = "staff"
_COOKIE_PATH: Final = "/api/v1"  # the desks' stations too
_SAFE: Final = ("GET", "HEAD")
Text = Annotated[str, Field(max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SetUp(_Body):
    """The first account."""

    code: Text
    name: Text
    password: Text


class Login(_Body):
    """Who signs in; *code*: of an authenticator, where the account has one."""

    name: Text
    password: Text
    code: Text = ""


class Secret(_Body):
    """The PIN or the password."""

    secret: Text


class Password(_Body):
    """The password of who asks."""

    password: Text


class NewPassword(_Body):
    """The old and the new password of who asks."""

    old: Text
    new: Text


class Pin(_Body):
    """A PIN for the quick unlock; empty: none any more."""

    password: Text
    pin: Text = ""


class Code(_Body):
    """What an authenticator shows."""

    code: Text


class User(_Body):
    """Whom it is about."""

    name: Text


class UserRoles(_Body):
    """What somebody may do."""

    name: Text
    roles: Annotated[list[Role], Field(max_length=3)]


def signed_in(accounts: StaffAccounts) -> Callable[[Request], str]:
    """A dependency that gives the name of who asks, if they may.

    401 SIGN_IN or LOCKED, 403 CHANGE_PASSWORD or NOT_ALLOWED.
    """

    def user_of(request: Request) -> str:
        session = accounts.sessions.get(request.cookies.get(COOKIE), active=request.method not in _SAFE)
        if session is None:
            raise HTTPException(401, "SIGN_IN")
        if session.locked:
            raise HTTPException(401, "LOCKED")
        path = request.scope["route"].path
        if session.must_change and not is_own(request.method, path):
            raise HTTPException(403, "CHANGE_PASSWORD")
        if not may(session.roles, request.method, path):
            raise HTTPException(403, "NOT_ALLOWED")
        return session.user

    return user_of


def session_api(accounts: StaffAccounts, *, secure: bool) -> APIRouter:
    """The routes under ``/session`` and ``/own`` with set-up, login and logout, and those under ``/users``."""
    router = APIRouter()
    users = StaffUsers(accounts)
    Who = Annotated[str, Depends(signed_in(accounts))]

    def token_of(request: Request) -> str:
        return request.cookies.get(COOKIE, "")

    Token = Annotated[str, Depends(token_of)]

    def start(response: Response, token: str) -> dict[str, Any]:
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path=_COOKIE_PATH)
        return _told(accounts.sessions.get(token))

    @router.get("/session")
    async def session(token: Token) -> dict[str, Any]:
        """Who is signed in with which roles, or whose session is locked; whether the first account is to be made."""
        return _told(accounts.sessions.get(token)) | {"setup_needed": await accounts.setup_needed()}

    @router.post("/setup", status_code=201)
    async def set_up(body: SetUp, response: Response) -> dict[str, Any]:
        """Make the first account with the code of the 0600 file ``staff-setup-code``."""
        return start(response, await accounts.set_up(body.code, body.name, body.password))

    @router.post("/login")
    async def log_in(body: Login, response: Response) -> dict[str, Any]:
        """Open a session."""
        return start(response, await accounts.log_in(body.name, body.password, body.code))

    @router.post("/logout")
    async def log_out(token: Token, response: Response) -> dict[str, Any]:
        """End the session."""
        accounts.sessions.end(token)
        response.delete_cookie(COOKIE, path=_COOKIE_PATH)
        return {}

    @router.post("/session/active")
    async def active(_: Who) -> dict[str, Any]:
        """Somebody touches the screen: the session stays open."""
        return {}

    @router.post("/session/lock")
    async def lock(_: Who, token: Token) -> dict[str, Any]:
        """Leave the screen alone for a while."""
        accounts.sessions.lock(token)
        return {}

    @router.post("/session/unlock")
    async def unlock(token: Token, body: Secret) -> dict[str, Any]:
        """Go on where the session was locked; too many wrong tries end it."""
        await accounts.unlock(token, body.secret)
        return _told(accounts.sessions.get(token))

    @router.post("/own/password")
    async def password(who: Who, token: Token, body: NewPassword) -> dict[str, Any]:
        """Change one's own password; other sessions of the account end."""
        await users.change_password(token, who, body.old, body.new)
        return {}

    @router.post("/own/pin")
    async def pin(who: Who, token: Token, body: Pin) -> dict[str, Any]:
        """Choose a PIN for the quick unlock, or have none."""
        await users.set_pin(token, who, body.password, body.pin)
        return {}

    @router.post("/own/totp")
    async def offer(who: Who, token: Token, body: Password) -> dict[str, Any]:
        """A secret for an authenticator, shown once."""
        secret, address = await users.offer_totp(token, who, body.password)
        return {"secret": secret, "address": address}

    @router.post("/own/totp/confirm")
    async def confirm(who: Who, token: Token, body: Code) -> dict[str, Any]:
        """The authenticator shows the right code: it is asked at each login from now on."""
        await users.confirm_totp(token, who, body.code)
        return {}

    @router.post("/own/totp/remove")
    async def remove(who: Who, token: Token, body: Password) -> dict[str, Any]:
        """No authenticator any more."""
        await users.remove_totp(token, who, body.password)
        return {}

    @router.get("/users")
    async def listed(_: Who) -> dict[str, Any]:
        """All accounts."""
        return {"users": await users.listed()}

    @router.post("/users", status_code=201)
    async def add(who: Who, body: UserRoles) -> dict[str, Any]:
        """A new account with a one-time password."""
        password = await users.add(body.name, body.roles, who)
        return {"name": body.name.strip(), "one_time_password": password}

    @router.post("/users/roles")
    async def roles(who: Who, body: UserRoles) -> dict[str, Any]:
        """Other roles; the sessions of the account end."""
        await users.set_roles(body.name, body.roles, who)
        return {"users": await users.listed()}

    @router.post("/users/disable")
    async def disable(who: Who, body: User) -> dict[str, Any]:
        """Let nobody in under this name."""
        if body.name == who:
            raise AccountRefusal("NOT_ONESELF", 409)
        await users.disable(body.name, who)
        return {"users": await users.listed()}

    @router.post("/users/reset")
    async def reset(who: Who, body: User) -> dict[str, Any]:
        """A new one-time password; PIN and authenticator are forgotten, locks are gone."""
        if body.name == who:
            raise AccountRefusal("NOT_ONESELF", 409)
        return {"name": body.name, "one_time_password": await users.reset(body.name, who)}

    return router


def _told(session: Session | None) -> dict[str, Any]:
    return {
        "signed_in": session is not None and not session.locked,
        "user": session.user if session else None,
        "locked": session is not None and session.locked,
        "must_change": session is not None and session.must_change,
        "roles": sorted(session.roles) if session else [],
    }
