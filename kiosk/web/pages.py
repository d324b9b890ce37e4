"""The screens as HTML: words from ``texts/*.toml``, layout from ``templates/``, behaviour from ``static/``.

The pages carry no personal data and know nothing of check-ins: their scripts get everything from the JSON routes. All
words of a screen travel in its page as a JSON block, which a policy without inline scripts allows (it is data).
"""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

_HERE: Final = Path(str(resources.files("kiosk.web")))
_FOLDERS: Final = ("static", "templates", "texts")
OTHER_LANGUAGES: Final = ("en", "km")  # of the patient's screen, which begins in Vietnamese


@cache
def texts(language: str = "vi") -> dict[str, Any]:
    """All words of the screens in a *language*: ``patient`` and, in Vietnamese alone, ``staff`` (counter and staff),
    each a tree of strings.
    """
    return tomllib.loads((_HERE / "texts" / f"{language}.toml").read_text("utf-8"))


@cache
def build() -> str:
    """A short digest of everything the screens consist of: a page left open over an update notices the change."""
    digest = hashlib.sha256()
    for folder in _FOLDERS:
        for path in sorted((_HERE / folder).rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def patient_router() -> APIRouter:
    """``GET /``: the patient's screen. The caller sets the cookie that lets it speak for the local station."""
    return _router("/", "patient")


def desk_router() -> APIRouter:
    """``GET /desk``: the counter's screen; it shows nothing before the login."""
    return _router("/desk", "desk", words="staff")


def staff_router() -> APIRouter:
    """``GET /staff``: the staff's screen; it shows nothing before the login."""
    return _router("/staff", "staff")


def mount_static(app: FastAPI) -> None:
    """Serve scripts, styles and pictures under ``/static``; browsers ask each time whether they changed."""
    app.mount("/static", _Static(directory=_HERE / "static"), name="static")


class _Static(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _router(path: str, screen: str, *, words: str = "") -> APIRouter:
    router = APIRouter()

    @router.get(path, response_class=HTMLResponse, include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(_render(screen, words or screen), headers={"Cache-Control": "no-store", "X-Build": build()})

    return router


@cache
def _render(screen: str, words: str) -> str:
    environment = Environment(loader=PackageLoader("kiosk.web"), autoescape=True, undefined=StrictUndefined)
    others = {language: texts(language)["patient"] for language in OTHER_LANGUAGES} if screen == "patient" else {}
    return environment.get_template(f"{screen}.html").render(texts=texts()[words], others=others, build=build())
