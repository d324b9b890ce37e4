"""Connections that say nothing are closed, and keep nobody out."""

import asyncio
import contextlib

import pytest

from kiosk.web import server


@pytest.fixture
def short_silence(monkeypatch):
    monkeypatch.setattr(server, "SILENCE", 0.5)


async def closed(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(5):
            return await reader.read() == b""
    return True


async def test_silent_and_half_spoken_connections_end_and_a_patient_is_served_meanwhile(short_silence, serve):
    async with serve() as kiosk:
        host, port = kiosk.url.removeprefix("http://").split(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(120)]
        for _, writer in opened[::2]:
            writer.write(b"POST /api/v1/station/scan HTTP/1.1\r\nHost:")
        assert (await kiosk.bare.get("/healthz")).status_code == 200
        assert all(await asyncio.gather(*(closed(reader) for reader, _ in opened)))
        for _, writer in opened:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_stream_is_not_silence(short_silence, serve):
    async with serve() as kiosk, kiosk.tool.stream("GET", "/api/v1/station/stream") as stream:
        lines = stream.aiter_lines()
        assert '"idle"' in "".join([await anext(lines) for _ in range(2)])
        await asyncio.sleep(1.2)
        kiosk.parts.station.reader_changed(False)
        async with asyncio.timeout(5):
            assert any(['"reader_ok": false' in await anext(lines) for _ in range(2)])
