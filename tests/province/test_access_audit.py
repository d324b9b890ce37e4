"""The audit: who fetched or did what, and a chain that shows tampering (issue 7; faults-threats-speed.md 4)."""

import json
import logging
import time
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from province.access.audit import KEPT, AuditTrail, Record, append, list_audit, plain_parameters, prune, verify
from province.access.keys import new_api_key
from province.access_tables import audit, audit_anchor
from province.observe import JsonLines

START = datetime(2026, 3, 2, 3, tzinfo=UTC)


def record(moment: datetime = START, who: str = "mai", **fields: object) -> Record:
    values = {"kind": "account", "method": "GET", "route": "/x", "parameters": {"from": "2026-03-01"}, "status": 200}
    return Record(moment, who, **(values | fields))  # type: ignore[arg-type]


def records(store) -> list[dict[str, object]]:
    with store.read() as connection:
        return list_audit(connection, date(2026, 1, 1), date(2099, 1, 1))


def verdict(store, now: datetime = START, anchors: dict[int, str] | None = None) -> tuple[object, object, object]:
    with store.read() as connection:
        found = verify(connection, now, anchors)
    return found.first, found.last, found.broken_at


def wait_for(store, number: int) -> list[dict[str, object]]:
    deadline = time.monotonic() + 20
    while len(found := records(store)) < number:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_what_a_key_and_a_person_fetch_and_do_is_kept(hub) -> None:
    key = {"Authorization": f"Bearer {new_api_key(hub.store, 'read', label='Sở Y tế')['key']}"}
    days = {"from": "2026-03-01", "to": "2026-03-31", "level": "facility", "note": "Nguyễn Văn A", "id": "099123456789"}
    assert hub.http.get("/api/v1/kpi/lookup-rate", params=days, headers=key).status_code == 200
    assert hub.http.get("/api/v1/kpi/lookup-rate", params=days | {"to": "x"}, headers=key).status_code == 422
    assert hub.http.get("/api/v1/kpi/lookup-rate", params=days).status_code == 401
    person = hub.person("viewer", name="mai")
    assert hub.http.get("/", params={"month": "2026-03"}, headers=person).status_code == 200
    assert hub.http.post("/logout", headers=person).status_code == 303
    newest = records(hub.store)[0]  # a change is kept when its answer comes, with all before it
    assert (newest["who"], newest["kind"], newest["method"], newest["route"]) == ("mai", "account", "POST", "/logout")
    *_, page, refused, fetched = records(hub.store)
    assert (page["who"], page["route"], page["parameters"], page["status"]) == ("mai", "/", {"month": "2026-03"}, 200)
    assert (refused["who"], refused["status"], refused["rows"]) == ("Sở Y tế", 422, None)
    assert (fetched["who"], fetched["kind"], fetched["status"], fetched["rows"]) == ("Sở Y tế", "key", 200, 95)
    assert fetched["parameters"] == {
        "from": "2026-03-01", "to": "2026-03-31", "level": "facility", "note": "?", "id": "?"
    }  # fmt: skip
    assert datetime.now(UTC) - datetime.fromisoformat(str(fetched["at"])) < timedelta(minutes=5)


def test_fetches_are_written_soon_and_at_the_end(store, run_hub) -> None:
    with run_hub(store) as hub:
        hub.get("/api/v1/facilities")
        wait_for(store, 1)
        for _ in range(5):
            hub.get("/api/v1/facilities")
    assert len(records(store)) == 6
    assert verdict(store) == (1, 6, None)


def test_signing_in_is_kept_by_the_account_and_names_of_nobody_are_not(hub) -> None:
    hub.person("viewer", name="mai")
    origin = {"Origin": str(hub.http.base_url).rstrip("/")}
    for name, password in (("mai", "wrong"), ("mai", "a long enough password"), ("a-password-in-the-name", "x")):
        hub.http.post("/login", data={"name": name, "password": password}, headers=origin)
        hub.http.cookies.clear()
    assert [(row["who"], row["status"], row["parameters"]) for row in records(hub.store)] == [
        ("mai", 303, {}),
        ("mai", 401, {}),
    ]


