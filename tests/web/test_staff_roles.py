"""Who may do what, over all routes there are: a receptionist can do no supervisor's act by any address."""

import itertools
from datetime import timedelta

import httpx
import pyotp
import pytest

from kiosk.web.staff_roles import ALL_ROLES, OWN, Role, may
from kiosk.web.staff_users import StaffUsers
from tests.web.test_guards import OPEN, filled, operations

STAFF = "/api/v1/staff"
SUPERVISORS = {
    "POST /figures",
    "POST /figures/file",
    "POST /figures/template",
    "GET /users",
    "POST /users",
    "POST /users/roles",
    "POST /users/disable",
    "POST /users/reset",
}
FRESH = "một mật khẩu khác hẳn"


async def joined(kiosk, name: str, *roles: Role) -> httpx.AsyncClient:
    """A browser of somebody who has been given an account and has chosen a password."""
    once = await StaffUsers(kiosk.daemon._accounts).add(name, roles, "demo")
    client = kiosk.client(kiosk.origin)
    told = await client.post(f"{STAFF}/login", json={"name": name, "password": once})
    assert told.json()["must_change"] is True
    refused = await client.get(f"{STAFF}/status")
    assert (refused.status_code, refused.json()["error"]) == (403, "CHANGE_PASSWORD")
    changed = await client.post(f"{STAFF}/own/password", json={"old": once, "new": FRESH})
    assert changed.status_code == 200, changed.text
    return client


async def test_every_route_asks_for_the_role(kiosk):
    await kiosk.bare.get("/")
    found = [(method, path) for method, path in await operations(kiosk.bare) if path.startswith("/api/v1/sta")]
    staff = [(method, path) for method, path in found if path.startswith(STAFF) and path not in OPEN]
    clients = {role: await joined(kiosk, f"Người thử {role.value}", role) for role in ALL_ROLES}
    named = {f"{method} {path.removeprefix(STAFF)}" for method, path in staff}
    assert named >= SUPERVISORS | OWN
    before = await kiosk.dump()
    refused = {role: set() for role in ALL_ROLES}
    for (role, client), (method, path) in itertools.product(clients.items(), staff):
        act = f"{method} {path.removeprefix(STAFF)}"
        if may([role], method, path):
            continue
        answer = await client.request(method, filled(path), json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()) == (403, {"error": "NOT_ALLOWED"}), (role, act)
        refused[role].add(act)
    assert await kiosk.dump() == before  # no refused act left anything
    assert refused[Role.RECEPTIONIST] >= SUPERVISORS and refused[Role.TECHNICIAN] >= SUPERVISORS
    assert "POST /check-ins/{checkin_id}/reveal" in refused[Role.TECHNICIAN]
    assert refused[Role.SUPERVISOR] == set()


def test_what_the_table_does_not_name_is_a_supervisors():
    assert may([Role.SUPERVISOR], "POST", f"{STAFF}/something/new")
    assert not may([Role.RECEPTIONIST, Role.TECHNICIAN], "POST", f"{STAFF}/something/new")
    assert not may([Role.TECHNICIAN], "POST", "/api/v1/stations/{station}/scan")
    assert not may([], "GET", f"{STAFF}/status")


async def test_a_changed_role_ends_the_session_that_had_the_old_one(kiosk):
    supervisor = await kiosk.signed_in()
    clerk = await joined(kiosk, "Thử", Role.SUPERVISOR)
    assert (await clerk.get(f"{STAFF}/users")).status_code == 200
    body = {"name": "Thử", "roles": ["receptionist"]}
    assert (await supervisor.post(f"{STAFF}/users/roles", json=body)).status_code == 200
    assert (await clerk.get(f"{STAFF}/users")).status_code == 401
    await clerk.post(f"{STAFF}/login", json={"name": "Thử", "password": FRESH})
    assert (await clerk.get(f"{STAFF}/users")).status_code == 403


async def test_somebody_always_supervises(kiosk):
    supervisor = await kiosk.signed_in()
    users = StaffUsers(kiosk.daemon._accounts)
    for answer in (
        await supervisor.post(f"{STAFF}/users/disable", json={"name": "demo"}),
        await supervisor.post(f"{STAFF}/users/roles", json={"name": "demo", "roles": ["receptionist"]}),
    ):
        assert (answer.status_code, answer.json()["error"]) in ((409, "NOT_ONESELF"), (409, "LAST_SUPERVISOR"))
    await users.add("Thử", [Role.SUPERVISOR], "demo")
    answer = await supervisor.post(f"{STAFF}/users/roles", json={"name": "demo", "roles": ["receptionist"]})
    assert answer.status_code == 200


async def test_a_lock_outlives_a_restart_and_a_supervisor_opens_it(kiosk):
    clerk = await joined(kiosk, "Thử", Role.RECEPTIONIST)
    for _ in range(5):
        answer = await clerk.post(f"{STAFF}/login", json={"name": "Thử", "password": "sai"})
        assert answer.status_code == 401
    accounts = kiosk.daemon._accounts
    accounts._failures.clear()  # as a restart does
    right = {"name": "Thử", "password": FRESH}
    assert (await clerk.post(f"{STAFF}/login", json=right)).json() == {"error": "TOO_MANY"}
    supervisor = await kiosk.signed_in()
    listed = (await supervisor.get(f"{STAFF}/users")).json()["users"]
    assert [user["locked"] for user in listed if user["name"] == "Thử"] == [True]
    once = (await supervisor.post(f"{STAFF}/users/reset", json={"name": "Thử"})).json()["one_time_password"]
    assert (await clerk.post(f"{STAFF}/login", json=right)).status_code == 401
    told = await clerk.post(f"{STAFF}/login", json={"name": "Thử", "password": once})
    assert told.json()["must_change"] is True


