"""Closing a month: who confirmed, what is signed, what stays, what comes after."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from kiosk.events import new_event_id
from province.cli import main
from province.hub_key import HubKey
from province.month_tables import month_snapshot
from province.months.closing import close, snapshot, verify
from province.months.confirmations import confirm, unconfirmed
from province.months.objections import answer, object_to, objections
from province.months.rules import MonthRefused
from province.months.state import month_state
from province.rollup_table import Grain, rollup

VN = timezone(timedelta(hours=7))
MONTH, DAY = date(2026, 3, 1), date(2026, 3, 10)
MARCH = ("2026-03-01", "2026-03-31")
KEY = HubKey.make()


def at(hour: int = 8) -> datetime:
    return datetime(2026, 3, 10, hour, tzinfo=VN)


def mixed_site(station) -> None:
    """600 insured visits: 250 at kiosks, 350 at desks, 320 of them looked up; 40 of the kiosks' again at the desk."""
    batch = []
    for _ in range(250):
        checkin_id = new_event_id()
        batch += [station.visit(at(), checkin_id=checkin_id), station.lookup(at(), checkin_id=checkin_id)]
    station.send(*batch)
    station.send(
        station.count(DAY, 600),
        station.count(DAY, 604, origin="portal_file"),
        station.desk(DAY, 320 + 40, 320, 320),
    )


def test_a_mixed_site_from_its_first_visit_to_an_adjustment(hub) -> None:
    station = hub.station("93002")
    mixed_site(station)
    row = hub.facility("93002", *MARCH)
    assert (row["r1_pct"], row["r1_raw_pct"], row["portal_gap_pct"]) == (95.0, 101.67, 0.66)
    assert (row["r1_numerator"], row["r1_denominator"], row["visits_bhyt_portal"]) == (570, 600, 604)
    reasons = hub.reasons(*MARCH, level="facility")
    assert reasons == {"AT_DESK_LOOKED_UP": 320, "AT_DESK_NOT_LOOKED_UP": 30}
    close(hub.store, KEY, MONTH, "Sở Y tế", "chốt theo kế hoạch")
    station.send(
        station.count(DAY, 605, revision=2), *(station.visit(at(9), checkin_id=new_event_id()) for _ in range(5))
    )
    after = hub.facility("93002", *MARCH)
    assert (after["r1_pct"], after["r1_denominator"], after["status"]) == (95.0, 600, "adjusted")
    assert after["adjustment"]["visits"] == 5
    assert hub.reasons(*MARCH, level="facility") == reasons
    with hub.store.read() as connection:
        (late,) = [each for each in month_state(connection, MONTH).adjustments if each.field == "visits"]
        assert verify(connection, KEY) == [{"month": "2026-03", "faults": []}]
    assert (late.facility, late.by) == ("93002", 5) and late.since is not None


def test_the_signed_document_holds_what_was_published(hub) -> None:
    mixed_site(hub.station("93002"))
    rows = hub.rows(*MARCH, level="facility", period="month")
    told = close(hub.store, KEY, MONTH, "Sở Y tế", "chốt")
    assert len(told["unconfirmed"]) == 95
    with hub.store.read() as connection:
        kept = snapshot(connection, MONTH)
    document = json.loads(kept.document)
    stamps = ("generated_at", "status")
    assert [{name: row[name] for name in row if name not in stamps} for row in document["rows"]["facility"]] == [
        {name: row[name] for name in row if name not in stamps} for row in rows
    ]
    assert (document["closed_by"], document["reason"], kept.sha256) == ("Sở Y tế", "chốt", told["sha256"])
    assert {row["status"] for row in document["rows"]["facility"]} == {"closed"}
    with pytest.raises(MonthRefused, match="month_closed"):
        close(hub.store, KEY, MONTH, "Sở Y tế", "lần nữa")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"document": "{}"}, "wrong_digest"),
        ({"signature": "none"}, "unknown_key"),
        ({"signature": 'keyId="{key}",algorithm="ed25519",signature="' + "A" * 86 + '=="'}, "wrong_signature"),
    ],
)
def test_a_changed_document_is_found(hub, change: dict[str, str], fault: str) -> None:
    close(hub.store, KEY, MONTH, "Sở Y tế", "chốt")
    values = {name: text.replace("{key}", KEY.key_id) for name, text in change.items()}
    with hub.store.write() as connection:
        connection.execute(sa.update(month_snapshot).values(**values))
    with hub.store.read() as connection:
        ((_, faults),) = (each.values() for each in verify(connection, KEY))
    assert fault in faults


