"""What staff may see and say of a chip: its portrait for a minute, and whether it is the person."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from PIL import Image

from kiosk.portraits import MAX_BYTES, Portraits
from kiosk.web.app import base_app
from kiosk.web.staff import staff_api
from tests.kiosk.world import qr, until

SIZE = (120, 160)


def image(kind: str) -> bytes:
    encoded = io.BytesIO()
    Image.effect_mandelbrot(SIZE, (-2, -1.5, 1, 1.5), 40).convert("RGB").save(encoded, kind)
    return encoded.getvalue()


JPEG = image("JPEG")
JP2 = image("JPEG2000")


@asynccontextmanager
async def clerk(kiosk, portraits: Portraits | None) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in browser before the staff routes of a running kiosk, with *portraits*."""

    async def status() -> dict[str, Any]:
        return {}

    app = base_app("staff")
    accounts = kiosk.daemon._accounts
    app.include_router(staff_api(kiosk.parts.checkins, accounts, status, secure=False, portraits=portraits))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kiosk") as client:
        await client.post("/api/v1/staff/login", json={"name": "demo", "password": "demo"})
        yield client


async def registered(kiosk, number: int = 1) -> str:
    return str((await kiosk.register(qr(number)))["checkin_id"])


async def seen(client: httpx.AsyncClient, checkin_id: str) -> dict[str, Any]:
    return (await client.get(f"/api/v1/staff/check-ins/{checkin_id}")).json()  # type: ignore[no-any-return]


def actions(item: dict[str, Any]) -> list[str]:
    return [entry["action"] for entry in item["audit"]]


# -- the keeper ------------------------------------------------------------------------------------------------


async def test_a_jpeg_is_given_as_it_is():
    portraits = Portraits()
    portraits.keep("a", "jpeg", JPEG)
    assert portraits.holds("a")
    assert await portraits.get("a") == ("image/jpeg", JPEG)
    assert await portraits.get("b") is None


async def test_jpeg_2000_is_converted_once_for_browsers():
    portraits = Portraits()
    portraits.keep("a", "jp2", JP2)
    first, second = await asyncio.gather(portraits.get("a"), portraits.get("a"))
    assert first is not None and first == second
    assert first[0] == "image/jpeg"
    with Image.open(io.BytesIO(first[1]), formats=["JPEG"]) as shown:
        assert shown.size == SIZE


async def test_a_portrait_goes_after_its_time():
    portraits = Portraits(seconds=0.05)
    portraits.keep("a", "jpeg", JPEG)

    async def gone() -> bool:
        return not portraits.holds("a") and await portraits.get("a") is None

    await until(gone)


async def test_a_later_portrait_starts_the_minute_anew_and_only_a_few_are_kept():
    portraits = Portraits(limit=2)
    for name in ("a", "b", "a", "c"):
        portraits.keep(name, "jpeg", JPEG + name.encode())
    assert [portraits.holds(name) for name in "abc"] == [True, False, True]
    portraits.forget("a")
    assert await portraits.get("a") is None


@pytest.mark.parametrize(
    ("image_format", "data"),
    [("jpeg", b""), ("jpeg", b"<svg/>"), ("jpeg", JP2), ("jp2", JPEG), ("jpeg", JPEG + bytes(MAX_BYTES))],
    ids=["nothing", "markup", "other format", "other format 2", "too large"],
)
async def test_what_is_no_such_image_is_not_kept(image_format, data):
    portraits = Portraits()
    portraits.keep("a", image_format, data)
    assert not portraits.holds("a")


@pytest.mark.parametrize(
    "damaged", [JP2[:400], JP2[:200] + bytes(len(JP2)), JP2[:12] + bytes(50)], ids=["cut", "zeros", "no header"]
)
async def test_a_damaged_image_is_given_up_quietly(damaged):
    portraits = Portraits()
    portraits.keep("a", "jp2", damaged)
    shown = await portraits.get("a")
    if shown is None:
        assert not portraits.holds("a")
    else:  # a decoder may show what it could read
        assert shown[1].startswith(b"\xff\xd8\xff")


async def test_a_decoder_that_takes_too_long_is_ended():
    portraits = Portraits(convert_seconds=0.0)
    portraits.keep("a", "jp2", JP2)
    assert await portraits.get("a") is None
    assert not portraits.holds("a")


