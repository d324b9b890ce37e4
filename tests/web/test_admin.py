"""Administration over the Unix socket of the data folder."""

import base64
import os

import httpx
import pytest

from kiosk.model import local_day
from kiosk.web.admin import seal, unseal
from tests.kiosk.world import qr, until


@pytest.fixture
async def admin(kiosk):
    """A client on the daemon's socket."""
    async with socket_client(kiosk) as client:
        yield client


def socket_client(kiosk) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(kiosk.data / "admin.sock"))
    return httpx.AsyncClient(transport=transport, base_url="http://kiosk", timeout=20)


async def test_the_socket_is_the_owners_only(kiosk):
    assert (kiosk.data / "admin.sock").stat().st_mode & 0o777 == 0o600
    assert (kiosk.data).stat().st_mode & 0o777 == 0o700


async def test_no_administration_over_tcp(kiosk):
    for path in ("/outbox", "/kpi", "/check/gateway", "/facility-key/export"):
        assert (await kiosk.tool.get(path)).status_code == 404


async def test_the_outbox_is_listed_without_people(kiosk, admin, hospital):
    hospital.mode("c999")
    await kiosk.register(qr(1))
    rows = (await admin.get("/outbox")).json()["rows"]
    parked = next(row for row in rows if row["destination"] == "hospital")
    assert (parked["state"], parked["owner"], parked["reason"]) == ("parked", "staff", "c06.999")
    assert parked["age_s"] >= 0 and parked["attempts"] == 1
    assert (await admin.get(f"/outbox/{parked['id']}")).json()["id"] == parked["id"]
    assert "Mẫu" not in str(rows) and "099190000001" not in str(rows)
    refused = await admin.post(f"/outbox/{parked['id']}/retry")
    assert (refused.status_code, refused.json()) == (409, {"error": "STAFF_MUST_DECIDE"})
    assert len(hospital.visits()) == 0


async def test_a_retry_is_made_at_once(kiosk, admin, gateway):
    gateway.mode("http_500_html", endpoint="*")
    await kiosk.register(qr(1))
    rows = (await admin.get("/outbox")).json()["rows"]
    question = next(row for row in rows if row["destination"] == "gateway")
    assert question["state"] == "waiting" and question["attempts"] == 0
    gateway.mode("normal", endpoint="*")
    assert (await admin.post(f"/outbox/{question['id']}/retry")).status_code == 200

    async def done() -> bool:
        return (await admin.get(f"/outbox/{question['id']}")).json()["state"] == "done"

    await until(done)
    again = await admin.post(f"/outbox/{question['id']}/retry")
    assert (again.status_code, again.json()) == (409, {"error": "UNDER_WAY_OR_DONE"})


async def test_what_is_not_there(admin):
    for method, path in (("GET", "/outbox/999"), ("POST", "/outbox/999/retry"), ("GET", "/check/weather")):
        answer = await admin.request(method, path)
        assert answer.status_code == 404 and answer.json()["error"].startswith("NO_SUCH")
    assert (await admin.get("/outbox/abc")).status_code == 422


async def test_the_kiosks_own_rates(kiosk, admin):
    await kiosk.register(qr(1))
    await kiosk.answer("cancel")
    await kiosk.identify(qr(26))
    day = str(local_day(kiosk.parts.checkins.clock()))
    rates = (await admin.get("/kpi", params={"first": day, "last": day})).json()
    assert (rates["visits_bhyt"], rates["lookups_total"], rates["r1_pct"], rates["r2_pct"]) == (1, 2, 100.0, 50.0)
    empty = (await admin.get("/kpi", params={"first": "2020-01-01", "last": "2020-01-02"})).json()
    assert empty["r1_pct"] is None


async def test_probes_ask_about_nobody(kiosk, admin, gateway, hospital):
    assert (await admin.get("/check/gateway")).json()["ok"] is True
    assert (await admin.get("/check/hospital")).json()["ok"] is True
    province = (await admin.get("/check/province")).json()
    assert province["ok"] is False and "not_enrolled" in province["problems"][0]
    assert gateway.lookups() == [] and hospital.calls("benhnhan") == 0
    gateway.mode("always_401", endpoint="token")
    hospital.mode("bad_signature", endpoint="*")
    assert (await admin.get("/check/gateway")).json()["ok"] is False
    assert (await admin.get("/check/hospital")).json()["ok"] is False


async def test_a_province_that_is_not_there(serve):
    async with serve(province={"url": "http://127.0.0.1:9"}) as kiosk, socket_client(kiosk) as admin:
        answer = await admin.post("/enrol", json={"url": "http://127.0.0.1:9", "code": "X"})
        assert (answer.status_code, answer.json()) == (502, {"error": "PROVINCE_UNAVAILABLE"})


async def test_a_facility_key_travels_sealed(kiosk, admin):
    own = kiosk.parts.journal.facility_key
    sealed = (await admin.post("/facility-key/export", json={"passphrase": "đủ dài cho mười hai"})).json()["sealed"]
    assert own.hex() not in sealed and unseal(sealed, "đủ dài cho mười hai") == own
    assert (await admin.post("/facility-key/export", json={"passphrase": "short"})).status_code == 422
    wrong = await admin.post("/facility-key/import", json={"passphrase": "another one, long", "sealed": sealed})
    assert (wrong.status_code, wrong.json()) == (422, {"error": "CANNOT_UNSEAL"})
    other = os.urandom(32)
    body = {"passphrase": "another one, long", "sealed": seal(other, "another one, long")}
    assert (await admin.post("/facility-key/import", json=body)).status_code == 200
    exported = (await admin.post("/facility-key/export", json={"passphrase": "another one, long"})).json()["sealed"]
    assert unseal(exported, "another one, long") == other
    await admin.post("/facility-key/create")
    fresh = (await admin.post("/facility-key/export", json={"passphrase": "another one, long"})).json()["sealed"]
    assert unseal(fresh, "another one, long") not in (own, other)


_SOMETHING_ELSE = base64.b64encode(bytes(range(60))).decode()


@pytest.mark.parametrize("text", ["", "!!", "AAAA", _SOMETHING_ELSE, "ệ"])
def test_what_was_not_sealed_is_refused(text):
    with pytest.raises(ValueError):
        unseal(text, "đủ dài cho mười hai")


def test_every_byte_of_a_seal_counts():
    sealed = base64.b64decode(seal(b"k" * 32, "đủ dài cho mười hai"))
    for place in (0, 16, 28, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(ValueError):
            unseal(base64.b64encode(changed).decode(), "đủ dài cho mười hai")
