"""A camera beside the running daemon: what it sees is served, and shown to the kiosk's own screen only."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from kiosk.preview import MOST_WATCHERS
from simulators.scanner import SimulatedScanner
from tests.kiosk.world import until
from tests.readers.camera_world import CARD, OTHER, PAYMENT, Desk
from tests.web.conftest import Kiosk

CAMERA = "/api/v1/station/camera"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


@pytest.fixture
async def watched(serve, desk: Desk) -> AsyncIterator[Kiosk]:
    """A daemon whose camera works."""
    async with serve(camera={"device": f"folder:{desk.folder}"}) as kiosk:
        await with_camera(kiosk)
        yield kiosk


async def with_camera(kiosk: Kiosk) -> None:
    async def works() -> bool:
        return (await kiosk.state())["screen"]["camera"]

    await until(works, "the camera")


@asynccontextmanager
async def looking(client: httpx.AsyncClient, path: str = CAMERA) -> AsyncIterator[AsyncIterator[bytes]]:
    """The pictures that one screen gets, until it looks away."""
    async with client.stream("GET", path) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
        assert answer.headers["cache-control"] == "no-store"

        async def pictures() -> AsyncIterator[bytes]:
            data = b""
            async for piece in answer.aiter_raw():
                data += piece
                while data.endswith(b"--picture\r\n") and data.count(b"--picture\r\n") > 1:
                    _, head, data = data.split(b"--picture\r\n", 2)
                    fields, _, body = head.partition(b"\r\n\r\n")
                    assert fields == b"Content-Type: image/jpeg\r\nContent-Length: %d" % (len(body) - 2)
                    yield body[:-2]
                    data = b"--picture\r\n" + data

        yield pictures()


def shows(jpeg: bytes) -> tuple[int, ...]:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).shape


async def test_a_card_before_the_camera_is_served(watched, desk):
    assert (await watched.state())["screen"]["reader_ok"] is True
    desk.lay(CARD)
    confirm = await watched.view("confirm")
    desk.clear()
    assert (await watched.bare.get("/readyz")).json()["ready"] is True
    assert 'kiosk_reader_attached{reader="camera"} 1.0' in (await watched.bare.get("/metrics")).text
    await watched.answer("confirm")
    await watched.view("choose_service", "needs_staff", "done")
    assert confirm["checkin_id"]


async def test_the_picture_is_for_the_kiosks_own_screen(watched, desk):
    desk.lay(CARD)
    page = watched.client()
    assert (await page.get(CAMERA)).status_code == 403
    assert (await watched.tool.get("/api/v1/stations/another/camera")).status_code == 404
    await page.get("/")  # the page brings the cookie
    for path in (CAMERA, CAMERA.replace("station", f"stations/{watched.parts.station.id}")):
        async with looking(page, path) as pictures:
            for _ in range(2):
                assert shows(await anext(pictures)) == (360, 640)


async def test_nobody_looks_nothing_is_made(watched):
    preview = watched.daemon._devices.preview
    assert preview.watchers == 0
    async with looking(watched.tool) as pictures:
        await anext(pictures)
        assert preview.watchers == 1

    async def left() -> bool:
        return preview.watchers == 0

    await until(left, "the watcher's end")


async def test_a_watcher_that_does_not_read_delays_nobody(watched):
    host, port = watched.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        head = f"GET {CAMERA} HTTP/1.1\r\nHost: {host}:{port}\r\nX-Screen-Token: {watched.token}\r\n\r\n"
        deaf.sendall(head.encode())
        async with looking(watched.tool) as pictures:
            for _ in range(10):
                await anext(pictures)
        assert (await watched.bare.get("/healthz")).status_code == 200


async def test_of_too_many_watchers_the_longest_ends(watched):
    async with looking(watched.tool) as first, AsyncExitStack() as others:
        await anext(first)
        kept = []  # a generator that nobody holds would look away
        for _ in range(MOST_WATCHERS):
            client = watched.client({"X-Screen-Token": watched.token})
            kept.append(await others.enter_async_context(looking(client)))
            await anext(kept[-1])
        async with asyncio.timeout(10):
            assert len([jpeg async for jpeg in first]) < 20
        assert watched.daemon._devices.preview.watchers == MOST_WATCHERS
        await anext(kept[0])


async def test_without_a_camera_or_its_picture_there_is_none(serve, desk):
    async with serve() as kiosk:
        answer = await kiosk.tool.get(CAMERA)
        assert (answer.status_code, answer.json()) == (404, {"error": "NO_CAMERA"})
        assert (await kiosk.state())["screen"]["camera"] is False
    async with serve(camera={"device": f"folder:{desk.folder}", "preview": False}) as kiosk:
        assert (await kiosk.tool.get(CAMERA)).status_code == 404
        desk.lay(CARD)
        await kiosk.view("confirm")
        assert (await kiosk.state())["screen"]["camera"] is False  # nothing to show


async def test_a_camera_that_goes_is_on_the_screen_and_in_ready_and_comes_back(watched, desk):
    async with looking(watched.tool) as pictures:
        await anext(pictures)
        desk.folder.rename(desk.folder.with_name("away"))
        async with asyncio.timeout(10):  # it ends: no picture of the past stays
            assert len([jpeg async for jpeg in pictures]) < 50
    screen = (await watched.state())["screen"]
    assert (screen["camera"], screen["reader_ok"]) == (False, False)
    assert (await watched.bare.get("/readyz")).json()["reasons"] == ["camera"]
    desk.folder.with_name("away").rename(desk.folder)
    await with_camera(watched)
    assert (await watched.bare.get("/readyz")).status_code == 200


async def test_one_reader_that_works_is_enough(serve, desk, tmp_path):
    with SimulatedScanner(tmp_path / "scanner", suffix=b"") as scanner:
        readers = {"scanner": {"port": str(scanner.link)}, "camera": {"device": str(tmp_path / "no-camera")}}
        async with serve(**readers) as kiosk:

            async def ready() -> bool:
                return (await kiosk.state())["screen"]["reader_ok"]

            await until(ready, "the scanner")
            assert (await kiosk.bare.get("/readyz")).status_code == 200
            clerk = await kiosk.signed_in()
            assert (await clerk.get("/api/v1/staff/status")).json()["reader_ok"] is True
            beat = await kiosk.daemon._heartbeat()
            assert beat["readers"] == {"scanner": "ok", "camera": "gone"}
            scanner.unplug()

            async def reasons() -> bool:
                return set((await kiosk.bare.get("/readyz")).json()["reasons"]) == {"scanner", "camera"}

            await until(reasons, "both gone")
            assert (await kiosk.state())["screen"]["reader_ok"] is False


async def test_two_people_are_asked_to_come_one_by_one(watched, desk):
    desk.lay(CARD, family="two_codes", other=OTHER)
    state = await watched.view("unreadable")
    assert state["screen"]["error"] == "TWO_PEOPLE"
    assert state["checkin_id"] is None


async def test_a_poster_takes_no_ticket_away(watched, desk):
    desk.lay(CARD)
    await watched.view("confirm")
    await watched.answer("confirm")
    state = await watched.view("choose_service", "needs_staff", "done")
    if state["screen"]["view"] == "choose_service":
        await watched.answer("service", service_id=state["screen"]["services"][0]["id"])
        state = await watched.view("done", "needs_staff")
    desk.lay(PAYMENT, on="phone")
    codes: asyncio.Queue[bytes] = asyncio.Queue()
    seen = watched.daemon._devices._seen

    async def noted(camera, code):  # type: ignore[no-untyped-def]
        await seen(camera, code)
        codes.put_nowait(code.payload)

    watched.daemon._devices._seen = noted
    async with asyncio.timeout(10):
        assert await codes.get() == PAYMENT
    assert (await watched.state())["screen"]["ticket"] == state["screen"]["ticket"]
    await watched.answer("cancel")
    assert (await watched.view("unreadable"))["screen"]["error"] != "TWO_PEOPLE"  # still held: now it is told


async def test_who_had_to_wait_is_taken_when_the_first_is_gone(watched, desk):
    desk.lay(CARD)
    first = await watched.view("confirm")
    desk.lay(OTHER)

    async def refused() -> bool:
        return (await watched.state())["checkin_id"] == first["checkin_id"]

    await until(refused, "the first one's screen")
    await watched.answer("cancel")
    second = await watched.view("confirm")
    assert second["checkin_id"] != first["checkin_id"]


async def test_a_killed_camera_process_leaves_the_daemon_alone(watched, desk):
    camera = watched.daemon._devices._camera
    before = camera.pid
    os.kill(before, signal.SIGKILL)

    async def replaced() -> bool:
        return camera.pid not in (None, before) and (await watched.state())["screen"]["camera"]

    await until(replaced, "another process")
    desk.lay(CARD)
    await watched.view("confirm")
