"""The SQL of the rates against a slow, plain reading of interfaces.md 6, on random small sets of events."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.events import new_event_id
from province.enrolment import StationKey
from province.ingest import take_batch
from province.periods import Period, PeriodType, periods
from province.rates import lookup_rate, why_not_by_chip
from province.recompute import compare
from province.rollup_table import rollup
from province.tables import desk_lookups, event, facility_day, finding, lookup, station, visit, visit_count
from province.units import Level

VN = timezone(timedelta(hours=7))
FIRST = date(2026, 3, 30)
CHECKINS = ["c1", "c2"]
FACILITIES = ["93001", "93002", "93007"]  # the first and the last are of one area
ORIGINS = ["his", "portal_file", "manual", "satellite"]
RANK = {"his": 0, "portal_file": 1, "manual": 2}

moments = st.integers(0, 4 * 24 * 60).map(lambda minutes: datetime(2026, 3, 30, tzinfo=VN) + timedelta(minutes=minutes))
lookups = st.fixed_dictionaries(
    {
        "kind": st.just("lookup"),
        "at": moments,
        "checkin_id": st.sampled_from(CHECKINS),
        "key_kind": st.sampled_from(["PERSONAL_12"] * 12 + ["BHYT_15", None]),
        "method": st.sampled_from(["CHIP_CCCD"] * 4 + ["QR_CCCD", "VNEID_TOKEN", "MANUAL_ID", "IRIS", None]),
        "chip_verdict": st.sampled_from(["genuine", "cannot_tell", "forged", None]),
        "result_code": st.sampled_from(
            ["000"] * 8 + ["003", "110", "050", "070", "100", "205", "054", "777", "", None]
        ),
        "reached_gateway": st.sampled_from([True] * 9 + [False]),
        "person_day": st.sampled_from(["0" * 16, "1" * 16, None]),
    }
)
visits = st.fixed_dictionaries(
    {
        "kind": st.just("visit"),
        "at": moments,
        "checkin_id": st.sampled_from(CHECKINS),
        "epoch": st.sampled_from(["e1", "e1", "e2"]),
        "bhyt": st.sampled_from([True, True, False]),
        "not_by_chip": st.sampled_from([None, "CHILD", "NO_CARD", "NEW_REASON"]),
    }
)
days = st.integers(0, 3).map(lambda offset: FIRST + timedelta(days=offset))
small = st.integers(0, 6)
counts = st.fixed_dictionaries(
    {
        "kind": st.just("visit_count"),
        "at": moments,
        "date": days,
        "origin": st.sampled_from(ORIGINS),
        "revision": st.integers(0, 3),
        "bhyt_visits": small,
    }
)
desks = st.fixed_dictionaries(
    {
        "kind": st.just("desk_lookups"),
        "at": moments,
        "date": days,
        "origin": st.sampled_from(ORIGINS),
        "revision": st.integers(0, 3),
        "lookups": small,
        "visits_looked_up": small,
        "visits_success": small,
    }
)
histories = st.lists(
    st.tuples(
        st.sampled_from(["93001"] * 4 + ["93002", "93007"]),
        st.one_of(lookups, lookups, lookups, lookups, visits, visits, counts, desks),
    ),
    min_size=20,
    max_size=50,
)


def wire(number: int, raw: dict[str, Any]) -> dict[str, Any]:
    common = {"schema": 1, "event_id": new_event_id(), "epoch": "e1", "seq": number}
    event_time = {"happened_at": raw["at"].isoformat()}
    fields = {name: str(value) if name == "date" else value for name, value in raw.items() if name != "at"}
    return common | event_time | fields


def day_of(item: dict[str, Any]) -> date:
    return datetime.fromisoformat(item["happened_at"]).astimezone(VN).date()


SUCCESS = {"000", "001", "002", "003", "004", "130", "010", "110", "120", "121", "122", "123", "124"}
OWN_FAULT = {"205", "401", "403", "054", "055"}


def counted(item: dict[str, Any]) -> bool:
    return item["reached_gateway"] and item["key_kind"] == "PERSONAL_12" and item["result_code"] not in OWN_FAULT


def success(item: dict[str, Any]) -> bool:
    return counted(item) and item["result_code"] in SUCCESS


def best(items: list[dict[str, Any]]) -> dict[str, Any] | None:
    known = [item for item in items if item["origin"] in RANK]
    # Equal origin and revision: the later happened_at, then the higher id.
    ordered = sorted(known, key=lambda item: (item["happened_at"], item["event_id"]), reverse=True)
    return min(ordered, key=lambda item: (RANK[item["origin"]], -item["revision"]), default=None)


def station_visits(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Insured visits, each with its day: last content and first day per epoch, one epoch per check-in."""
    chosen = []
    for checkin in CHECKINS:
        per_epoch = []
        for epoch in ("e1", "e2"):
            own = [item for item in items if item["kind"] == "visit" and item["checkin_id"] == checkin]
            own = sorted((item for item in own if item["epoch"] == epoch), key=lambda item: item["seq"])
            if own:
                per_epoch.append({**own[-1], "day": day_of(own[0])})
        if per_epoch:
            chosen.append(min(per_epoch, key=lambda item: (item["day"], item["epoch"])))
    return [item for item in chosen if item["bhyt"]]


