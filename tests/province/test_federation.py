"""A province's hub sends the sums of its days to a hub above: signed, once, in order, and no event (issue 7)."""

import base64
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kiosk.events import sign_batch
from province.cli import main
from province.enrolment import EnrolmentError
from province.federation import sending
from province.federation.members import list_members, new_member_code, revoke_member
from province.federation.sending import FederationError, Sent, join_upper, note_changes, send_round, status
from province.federation.wire import MAX_ROLLUPS, Rollup, read_rollup, write_body
from province.federation_tables import sent_day, upper_hub
from province.guards import RateLimit
from province.hub_key import HubKey
from province.measures import Measures, from_row, to_row
from province.member_days import as_text, pack, unpack
from province.periods import Period
from province.rebuild import rebuild
from province.rollup_table import SUMS
from province.simulate.mark import mark
from province.store import Store
from province.tables import event

VN = timezone(timedelta(hours=7))
DAYS = "2026-03-02", "2026-03-04"
NOT_STAMPS = {"generated_at", "registry_version"}


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=VN)


class Below:
    """A province's hub with a key of its own, that has joined the hub above."""

    def __init__(self, hub, upper, name: str = "hau-giang", provinces: tuple[str, ...] = ("92",)) -> None:
        self.hub, self.upper = hub, upper
        self.key = HubKey.make()
        self.address = str(upper.http.base_url)
        code = new_member_code(upper.store, name, provinces)["code"]
        self.joined = join_upper(hub.store, self.key, self.address, code)

    def send(self) -> Sent:
        return send_round(self.hub.store, self.key)

    def status(self) -> dict[str, object]:
        with self.hub.store.read() as connection:
            return status(connection)

    def post(self, *rollups: Rollup, hub: str | None = None, key_id: str | None = None) -> httpx.Response:
        body = write_body(hub or self.joined.hub, rollups)
        header = sign_batch(self.key.private, key_id or self.joined.key_id, body)
        return self.upper.http.post("/api/v1/rollups", content=body, headers={"Signature": header})


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def lower(run_hub, filled_sqlite: Path, tmp_path: Path, stack: ExitStack):
    """A second hub, below."""
    return new_lower(run_hub, filled_sqlite, tmp_path, stack)


def new_lower(run_hub, filled_sqlite: Path, tmp_path: Path, stack: ExitStack, name: str = "lower"):
    path = tmp_path / f"{name}.db"
    path.write_bytes(filled_sqlite.read_bytes())
    store = Store(f"sqlite:///{path}")
    stack.callback(store.close)
    return stack.enter_context(run_hub(store))


def work(hub, facility: str = "93002") -> None:
    """Two days at one facility: 3 visits by chip of 4, desk lookups, a word of tomorrow."""
    kiosk = hub.station(facility)
    for number in range(3):
        visit = kiosk.visit(at(2, 8 + number))
        kiosk.send(visit, kiosk.lookup(at(2, 8 + number), checkin_id=visit["checkin_id"]))
    kiosk.send(
        kiosk.visit(at(2), not_by_chip="NO_CARD", method="QR_CCCD"),
        kiosk.visit(at(2), not_by_chip="LEFT_AT_HOME", method="QR_CCCD"),
        kiosk.count(date(2026, 3, 2), 9),
        kiosk.desk(date(2026, 3, 2), 5, 4, 4),
        kiosk.visit(at(4)),
    )


def same_rates(upper, lower, code: str = "93002") -> None:
    for level in ("facility", "area"):
        ours, theirs = (
            [
                {name: value for name, value in row.items() if name not in NOT_STAMPS}
                for row in hub.rows(*DAYS, level=level, period="day")
            ]
            for hub in (upper, lower)
        )
        assert ours == theirs
    assert upper.facility(code, *DAYS)["visits_bhyt"] > 0
    assert upper.reasons(*DAYS) == lower.reasons(*DAYS)


def test_above_there_are_the_same_rates_and_no_event(hub, lower) -> None:
    work(lower)
    below = Below(lower, hub)
    assert below.send() == Sent(acknowledged=2)
    same_rates(hub, lower)
    assert hub.facility("93002", *DAYS)["r1_numerator"] == 7
    with hub.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(event)) == 0
    told = below.status()
    assert (told["url"], told["hub"], told["key_id"]) == (below.address, "hau-giang", below.joined.key_id)
    assert (told["problem"], told["waiting"], told["oldest_waiting"], told["refused"]) == (None, 0, None, {})
    assert told["sent_at"] is not None
    assert below.send() == Sent()