async def test_without_a_decoder_there_is_no_portrait(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n", "ascii")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    portraits = Portraits()
    portraits.keep("a", "jp2", JP2)
    assert await portraits.get("a") is None


# -- the routes ------------------------------------------------------------------------------------------------


async def test_a_glance_is_kept_in_the_audit_and_in_no_cache(kiosk):
    portraits = Portraits()
    checkin_id = await registered(kiosk)
    async with clerk(kiosk, portraits) as client:
        assert (await seen(client, checkin_id))["portrait"] is False
        portraits.keep(checkin_id, "jpeg", JPEG)
        assert (await seen(client, checkin_id))["portrait"] is True
        answer = await client.post(f"/api/v1/staff/check-ins/{checkin_id}/portrait")
        assert (answer.status_code, answer.content) == (200, JPEG)
        assert answer.headers["content-type"] == "image/jpeg"
        assert actions(await seen(client, checkin_id)) == ["portrait_seen"]
    assert JPEG.hex() not in await kiosk.dump()


async def test_the_real_listener_lets_nobody_see_a_portrait_without_signing_in(kiosk):
    checkin_id = await registered(kiosk)
    path = f"/api/v1/staff/check-ins/{checkin_id}/portrait"
    assert (await kiosk.bare.post(path, headers={"Origin": kiosk.url})).status_code == 401
    absent = await (await kiosk.signed_in()).post(path)
    assert (absent.status_code, absent.json()) == (404, {"error": "NO_PORTRAIT"})
    assert absent.headers["cache-control"] == "no-store"


async def test_the_right_person_is_recorded_and_the_portrait_goes(kiosk):
    portraits = Portraits()
    checkin_id = await registered(kiosk)
    portraits.keep(checkin_id, "jpeg", JPEG)
    async with clerk(kiosk, portraits) as client:
        path = f"/api/v1/staff/check-ins/{checkin_id}/holder-check"
        item = (await client.post(path, json={"same_person": True})).json()
        assert (item["holder_check"], item["needs_staff"], item["portrait"]) == ("staff", None, False)
        assert actions(item) == ["holder_same"]
        assert (await client.post(f"/api/v1/staff/check-ins/{checkin_id}/portrait")).status_code == 404


async def test_another_person_is_on_the_staff_list(kiosk):
    checkin_id = await registered(kiosk)
    async with clerk(kiosk, None) as client:
        path = f"/api/v1/staff/check-ins/{checkin_id}/holder-check"
        item = (await client.post(path, json={"same_person": False})).json()
        assert item["holder_check"] == "staff"
        assert item["needs_staff"]["reason"] == "holder_differs"
        listed = (await client.get("/api/v1/staff/check-ins", params={"status": "needs_staff"})).json()
        assert [each["checkin_id"] for each in listed["check_ins"]] == [checkin_id]


async def test_a_reason_of_the_insurer_stays_beside_a_portrait_that_differs(kiosk):
    checkin_id = str((await kiosk.identify(qr(14)))["checkin_id"])
    async with clerk(kiosk, None) as client:
        before = (await seen(client, checkin_id))["needs_staff"]
        path = f"/api/v1/staff/check-ins/{checkin_id}/holder-check"
        item = (await client.post(path, json={"same_person": False})).json()
        assert item["needs_staff"] == before
        assert actions(item)[-1] == "holder_differs"


async def test_a_comparison_needs_an_open_check_in(kiosk):
    checkin_id = str((await kiosk.identify(qr(14)))["checkin_id"])
    async with clerk(kiosk, None) as client:
        nobody = await client.post("/api/v1/staff/check-ins/x/holder-check", json={"same_person": True})
        assert (nobody.status_code, nobody.json()) == (404, {"error": "NO_SUCH_CHECK_IN"})
        await client.post(f"/api/v1/staff/check-ins/{checkin_id}/cancel", json={"reason": "về"})
        path = f"/api/v1/staff/check-ins/{checkin_id}/holder-check"
        closed = await client.post(path, json={"same_person": True})
        assert (closed.status_code, closed.json()) == (409, {"error": "CLOSED"})
