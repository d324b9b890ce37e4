"""Joining a province: codes, keys, API keys (interfaces.md 5 and 6)."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from province.access.keys import new_api_key
from province.enrolment import EnrolmentError, StationKey, find_key, list_keys, new_code, note_use, revoke
from province.enrolment import enrol as join
from province.tables import api_key, enrolment

KEY = base64.b64encode(b"\x05" * 32).decode()


def enrol(hub, code: str, key: object = KEY):
    return hub.http.post("/api/v1/enrol", json={"code": code, "public_key": key})


def test_a_code_works_once(hub) -> None:
    made = new_code(hub.store, "93002", "kiosk-1")
    assert datetime.fromisoformat(made["expires_at"]) > datetime.now(UTC) + timedelta(days=6)
    answer = enrol(hub, made["code"])
    assert answer.status_code == 201
    assert set(answer.json()) == {"key_id", "facility", "station"}
    assert enrol(hub, made["code"]).status_code == 403
    assert [key["key_id"] for key in list_keys(hub.store)] == [answer.json()["key_id"]]


@pytest.mark.parametrize("bad", ["", "AAAA", base64.b64encode(b"x" * 31).decode(), "%" * 44, "\u00e9" * 44])
def test_a_bad_key_does_not_use_the_code_up(hub, bad: str) -> None:
    code = new_code(hub.store, "93002", "kiosk-1")["code"]
    assert enrol(hub, code, bad).status_code == 422
    assert enrol(hub, code).status_code == 201


def test_a_code_typed_in_small_letters_without_dashes_works(hub) -> None:
    code = new_code(hub.store, "93002", "kiosk-1")["code"]
    assert enrol(hub, code.replace("-", "").lower()).status_code == 201


def test_unknown_and_expired_codes_are_refused(hub) -> None:
    assert enrol(hub, "AAAA-BBBB-CCCC-DDDD").status_code == 403
    code = new_code(hub.store, "93002", "kiosk-1")["code"]
    with hub.store.write() as connection:
        connection.execute(sa.update(enrolment).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert enrol(hub, code).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"code":"x"}', b'{"code":1,"public_key":2}', b"\xff"])
def test_malformed_enrolments_are_refused(hub, body: bytes) -> None:
    assert hub.http.post("/api/v1/enrol", content=body).status_code == 422


def test_a_giant_enrolment_is_refused(hub) -> None:
    assert hub.http.post("/api/v1/enrol", content=b" " * 5000).status_code == 413


def test_codes_are_only_for_registered_facilities_and_printable_stations(store) -> None:
    with pytest.raises(EnrolmentError, match="unknown_facility"):
        new_code(store, "00000", "kiosk-1")
    with pytest.raises(EnrolmentError, match="bad_station"):
        new_code(store, "93002", "kiosk\n1")
    with pytest.raises(EnrolmentError, match="unknown_key"):
        revoke(store, "nobody")


def test_the_database_knows_no_code_and_no_api_key(store) -> None:
    code = new_code(store, "93002", "kiosk-1")["code"]
    key = new_api_key(store, "read")["key"]
    with store.read() as connection:
        stored = str(connection.execute(sa.select(enrolment)).all()) + str(connection.execute(sa.select(api_key)).all())
    assert code not in stored and code.replace("-", "") not in stored and key not in stored


@pytest.mark.parametrize("path", ["/api/v1/kpi/lookup-rate", "/api/v1/kpi/why-not-by-chip", "/api/v1/facilities"])
def test_the_feed_wants_an_api_key(hub, path: str) -> None:
    days = {"from": "2026-03-01", "to": "2026-03-02"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer demo"}, {"Authorization": "x"}):
        answer = hub.http.get(path, params=days, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert hub.get(path, **days).status_code == 200


def test_the_demo_key_reads_in_the_demo_only(store, run_hub) -> None:
    with run_hub(store, demo=True) as hub:
        assert hub.http.get("/api/v1/facilities", headers={"Authorization": "Bearer demo"}).status_code == 200
        assert hub.http.get("/api/v1/facilities", headers={"Authorization": "Bearer demo2"}).status_code == 401


def states(hub) -> dict[str, str | None]:
    return {str(row["key_id"]): row["state"] for row in list_keys(hub.store)}


def test_a_new_key_replaces_the_old_one_when_it_is_first_used(hub) -> None:
    old, other = hub.station("93002", "kiosk-1"), hub.station("93002", "kiosk-2")
    assert states(hub) == {old.key_id: "waiting", other.key_id: "waiting"}
    old.send(old.visit())
    other.send()
    new = hub.station("93002", "kiosk-1")
    assert states(hub) == {old.key_id: "active", other.key_id: "active", new.key_id: "waiting"}
    old.send(old.visit())  # until the new one is used there are two
    body = new.body([])
    forged = f'keyId="{new.key_id}",algorithm="ed25519",signature="{"A" * 86}=="'
    assert new.post(body, forged).status_code == 401
    old.send(old.visit())  # and whoever does not have the new key cannot end the old one
    new.send(new.visit())
    assert states(hub) == {old.key_id: "revoked", other.key_id: "active", new.key_id: "active"}
    answer = old.post(old.body([]))
    assert (answer.status_code, answer.json()["error"]) == (401, "unknown_key")
    other.send()
    new.send()


def test_the_old_key_does_not_end_the_new_one(hub) -> None:
    old = hub.station("93002", "kiosk-1")
    new = hub.station("93002", "kiosk-1")
    old.send()
    new.send()
    assert states(hub) == {old.key_id: "revoked", new.key_id: "active"}


def test_the_last_use_of_a_key_is_listed_and_a_revoked_key_is_refused_at_once(hub) -> None:
    station = hub.station()
    assert list_keys(hub.store)[0]["used_at"] is None
    station.send()
    (row,) = list_keys(hub.store)
    assert datetime.now(UTC) - datetime.fromisoformat(str(row["used_at"])) < timedelta(minutes=1)
    event = station.visit()
    revoke(hub.store, station.key_id)
    assert station.post(station.body([event])).status_code == 401
    assert states(hub) == {station.key_id: "revoked"}


def test_a_use_is_noted_every_ten_minutes(store) -> None:
    code = new_code(store, "93002", "kiosk-1")["code"]
    key_id = join(store, code, KEY)["key_id"]

    def used() -> tuple[StationKey, str | None]:
        with store.read() as connection:
            key = find_key(connection, key_id)
        assert key is not None
        return key, list_keys(store)[0]["used_at"]

    start = datetime.now(UTC)
    note_use(store, used()[0], start)
    note_use(store, used()[0], start + timedelta(minutes=9))
    assert used()[1] == start.isoformat(timespec="seconds")
    note_use(store, used()[0], start + timedelta(minutes=11))
    assert used()[1] == (start + timedelta(minutes=11)).isoformat(timespec="seconds")
