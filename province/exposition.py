"""The month's rates and the state of the stations in the text format of Prometheus (issue 7: feed, fleet health)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from kiosk.events import VIETNAM
from province.fleet import State, StationHealth, fleet
from province.periods import PeriodType
from province.rates import Row, lookup_rate
from province.units import Level

_RATES: Final = ("r1", "r1_raw", "r2", "r3", "r4", "r5")
_UNIT: Final = ("level", "unit")
_STATION: Final = ("facility", "station")


def exposition(connection: sa.Connection, now: datetime, *, only: str | None = None) -> bytes:
    """The current month so far of the province and each facility, and each station; *only*: of one facility.

    Labels are codes of the registry, station names as enrolled, and words known here: their number is bounded.
    """
    local = now.astimezone(VIETNAM)
    days = local.date().replace(day=1), local.date()
    levels = (Level.FACILITY,) if only else (Level.PROVINCE, Level.FACILITY)
    rows = [row for level in levels for row in lookup_rate(connection, *days, level, PeriodType.TOTAL, only=only)]
    registry = CollectorRegistry()
    registry.register(_Collector([*_figures(rows), *_stations(fleet(connection, now, only=only))]))
    return generate_latest(registry)


class _Collector:
    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """What Prometheus' library asks for."""
        yield from self._found


def _figures(rows: list[Row]) -> Iterator[Metric]:
    rates = GaugeMetricFamily("province_lookup_rate_pct", "Rates of the current month so far", labels=[*_UNIT, "rate"])
    targets = GaugeMetricFamily("province_lookup_target_pct", "Target of r1", labels=_UNIT)
    visits = GaugeMetricFamily("province_bhyt_visits", "Insured visits of the current month so far", labels=_UNIT)
    reporting = GaugeMetricFamily("province_facilities_reporting", "Facilities that reported this month", labels=_UNIT)
    active = GaugeMetricFamily("province_facilities_active", "Facilities of the registry this month", labels=_UNIT)
    for row in rows:
        unit = [str(row["level"]), str(row["unit_code"])]
        for rate in _RATES:
            if row[f"{rate}_pct"] is not None:
                rates.add_metric([*unit, rate], _number(row[f"{rate}_pct"]))
        targets.add_metric(unit, _number(row["target_pct"]))
        visits.add_metric(unit, _number(row["visits_bhyt"]))
        reporting.add_metric(unit, _number(row["facilities_reporting"]))
        active.add_metric(unit, _number(row["facilities_active"]))
    yield from (rates, targets, visits, reporting, active)


def _stations(stations: list[StationHealth]) -> Iterator[Metric]:
    def gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"province_station_{name}", words, labels=[*_STATION, *labels])

    state = gauge("state", "0 ok, 1 warn, 2 alarm")
    reason = gauge("reason", "1: this is wrong with the station", "reason")
    heard = gauge("heard_timestamp_seconds", "When the station was last heard")
    silent = gauge("silent_open_seconds", "Time without a word within opening hours")
    waiting = gauge("outbox_waiting", "Events that wait at the station")
    oldest = gauge("outbox_oldest_seconds", "How long the oldest of them waits")
    reader = gauge("reader_up", "Whether a reader works", "reader")
    disk = gauge("disk_free_bytes", "Free space of the station's data folder")
    suspect = gauge("clock_suspect", "1: its events come with times far from the hub's")
    version = gauge("info", "The version the station runs", "version")
    for each in stations:
        place = [each.facility, each.station]
        state.add_metric(place, list(State).index(each.state))
        for why in each.reasons:
            reason.add_metric([*place, why], 1)
        if each.last_seen is None:
            continue
        heard.add_metric(place, each.last_seen.timestamp())
        silent.add_metric(place, each.silent_seconds)
        suspect.add_metric(place, each.clock_suspect)
        for family, value in ((waiting, each.outbox_waiting), (oldest, each.outbox_oldest_seconds)):
            family.add_metric(place, value or 0)
        if each.disk_free_mb is not None:
            disk.add_metric(place, each.disk_free_mb * 1024 * 1024)
        for name, works in (each.readers or {}).items():
            reader.add_metric([*place, name], works)
        if each.version:
            version.add_metric([*place, each.version], 1)
    yield from (state, reason, heard, silent, waiting, oldest, reader, disk, suspect, version)


def _number(value: object) -> float:
    return float(str(value))