def test_a_change_is_sent_as_the_next_revision_and_stays_after_a_rebuild(hub, lower) -> None:
    work(lower)
    below = Below(lower, hub)
    below.send()
    kiosk = lower.station(name="kiosk-2")
    kiosk.send(kiosk.count(date(2026, 3, 2), 12, revision=2))
    assert below.send() == Sent(acknowledged=1)
    assert hub.facility("93002", *DAYS)["visits_bhyt"] == lower.facility("93002", *DAYS)["visits_bhyt"] == 13
    with hub.store.write() as connection:
        rebuild(connection)
    same_rates(hub, lower)


def test_facilities_of_several_provinces_stand_side_by_side_sum_over_sum(
    hub, run_hub, filled_sqlite: Path, tmp_path: Path, stack: ExitStack
) -> None:
    for name, facility in (("one", "93002"), ("two", "93003")):
        lower = new_lower(run_hub, filled_sqlite, tmp_path, stack, name)
        work(lower, facility)
        assert Below(lower, hub, name).send() == Sent(acknowledged=2)
    (row,) = hub.rows(*DAYS, level="province", period="total")
    assert (row["visits_bhyt"], row["r1_numerator"], row["facilities_reporting"]) == (20, 14, 2)
    with hub.store.read() as connection:
        told = [(each["hub"], each["state"], each["facility_days"]) for each in list_members(connection)]
    assert told == [("one", "active", 2), ("two", "active", 2)]


def test_a_lost_answer_doubles_nothing(hub, lower, monkeypatch: pytest.MonkeyPatch) -> None:
    work(lower)
    below = Below(lower, hub)
    with monkeypatch.context() as patched:

        def answer_lost(*_: object) -> None:
            raise FederationError("unreachable", wait=1)

        patched.setattr(sending, "_acknowledge", answer_lost)
        with pytest.raises(FederationError):
            below.send()
    assert below.status()["problem"] == "unreachable" and below.status()["waiting"] == 2
    same_rates(hub, lower)
    assert below.send() == Sent(acknowledged=2)
    assert below.status()["problem"] is None
    same_rates(hub, lower)


def test_an_outage_leaves_all_waiting_and_what_was_acknowledged_done(
    hub, lower, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(lower)
    below = Below(lower, hub)
    monkeypatch.setattr(sending, "MAX_ROLLUPS", 1)
    with lower.store.write() as connection:
        connection.execute(sa.update(upper_hub).values(url="http://127.0.0.1:1"))
    with pytest.raises(FederationError) as away:
        below.send()
    assert (away.value.code, away.value.wait is not None) == ("unreachable", True)
    assert (below.status()["waiting"], below.status()["oldest_waiting"]) == (2, "2026-03-02")
    with lower.store.write() as connection:
        connection.execute(sa.update(upper_hub).values(url=below.address))
    assert below.send() == Sent(acknowledged=2)
    same_rates(hub, lower)


def test_the_upper_hub_may_ask_for_patience(store, run_hub, lower, monkeypatch: pytest.MonkeyPatch) -> None:
    work(lower)
    with run_hub(store, rate_limit=RateLimit(per_second=0.01, burst=1)) as upper:
        below = Below(lower, upper)
        monkeypatch.setattr(sending, "MAX_ROLLUPS", 1)
        with pytest.raises(FederationError) as refused:
            below.send()
        assert (refused.value.code, refused.value.wait) == ("busy", 101)
        assert below.status()["waiting"] == 1


DAY = Rollup("93002", date(2026, 3, 2), 1, {"visits": 10, "reported": 1, "origin_his": 1, "revision": 1})


def test_each_revision_counts_once_and_an_older_one_never_again(hub, lower) -> None:
    below = Below(lower, hub)

    def visits() -> object:
        return hub.facility("93002", *DAYS)["visits_bhyt"]

    nothing: dict[str, object] = {"accepted": 0, "duplicates": 1, "rejected": []}
    second = replace(DAY, revision=2, sums=DAY.sums | {"visits": 12})
    assert below.post(DAY).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert below.post(replace(DAY, sums={"visits": 99})).json() == nothing
    assert visits() == 10
    assert below.post(second, DAY, second).json() == {"accepted": 1, "duplicates": 2, "rejected": []}
    assert visits() == 12
    assert below.post(DAY).json() == nothing
    assert visits() == 12


def test_what_cannot_be_taken_is_refused_by_name_and_the_rest_counts(lower, hub) -> None:
    bad = [
        (replace(DAY, facility="00000"), "unknown_facility"),
        (replace(DAY, day=date(2025, 6, 30)), "not_your_province"),
        (replace(DAY, day=date(2300, 1, 1)), "in_the_future"),
        (replace(DAY, revision=0), "malformed"),
        (replace(DAY, sums={"visits": -1}), "malformed"),
        (replace(DAY, sums={"visits": 1_000_001}), "malformed"),
        (replace(DAY, sums={"visits": True}), "malformed"),
        (replace(DAY, sums={"reported": 2}), "malformed"),
        (replace(DAY, sums={"rest": {"by_method": {"\0": 1}}}), "malformed"),
        (replace(DAY, sums={"of_tomorrow": 1}), "unknown_sum"),
    ]
    good = replace(DAY, day=date(2026, 3, 3))
    answer = Below(lower, hub).post(*(rollup for rollup, _ in bad), good).json()
    assert answer == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [
            {"facility": rollup.facility, "day": rollup.day.isoformat(), "reason": reason} for rollup, reason in bad
        ],
    }
    assert hub.facility("93002", *DAYS)["visits_bhyt"] == 10