def test_two_hubs_write_one_chain(store) -> None:
    trails = [AuditTrail(store), AuditTrail(store)]
    for number in range(20):
        trails[number % 2].add(record(START + timedelta(seconds=number)))
        if number % 3 == 0:
            trails[0].flush()
    for trail in trails:
        trail.flush()
        trail.flush()
    assert verdict(store) == (1, 20, None)


def test_a_record_that_cannot_be_written_waits(store, monkeypatch) -> None:
    trail = AuditTrail(store)
    trail.add(record())
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", broken)
        with pytest.raises(sa.exc.OperationalError):
            trail.flush()
    trail.flush()
    assert [row["who"] for row in records(store)] == ["mai"]


def broken() -> object:
    raise sa.exc.OperationalError("BEGIN", {}, Exception("gone"))


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        (sa.update(audit).where(audit.c.number == 3).values(who="somebody else"), 3),
        (sa.update(audit).where(audit.c.number == 3).values(row_count=1), 3),
        (sa.update(audit).where(audit.c.number == 3).values(happened_at=START - timedelta(microseconds=1)), 3),
        (sa.update(audit).where(audit.c.number == 3).values(hash="0" * 64), 3),
        (sa.delete(audit).where(audit.c.number == 3), 4),
        (sa.delete(audit).where(audit.c.number == 1), 2),
        (sa.delete(audit).where(audit.c.number <= 4), 5),
        (sa.delete(audit).where(audit.c.number >= 4), 4),
        (sa.delete(audit), 4),
    ],
)
def test_tampering_is_found(store, change: sa.Executable, broken_at: int) -> None:
    append(store, [record(START + timedelta(minutes=number)) for number in range(4)])
    append(store, [record(START + timedelta(days=1))])
    assert verdict(store) == (1, 5, None)
    with store.write() as connection:
        connection.execute(change)
    assert verdict(store)[2] == broken_at


def test_a_chain_made_anew_does_not_meet_the_anchor_in_the_log(store, caplog) -> None:
    with caplog.at_level(logging.INFO, "province"):
        append(store, [record(), record()])
        append(store, [record(START + timedelta(hours=1))])
        append(store, [record(START + timedelta(days=1))])
        append(store, [record(START + timedelta(days=1))])
    lines = [json.loads(JsonLines().format(line)) for line in caplog.records if line.message == "audit anchor"]
    assert [(line["day"], line["number"]) for line in lines] == [("2026-03-02", 3)]
    anchor = {3: lines[0]["hash"]}
    assert verdict(store, anchors=anchor) == (1, 5, None)
    with store.write() as connection:
        connection.execute(sa.delete(audit))
        connection.execute(sa.delete(audit_anchor))
    append(store, [record(who="somebody else") for _ in range(5)])
    assert verdict(store) == (1, 5, None)
    assert verdict(store, anchors=anchor) == (1, 2, 3)


def test_old_records_go_and_the_rest_can_still_be_checked(store) -> None:
    for day in range(5):
        append(store, [record(START + timedelta(days=day)), record(START + timedelta(days=day, hours=1))])
    assert prune(store, START + KEPT) == 0
    now = START + KEPT + timedelta(days=3)
    assert prune(store, now) == 6
    assert verdict(store, now) == (7, 10, None)
    append(store, [record(now)])
    assert verdict(store, now) == (7, 11, None)
    later = now + KEPT + timedelta(days=9)
    append(store, [record(later)])
    assert prune(store, later) == 5
    assert verdict(store, later) == (12, 12, None)


def test_records_of_a_day_are_found_by_who(store) -> None:
    append(store, [record(who="mai"), record(who="lan"), record(START + timedelta(days=1), who="mai")])
    with store.read() as connection:
        assert [row["number"] for row in list_audit(connection, date(2026, 3, 2), date(2026, 3, 2), who="mai")] == [1]
        assert [row["number"] for row in list_audit(connection, date(2026, 3, 2), date(2026, 3, 3), limit=2)] == [3, 2]


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=60) | st.from_regex(r"\d{9,15}"), max_size=5))
def test_no_parameter_can_carry_a_person(given_: dict[str, str]) -> None:
    for text in (*plain_parameters(given_).keys(), *plain_parameters(given_).values()):
        assert text.isascii() and len(text) <= 40 and " " not in text
        assert not any(text[start : start + 9].isdigit() for start in range(len(text) - 8))
