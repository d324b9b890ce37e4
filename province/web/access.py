"""Signing in and out of the hub's pages, and changing one's password."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from province.access.accounts import SESSION_LIFE, AccountRefused, any_account, close_session, known_account
from province.access.caller import Caller
from province.access.gate import SESSION_COOKIE
from province.access.own_origin import is_loopback, is_own, local_path
from province.access.signing_in import WINDOW, SignInRefused, change_password, sign_in
from province.guards import ApiError, read_body
from province.openapi import body, fields
from province.pages.frame import answer as page
from province.parts import Parts

_FORM_BYTES: Final = 4096
_HASHES_AT_ONCE: Final = 2  # each takes 64 MiB
_Next = Annotated[str, Query(alias="next", description="path to go to after signing in")]
_FORM: Final = body("application/x-www-form-urlencoded", fields("name", "password", optional=("next",)))
_NEW_PASSWORD: Final = body("application/x-www-form-urlencoded", fields("password", "new_password"))
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "Done, with the cookie of a new session"},
    401: {"description": "The password was not right: the page again", "content": {"text/html": {}}},
    422: {
        "description": "It cannot be a password: the page again",
        "content": {"text/html": {}, "application/json": {}},
    },
    429: {"description": "Too many wrong passwords: the page again", "content": {"text/html": {}}},
}


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/login`, `/logout` and `/password`."""
    # Waiting for it holds no thread: a storm of sign-ins must not stop the feed.
    hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    def answer(request: Request, wanted: str, problem: str | None, status: int) -> HTMLResponse:
        values: dict[str, Any] = {
            "next": local_path(wanted),
            "problem": problem,
            "keeps_cookie": _is_secure(request) or is_loopback(request.url.hostname),
        }
        with parts.store.read() as connection:
            values["ready"] = any_account(connection)
            return page(request, connection, None, "login.html", status=status, headers=_wait(status), **values)

    def password_answer(request: Request, caller: Caller, problem: str | None, status: int) -> HTMLResponse:
        with parts.store.read() as connection:
            headers = _wait(status)
            return page(request, connection, caller, "password.html", status=status, headers=headers, problem=problem)

    def with_cookie(request: Request, where: str, token: str) -> RedirectResponse:
        done = RedirectResponse(where, 303)
        done.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=int(SESSION_LIFE.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=_is_secure(request) or not is_loopback(request.url.hostname),
        )
        return done

    @app.get("/login", response_class=HTMLResponse)
    def login_page(request: Request, wanted: _Next = "/") -> HTMLResponse:
        """The page for name and password; `next` is where to go afterwards."""
        return answer(request, wanted, None, 200)

    @app.post("/login", status_code=303, response_class=RedirectResponse, openapi_extra=_FORM, responses=_ANSWERS)
    async def login(request: Request) -> Response:
        """Open a session: 303 to `next` with the cookie; 401 or 429 with the page again."""
        if not is_own(request):
            raise ApiError(403, "foreign_origin")
        given = form_fields(await read_body(request, _FORM_BYTES))
        name, password, wanted = (given.get(field, "") for field in ("name", "password", "next"))
        request.state.caller = await run_in_threadpool(_claimed, parts, name)
        try:
            async with hashing:
                token = await run_in_threadpool(sign_in, parts.store, name, password, _address(request), _now())
        except SignInRefused as error:
            return await run_in_threadpool(answer, request, wanted, error.code, _status(error))
        return with_cookie(request, local_path(wanted), token)

    @app.get("/password", response_class=HTMLResponse)
    def password_page(request: Request, caller: Annotated[Caller, Depends(parts.gate.person)]) -> HTMLResponse:
        """The page on which people change their own password."""
        return password_answer(request, caller, None, 200)

    @app.post(
        "/password", status_code=303, response_class=RedirectResponse, openapi_extra=_NEW_PASSWORD, responses=_ANSWERS
    )
    async def new_password(request: Request, caller: Annotated[Caller, Depends(parts.gate.form)]) -> Response:
        """Change one's own password: 303 with the cookie of a new session, all others end."""
        given = form_fields(await read_body(request, _FORM_BYTES))
        old, new = given.get("password", ""), given.get("new_password", "")
        where = parts.store, caller.name, old, new, _address(request), _now()
        try:
            async with hashing:
                token = await run_in_threadpool(change_password, *where)
        except SignInRefused as error:
            code = "wrong_password" if error.code == "bad_login" else error.code
            return await run_in_threadpool(password_answer, request, caller, code, _status(error))
        except AccountRefused as error:
            return await run_in_threadpool(password_answer, request, caller, error.code, 422)
        return with_cookie(request, "/", token)

    @app.post("/logout", status_code=303, response_class=RedirectResponse)
    def logout(request: Request, _: Annotated[Caller, Depends(parts.gate.form)]) -> RedirectResponse:
        """End the session."""
        close_session(parts.store, request.cookies.get(SESSION_COOKIE, ""))
        done = RedirectResponse("/login", 303)
        done.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return done


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a form as browsers send it (application/x-www-form-urlencoded, UTF-8); the last of a name counts.

    Raises ApiError 422 `malformed` for what is no such form, and for more than 20 fields.
    """
    try:
        found = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise ApiError(422, "malformed", "a form of at most 20 fields in UTF-8 is needed") from None
    return {name: values[-1] for name, values in found.items()}


def _status(error: SignInRefused) -> int:
    return 429 if error.code == "too_many_tries" else 401


def _wait(status: int) -> dict[str, str] | None:
    return {"Retry-After": str(int(WINDOW.total_seconds()))} if status == 429 else None


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _now() -> datetime:
    return datetime.now(UTC)


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _claimed(parts: Parts, name: str) -> Caller | None:
    # For the audit: a name that nobody has may be a password typed into the wrong field, so it is not kept.
    with parts.store.read() as connection:
        return known_account(connection, name)