def test_figures_changed_behind_the_document_are_found(hub) -> None:
    mixed_site(hub.station("93002"))
    close(hub.store, KEY, MONTH, "Sở Y tế", "chốt")
    with hub.store.write() as connection:
        connection.execute(sa.update(rollup).where(rollup.c.grain == Grain.MONTH).values(visits=700))
    with hub.store.read() as connection:
        assert verify(connection, KEY) == [{"month": "2026-03", "faults": ["figures_changed"]}]


def test_who_has_not_confirmed_is_named_and_a_change_asks_again(hub) -> None:
    station = hub.station("93002")
    mixed_site(station)
    with hub.store.write() as connection:
        for code in unconfirmed(connection, MONTH):
            confirm(connection, code, MONTH, "Bs. Trưởng trạm")
        assert unconfirmed(connection, MONTH) == []
    station.send(station.count(DAY, 610, revision=3))
    with pytest.raises(MonthRefused, match="not_confirmed: 93002"):
        close(hub.store, KEY, MONTH, "Sở Y tế")
    with hub.store.write() as connection:
        confirm(connection, "93002", MONTH, "Bs. Trưởng khoa")
    assert close(hub.store, KEY, MONTH, "Sở Y tế")["unconfirmed"] == []


def test_a_month_that_is_not_over_stays_open(hub) -> None:
    now = datetime(2026, 3, 31, 16, 59, tzinfo=UTC)
    with pytest.raises(MonthRefused, match="month_not_over"):
        close(hub.store, KEY, MONTH, "Sở Y tế", "chốt", now)
    close(hub.store, KEY, MONTH, "Sở Y tế", "chốt", now + timedelta(minutes=1))


def test_objections_and_answers_stay(hub) -> None:
    with hub.store.write() as connection:
        made = object_to(connection, "93002", MONTH, "Trưởng trạm", "r1_pct", "DESK_LOOKUPS_MISSING", " thiếu quầy 2 ")
        answer(connection, made.number, "Sở Y tế", "refused", "chưa có tệp")
        answer(connection, made.number, "Sở Y tế", "accepted", "đã có tệp")
    with hub.store.read() as connection:
        (kept,) = objections(connection, MONTH)
    assert (kept.facility, kept.text) == ("93002", "thiếu quầy 2")
    assert [(each.verdict, each.text) for each in kept.answers] == [
        ("refused", "chưa có tệp"),
        ("accepted", "đã có tệp"),
    ]


@pytest.mark.parametrize(
    ("code", "figure", "reason", "text", "refused"),
    [
        ("00000", "r1_pct", "OTHER", "", "unknown_facility"),
        ("93002", "r9", "OTHER", "", "unknown_word"),
        ("93002", "r1_pct", "BECAUSE", "", "unknown_word"),
        ("93002", "r1_pct", "OTHER", "x" * 501, "bad_text"),
        ("93002", "r1_pct", "OTHER", "a\x00b", "bad_text"),
    ],
)
def test_an_objection_that_cannot_be_kept_says_why(
    hub, code: str, figure: str, reason: str, text: str, refused: str
) -> None:
    with pytest.raises(MonthRefused, match=refused), hub.store.write() as connection:
        object_to(connection, code, MONTH, "ai", figure, reason, text)


def test_months_at_the_command_line(tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--data", str(tmp_path), "months", *words])
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.output

    run("confirm", "2026-03", "--facility", "93002", "--by", "Bs. Trưởng trạm")
    assert "not_confirmed" in run("close", "2026-03", "--by", "Sở Y tế", code=1)
    run("object", "2026-03", "--facility", "93002", "--by", "ai", "--figure", "r1_pct", "--reason", "OTHER")
    run("answer", "1", "--by", "Sở Y tế", "--verdict", "refused", "--text", "không đúng")
    closed = json.loads(run("close", "2026-03", "--by", "Sở Y tế", "--reason", "chốt"))
    assert len(closed["unconfirmed"]) == 94
    shown = json.loads(run("show", "2026-03", "--facility", "93002"))
    assert (shown["status"], shown["sha256"], len(shown["objections"])) == ("closed", closed["sha256"], 1)
    assert json.loads(run("document", "2026-03"))["month"] == "2026-03"
    assert json.loads(run("verify"))["months"] == [{"month": "2026-03", "faults": []}]
    assert [each["month"] for each in json.loads(run("list"))["months"]] == ["2026-03"]
    assert "bad_month" in run("show", "2026-13", code=2)
    assert "month_open" in run("document", "2026-02", code=1)
    today = datetime.now(VN).date().isoformat()
    kept = CliRunner().invoke(main, ["--data", str(tmp_path), "audit", "list", "--from", today, "--to", today]).stdout
    routes = [each["route"].removeprefix("provincectl months ") for each in json.loads(kept)["records"]]
    assert routes == ["close", "answer", "object", "confirm"]
