"""The camera's picture for the kiosk's own screen, so that people can aim (interfaces, section 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import StreamingResponse

from kiosk.preview import Preview
from kiosk.web.own_screen import own_screen, this_station

_BOUNDARY = "picture"


def camera_api(preview: Preview | None, station_id: str, screen_secret: str, token: str) -> APIRouter:
    """``/api/v1/station/camera`` and the same under ``/api/v1/stations/{id}``; 404 NO_CAMERA without a *preview*.

    *screen_secret* and *token* as in `own_screen`.
    """
    allowed = [Depends(own_screen(screen_secret, token)), Depends(this_station(station_id))]
    router = APIRouter(dependencies=allowed, tags=["station"])

    async def pictures() -> StreamingResponse:
        """What the camera sees, mirrored and small: JPEG after JPEG for an ``img`` element; never recorded."""
        if preview is None:
            raise HTTPException(404, "NO_CAMERA")
        return StreamingResponse(_parts(preview), media_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}")

    for prefix in ("/api/v1/station", "/api/v1/stations/{station_id}"):
        router.get(
            prefix + "/camera",
            include_in_schema=prefix.endswith("}"),
            response_class=StreamingResponse,
            responses={404: {"description": "no camera, or no preview of it, is configured"}},
        )(pictures)
    return router


async def _parts(preview: Preview) -> AsyncIterator[bytes]:
    """Each part ends with the next boundary, for a browser shows a part only when it has seen that."""
    boundary = f"--{_BOUNDARY}\r\n".encode()
    yield boundary
    async with aclosing(preview.pictures()) as pictures:
        async for jpeg in pictures:
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
            yield head + jpeg + b"\r\n" + boundary
