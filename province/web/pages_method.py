"""The page that says how the figures are made."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse

from province.access.caller import Caller
from province.pages.frame import Display, answer
from province.pages.method import SECTIONS, definitions
from province.parts import Parts


def add_routes(app: FastAPI, parts: Parts) -> None:
    """`/method`."""

    @app.get("/method", response_class=HTMLResponse)
    def method_page(request: Request, caller: Annotated[Caller, Depends(parts.gate.page)]) -> HTMLResponse:
        """Definitions of the rates, origins, closing, and what cannot be seen."""
        terms = definitions(Display.of(request).language)
        with parts.store.read() as connection:
            return answer(request, connection, caller, "method.html", terms=terms, sections=SECTIONS)