def test_nobody_speaks_for_another(hub, lower) -> None:
    below = Below(lower, hub)
    assert below.post(DAY, hub="can-tho").json()["error"] == "not_your_hub"
    assert below.post(DAY, key_id="nobody").json()["error"] == "unknown_key"
    assert hub.http.post("/api/v1/rollups", content=b"{}").json()["error"] == "bad_signature_header"
    below.post(DAY)
    other = Below(lower, hub, "can-tho")
    newer = replace(DAY, revision=9)
    assert other.post(newer).json()["rejected"][0]["reason"] == "another_hubs_day"
    assert below.post(newer, key_id=other.joined.key_id).json()["error"] == "wrong_signature"
    assert other.post(*[DAY] * (MAX_ROLLUPS + 1)).status_code == 413
    kiosk = hub.station("93003")
    kiosk.send(kiosk.visit(at(2)))
    assert other.post(replace(DAY, facility="93003")).json()["rejected"][0]["reason"] == "counted_here"
    revoke_member(hub.store, other.joined.key_id)
    assert other.post(newer).json()["error"] == "unknown_key"
    assert hub.facility("93002", *DAYS)["visits_bhyt"] == 10


def test_a_member_cannot_send_events_and_a_station_no_sums(hub, lower) -> None:
    below = Below(lower, hub)
    kiosk = hub.station("93002")
    body = kiosk.body([kiosk.visit(at(2))])
    member = sign_batch(below.key.private, below.joined.key_id, body)
    assert kiosk.post(body, member).json()["error"] == "unknown_key"
    sums = write_body("hau-giang", [DAY])
    header = {"Signature": sign_batch(kiosk.key, kiosk.key_id, sums)}
    assert hub.http.post("/api/v1/rollups", content=sums, headers=header).json()["error"] == "unknown_key"


def test_a_refused_day_waits_and_is_taken_when_the_cause_is_gone(hub, lower) -> None:
    work(lower)
    below = Below(lower, hub, provinces=("93",))
    assert below.send() == Sent(refused=2)
    assert below.status()["refused"] == {"not_your_province": 2} and below.status()["waiting"] == 2
    new_member_code(hub.store, "hau-giang", ["92", "93"])
    assert below.send() == Sent(acknowledged=2)
    assert below.status()["refused"] == {}
    same_rates(hub, lower)


def test_simulated_days_stay_below(hub, lower) -> None:
    work(lower)
    with lower.store.write() as connection:
        span = Period(date(2026, 3, 1), date(2026, 3, 3))
        mark(connection, span, facilities=95, seed=1, sums_only=False)
    assert Below(lower, hub).send() == Sent(acknowledged=1)
    assert hub.facility("93002", "2026-03-01", "2026-03-03")["visits_bhyt"] == 0
    assert hub.facility("93002", "2026-03-04", "2026-03-04")["visits_bhyt"] == 1


def test_two_senders_give_a_change_one_revision(lower, hub) -> None:
    work(lower)
    Below(lower, hub)
    assert (note_changes(lower.store), note_changes(lower.store)) == (2, 0)
    with lower.store.read() as connection:
        assert set(connection.scalars(sa.select(sent_day.c.revision))) == {1}


