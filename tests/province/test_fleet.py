"""How stations are, from heartbeats and silence; for readers and for Prometheus, with the alerts that are shipped."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from province.enrolment import list_keys, revoke
from province.fleet import Reason, State, fleet, open_seconds
from province.tables import station as station_table

VN = timezone(timedelta(hours=7))
MONDAY = datetime(2026, 3, 2, 12, tzinfo=VN)
ALERTS = Path(__file__).parents[2] / "systemd" / "province.alerts.yml"


def health(hub, now: datetime | None = None, only: str | None = None):
    with hub.store.read() as connection:
        return fleet(connection, now or datetime.now(UTC), only=only)


def heard(hub, name: str, at: datetime) -> None:
    with hub.store.write() as connection:
        mine = station_table.c.station == name
        connection.execute(sa.update(station_table).where(mine).values(heard_at=at))


@pytest.mark.parametrize(
    ("told", "state", "reasons"),
    [
        ({}, State.OK, ()),
        ({"oldest_waiting_s": 900, "outbox_waiting": 3}, State.OK, ()),
        ({"oldest_waiting_s": 901}, State.WARN, (Reason.OUTBOX_OLD,)),
        ({"oldest_waiting_s": 14401}, State.ALARM, (Reason.OUTBOX_OLD,)),
        ({"readers": {"scanner": "ok", "card": "gone"}}, State.WARN, (Reason.READER_DOWN,)),
        ({"readers": {"scanner": "gone", "card": "gone"}}, State.ALARM, (Reason.READER_DOWN,)),
        ({"disk_free_mb": 1000}, State.OK, ()),
        ({"disk_free_mb": 999}, State.WARN, (Reason.DISK_LOW,)),
        ({"disk_free_mb": 199}, State.ALARM, (Reason.DISK_LOW,)),
        ({"clock_offset_ms": -6000}, State.WARN, (Reason.CLOCK_WRONG,)),
        ({"disk_free_mb": 5, "clock_offset_ms": 6000}, State.ALARM, (Reason.DISK_LOW, Reason.CLOCK_WRONG)),
    ],
)
def test_what_a_heartbeat_says(hub, told: dict[str, object], state: State, reasons: tuple[Reason, ...]) -> None:
    station = hub.station()
    station.send(station.heartbeat(**told))
    (found,) = health(hub)
    assert (found.state, found.reasons, found.version) == (state, reasons, "0.1.0")


def test_silence_counts_within_opening_hours_only(hub) -> None:
    station = hub.station()
    station.send(station.heartbeat())
    states = []
    for hours in (17, 24 + 7, 24 + 7.2, 24 + 7.3, 24 + 8.1):
        heard(hub, station.name, MONDAY.replace(hour=17))
        (found,) = health(hub, MONDAY.replace(hour=0) + timedelta(hours=hours))
        states.append((found.silent_seconds // 60, found.state))
    assert states == [(0, State.OK), (0, State.OK), (12, State.OK), (18, State.WARN), (66, State.ALARM)]


def test_a_weekend_is_no_silence() -> None:
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=VN)
    assert open_seconds(friday, datetime(2026, 3, 9, 7, 10, tzinfo=VN)) == 40 * 60
    assert open_seconds(friday, friday - timedelta(days=2)) == 0
    assert open_seconds(datetime(1, 1, 2, tzinfo=UTC), friday) < 32 * 10 * 3600


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(VN))


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=20)), st.timedeltas(timedelta(0), timedelta(days=10)))
def test_open_time_adds_up(since: datetime, first: timedelta, second: timedelta) -> None:
    middle, end = since + first, since + first + second
    whole = open_seconds(since, end)
    assert abs(open_seconds(since, middle) + open_seconds(middle, end) - whole) <= 1
    assert 0 <= whole <= (end - since).total_seconds()


def test_who_never_spoke_sends_no_heartbeat_or_runs_old_software_is_named(hub) -> None:
    old, new, mute = hub.station("93002", "old"), hub.station("93002", "new"), hub.station("93003", "mute")
    hub.station("93003", "never")
    old.send(old.heartbeat(version="0.9.9"))
    new.send(new.heartbeat(version="0.10.0"))
    mute.send(mute.count(date(2026, 3, 2), 1))
    found = {each.station: each.reasons for each in health(hub)}
    assert found == {
        "old": (Reason.OLD_VERSION,),
        "new": (),
        "mute": (Reason.NO_HEARTBEAT,),
        "never": (Reason.NEVER_HEARD,),
    }
    assert [each.station for each in health(hub, only="93003")] == ["mute", "never"]


def test_a_station_whose_keys_are_revoked_is_gone(hub) -> None:
    station = hub.station()
    station.send(station.heartbeat())
    (key,) = list_keys(hub.store)
    revoke(hub.store, str(key["key_id"]))
    assert health(hub) == []


def test_a_suspect_clock_is_an_alarm(hub) -> None:
    station = hub.station()
    station.send(station.heartbeat(at=datetime.now(UTC) - timedelta(days=3)))
    (found,) = health(hub)
    assert (found.state, found.reasons) == (State.ALARM, (Reason.CLOCK_WRONG,))


def test_the_fleet_over_http_and_a_facility_sees_itself(hub) -> None:
    for code in ("93002", "93003"):
        station = hub.station(code)
        station.send(station.heartbeat(readers={"scanner": "gone"}))
    found = hub.get("/api/v1/fleet").json()
    assert found["states"] == {"ok": 0, "warn": 0, "alarm": 2}
    own = hub.http.get("/api/v1/fleet", headers=hub.person("facility", "93003")).json()
    assert [(each["facility"], each["reasons"]) for each in own["stations"]] == [("93003", ["reader_down"])]
    assert hub.http.get("/api/v1/fleet").status_code == 401
    text = hub.http.get("/api/v1/metrics", headers=hub.person("facility", "93003", name="other")).text
    assert "93002" not in text and 'facility="93003"' in text


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_prometheus_reads_figures_and_stations(hub) -> None:
    station = hub.station("93002")
    now = datetime.now(UTC)
    visit = station.visit(now)
    station.send(
        visit,
        station.lookup(now, checkin_id=visit["checkin_id"]),
        station.heartbeat(readers={"scanner": "ok", "card": "gone", "x" * 30: "ok"}, outbox_waiting=2),
    )
    found = samples(hub.get("/api/v1/metrics").text)
    mine = {"facility": "93002", "station": station.name}
    assert found["province_lookup_rate_pct"][0] == ({"level": "province", "unit": "92", "rate": "r1"}, 100.0)
    assert ({"level": "facility", "unit": "93002"}, 80.0) in found["province_lookup_target_pct"]
    assert found["province_station_state"] == [(mine, 1)]
    assert found["province_station_reason"] == [(mine | {"reason": "reader_down"}, 1)]
    assert found["province_station_outbox_waiting"] == [(mine, 2)]
    readers = {labels["reader"]: value for labels, value in found["province_station_reader_up"]}
    assert readers == {"scanner": 1, "card": 0, "other": 1}


def test_every_alert_speaks_of_metrics_that_there_are(hub) -> None:
    station = hub.station("93002")
    now = datetime.now(UTC)
    station.send(station.heartbeat(), station.heartbeat(readers={"card": "gone"}), station.lookup(now))
    known = set(samples(hub.get("/api/v1/metrics").text)) | set(samples(hub.http.get("/metrics").text)) | {"up"}
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", rule["expr"])
        named = set(re.findall(r"\b(?:province_\w+|up)\b", bare))
        assert named and named <= known, rule["alert"]
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in ("info", "warning", "critical")
