"""What all pages have in common: the templates, the language, light or dark, the navigation, the mark of simulation."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from province.access.caller import Caller
from province.guards import ApiError
from province.pages import formats
from province.pages.files import address
from province.pages.navigation import offered
from province.pages.texts import Language, texts_in
from province.simulate.mark import simulated_range

LANGUAGE_COOKIE: Final = "hub-language"
THEME_COOKIE: Final = "hub-theme"
_FIRST_ERROR: Final = 400


class Theme(StrEnum):
    """Light or dark; AUTO: as the reader's machine is set."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Display:
    """How somebody wants the pages."""

    language: Language = Language.VIETNAMESE
    theme: Theme = Theme.AUTO

    @classmethod
    def of(cls, request: Request) -> "Display":
        """From the request's cookies; what they do not say, or say wrongly, as for somebody who has not chosen."""
        return cls(
            Language(_one_of(Language, request.cookies.get(LANGUAGE_COOKIE)) or Language.VIETNAMESE),
            Theme(_one_of(Theme, request.cookies.get(THEME_COOKIE)) or Theme.AUTO),
        )


def answer(
    request: Request,
    connection: sa.Connection,
    caller: Caller | None,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page made from a template that extends `base.html`, with these *values*; *caller* None: nobody known yet.

    A template also has `t` (Texts), `language`, `theme`, `themes`, `caller`, `navigation`, `here` (path and query, to
    come back to), `path`, `simulated` (Period or None), `now` and `file(name)` (address of a static file), and the
    filters `number`, `percentage`, `day`, `month` and `moment`.
    """
    display = Display.of(request)
    page = _TEMPLATES.get_template(template).render(
        t=texts_in(display.language),
        language=display.language,
        theme=display.theme,
        themes=list(Theme),
        caller=caller,
        navigation=offered(caller),
        path=request.url.path,
        here=_here(request),
        simulated=simulated_range(connection),
        now=datetime.now(UTC),
        **values,
    )
    return HTMLResponse(page, status, headers)


def failure(request: Request, error: ApiError) -> Response:
    """What went wrong, for whoever asked: a page for people who look at pages, `{"error": ..., "detail": ...}` else.

    The page needs no database, so that it can tell that there is none.
    """
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    if not wants_page or error.status < _FIRST_ERROR:
        return error.response()
    display = Display.of(request)
    texts = texts_in(display.language)
    key = f"base.failure.{error.status}"
    page = _TEMPLATES.get_template("failure.html").render(
        t=texts,
        language=display.language,
        theme=display.theme,
        themes=list(Theme),
        caller=None,
        navigation=[],
        path=request.url.path,
        here=_here(request),
        simulated=None,
        now=datetime.now(UTC),
        words=texts(key if key in texts else "base.failure.other"),
        error=error,
    )
    return HTMLResponse(page, error.status, error.headers)


def _one_of(kind: type[StrEnum], given: str | None) -> str | None:
    return given if given in list(kind) else None


def _here(request: Request) -> str:
    # The answer to a form is shown under the form's own address, which cannot be asked for.
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("province"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["file"] = address
    for name in ("number", "percentage", "day", "month", "moment"):
        environment.filters[name] = _in_language(getattr(formats, name))
    return environment


def _in_language(write: Any) -> Any:
    @pass_context
    def written(context: Context, value: Any, *further: Any) -> str:
        return str(write(value, context["language"], *further))

    return written


_TEMPLATES: Final = _environment()
