"""Who may speak for the kiosk's own screen: its page, by a cookie, and tools on this machine, by the screen token."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import HTTPException, Request

from kiosk.web.guards import TOKEN_HEADER

COOKIE = "screen"


def own_screen(screen_secret: str, token: str) -> Callable[[Request], None]:
    """A dependency that answers everybody else with 403.

    *screen_secret*: value of the cookie that ``GET /`` sets; *token*: of the 0600 file ``screen-token``.
    """

    def check(request: Request) -> None:
        cookie = request.cookies.get(COOKIE, "")
        header = request.headers.get(TOKEN_HEADER, "")
        if not (
            hmac.compare_digest(cookie.encode(), screen_secret.encode())
            or hmac.compare_digest(header.encode(), token.encode())
        ):
            raise HTTPException(403, "NOT_THE_KIOSK_SCREEN")

    return check


def this_station(station_id: str) -> Callable[[Request], None]:
    """A dependency that answers 404 where the address names another station than *station_id*."""

    def check(request: Request) -> None:
        if request.path_params.get("station_id", station_id) != station_id:
            raise HTTPException(404, "NO_SUCH_STATION")

    return check