def test_a_code_works_once_and_a_new_key_takes_over_when_it_is_used(hub, lower) -> None:
    code = new_member_code(hub.store, "hau-giang", ["92"])["code"]
    short = {"code": code, "public_key": base64.b64encode(b"x" * 31).decode()}
    assert hub.http.post("/api/v1/hubs", json=short).json()["error"] == "bad_public_key"
    old = Below(lower, hub)
    assert old.post(DAY).status_code == 200
    joined = join_upper(lower.store, old.key, old.address, code)
    assert (joined.hub, joined.key_id != old.joined.key_id) == ("hau-giang", True)
    with pytest.raises(FederationError, match="code_not_valid"):
        join_upper(lower.store, old.key, old.address, code)
    assert old.post(DAY).status_code == 200
    assert old.post(DAY, key_id=joined.key_id).status_code == 200
    assert old.post(DAY).json()["error"] == "unknown_key"


def test_sums_go_only_where_the_way_is_encrypted(store) -> None:
    for url in ("http://hub.example", "ftp://127.0.0.1", "https://", "https://a:b@hub.example", "127.0.0.1"):
        with pytest.raises(FederationError, match="bad_url"):
            join_upper(store, HubKey.make(), url, "code")


def test_codes_are_made_only_for_provinces_that_are_known(store) -> None:
    for hub, provinces, code in (
        ("hub", ["11"], "unknown_province"),
        ("hub", [], "unknown_province"),
        ("", ["92"], "bad_hub"),
        ("a\0", ["92"], "bad_hub"),
    ):
        with pytest.raises(EnrolmentError, match=code):
            new_member_code(store, hub, provinces)


def test_operators_join_look_and_send(hub, lower, tmp_path: Path) -> None:
    work(lower)

    def call(database, *words: str, ok: bool = True):
        address = database.store._engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        arguments = ["--database", address, "--hub-key", str(tmp_path / "key"), "federation", *words]
        done = CliRunner().invoke(main, arguments)
        assert (done.exit_code == 0) is ok, done.output
        return json.loads(done.stdout) if ok else done.stderr

    assert "not_joined" in call(lower, "run", "--once", ok=False)
    assert call(lower, "status")["url"] is None
    code = call(hub, "code", "hau-giang", "--province", "92")["code"]
    joined = call(lower, "join", str(hub.http.base_url), code)
    assert joined["hub"] == "hau-giang"
    assert call(lower, "run", "--once") == {"acknowledged": 2, "refused": 0, "events": 0}
    assert call(lower, "status")["waiting"] == 0
    (member,) = call(hub, "members")["members"]
    assert (member["state"], member["provinces"], member["facility_days"]) == ("active", ["92"], 2)
    call(hub, "revoke", "--key-id", member["key_id"])
    kiosk = lower.station(name="kiosk-9")
    kiosk.send(kiosk.visit(at(3)))
    assert "unknown_key" in call(lower, "run", "--once", ok=False)
    assert call(lower, "status")["problem"] == "unknown_key"


counts = st.integers(0, 1000)


@given(
    st.dictionaries(st.sampled_from(SUMS), counts),
    st.none() | counts,
    st.dictionaries(st.sampled_from(["QR_CCCD", "OF_TOMORROW", "khác"]), counts),
    st.booleans(),
    st.integers(1, 99),
)
def test_sums_come_through_as_they_were(sums, portal, methods, reported, revision) -> None:
    made = Measures(visits_portal=portal, reported=reported, revision=revision, origins={"his"}, **sums)
    made.by_method.update(methods)
    packed = pack(to_row(made))
    read = read_rollup(json.loads(write_body("h", [replace(DAY, sums=packed)]))["rollups"][0])
    assert isinstance(read, Rollup)
    assert unpack(as_text(read.sums)) == to_row(made)
    assert from_row(unpack(as_text(read.sums))).visits_portal == portal


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["visits", "rest", "by_method"]), inner)
    ),
    max_leaves=10,
)


@given(json_values | st.fixed_dictionaries({"facility": json_values, "day": json_values, "sums": json_values}))
def test_any_json_is_read_or_refused(raw: object) -> None:
    assert isinstance(read_rollup(raw), Rollup | str)
    full = {"facility": "93002", "day": "2026-03-02", "revision": 1, "sums": raw}
    read = read_rollup(full)
    if isinstance(read, Rollup):
        assert unpack(as_text(read.sums)).keys() == to_row(Measures()).keys()
