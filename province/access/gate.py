"""The gate before the routes: who is asking, and may they.

Its methods are FastAPI dependencies. They raise ApiError 401 `bad_api_key` for a stranger, 403 `not_allowed` for a
caller who may not, 403 `foreign_origin` for a change that a page of another site sent, and 429 `too_many_requests`.
"""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from province.access.accounts import any_account, caller_of_session
from province.access.caller import Caller, Role, Scope
from province.access.keys import caller_of_key
from province.access.own_origin import is_own
from province.guards import ApiError, RateLimit
from province.store import Store

DEMO_API_KEY: Final = "demo"
SESSION_COOKIE: Final = "hub-session"
PUBLIC: Final = Caller("public", Role.VIEWER)
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
PEOPLE: Final = {
    Scope.READ: frozenset(Role),
    Scope.UPLOAD: frozenset({Role.FACILITY, Role.ANALYST, Role.ADMIN}),
    Scope.FEDERATE: frozenset({Role.ADMIN}),
}
"""Which people may do what a scope is for."""

# They only put the two ways of being known into /openapi.json; `auto_error` would answer in another form than the rest.
_Bearer = Annotated[object, Depends(HTTPBearer(auto_error=False, scheme_name="api_key"))]
_Cookie = Annotated[object, Depends(APIKeyCookie(name=SESSION_COOKIE, auto_error=False, scheme_name="session"))]
Check = Callable[..., Caller]


class Gate:
    """Knows callers by what their requests carry, and notes them in `request.state.caller` for the audit."""

    def __init__(self, store: Store, *, demo: bool, public: bool = False, key_limit: RateLimit | None = None) -> None:
        """With *demo* the API key `demo` may read (loopback only); with *public* anybody may look at pages.

        *key_limit*: how often one API key may ask; by default 20 times a second, 200 times at once.
        """
        self._store = store
        self._demo = demo
        self._public = public
        self._key_limit = key_limit or RateLimit(per_second=20, burst=200)
        self._has_accounts = False

    def reader(self, request: Request, _bearer: _Bearer = None, _cookie: _Cookie = None) -> Caller:
        """Who may read figures: anybody with an account, or a key with scope `read`; for a change only a person."""
        return self._allowed(request, Scope.READ)

    def scope(self, wanted: Scope) -> Check:
        """A dependency that lets through a key with this scope, or a person whose role may do what it is for.

        UPLOAD: people of a facility, analysts and admins; FEDERATE: admins. A caller with a facility may do so only for
        that one, which the route has to look at (`may_see`).
        """

        def check(request: Request, _bearer: _Bearer = None, _cookie: _Cookie = None) -> Caller:
            return self._allowed(request, wanted)

        return check

    def role(self, least: Role) -> Check:
        """A dependency that lets through who has this role or a higher one; for a change only a person."""

        def check(request: Request, _bearer: _Bearer = None, _cookie: _Cookie = None) -> Caller:
            caller = self._known(request)
            by_person = caller.signed_in or (request.method in _SAFE_METHODS and Scope.READ in caller.scopes)
            if not by_person or not caller.role.reaches(least):
                raise ApiError(403, "not_allowed")
            return caller

        return check

    def page(self, request: Request) -> Caller:
        """Who looks at a page: a person who signed in, or PUBLIC where looking is open.

        It is open with *public*, and as long as there is no account at all. Raises ApiError 303 to the login page.
        """
        caller = self._person(request)
        if caller is not None:
            return caller
        if self._public or not self._accounts():
            return PUBLIC
        raise _sign_in_first(request)

    def person(self, request: Request) -> Caller:
        """Who looks at a page that is only for people with an account; a stranger is sent to the login page (303)."""
        caller = self._person(request)
        if caller is None:
            raise _sign_in_first(request)
        return caller

    def form(self, request: Request) -> Caller:
        """Who sent a form of one of our pages: a person who signed in; a stranger is sent to the login page (303)."""
        if not is_own(request):
            raise ApiError(403, "foreign_origin")
        caller = self._person(request)
        if caller is None:
            raise ApiError(303, "sign_in_needed", headers={"Location": "/login"})
        return caller

    def _allowed(self, request: Request, wanted: Scope) -> Caller:
        caller = self._known(request)
        by_key = wanted in caller.scopes and (wanted is not Scope.READ or request.method in _SAFE_METHODS)
        if not by_key and not (caller.signed_in and caller.role in PEOPLE[wanted]):
            raise ApiError(403, "not_allowed")
        return caller

    def _known(self, request: Request) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        caller = self._program(key.strip()) if scheme.lower() == "bearer" else self._person(request)
        if caller is None:
            raise ApiError(401, "bad_api_key", headers={"WWW-Authenticate": "Bearer"})
        request.state.caller = caller
        if caller.signed_in and request.method not in _SAFE_METHODS and not is_own(request):
            raise ApiError(403, "foreign_origin")
        return caller

    def _program(self, key: str) -> Caller | None:
        if self._demo and hmac.compare_digest(key.encode("utf-8", "replace"), DEMO_API_KEY.encode()):
            return Caller("demo", Role.VIEWER, scopes=frozenset({Scope.READ}))
        with self._store.read() as connection:
            caller = caller_of_key(connection, key)
        if caller is not None:
            self._check_rate(key)
        return caller

    def _check_rate(self, key: str) -> None:
        try:
            self._key_limit.check(key)
        except ApiError as error:
            raise ApiError(error.status, "too_many_requests", headers=error.headers) from None

    def _person(self, request: Request) -> Caller | None:
        token = request.cookies.get(SESSION_COOKIE)
        caller = caller_of_session(self._store, token, datetime.now(UTC)) if token else None
        if caller is not None:
            request.state.caller = caller
        return caller

    def _accounts(self) -> bool:
        if not self._has_accounts:
            with self._store.read() as connection:
                self._has_accounts = any_account(connection)
        return self._has_accounts


def _sign_in_first(request: Request) -> ApiError:
    wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return ApiError(303, "sign_in_needed", headers={"Location": f"/login?next={quote(wanted, safe='')}"})
