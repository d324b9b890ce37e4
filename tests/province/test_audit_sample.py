"""The monthly sample: drawn so that nobody steers it, checked by anybody, with what each facility could show."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from province.audit_sample import drawing
from province.audit_sample.drawing import EACH, draw, verify
from province.audit_sample.results import Verdict, enter, sample
from province.audit_sample_tables import audit_draw, audit_item
from province.cli import main
from province.hub_key import HubKey
from province.months.rules import MonthRefused
from province.store import Store

MONTH = date(2026, 3, 1)
AT = datetime(2026, 3, 10, 8, tzinfo=timezone(timedelta(hours=7)))
KEY = HubKey.make()
PATH = "/api/v1/audit-samples/2026-03"


@pytest.fixture(autouse=True)
def all_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "SETTLED", timedelta(0))


def lookups(hub, code: str, number: int, **fields: object) -> list[str]:
    station = hub.station(code)
    batch = [station.lookup(AT, **({"method": "CHIP_CCCD", "chip_verdict": "genuine"} | fields)) for _ in range(number)]
    station.send(*batch)
    return [str(each["event_id"]) for each in batch]


def drawn(store: Store, code: str) -> list[str]:
    with store.read() as connection:
        found = sample(connection, MONTH, only=code)
    assert found is not None
    return [each.event_id for each in found.items]


def test_twenty_chip_lookups_of_each_facility_are_drawn_once(hub) -> None:
    many, few = lookups(hub, "93002", 50), lookups(hub, "93003", 3)
    lookups(hub, "93001", 5, method="QR_CCCD", chip_verdict=None)
    assert draw(hub.store, KEY, MONTH, "Sở Y tế") == EACH + 3
    first = drawn(hub.store, "93002")
    assert len(set(first)) == EACH and set(first) < set(many) and first != sorted(first)
    assert set(drawn(hub.store, "93003")) == set(few) and drawn(hub.store, "93001") == []
    lookups(hub, "93002", 30)
    assert draw(hub.store, HubKey.make(), MONTH, "ai đó") == EACH + 3
    assert drawn(hub.store, "93002") == first
    with hub.store.read() as connection:
        assert verify(connection, MONTH) == []
        assert verify(connection, date(2026, 2, 1)) == ["not_drawn"]


def test_another_key_draws_others_and_so_does_another_month(hub, run_hub) -> None:
    lookups(hub, "93002", 60)
    found = []
    for key in (KEY, KEY, HubKey.make()):
        draw(hub.store, key, MONTH, "Sở Y tế")
        found.append(drawn(hub.store, "93002"))
        with hub.store.write() as connection:
            connection.execute(sa.delete(audit_item))
            connection.execute(sa.delete(audit_draw))
    assert found[0] == found[1] != found[2]


def test_what_has_just_come_is_not_drawn(hub, monkeypatch) -> None:
    monkeypatch.undo()
    lookups(hub, "93002", 2)
    assert draw(hub.store, KEY, MONTH, "Sở Y tế") == 0
    with hub.store.read() as connection:
        assert verify(connection, MONTH) == []


def test_a_sample_that_was_changed_is_seen(hub) -> None:
    every = lookups(hub, "93002", 40)
    draw(hub.store, KEY, MONTH, "Sở Y tế")
    mine = drawn(hub.store, "93002")
    other = next(each for each in every if each not in mine)
    with hub.store.write() as connection:
        connection.execute(sa.update(audit_item).where(audit_item.c.place == 1).values(event_id=other))
    with hub.store.write() as connection:
        assert verify(connection, MONTH) == ["other_items:93002"]
        connection.execute(sa.update(audit_draw).values(seed=b"\0" * 64))
        assert verify(connection, MONTH)[0] == "seed_not_signed"


def test_a_month_that_runs_is_not_drawn(store) -> None:
    with pytest.raises(MonthRefused, match="month_not_over"):
        draw(store, KEY, MONTH, "Sở Y tế", datetime(2026, 3, 31, 16, tzinfo=UTC))
    assert draw(store, KEY, MONTH, "Sở Y tế", datetime(2026, 3, 31, 17, tzinfo=UTC)) == 0


def test_what_was_seen_is_kept_and_shared_out(hub) -> None:
    lookups(hub, "93002", 4)
    draw(hub.store, KEY, MONTH, "Sở Y tế")
    one, two, three, _ = drawn(hub.store, "93002")
    with hub.store.write() as connection:
        enter(connection, MONTH, "93002", one, "shown", "chị Lan")
        enter(connection, MONTH, "93002", two, "not_shown", "chị Lan", "không còn hồ sơ")
        enter(connection, MONTH, "93002", two, "shown", "chị Lan", "tìm thấy sau")
        enter(connection, MONTH, "93002", three.upper(), "differs", "chị Lan", "số khác")
        for wrong in (
            ("unknown_item", "93003", one, "shown", ""),
            ("unknown_word", "93002", one, "maybe", ""),
            ("reason_needed", "93002", one, "differs", " "),
            ("bad_text", "93002", one, "shown", "x" * 501),
        ):
            with pytest.raises(MonthRefused, match=wrong[0]):
                enter(connection, MONTH, *wrong[1:4], "ai", wrong[4])
    with hub.store.read() as connection:
        found = sample(connection, MONTH)
    assert found is not None
    verdicts = [(each.verdict, each.note) for each in found.items]
    assert verdicts == [(Verdict.SHOWN, ""), (Verdict.SHOWN, "tìm thấy sau"), (Verdict.DIFFERS, "số khác"), (None, "")]
    (share,) = found.shares
    assert (share.drawn, share.entered, share.shown, share.shown_pct) == (4, 3, 2, 66.67)


def test_who_draws_enters_and_sees(hub) -> None:
    for code in ("93002", "93003"):
        lookups(hub, code, 2)
    head, analyst, admin = hub.person("facility", "93002"), hub.person("analyst"), hub.person("admin")
    assert hub.http.get(PATH, headers=admin).json()["error"] == "not_drawn"
    for who, status in ((head, 403), (analyst, 403), ({}, 401), (admin, 201)):
        assert hub.http.post(PATH, headers=who).status_code == status
    own = hub.http.get(PATH, headers=head).json()
    assert {each["facility"] for each in own["items"]} == {"93002"} and len(bytes.fromhex(own["seed"])) == 64
    seen = {"facility": "93002", "event_id": own["items"][0]["event_id"], "verdict": "shown"}
    for who, status in ((head, 403), (hub.person("viewer"), 403), (analyst, 201)):
        assert hub.http.post(f"{PATH}/results", json=seen, headers=who).status_code == status
    share = hub.http.get(PATH, headers=head).json()["shares"]
    assert share == [{"facility": "93002", "drawn": 2, "entered": 1, "shown": 1, "shown_pct": 100.0}]
    other = hub.http.post(f"{PATH}/results", json=seen | {"event_id": "x"}, headers=analyst)
    assert (other.status_code, other.json()["error"]) == (404, "unknown_item")
    assert hub.http.post("/api/v1/audit-samples/2199-01", headers=admin).json()["error"] == "month_not_over"
    assert hub.http.get("/api/v1/audit-samples/x", headers=admin).json()["error"] == "bad_month"


def test_samples_at_the_command_line(hub, tmp_path) -> None:
    lookups(hub, "93002", 2)
    url = hub.store._engine.url.render_as_string(hide_password=False)

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, ["--database", url, "--data", str(tmp_path), "audit-sample", *words])
        assert done.exit_code == code, done.output
        return done.stdout or done.stderr

    assert "not_drawn" in run("list", "2026-03", code=1)
    assert json.loads(run("draw", "2026-03", "--by", "Sở Y tế")) == {"month": "2026-03", "lookups": 2}
    first, _ = json.loads(run("list", "2026-03", "--facility", "93002"))["items"]
    place = ("--facility", "93002", "--event", first["event_id"], "--by", "chị Lan")
    assert "reason_needed" in run("enter", "2026-03", *place, "--verdict", "differs", code=1)
    run("enter", "2026-03", *place, "--verdict", "differs", "--note", "số khác")
    assert json.loads(run("list", "2026-03"))["shares"][0]["shown_pct"] == 0.0
    assert json.loads(run("verify", "2026-03")) == {"month": "2026-03", "faults": []}
    assert json.loads(run("verify", "2026-02", code=1))["faults"] == ["not_drawn"]