@pytest.mark.parametrize(("days", "status"), [(44, 200), (46, 403)])
async def test_an_account_that_nobody_used_for_45_days_is_disabled(kiosk, days, status):
    clerk = await joined(kiosk, "Thử", Role.RECEPTIONIST)
    accounts = kiosk.daemon._accounts
    today = accounts.clock
    accounts.clock = lambda: today() + timedelta(days=days)
    answer = await clerk.post(f"{STAFF}/login", json={"name": "Thử", "password": FRESH})
    assert answer.status_code == status
    wrong = await clerk.post(f"{STAFF}/login", json={"name": "Thử", "password": "sai"})
    assert wrong.json() == {"error": "BAD_LOGIN"}  # who does not know the password learns nothing


async def test_a_screen_that_is_left_alone_locks_and_a_pin_opens_it(kiosk, monkeypatch):
    clerk = await joined(kiosk, "Thử", Role.RECEPTIONIST)
    for pin, status in (("123", 422), ("111111", 422), ("120394", 200)):
        answer = await clerk.post(f"{STAFF}/own/pin", json={"password": FRESH, "pin": pin})
        assert answer.status_code == status
    monkeypatch.setattr("kiosk.web.staff_sessions._LOCK_SECONDS", 0.0)
    locked = await clerk.get(f"{STAFF}/check-ins")
    assert (locked.status_code, locked.json()) == (401, {"error": "LOCKED"})
    monkeypatch.undo()
    assert (await clerk.post(f"{STAFF}/check-ins/search", json={"name": "a"})).json() == {"error": "LOCKED"}
    session = (await clerk.get(f"{STAFF}/session")).json()
    assert (session["signed_in"], session["locked"], session["user"]) == (False, True, "Thử")
    assert (await clerk.post(f"{STAFF}/session/unlock", json={"secret": "999999"})).status_code == 401
    assert (await clerk.post(f"{STAFF}/session/unlock", json={"secret": "120394"})).json()["signed_in"] is True
    assert (await clerk.get(f"{STAFF}/check-ins")).status_code == 200
    await clerk.post(f"{STAFF}/session/lock", json={})
    assert (await clerk.post(f"{STAFF}/session/unlock", json={"secret": FRESH})).json()["signed_in"] is True
    await clerk.post(f"{STAFF}/session/lock", json={})
    statuses = [(await clerk.post(f"{STAFF}/session/unlock", json={"secret": "000000"})).json() for _ in range(6)]
    assert statuses == [{"error": "BAD_LOGIN"}] * 5 + [{"error": "SIGN_IN"}]
    assert (await clerk.post(f"{STAFF}/login", json={"name": "Thử", "password": "120394"})).status_code == 401


async def test_an_authenticator_is_asked_for_a_code_that_is_good_once(kiosk):
    clerk = await joined(kiosk, "Thử", Role.SUPERVISOR)
    offered = (await clerk.post(f"{STAFF}/own/totp", json={"password": FRESH})).json()
    totp = pyotp.parse_uri(offered["address"])
    now = kiosk.daemon._accounts.clock
    assert (await clerk.post(f"{STAFF}/own/totp/confirm", json={"code": "000000"})).status_code == 422
    assert (await clerk.post(f"{STAFF}/own/totp/confirm", json={"code": totp.at(now())})).status_code == 200
    login = {"name": "Thử", "password": FRESH}
    assert (await clerk.post(f"{STAFF}/login", json=login)).json() == {"error": "CODE_NEEDED"}
    used = await clerk.post(f"{STAFF}/login", json=login | {"code": totp.at(now())})
    assert used.json() == {"error": "BAD_TOTP"}
    later = totp.at(now() + timedelta(seconds=30))
    assert (await clerk.post(f"{STAFF}/login", json=login | {"code": later})).status_code == 200
    assert (await clerk.post(f"{STAFF}/own/totp/remove", json={"password": FRESH})).status_code == 200
    assert (await clerk.post(f"{STAFF}/login", json=login)).status_code == 200


async def test_each_change_of_an_account_is_in_the_audit_without_secrets(kiosk):
    supervisor = await kiosk.signed_in()
    clerk = await joined(kiosk, "Thử", Role.RECEPTIONIST)
    await clerk.post(f"{STAFF}/own/pin", json={"password": FRESH, "pin": "120394"})
    await supervisor.post(f"{STAFF}/users/disable", json={"name": "Thử"})
    assert (await clerk.get(f"{STAFF}/status")).status_code == 401
    dump = await kiosk.dump()
    for action in ("user_added", "signed_in", "password_changed", "pin_changed", "user_disabled"):
        assert action in dump
    assert FRESH not in dump and "120394" not in dump
