"""The gate before the routes: who is asking, and may they.

Its methods are FastAPI dependencies; they raise ApiError 401 `bad_api_key` for a stranger and 403 `not_allowed` for a
caller who may not.
"""

import hmac
from collections.abc import Callable
from typing import Final

from fastapi import Request

from province.access.caller import Caller, Role, Scope
from province.enrolment import may_read
from province.guards import ApiError
from province.store import Store

DEMO_API_KEY: Final = "demo"


class Gate:
    """Knows callers by what their requests carry."""

    def __init__(self, store: Store, *, demo: bool) -> None:
        """With *demo* the API key `demo` may read (loopback only)."""
        self._store = store
        self._demo = demo

    def reader(self, request: Request) -> Caller:
        """Who may read figures: anybody with an account, or a key with scope `read`."""
        caller = self._of_key(request)
        if caller is None or Scope.READ not in caller.scopes:
            raise ApiError(401, "bad_api_key", headers={"WWW-Authenticate": "Bearer"})
        return caller

    def role(self, least: Role) -> Callable[[Request], Caller]:
        """A dependency that lets through who has this role or a higher one."""

        def check(request: Request) -> Caller:
            caller = self.reader(request)
            if list(Role).index(caller.role) < list(Role).index(least):
                raise ApiError(403, "not_allowed")
            return caller

        return check

    def _of_key(self, request: Request) -> Caller | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if self._demo and hmac.compare_digest(key.encode(), DEMO_API_KEY.encode()):
            return Caller("demo", Role.VIEWER, scopes=frozenset({Scope.READ}))
        with self._store.read() as connection:
            known = may_read(connection, key)
        return Caller("key", Role.VIEWER, scopes=frozenset({Scope.READ})) if known else None
