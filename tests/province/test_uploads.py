"""Files handed in over HTTP and at the command line become signed events, once, and count (issue 7)."""

import csv
import hashlib
import io
import json
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from province.access.caller import Caller, Role
from province.access.keys import new_api_key
from province.cli import main
from province.hub_key import HubKey
from province.ingest import take_batch
from province.store import Store
from province.tables import event
from province.upload_tables import upload, upload_batch
from province.uploads import taking
from province.uploads.kinds import UploadKind
from province.uploads.listing import broken_signatures
from province.uploads.taking import finish_pending, hand_in

VISITS, DESK, PORTAL = UploadKind.VISIT_COUNT, UploadKind.DESK_LOOKUPS, UploadKind.PORTAL_FILE
DAY = "02/03/2026"


def file_of(kind: UploadKind, *rows: list[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([kind.headings, *rows])
    return text.getvalue().encode("utf-8-sig")


def send(hub, who: dict[str, str], kind: UploadKind, *rows: list[object], status: int = 200, dry_run: bool = False):
    params = {"kind": str(kind), "dry_run": str(dry_run).lower()}
    answer = hub.http.post("/api/v1/uploads", params=params, content=file_of(kind, *rows), headers=who)
    assert answer.status_code == status, answer.text
    return answer.json()


def number_of(store: Store, table: sa.Table) -> int:
    with store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_month_of_a_facility_without_kiosk_counts(hub) -> None:
    admin = hub.person("admin", name="lan")
    made = send(hub, admin, VISITS, ["93002", "", DAY, 100], ["93003", "", DAY, 50])
    assert (made["account"], made["origin"], made["unchanged"], len(made["changes"])) == ("lan", "manual", 0, 2)
    send(hub, admin, DESK, ["93002", "", DAY, 95, 90, 80])
    send(hub, admin, PORTAL, ["93002", "", DAY, 104, "", "", ""])
    row = hub.facility("93002", "2026-03-02", "2026-03-02")
    assert (row["visits_bhyt"], row["visits_bhyt_origin"], row["visits_bhyt_portal"]) == (104, "portal_file", 104)
    assert (row["r1_numerator"], row["lookups_desk"]) == (90, 95)
    row = hub.facility("93003", "2026-03-02", "2026-03-02")
    assert (row["visits_bhyt"], row["visits_bhyt_origin"]) == (50, "manual")
    listed = hub.http.get("/api/v1/uploads", headers=hub.read).json()["uploads"]
    assert [(each["kind"], each["account"], each["facilities"], each["figures"]) for each in listed] == [
        ("portal_file", "lan", ["93002"], 1),
        ("desk_lookups", "lan", ["93002"], 1),
        ("visit_count", "lan", ["93002", "93003"], 2),
    ]
    assert listed[2]["id"] == made["upload"] and listed[2]["taken_at"]
    content = file_of(VISITS, ["93002", "", DAY, 100], ["93003", "", DAY, 50])
    assert listed[2]["file_sha256"] == hashlib.sha256(content).hexdigest() == made["file_sha256"]


def test_a_dry_run_shows_the_change_and_makes_none(hub) -> None:
    station = hub.station()
    station.send(station.count(date(2026, 3, 2), 90, origin="manual", revision=4))
    before = number_of(hub.store, event)
    admin = hub.person("admin")
    shown = send(hub, admin, VISITS, ["93002", "", DAY, 100], ["93002", "", "03/03/2026", 7], dry_run=True)
    assert shown["dry_run"] and shown["upload"] is None
    first, second = shown["changes"]
    assert first == {
        "row": 2,
        "facility": "93002",
        "day": "2026-03-02",
        "kind": "visit_count",
        "origin": "manual",
        "old": {"bhyt_visits": 90},
        "old_by": "kiosk-1",
        "new": {"bhyt_visits": 100},
        "revision": 5,
        "counted_instead": None,
    }
    assert (second["old"], second["old_by"], second["revision"]) == (None, None, 1)
    assert (number_of(hub.store, event), number_of(hub.store, upload)) == (before, 0)
    send(hub, admin, VISITS, ["93002", "", DAY, 100])
    assert hub.facility("93002", "2026-03-02", "2026-03-02")["visits_bhyt"] == 100


def test_a_more_trusted_figure_goes_on_to_count_and_is_named(hub) -> None:
    station = hub.station()
    station.send(station.count(date(2026, 3, 2), 90))
    made = send(hub, hub.person("admin"), VISITS, ["93002", "", DAY, 100])
    assert made["changes"][0]["counted_instead"] == "his"
    assert hub.facility("93002", "2026-03-02", "2026-03-02")["visits_bhyt"] == 90


def test_the_same_file_twice_is_nothing_new_and_an_older_one_again_is_a_correction(hub) -> None:
    admin = hub.person("admin")
    made = [send(hub, admin, VISITS, ["93002", "", DAY, visits]) for visits in (100, 100, 120, 100)]
    assert [each["unchanged"] for each in made] == [0, 1, 0, 0]
    assert made[1]["upload"] is None and made[1]["changes"] == []
    assert [each["changes"][0]["revision"] for each in made if each["changes"]] == [1, 2, 3]
    assert number_of(hub.store, event) == 3
    assert hub.facility("93002", "2026-03-02", "2026-03-02")["visits_bhyt"] == 100


def test_events_are_signed_by_the_hub_for_the_account_and_numbered_without_gap(hub) -> None:
    admin = hub.person("admin", name="lan")
    for visits in (100, 120):
        send(hub, admin, VISITS, ["93002", "", DAY, visits], ["93002", "", "03/03/2026", visits])
    send(hub, hub.person("admin", name="mai"), VISITS, ["93002", "", DAY, 130])
    with hub.store.read() as connection:
        rows = connection.execute(sa.select(event).order_by(event.c.station, event.c.seq)).all()
        assert broken_signatures(connection) == []
    assert [(row.station, row.seq) for row in rows] == [
        *(("upload:lan", seq) for seq in (1, 2, 3, 4)),
        ("upload:mai", 1),
    ]
    assert len({row.epoch for row in rows}) == 2
    kept = json.loads(rows[0].payload)
    assert (kept["kind"], kept["origin"], kept["revision"], kept["schema"]) == ("visit_count", "manual", 1, 1)
    with hub.store.write() as connection:
        first = connection.execute(sa.select(upload_batch).limit(1)).one()
        forged = sa.update(upload_batch).where(upload_batch.c.upload == first.upload)
        connection.execute(forged.values(body=first.body.replace(b"100", b"900")))
    with hub.store.read() as connection:
        assert [each["upload"] for each in broken_signatures(connection)] == [first.upload]


@pytest.mark.parametrize("by", ["key", "person"])
def test_a_facility_hands_in_for_itself_only(hub, by: str) -> None:
    if by == "key":
        key = new_api_key(hub.store, "upload", facility_code="93002", label="HIS 93002")["key"]
        mine = {"Authorization": f"Bearer {key}"}
    else:
        mine = hub.person("facility", "93002")
    refused = send(hub, mine, VISITS, ["93002", "", DAY, 1], ["93003", "", DAY, 2], status=403)
    assert (refused["error"], refused["problems"][0]["row"]) == ("not_your_facility", 3)
    assert refused["detail"].startswith("Dòng 3, cột 1 (Mã cơ sở):")
    assert number_of(hub.store, event) == 0
    send(hub, hub.person("admin"), VISITS, ["93003", "", DAY, 2])
    send(hub, mine, VISITS, ["93002", "", DAY, 1])
    listed = hub.http.get("/api/v1/uploads", headers=mine)
    if by == "key":
        assert listed.status_code == 403
    else:
        assert [each["facilities"] for each in listed.json()["uploads"]] == [["93002"]]
    path = "/api/v1/uploads/template"
    days = {"from": "2026-03-01", "to": "2026-03-02", "kind": "visit_count", "format": "csv"}
    own = hub.http.get(path, params=days, headers=mine).text
    assert "93002" in own and "93003" not in own and len(own.splitlines()) == 3
    other = hub.http.get(path, params=days | {"facility": "93003"}, headers=mine)
    assert (other.status_code, other.json()["error"]) == (403, "not_your_facility")


def test_who_may_not_upload_cannot(hub) -> None:
    send(hub, {}, VISITS, ["93002", "", DAY, 1], status=401)
    send(hub, hub.read, VISITS, ["93002", "", DAY, 1], status=403)
    send(hub, hub.person("viewer"), VISITS, ["93002", "", DAY, 1], status=403)
    send(hub, hub.person("admin") | {"Origin": "http://evil.example"}, VISITS, ["93002", "", DAY, 1], status=403)
    assert number_of(hub.store, upload) == 0


def test_a_file_with_one_fault_changes_nothing(hub) -> None:
    admin = hub.person("admin")
    refused = send(hub, admin, VISITS, ["93002", "", DAY, 1], ["93003", "", DAY, "1.5"], status=422)
    assert refused["error"] == "bad_upload"
    assert refused["problems"] == [
        {
            "row": 3,
            "column": 4,
            "code": "NOT_A_COUNT",
            "message": "Dòng 3, cột 4 (Số lượt khám BHYT): cần một số nguyên từ 0 trở lên, "
            "không có dấu chấm hay dấu phẩy ngăn hàng nghìn.",
        }
    ]
    assert (number_of(hub.store, event), number_of(hub.store, upload)) == (0, 0)
    big = hub.http.post(
        "/api/v1/uploads", params={"kind": "visit_count"}, content=b"," * (3 * 1024 * 1024), headers=admin
    )
    assert (big.status_code, big.json()["error"]) == (413, "too_large")
    assert hub.http.post("/api/v1/uploads", params={"kind": "x"}, content=b"", headers=admin).status_code == 422


def test_visits_below_those_looked_up_are_refused_in_either_order(hub) -> None:
    admin = hub.person("admin")
    send(hub, admin, VISITS, ["93002", "", DAY, 10])
    over = send(hub, admin, DESK, ["93002", "", DAY, 20, 11, 5], status=422)["problems"][0]
    assert (over["row"], over["column"], over["code"]) == (2, 5, "LOOKED_UP_OVER_VISITS")
    send(hub, admin, DESK, ["93002", "", DAY, 20, 10, 5])
    below = send(hub, admin, VISITS, ["93002", "", DAY, 9], status=422)["problems"][0]
    assert (below["row"], below["column"], below["code"]) == (2, 4, "LOOKED_UP_OVER_VISITS")
    both = send(hub, admin, PORTAL, ["93002", "", DAY, 9, 10, 10, 10], status=422)["problems"]
    assert {each["code"] for each in both} == {"LOOKED_UP_OVER_VISITS"}
    # The portal may know fewer visits than the desk: that is a gap to show, not a fault of the file.
    send(hub, admin, PORTAL, ["93002", "", DAY, 9, "", "", ""])


def test_what_a_dead_hub_left_half_taken_is_finished(store: Store, run_hub, monkeypatch: pytest.MonkeyPatch) -> None:
    content = file_of(VISITS, ["93002", "", DAY, 5], ["93003", "", DAY, 6], ["93004", "", DAY, 7])
    taken = []

    def dies(*words: object, **more: object) -> object:
        if len(taken) == 2:
            raise MemoryError
        taken.append(words)
        return take_batch(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(taking, "take_batch", dies)
    caller = Caller("lan", Role.ADMIN)
    with pytest.raises(MemoryError):
        hand_in(store, HubKey.make(), caller, content, VISITS, datetime.now(UTC), dry_run=False)
    assert number_of(store, event) == 2
    monkeypatch.undo()
    with run_hub(store) as hub:
        visits = [hub.facility(code, "2026-03-02", "2026-03-02")["visits_bhyt"] for code in ("93002", "93003", "93004")]
        assert visits == [5, 6, 7]
    assert number_of(store, event) == 3
    assert finish_pending(store) == 0
    again = hand_in(store, HubKey.make(), caller, content, VISITS, datetime.now(UTC), dry_run=False)
    assert (again.upload, again.unchanged) == (None, 3)


def test_more_figures_than_a_batch_holds_become_several(store: Store) -> None:
    now = datetime.now(UTC)
    days = [(now - timedelta(days=number)).strftime("%d/%m/%Y") for number in range(1, 512)]
    content = file_of(PORTAL, *(["93002", "", day, 9, 8, 7, 6] for day in days))
    hand_in(store, HubKey.make(), Caller("lan", Role.ADMIN), content, PORTAL, now, dry_run=False)
    with store.read() as connection:
        seqs = connection.scalars(sa.select(event.c.seq).order_by(event.c.seq)).all()
        kept = connection.execute(sa.select(upload_batch.c.figures).order_by(upload_batch.c.number)).scalars().all()
    assert seqs == list(range(1, 1023))
    assert kept == [1000, 22]


def test_files_handed_in_at_once_get_revisions_of_their_own(store: Store) -> None:
    key, failed = HubKey.make(), []

    def work(visits: int) -> None:
        try:
            content = file_of(VISITS, ["93002", "", DAY, visits])
            hand_in(store, key, Caller(f"a{visits}", Role.ADMIN), content, VISITS, datetime.now(UTC), dry_run=False)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(visits,)) for visits in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    with store.read() as connection:
        payloads = connection.scalars(sa.select(event.c.payload)).all()
    assert sorted(json.loads(each)["revision"] for each in payloads) == [1, 2, 3, 4, 5, 6]


def test_the_command_line_makes_templates_takes_files_and_lists_them(database_url: str, tmp_path) -> None:
    def call(*words: str, code: int = 0):
        hub = ["--database", database_url, "--hub-key", str(tmp_path / "key")]
        done = CliRunner().invoke(main, [*hub, *words])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if done.stdout else done.stderr

    target = tmp_path / "t.csv"
    days = ["--from", "2026-03-02", "--to", "2026-03-02", "--facility", "93002", "--format", "csv"]
    call("upload-template", "--kind", "visit_count", *days, str(target))
    head, row = target.read_text("utf-8-sig").splitlines()
    target.write_text(f"{head}\n{row}12\n", "utf-8")
    shown = call("upload", str(target), "--kind", "visit_count", "--dry-run")
    assert shown["upload"] is None and shown["changes"][0]["new"] == {"bhyt_visits": 12}
    made = call("upload", str(target), "--kind", "visit_count")
    listed = call("uploads")
    assert [each["id"] for each in listed["uploads"]] == [made["upload"]] and listed["broken_signatures"] == []
    assert call("upload", str(target), "--kind", "visit_count")["unchanged"] == 1
    target.write_text(f"{head}\n{row}x\n", "utf-8")
    wrong = call("upload", str(target), "--kind", "visit_count", code=1)
    assert "NOT_A_COUNT: Dòng 2, cột 4" in wrong
    assert "at most" in call(
        "upload-template", "--kind", "visit_count", "--from", "2024-01-01", "--to", "2026-01-01", str(target), code=1
    )
