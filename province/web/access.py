"""Signing in and out of the hub's pages."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool

from province.access.accounts import SESSION_LIFE, any_account, close_session, known_account
from province.access.caller import Caller
from province.access.gate import SESSION_COOKIE
from province.access.own_origin import is_loopback, is_own, local_path
from province.access.signing_in import WINDOW, SignInRefused, sign_in
from province.guards import ApiError, read_body
from province.openapi import body, fields
from province.parts import Parts

_FORM_BYTES: Final = 4096
_HASHES_AT_ONCE: Final = 2  # each takes 64 MiB
_Next = Annotated[str, Query(alias="next", description="path to go to after signing in")]
_PAGES: Final = Environment(loader=PackageLoader("province"), autoescape=True, undefined=StrictUndefined)
_SAID: Final = {
    "bad_login": "Tên hoặc mật khẩu không đúng, hoặc tài khoản không còn dùng được.",
    "too_many_tries": "Đã thử sai nhiều lần. Vui lòng đợi 15 phút rồi thử lại.",
}
_FORM: Final = body("application/x-www-form-urlencoded", fields("name", "password", optional=("next",)))
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "Signed in, with the cookie of the session"},
    401: {"description": "Not signed in: the page again", "content": {"text/html": {}}},
    429: {"description": "Too many wrong passwords: the page again", "content": {"text/html": {}}},
}


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/login` and `/logout`."""
    # Waiting for it holds no thread: a storm of sign-ins must not stop the feed.
    hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    def answer(request: Request, wanted: str, problem: str | None, status: int) -> HTMLResponse:
        with parts.store.read() as connection:
            ready = any_account(connection)
        page = _PAGES.get_template("login.html").render(
            next=local_path(wanted),
            problem=_SAID.get(problem or ""),
            ready=ready,
            keeps_cookie=_is_secure(request) or is_loopback(request.url.hostname),
        )
        headers = {"Retry-After": str(int(WINDOW.total_seconds()))} if status == 429 else None
        return HTMLResponse(page, status, headers)

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
        address = request.client.host if request.client else ""
        now = datetime.now(UTC)
        try:
            async with hashing:
                token = await run_in_threadpool(sign_in, parts.store, name, password, address, now)
        except SignInRefused as error:
            status = 429 if error.code == "too_many_tries" else 401
            return await run_in_threadpool(answer, request, wanted, error.code, status)
        done = RedirectResponse(local_path(wanted), 303)
        done.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=int(SESSION_LIFE.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=_is_secure(request) or not is_loopback(request.url.hostname),
        )
        return done

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


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _claimed(parts: Parts, name: str) -> Caller | None:
    # For the audit: a name that nobody has may be a password typed into the wrong field, so it is not kept.
    with parts.store.read() as connection:
        return known_account(connection, name)