def expected(items: list[dict[str, Any]], start: date, end: date) -> tuple[dict[str, Any], Counter[str]]:
    """The figures of one facility, and its reasons."""
    row: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    origins: set[str] = set()
    portal: int | None = None
    own_lookups = [item for item in items if item["kind"] == "lookup"]
    inside = [item for item in own_lookups if start <= day_of(item) <= end]
    methods = Counter(item["method"] or "UNKNOWN" for item in inside if counted(item))
    for item in inside:
        code = item["result_code"]
        if not item["reached_gateway"]:
            row["attempted_not_sent"] += 1
        elif item["key_kind"] != "PERSONAL_12":
            row["lookups_other_key"] += 1
        elif code in OWN_FAULT:
            row["lookups_not_counted"] += 1
        else:
            row["lookups_total"] += 1
            name = {"050": "not_found", "070": "mismatch", "100": "technical", "777": "other"}.get(code or "100")
            row[f"lookups_fail_{name}" if name else "lookups_success"] += 1
            row["lookups_not_eligible"] += code == "110"
    persons = {(day_of(item), item["person_day"]) for item in inside if counted(item) and item["person_day"]}
    row["persons_looked_up"] = len(persons)  # the digest holds the day
    everyone = station_visits(items)
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        seen = [item for item in everyone if item["day"] == day]
        today = [item for item in items if item.get("date") == str(day)]
        count = best([item for item in today if item["kind"] == "visit_count"])
        desk = best([item for item in today if item["kind"] == "desk_lookups"])
        uploaded = [item for item in today if item["kind"] == "visit_count" and item["origin"] == "portal_file"]
        if uploaded:
            portal = (portal or 0) + best(uploaded)["bhyt_visits"]
        visits_of_day = count["bhyt_visits"] if count else len(seen)
        if count or seen:
            origins.add(count["origin"] if count else "stations")
        row["visits_bhyt"] += visits_of_day
        looked_up = desk["visits_looked_up"] if desk else 0
        if desk:
            row["lookups_desk"] += desk["lookups"]
            row["lookups_total"] += desk["lookups"]
            row["lookups_success"] += desk["visits_success"]
            row["r1_numerator"] += looked_up
            reasons["AT_DESK_LOOKED_UP"] += looked_up
        reasons["AT_DESK_NOT_LOOKED_UP"] += max(0, visits_of_day - len(seen) - looked_up)
        for one in seen:
            mine = [item for item in own_lookups if item["checkin_id"] == one["checkin_id"]]
            wins = sorted(
                (item for item in mine if success(item)),
                key=lambda item: (datetime.fromisoformat(item["happened_at"]), item["event_id"]),
            )
            row["r1_numerator"] += any(counted(item) for item in mine)
            row["r3_numerator"] += any(item["method"] in ("CHIP_CCCD", "QR_CCCD", "VNEID_TOKEN") for item in wins)
            row["r4_numerator"] += bool(
                wins and wins[0]["method"] == "CHIP_CCCD" and wins[0]["chip_verdict"] in ("genuine", "cannot_tell")
            )
            if not any(item["method"] == "CHIP_CCCD" for item in wins):
                reasons[one["not_by_chip"] or "UNEXPLAINED"] += 1
    row["facilities_reporting"] = any(start <= day_of(item) <= end for item in items)
    row["r5_numerator"] = row["lookups_total"] > 0
    return {**row, "origins": origins, "portal": portal, "methods": methods}, reasons


