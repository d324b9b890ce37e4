"""Reading: the feed over HTTP for 95 facilities and for 13,000, each over a year, and making a day's sums again."""

from __future__ import annotations

import statistics
import time
from datetime import date, timedelta

import httpx
import psycopg

from benchmarks.hub_bed import hubs, new_database
from province.access.keys import new_api_key
from province.facilities import load_packaged, read_registry
from province.periods import Period
from province.rollups import refresh
from province.simulate.country import load_made_up
from province.simulate.plan import Plan
from province.simulate.writing import simulate
from province.store import Store
from province.unit_sums import catch_up

REQUESTS = 60
PROVINCE, COUNTRY = 95, 13_000
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
SINCE_MARCH = Period(date(2026, 3, 18), date(2027, 3, 17))
"""A calendar year is one row per facility; any other year is months and single days."""

QUESTIONS = {
    "calendar_year_by_facility": (YEAR, "facility", "total"),
    "calendar_year_by_province": (YEAR, "province", "total"),
    "year_by_facility": (SINCE_MARCH, "facility", "total"),
    "year_by_province": (SINCE_MARCH, "province", "total"),
    "year_by_province_and_month": (SINCE_MARCH, "province", "month"),
}


def _plan(store: Store, span: Period) -> Plan:
    with store.read() as connection:
        units = read_registry(connection).facilities
    return Plan({code: unit.type for code, unit in units.items()}, span, 1)


def percentile_ms(times: list[float], share: float) -> float:
    """The time in milliseconds that this share of the questions does not exceed."""
    return round(1000 * sorted(times)[round(share * (len(times) - 1))], 1)


def ask(port: int, key: str, names: list[str]) -> dict[str, object]:
    """Median and p95 per question over one kept line, and how many times an answer that reads nothing it takes."""
    found: dict[str, object] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}) as http:
        for name in names:
            span, level, period = QUESTIONS[name]
            asked = {"from": str(span.start), "to": str(span.end), "level": level, "period": period}
            times, bare = [], []
            for _ in range(REQUESTS):
                started = time.perf_counter()
                http.get("/healthz").raise_for_status()
                bare.append(time.perf_counter() - started)
                started = time.perf_counter()
                answer = http.get("/api/v1/kpi/lookup-rate", params=asked, timeout=60).raise_for_status()
                times.append(time.perf_counter() - started)
                time.sleep(0.02)  # the rate limit of a key is meant for readers, not for this
            rows = len(answer.json()["rows"])
            found[name] = {
                "rows": rows,
                "median_ms": percentile_ms(times, 0.5),
                "p95_ms": percentile_ms(times[1:], 0.95),
                "median_over_bare_answer": round(statistics.median(times) / statistics.median(bare), 1),
            }
    return found


def measure_province(server: str) -> dict[str, object]:
    """The packaged 95 facilities, with a year of sums and after it a day of events to be made again."""
    url = new_database(server, "reading95")
    store = Store(url)
    load_packaged(store)
    day = SINCE_MARCH.end + timedelta(days=1)
    simulate(store, _plan(store, Period(YEAR.start, SINCE_MARCH.end)), sums_only=True)
    catch_up(store)
    found: dict[str, object] = {"rebuild_of_a_day_s": _rebuild(server, day)}
    key = str(new_api_key(store, "read")["key"])
    store.close()
    with hubs(url, 1) as (port,):
        return found | ask(port, key, list(QUESTIONS))


def measure_country(server: str) -> dict[str, object]:
    """13,000 made-up facilities with a year of sums and a bit more."""
    url = new_database(server, "reading13000")
    store = Store(url)
    load_packaged(store)
    load_made_up(store, COUNTRY - PROVINCE)
    plan = _plan(store, Period(YEAR.start, SINCE_MARCH.end))
    started = time.perf_counter()
    days = simulate(store, plan, sums_only=True)
    catch_up(store)
    took = time.perf_counter() - started
    key = str(new_api_key(store, "read")["key"])
    store.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE rollup")
        connection.execute("VACUUM ANALYZE unit_rollup")
    filled: dict[str, object] = {"facility_days": days, "filled_in_s": round(took)}
    with hubs(url, 1) as (port,):
        return filled | ask(port, key, [name for name, asked in QUESTIONS.items() if asked[1] == "province"])


def _rebuild(server: str, day: date) -> float:
    store = Store(new_database(server, "rebuild95"))
    load_packaged(store)
    simulate(store, _plan(store, Period(day, day)))
    times = []
    for _ in range(5):
        started = time.perf_counter()
        with store.write() as connection:
            refresh(connection, {day})
        times.append(time.perf_counter() - started)
    store.close()
    return round(statistics.median(times), 3)
