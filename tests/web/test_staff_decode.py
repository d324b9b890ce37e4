"""What a clerk's scanner typed, decoded for the entry form: only with a session, and nothing of it is kept."""

import logging

import pytest

from kiosk.documents.as_json import decode_report
from tests.kiosk.world import qr

DECODE = "/api/v1/staff/decode"
BYTES = {"Content-Type": "application/octet-stream"}


async def test_only_who_is_signed_in_may_decode(kiosk):
    refused = await kiosk.client(kiosk.origin).post(DECODE, content=qr(1), headers=BYTES)
    assert (refused.status_code, refused.json()) == (401, {"error": "SIGN_IN"})


@pytest.mark.parametrize("raw", [qr(1), b"GD4939312345678", b"\xff\xfe|\x00", b"", b"x" * 65536])
async def test_it_says_what_the_command_says(kiosk, raw):
    staff = await kiosk.signed_in()
    answer = await staff.post(DECODE, content=raw, headers=BYTES)
    assert (answer.status_code, answer.json()) == (200, decode_report(raw))
    assert (await staff.post(DECODE, content=b"x" * 65537, headers=BYTES)).status_code == 413


async def test_nothing_of_it_is_kept(kiosk, caplog):
    staff = await kiosk.signed_in()
    before = await kiosk.dump()
    with caplog.at_level(logging.DEBUG):
        assert (await staff.post(DECODE, content=qr(1), headers=BYTES)).status_code == 200
    assert await kiosk.dump() == before
    assert (await kiosk.state())["phase"] == "idle"
    number, _, name = qr(1).decode().split("|")[:3]
    assert not any(number in words or name in words for words in (caplog.text, (await kiosk.bare.get("/metrics")).text))