# fmt: off
NUMBERS = [
    "visits_bhyt", "lookups_total", "lookups_desk", "lookups_success", "lookups_not_eligible",
    "lookups_fail_not_found", "lookups_fail_mismatch", "lookups_fail_technical", "lookups_fail_other",
    "lookups_not_counted", "lookups_other_key", "attempted_not_sent", "persons_looked_up", "r1_numerator",
    "r3_numerator", "r4_numerator", "r5_numerator", "facilities_reporting",
]
# fmt: on
AREA = {"93001": "930", "93002": "935", "93007": "930"}


def together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    portals = [part["portal"] for part in parts if part["portal"] is not None]
    origins = set().union(*(part["origins"] for part in parts))
    figures = {name: sum(part.get(name, 0) for part in parts) for name in NUMBERS}
    methods = sum((part["methods"] for part in parts), Counter[str]())
    return figures | {
        "visits_bhyt_origin": "mixed" if len(origins) > 1 else next(iter(origins), None),
        "visits_bhyt_portal": sum(portals) if portals else None,
        "by_method": dict(methods),
    }


@pytest.mark.filterwarnings("default::hypothesis.errors.HypothesisWarning")
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories, order=st.randoms(use_true_random=False), cut=st.sampled_from(list(PeriodType)))
def test_the_sql_agrees_with_the_plain_reading(
    store, history: list[tuple[str, dict[str, Any]]], order: random.Random, cut: PeriodType
) -> None:
    with store.write() as connection:
        for table in (event, finding, lookup, visit, visit_count, desk_lookups, facility_day, station, rollup):
            connection.execute(sa.delete(table))
    sent = [(code, wire(number, raw)) for number, (code, raw) in enumerate(history)]
    shuffled = sent * 2
    order.shuffle(shuffled)
    for start in range(0, len(shuffled), 7):
        part = shuffled[start : start + 7]
        for code in {code for code, _ in part}:
            batch = [item for owner, item in part if owner == code]
            assert (
                take_batch(store, StationKey("k", code, "s", b""), batch, datetime(2026, 5, 1, tzinfo=UTC)).rejected
                == []
            )
    first, last = FIRST, FIRST + timedelta(days=3)
    with store.read() as connection:
        rows = {
            (level, row["unit_code"], row["period_start"]): row
            for level in Level
            for row in lookup_rate(connection, first, last, level, cut)
        }
        reasons = why_not_by_chip(connection, first, last, Level.FACILITY, cut)
        # The command that checks published figures reads the ledger in a way of its own, and must agree as well.
        assert compare(connection, Period(first, last)) == []
    found_reasons = {(row["unit_code"], row["period_start"], row["reason"]): row["visits"] for row in reasons}
    wanted_reasons = {}
    for span in periods(first, last, cut):
        own = {}
        for code in FACILITIES:
            items = [item for owner, item in sent if owner == code]
            own[code], why = expected(items, span.start, span.end)
            wanted_reasons |= {(code, str(span.start), name): number for name, number in why.items() if number}
        groups = {(Level.FACILITY, code): [code] for code in FACILITIES}
        groups |= {(Level.AREA, area): [code for code in FACILITIES if AREA[code] == area] for area in ("930", "935")}
        groups[Level.PROVINCE, "92"] = FACILITIES
        for (level, unit), members in groups.items():
            row = rows[level, unit, str(span.start)]
            wanted = together([own[code] for code in members])
            assert {name: row[name] for name in wanted} == wanted
            assert row["r1_denominator"] == row["r3_denominator"] == row["r4_denominator"] == wanted["visits_bhyt"]
            assert (row["r2_numerator"], row["r2_denominator"]) == (wanted["lookups_success"], wanted["lookups_total"])
            assert row["r1_raw_numerator"] == wanted["lookups_total"]
    assert found_reasons == wanted_reasons
