"""Signs C06 calls and carries them over HTTP (his-kiosk-c06.md 1)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from hospital_adapters import c06_wire as wire
from hospital_adapters.c06_settings import C06Settings
from hospital_adapters.http_line import Answer, HttpLine, NoAnswer
from kiosk.ports import Clock


class C06Client:
    """GET and POST with the three headers of his-kiosk-c06.md 1."""

    def __init__(self, settings: C06Settings, secret: str, clock: Clock) -> None:
        """Nothing is opened yet. ConfigError when ``ca_file`` cannot be read."""
        self._settings = settings
        self._secret = secret
        self._clock = clock
        trusted = next((url for url in settings.urls.values() if url.startswith("https:")), settings.url)
        self._line = HttpLine(trusted, settings.ca_file, settings.timeouts.connect, clock)

    async def get(self, path: str, fields: Mapping[str, str], signed: tuple[str | None, ...]) -> Answer | NoAnswer:
        """One GET, repeated once with a new time stamp when no answer came and time is left (his-kiosk-c06.md 8)."""
        target = self._settings.target(path) + (f"?{wire.query(fields)}" if fields else "")
        limit = self._settings.timeouts.get
        deadline = time.monotonic() + limit
        end = await self._line.call("GET", target, self._headers(signed), None, limit)
        left = deadline - time.monotonic()
        if isinstance(end, NoAnswer) and left > 0:
            end = await self._line.call("GET", target, self._headers(signed), None, left)
        return end

    async def post(self, path: str, body: Mapping[str, Any], signed: tuple[str | None, ...]) -> Answer | NoAnswer:
        """One POST, never repeated here."""
        # half a surrogate pair, which only a row of theirs can hold, goes back as it came: as an escape of JSON
        content = json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")
        limit = self._settings.timeouts.post
        return await self._line.call("POST", self._settings.target(path), self._headers(signed), content, limit)

    async def close(self) -> None:
        """Release connections."""
        await self._line.close()

    def _headers(self, signed: tuple[str | None, ...]) -> dict[str, str]:
        stamp = str(int(self._clock().timestamp() * 1000))
        return {
            "x-merchant-id": self._settings.merchant,
            "x-timestamp": stamp,
            "x-sign": wire.sign(self._secret, self._settings.merchant, stamp, *signed),
            "content-type": "application/json",
        }
