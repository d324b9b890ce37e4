"""API keys and roles: what they let through, and that a facility's neither reads nor writes another's (issue 7)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import pytest
import sqlalchemy as sa
from fastapi import Depends, FastAPI, Request

from province.access.accounts import add_account, open_session
from province.access.caller import Caller, Role, Scope
from province.access.gate import Gate
from province.access.keys import KeyRefused, list_api_keys, new_api_key, revoke_api_key
from province.guards import ApiError, RateLimit
from province.tables import api_key

DAYS = {"from": "2026-03-01", "to": "2026-03-31"}
FEEDS = ("/api/v1/kpi/lookup-rate", "/api/v1/kpi/why-not-by-chip")


def bearer(store, scope: str = "read", **more: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {new_api_key(store, scope, **more)['key']}"}


@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize("by", ["key", "person"])
def test_a_facility_reads_its_own_rows_and_nothing_else(hub, path: str, by: str) -> None:
    for code in ("93002", "93003"):
        station = hub.station(code)
        station.send(station.visit(datetime(2026, 3, 2, 1, tzinfo=UTC), not_by_chip="CHILD"))
    mine = bearer(hub.store, facility_code="93002") if by == "key" else hub.person("facility", "93002")
    assert {
        row["unit_code"] for row in hub.rows(**{"first": DAYS["from"], "last": DAYS["to"]}, path=path, level="facility")
    } >= {"93002", "93003"}
    for period in ("total", "day", "cumulative"):
        answer = hub.http.get(path, params=DAYS | {"level": "facility", "period": period}, headers=mine)
        assert answer.status_code == 200
        assert {row["unit_code"] for row in answer.json()["rows"]} == {"93002"}
    csv = hub.http.get(path, params=DAYS | {"level": "facility", "format": "csv"}, headers=mine).text
    assert "93002" in csv and "93003" not in csv
    for level in ("province", "area"):
        answer = hub.http.get(path, params=DAYS | {"level": level}, headers=mine)
        assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")
    listed = hub.http.get("/api/v1/facilities", headers=mine).json()["facilities"]
    assert [each["code"] for each in listed] == ["93002"]


def test_a_person_of_a_facility_sees_no_other_on_the_page(hub) -> None:
    page = hub.http.get("/", headers=hub.person("facility", "93002")).text
    assert "93002" in page and "93003" not in page and 'class="headline"' not in page
    assert 'class="headline"' in hub.http.get("/", headers=hub.person("viewer")).text


def test_keys_end_when_they_say_or_are_revoked_and_old_ones_stay(hub) -> None:
    def reads(headers: dict[str, str]) -> int:
        return hub.http.get("/api/v1/facilities", headers=headers).status_code

    keys = {label: bearer(hub.store, label=label, days=days) for label, days in (("a", 1), ("b", 2), ("c", None))}
    assert [reads(key) for key in keys.values()] == [200, 200, 200]
    with hub.store.write() as connection:
        gone = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(sa.update(api_key).where(api_key.c.label == "a").values(expires_at=gone))
    ids = {row["label"]: row["id"] for row in list_api_keys(hub.store)}
    assert revoke_api_key(hub.store, ids["b"])["id"] == ids["b"]
    assert [reads(key) for key in keys.values()] == [401, 401, 200]
    (row,) = (row for row in list_api_keys(hub.store) if row["label"] == "b")
    assert row["revoked_at"] == revoke_api_key(hub.store, ids["b"])["revoked_at"]
    with pytest.raises(KeyRefused, match="unknown_key"):
        revoke_api_key(hub.store, "0" * 12)


def test_a_label_or_facility_that_cannot_be_is_refused(store) -> None:
    for label in ("", "x" * 81, "a\nb"):
        with pytest.raises(KeyRefused, match="bad_label"):
            new_api_key(store, "read", label=label)
    with pytest.raises(KeyRefused, match="unknown_facility"):
        new_api_key(store, "read", facility_code="00000")
    assert list_api_keys(store) == []


def test_a_key_that_asks_too_often_waits_and_the_others_do_not(store, run_hub) -> None:
    with run_hub(store, key_limit=RateLimit(per_second=0.01, burst=2)) as hub:
        first, second = bearer(store), bearer(store)
        answers = [hub.http.get("/api/v1/facilities", headers=first) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].json()["error"] == "too_many_requests" and int(answers[-1].headers["Retry-After"]) > 0
        assert hub.http.get("/api/v1/facilities", headers=second).status_code == 200


@pytest.fixture
def door(store):
    """An application with one route per rule of the gate, and a way to ask as anybody."""
    gate = Gate(store, demo=False)
    app = FastAPI()
    rules = {
        "read": gate.reader,
        "upload": gate.scope(Scope.UPLOAD),
        "federate": gate.scope(Scope.FEDERATE),
        **{str(role): gate.role(role) for role in Role},
    }

    def route(rule):
        def answer(request: Request, caller: Annotated[Caller, Depends(rule)]) -> str:
            assert request.state.caller == caller
            return caller.facility or "all"

        return answer

    for name, rule in rules.items():
        app.add_api_route(f"/{name}", route(rule), methods=["GET", "POST"])
    app.add_exception_handler(ApiError, lambda _, error: error.response())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.test")

    async def ask(method: str, name: str, headers: dict[str, str]) -> httpx.Response:
        return await client.request(method, f"/{name}", headers=headers)

    return ask


def session(store, role: Role, facility: str | None = None) -> dict[str, str]:
    add_account(store, str(role), role, "a long enough password", facility)
    token = open_session(store, str(role), datetime.now(UTC))
    return {"Cookie": f"hub-session={token}", "Origin": "http://hub.test"}


EVERYTHING = {"read", "upload", "federate", "facility", "viewer", "analyst", "admin"}


async def let_through(door, method: str, headers: dict[str, str]) -> set[str]:
    return {name for name in EVERYTHING if (await door(method, name, headers)).status_code == 200}


async def test_each_caller_may_what_it_is_there_for(store, door) -> None:
    people = {
        Role.FACILITY: {"read", "upload", "facility"},
        Role.VIEWER: {"read", "facility", "viewer"},
        Role.ANALYST: {"read", "upload", "facility", "viewer", "analyst"},
        Role.ADMIN: EVERYTHING,
    }
    for role, allowed in people.items():
        headers = session(store, role, "93002" if role is Role.FACILITY else None)
        for method in ("GET", "POST"):
            assert await let_through(door, method, headers) == allowed
        without = {name: value for name, value in headers.items() if name != "Origin"}
        for origin in ({}, {"Origin": "http://evil.example"}):
            answers = [await door("POST", name, without | origin) for name in EVERYTHING]
            assert {(each.status_code, each.json()["error"]) for each in answers} == {(403, "foreign_origin")}
        assert await let_through(door, "GET", without) == allowed


async def test_a_key_changes_nothing_but_by_its_scope(store, door) -> None:
    keys = {
        ("read", None): {"GET": {"read", "facility", "viewer"}, "POST": set()},
        ("read", "93002"): {"GET": {"read", "facility"}, "POST": set()},
        ("upload", "93002"): {"GET": {"upload"}, "POST": {"upload"}},
        ("federate", None): {"GET": {"federate"}, "POST": {"federate"}},
    }
    for (scope, facility), allowed in keys.items():
        headers = bearer(store, scope, facility_code=facility)
        for method, names in allowed.items():
            answers = {name: await door(method, name, headers) for name in EVERYTHING}
            assert {name for name, each in answers.items() if each.status_code == 200} == names
            assert {each.json() for name, each in answers.items() if name in names} <= {facility or "all"}
            refused = {(each.status_code, each.json()["error"]) for name, each in answers.items() if name not in names}
            assert refused <= {(403, "not_allowed")}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer x"}, {"Cookie": "hub-session=x"}, {"Authorization": "Basic x"}]
)
async def test_a_stranger_may_nothing(door, headers: dict[str, str]) -> None:
    for name in EVERYTHING:
        answer = await door("GET", name, headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "bad_api_key")


async def test_a_dead_key_is_not_saved_by_a_session(store, door) -> None:
    headers = session(store, Role.ADMIN) | {"Authorization": "Bearer x"}
    assert (await door("GET", "read", headers)).status_code == 401
