"""Findings are kept once, explained, settled and never deleted; one hub process at a time looks for them (issue 7)."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from province.access.keys import new_api_key
from province.cli import main
from province.findings.finding import MOST_EVIDENCE, Finding, FindingRefused, Kind, Severity, State
from province.findings.keeping import Kept, keep
from province.findings.limits import LIMITS, Limits, Setting, read_limits, set_limit
from province.findings.listing import Listed, findings
from province.findings.notes import say
from province.findings.running import EVERY, STANDING, refresh_findings, run
from province.findings.words import LANGUAGES, words_of
from province.findings_tables import finding_note, finding_run, found
from province.periods import Period
from province.store import Store

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
NOW = datetime(2026, 4, 20, 2, tzinfo=UTC)
DAY = date(2026, 3, 10)


def shrunk(day: date = DAY, severity: Severity = Severity.WARN, after: int = 80, facility: str = "93002") -> Finding:
    numbers = {"before": 100, "after": after, "origin": "his"}
    return Finding(Kind.VISITS_SHRUNK, facility, "", day, day, severity, f"{day} his", numbers, ("e1", "e2"))


def kept(store: Store, *what: Finding, now: datetime = NOW) -> Kept:
    with store.write() as connection:
        return keep(connection, what, MARCH.start, STANDING, now)


def listed(store: Store, **which: object) -> list[Listed]:
    with store.read() as connection:
        return findings(connection, **which)  # type: ignore[arg-type]


def said(store: Store, key: str, state: str, text: str = "Đã sửa", by: str = "lan") -> Listed:
    with store.write() as connection:
        return say(connection, key, state, by, text, NOW)


def test_the_same_finding_is_kept_once_with_its_newest_numbers(store: Store) -> None:
    assert kept(store, shrunk()) == Kept(1, 1, 0)
    assert kept(store, shrunk(after=70), now=NOW + EVERY) == Kept(1, 0, 0)
    (only,) = listed(store)
    assert (only.key, only.numbers["after"], only.found_at, only.seen_at) == (shrunk().key, 70, NOW, NOW + EVERY)
    assert (only.state, only.holds, only.evidence, only.notes) == (State.OPEN, True, ("e1", "e2"), ())
    assert only.words == "Số lượt khám (HIS) giảm từ 100 xuống 70." and only.doubt and only.title


def test_what_later_data_answer_is_settled_and_opens_when_it_comes_back(store: Store) -> None:
    kept(store, shrunk())
    assert kept(store) == Kept(0, 0, 1)
    (only,) = listed(store)
    assert (only.state, only.holds) == (State.SETTLED, False)
    assert [(note.noted_by, note.state) for note in only.notes] == [("", State.SETTLED)]
    assert kept(store) == Kept(0, 0, 0)  # said once
    kept(store, shrunk())
    (only,) = listed(store)
    assert (only.state, only.holds, len(only.notes)) == (State.OPEN, True, 2)
    assert "xuất hiện" in only.notes[-1].text


def test_a_run_says_nothing_about_days_it_did_not_look_at(store: Store) -> None:
    february = shrunk(date(2026, 2, 27))
    kept(store, february, shrunk())
    assert kept(store, shrunk()) == Kept(1, 0, 0)
    assert {each.first_day: each.holds for each in listed(store)} == {date(2026, 2, 27): True, DAY: True}


def test_an_explanation_stands_until_it_gets_worse(store: Store) -> None:
    kept(store, shrunk())
    key = shrunk().key
    assert said(store, key, "explained").state is State.EXPLAINED
    kept(store, shrunk(after=79))
    assert listed(store)[0].state is State.EXPLAINED
    kept(store, shrunk(severity=Severity.ALARM, after=10))
    (only,) = listed(store)
    assert only.state is State.OPEN
    assert (only.notes[0].noted_by, only.notes[0].text) == ("lan", "Đã sửa")
    assert only.notes[1].noted_by == "" and "Mức độ" in only.notes[1].text


def test_what_is_settled_is_opened_by_the_province_only_and_every_word_stays(store: Store) -> None:
    kept(store, shrunk())
    key = shrunk().key
    said(store, key, "settled", "Đã xem bằng chứng", "chi")
    with pytest.raises(FindingRefused, match="already_settled"):
        said(store, key, "explained")
    said(store, key, "open", "Xem lại", "chi")
    assert [note.text for note in listed(store)[0].notes] == ["Đã xem bằng chứng", "Xem lại"]


@pytest.mark.parametrize(
    ("key", "state", "text", "code"),
    [
        (shrunk().key, "explained", "  ", "reason_needed"),
        (shrunk().key, "explained", "x" * 501, "bad_text"),
        (shrunk().key, "explained", "a\0b", "bad_text"),
        (shrunk().key, "deleted", "x", "unknown_word"),
        ("0" * 32, "explained", "x", "unknown_finding"),
        ("\0", "explained", "x", "unknown_finding"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(store: Store, key: str, state: str, text: str, code: str) -> None:
    kept(store, shrunk())
    with pytest.raises(FindingRefused) as refused:
        said(store, key, state, text)
    assert refused.value.code == code
    assert listed(store)[0].notes == ()


def test_the_worst_open_and_newest_come_first_and_can_be_asked_for(store: Store) -> None:
    early, late = shrunk(date(2026, 3, 2)), shrunk(date(2026, 3, 20), facility="93003")
    alarm = shrunk(date(2026, 3, 5), Severity.ALARM)
    done = shrunk(date(2026, 3, 25), Severity.ALARM)
    kept(store, early, late, alarm, done)
    said(store, done.key, "settled")
    assert [each.key for each in listed(store)] == [alarm.key, late.key, early.key, done.key]
    assert [each.key for each in listed(store, facility="93003")] == [late.key]
    assert [each.key for each in listed(store, state="settled")] == [done.key]
    assert [each.key for each in listed(store, first=date(2026, 3, 3), last=date(2026, 3, 20))] == [alarm.key, late.key]
    assert "fell from 100 to 80" in listed(store, key=early.key, language="en")[0].words


NUMBERS = {
    Kind.SAME_PERSON: {"most": 7, "repeats": 9, "checkins": 100},
    Kind.PERSON_MISSING: {"bare": 10, "lookups": 20, "pct": 50},
    Kind.OUTSIDE_HOURS: {"checkins": 30, "hour": 22, "opens": 5, "closes": 19},
    Kind.TOO_FAST: {"checkins": 50, "limit": 40},
    Kind.CHIP_WITHOUT_VERDICT: {"bare": 3, "chips": 5},
    Kind.CHIP_WITHOUT_ISSUER: {"bare": 3, "chips": 5},
    Kind.TYPED_TO_CHIP: {"typed_before": 50, "typed": 1, "chips_before": 20, "chips": 70},
    Kind.ISSUER_ALONE: {"cards": 20, "elsewhere": 500, "issuer": "00ff00ff00ff00ff"},
    Kind.VERDICT_MIX: {"verdict": "cannot_tell", "chips": 70, "pct": 90, "others_pct": 5},
    Kind.VISITS_SHRUNK: {"before": 100, "after": 80, "origin": "his"},
    Kind.VISITS_BELOW_SERVED: {"visits": 10, "stations": 20, "desks": 5},
    Kind.VISITS_BELOW_PORTAL: {"visits": 90, "portal": 120, "pct": 25},
    Kind.ORIGIN_CHANGED: {"main": "his", "main_days": 20, "days": 4, "others": "manual, stations"},
    Kind.SILENT_DAYS: {"days": 2, "expected": 80, "usual": 40},
    Kind.STATION_MISSING: {"days": 4, "heard": "02/03/2026"},
    Kind.SEQ_REUSED: {"events": 2},
    Kind.SEQ_GAP: {"events": 2, "first": 4, "last": 5},
    Kind.NEW_EPOCH: {"number": 2},
    Kind.CLOCK_SUSPECT: {"suspect": 10, "lookups": 20, "pct": 50},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words_that_name_its_numbers_and_its_doubt(kind: Kind, language: str) -> None:
    title, words, doubt = words_of(kind, NUMBERS[kind], language)
    assert title and doubt and "{" not in words
    for number in (value for value in NUMBERS[kind].values() if isinstance(value, int)):
        assert str(number) in words


def test_operators_are_told_about_every_kind() -> None:
    told = (Path(__file__).parents[2] / "docs/tinh-phat-hien.md").read_text("utf-8")
    assert [kind for kind in Kind if f"`{kind}`" not in told] == []


def test_codes_are_said_in_words() -> None:
    assert "HIS" in words_of(Kind.ORIGIN_CHANGED, NUMBERS[Kind.ORIGIN_CHANGED])[1]
    assert "số nhập tay, số đếm tại kiosk" in words_of(Kind.ORIGIN_CHANGED, NUMBERS[Kind.ORIGIN_CHANGED])[1]
    with pytest.raises(KeyError):
        words_of(Kind.ORIGIN_CHANGED, NUMBERS[Kind.ORIGIN_CHANGED], "fr")


def test_limits_hold_from_their_day_on_and_for_their_facility(store: Store) -> None:
    with store.write() as connection:
        set_limit(connection, Setting("closes_hour", "*", date(2026, 3, 1), 20, "mùa hè"))
        set_limit(connection, Setting("closes_hour", "93002", date(2026, 3, 10), 23, "phòng khám tối"))
    with store.read() as connection:
        limits = read_limits(connection)
    assert limits.of("closes_hour", "93002", date(2026, 2, 28)) == LIMITS["closes_hour"].value == 19
    assert limits.of("closes_hour", "93002", date(2026, 3, 9)) == 20
    assert limits.of("closes_hour", "93002", date(2026, 3, 10)) == 23
    assert limits.of("closes_hour", "93003", date(2026, 3, 10)) == 20
    assert limits.least("closes_hour") == 19 and Limits().least("opens_hour") == 5
    assert all(limit.why for limit in LIMITS.values())


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        (Setting("no_such", "*", DAY, 1, "x"), "unknown_limit"),
        (Setting("opens_hour", "00000", DAY, 1, "x"), "unknown_facility"),
        (Setting("opens_hour", "*", DAY, -1, "x"), "bad_number"),
        (Setting("opens_hour", "*", DAY, 1, " "), "reason_needed"),
    ],
)
def test_bad_limits_are_refused(store: Store, setting: Setting, code: str) -> None:
    with store.write() as connection, pytest.raises(FindingRefused) as refused:
        set_limit(connection, setting)
    assert refused.value.code == code


def test_an_hourly_run_is_made_by_one_process_at_a_time(store: Store) -> None:
    assert refresh_findings(store, NOW) is None  # the hub has just started
    due = NOW + timedelta(minutes=3)
    results: list[Kept | None] = []
    threads = [threading.Thread(target=lambda: results.append(refresh_findings(store, due))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=repr) == [Kept(0, 0, 0), None, None, None]
    assert refresh_findings(store, due + EVERY - timedelta(seconds=1)) is None
    assert refresh_findings(store, due + EVERY) == Kept(0, 0, 0)


def test_a_run_that_died_is_made_by_another_process(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh_findings(store, NOW)
    due = NOW + timedelta(minutes=3)
    with monkeypatch.context() as patched:
        patched.setattr("province.findings.running.find", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refresh_findings(store, due)
    assert refresh_findings(store, due + timedelta(minutes=19)) is None
    assert refresh_findings(store, due + timedelta(minutes=20)) == Kept(0, 0, 0)


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_hub_looks_by_itself(hub, store: Store) -> None:
    def is_due() -> bool:
        with store.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(finding_run)) == 1

    until(is_due)


def test_a_fault_in_a_rule_ends_nothing_and_its_words_are_not_logged(
    store: Store, run_hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def broken(_store: Store, now: datetime) -> None:
        asked.append(now)
        raise KeyError("Nguyen Van Thu")

    monkeypatch.setattr("province.app.refresh_findings", broken)
    monkeypatch.setattr("province.app._FINDINGS_SECONDS", 0.01)
    with run_hub(store) as hub:
        until(lambda: len(asked) > 2)
        assert hub.http.get("/healthz").status_code == 200
    assert "findings could not be made" in caplog.text and "Nguyen Van Thu" not in caplog.text


def test_people_see_and_explain_their_own_and_the_province_settles(hub, store: Store) -> None:
    kept(store, shrunk(), shrunk(facility="93003"))
    own, admin = hub.person("facility", "93002"), hub.person("admin", name="chi")

    def seen(who: dict[str, str], **params: str) -> httpx.Response:
        return hub.http.get("/api/v1/findings", params=params, headers=who)

    def post(who: dict[str, str], key: str, state: str, text: str = "Hủy lượt trùng") -> httpx.Response:
        body = {"state": state, "text": text}
        return hub.http.post(f"/api/v1/findings/{key}/notes", json=body, headers=who)

    (only,) = seen(own).json()["findings"]
    assert (only["facility"], only["kind"], only["state"], only["evidence"]) == (
        *("93002", "visits_shrunk", "open"),
        ["e1", "e2"],
    )
    assert seen(own, facility="93003").status_code == 403
    assert len(seen(hub.read).json()["findings"]) == 2
    assert [each["facility"] for each in seen(admin, facility="93003").json()["findings"]] == ["93003"]
    assert seen(admin, **{"from": "2026-03-11"}).json()["findings"] == []
    assert seen(admin, **{"from": "soon"}).status_code == 422
    mine, other = shrunk().key, shrunk(facility="93003").key
    assert post(own, mine, "explained").json() == {"key": mine, "state": "explained"}
    assert post(own, mine, "settled").json()["error"] == "not_allowed"
    assert post(own, other, "explained").status_code == 403
    assert post(hub.read, mine, "explained").status_code == 403
    assert post(hub.person("analyst"), mine, "explained").status_code == 403
    assert post(admin, mine, "settled", "Đã xem").status_code == 201
    assert post(own, mine, "explained").json()["error"] == "already_settled"
    assert post(admin, "0" * 32, "settled").status_code == 404
    (only,) = seen(own, state="settled").json()["findings"]
    assert [(note["text"], note["state"]) for note in only["notes"]] == [
        ("Hủy lượt trùng", "explained"),
        ("Đã xem", "settled"),
    ]


def test_a_facilitys_program_sees_only_its_own(hub, store: Store) -> None:
    kept(store, shrunk(), shrunk(facility="93003"))
    key = new_api_key(store, "read", facility_code="93003")["key"]
    answer = hub.http.get("/api/v1/findings", headers={"Authorization": f"Bearer {key}"})
    assert [each["facility"] for each in answer.json()["findings"]] == ["93003"]


def test_commands_find_list_explain_and_set_limits(tmp_path) -> None:
    def call(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--data", str(tmp_path), *words])
        assert result.exit_code == code, result.output
        return result.output

    assert '"findings": 0' in call("findings", "run", "--from", "2026-03-01")
    assert "longer than" in call("findings", "run", "--from", "1990-03-02", code=1)
    store = Store(f"sqlite:///{tmp_path / 'province.db'}")
    kept(store, shrunk())
    store.close()
    assert shrunk().key in call("findings", "list", "--facility", "93002")
    assert "fell from" in call("findings", "list", "--language", "en")
    said_by = ("--by", "BS Lan", "--text", "Hủy lượt trùng")
    assert '"state": "explained"' in call("findings", "explain", shrunk().key, *said_by)
    assert "unknown_finding" in call("findings", "explain", "0" * 32, *said_by, code=1)
    assert '"state": "settled"' in call("findings", "explain", shrunk().key, *said_by, "--state", "settled")
    limit = ("findings", "limit", "closes_hour", "21", "--from", "2026-03-01", "--reason")
    assert '"value": 21' in call(*limit, "phòng khám tối")
    assert "reason_needed" in call(*limit, " ", code=1)
    assert "phòng khám tối" in call("findings", "limits")
    assert "provincectl findings limit" in call("audit", "list", "--from", "2000-01-01", "--to", "2999-12-31")


def test_tables_of_findings_are_only_added_to(store: Store) -> None:
    kept(store, shrunk())
    said(store, shrunk().key, "explained")
    run(store, MARCH.start, NOW)
    with store.read() as connection:
        counts = [connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in (found, finding_note)]
    assert counts == [1, 2]
    assert len(listed(store)[0].evidence) <= MOST_EVIDENCE
