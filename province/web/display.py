"""The files that pages load, and the choice of language and of light or dark."""

from typing import Annotated, Final

from fastapi import FastAPI, Query
from fastapi.responses import RedirectResponse, Response

from province.access.own_origin import local_path
from province.guards import ApiError
from province.pages.files import static_files
from province.pages.frame import LANGUAGE_COOKIE, THEME_COOKIE, Theme
from province.pages.texts import Language
from province.parts import Parts

_A_YEAR: Final = 365 * 24 * 3600
_FOR_GOOD: Final = {"Cache-Control": f"public, max-age={_A_YEAR}, immutable"}
_Back = Annotated[str, Query(description="path to go back to")]


def add_routes(app: FastAPI, _parts: Parts) -> None:
    """`/static/...` and `/display`."""

    @app.get("/static/{name}", include_in_schema=False)
    def static_file(name: str, v: str | None = None) -> Response:
        """A file of the pages; under the address with its tag it never changes."""
        file = static_files().get(name)
        if file is None:
            raise ApiError(404, "not_found")
        return Response(file.content, media_type=file.media_type, headers=_FOR_GOOD if v == file.tag else None)

    @app.get("/display", status_code=303, response_class=RedirectResponse)
    def display(language: Language | None = None, theme: Theme | None = None, back: _Back = "/") -> RedirectResponse:
        """Keep the chosen language or theme in a cookie of the browser, and go back (303)."""
        done = RedirectResponse(local_path(back), 303)
        for name, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
            if value is not None:
                done.set_cookie(name, value, max_age=_A_YEAR, httponly=True, samesite="lax")
        return done
