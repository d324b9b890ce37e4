"""Each rule finds what is faked, with the events behind it, and is silent about honest work that looks alike."""

import base64
import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from kiosk import events
from kiosk.events import VIETNAM
from province.enrolment import StationKey, enrol, new_code
from province.findings.finding import MOST_EVIDENCE, Finding, Kind, Severity
from province.findings.limits import Setting, set_limit
from province.findings.running import find
from province.findings.working_days import is_working_day
from province.ingest import take_batch
from province.periods import Period
from province.rules import Succession, set_succession
from province.simulate.chances import Trouble
from province.simulate.plan import Plan
from province.simulate.writing import simulate
from province.store import Store
from province.tables import facility

DAY = date(2026, 3, 10)
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
NOW = datetime(2026, 4, 1, 2, tzinfo=UTC)


class Sender:
    """A station whose batches go straight into the ledger."""

    def __init__(self, store: Store, code: str = "93002", name: str = "kiosk-1") -> None:
        self.store, self.key = store, StationKey(f"{code}-{name}", code, name, bytes(32))
        self.epoch, self.seq = events.new_event_id(), itertools.count(1)

    def common(self, at: datetime) -> dict[str, object]:
        return {"event_id": events.new_event_id(), "epoch": self.epoch, "seq": next(self.seq), "happened_at": at}

    def lookup(self, at: datetime, **fields: object) -> dict[str, object]:
        values = {
            "checkin_id": events.new_event_id(),
            "key_kind": "PERSONAL_12",
            "method": "CHIP_CCCD",
            "lane": "self",
            "chip_verdict": "genuine",
            "issuer": "0123456789abcdef",
            "eligibility_class": "insured",
            "result_code": "000",
            "reached_gateway": True,
            "latency_ms": 800,
            "attempt": 1,
            "person_day": uuid.uuid4().hex[:16],
        }
        return events.lookup_event(**(self.common(at) | values | fields))  # type: ignore[arg-type]

    def lookups(self, number: int, at: datetime, every: float = 60, **fields: object) -> list[dict[str, object]]:
        return [self.lookup(at + timedelta(seconds=every * n), **fields) for n in range(number)]

    def visits(self, number: int, at: datetime) -> list[dict[str, object]]:
        fields = {"bhyt": True, "method": "CHIP_CCCD", "lane": "self", "not_by_chip": None, "person_day": None}
        return [
            events.visit_event(**(self.common(at) | fields | {"checkin_id": events.new_event_id()}))  # type: ignore[arg-type]
            for _ in range(number)
        ]

    def count(self, day: date, visits: int, origin: str = "his", revision: int = 1) -> dict[str, object]:
        told = {"bhyt_visits": visits, "by_class": {}, "revision": revision}
        return events.visit_count_event(**self.common(at(day, 17)), day=day, figures=told, origin=origin)  # type: ignore[arg-type]

    def desk(self, day: date, looked_up: int) -> dict[str, object]:
        told = {"lookups": looked_up, "visits_looked_up": looked_up, "visits_success": looked_up, "revision": 1}
        return events.desk_lookups_event(**self.common(at(day, 17)), day=day, figures=told, origin="his")  # type: ignore[arg-type]

    def send(self, *batch: dict[str, object], received_at: datetime | None = None) -> list[str]:
        outcome = take_batch(self.store, self.key, batch, received_at or datetime(2026, 4, 1, tzinfo=UTC))
        assert (outcome.accepted, outcome.rejected) == (len(batch), [])
        return [str(each["event_id"]) for each in batch]


def at(day: date, hour: float) -> datetime:
    return datetime.combine(day, time(), VIETNAM) + timedelta(hours=hour)


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def found(store: Store, kind: Kind, now: datetime = NOW, first: date = MARCH.start) -> list[Finding]:
    with store.read() as connection:
        return [each for each in find(connection, first, now) if each.kind is kind]


def set_for(store: Store, name: str, value: int, code: str = "93002") -> None:
    with store.write() as connection:
        set_limit(connection, Setting(name, code, date(2026, 1, 1), value, "thử"))


def test_one_person_many_times_a_day(store: Store) -> None:
    sender = Sender(store)
    same = sender.lookups(12, at(DAY, 8), person_day="00112233aabbccdd")
    sender.send(*same, *sender.lookups(30, at(DAY, 9)))
    (only,) = found(store, Kind.SAME_PERSON)
    assert (only.facility, only.first_day, only.severity) == ("93002", DAY, Severity.ALARM)
    assert dict(only.numbers) == {"most": 12, "repeats": 11, "checkins": 42}
    assert set(only.evidence) == {str(each["event_id"]) for each in same}
    assert "00112233aabbccdd" not in str(only)


def test_everybody_twice_is_seen_too_and_a_few_repeats_are_not(store: Store) -> None:
    faker, honest = Sender(store), Sender(store, "93003")
    persons = [uuid.uuid4().hex[:16] for _ in range(40)]
    faker.send(*(faker.lookup(at(DAY, 8), person_day=each) for each in persons * 2))
    honest.send(*(honest.lookup(at(DAY, 8), person_day=each) for each in [*persons, *persons[:5], persons[0]]))
    again = honest.lookup(at(DAY, 9), person_day=persons[0])
    honest.send(*[again | {"event_id": events.new_event_id(), "attempt": n, "seq": 100 + n} for n in range(20)])
    (only,) = found(store, Kind.SAME_PERSON)
    assert (only.facility, only.numbers["repeats"], only.severity) == ("93002", 40, Severity.WARN)
    assert len(only.evidence) == 10  # of the five most repeated


def test_numbers_without_a_person(store: Store) -> None:
    sender, old = Sender(store), Sender(store, "93003")
    sender.send(*sender.lookups(10, at(DAY, 8), person_day=None), *sender.lookups(10, at(DAY, 9)))
    old.send(*old.lookups(9, at(DAY, 8), person_day=None))
    old.send(*old.lookups(30, at(DAY, 8), person_day=None, key_kind="BHYT_15", method="BHYT_QR"))
    (only,) = found(store, Kind.PERSON_MISSING)
    assert (only.facility, only.numbers["bare"], only.numbers["pct"]) == ("93002", 10, 50)
    assert len(only.evidence) == 10


def test_a_burst_at_night(store: Store) -> None:
    sender = Sender(store)
    night = sender.lookups(25, at(DAY, 22.1), every=20)
    sender.send(*night, *sender.lookups(25, at(DAY, 18.5), every=20), *sender.lookups(25, at(DAY, 5), every=20))
    Sender(store, "93003").send(*Sender(store, "93003").lookups(19, at(DAY, 2), every=20))
    (only,) = found(store, Kind.OUTSIDE_HOURS)
    assert (only.facility, only.station, only.first_day) == ("93002", "kiosk-1", DAY)
    assert dict(only.numbers) == {"checkins": 25, "hour": 22, "opens": 5, "closes": 19}
    assert set(only.evidence) <= {str(each["event_id"]) for each in night} and len(only.evidence) == MOST_EVIDENCE
    set_for(store, "closes_hour", 23)
    assert found(store, Kind.OUTSIDE_HOURS) == []


def test_a_kiosk_that_serves_too_fast(store: Store) -> None:
    sender, desks = Sender(store), Sender(store, "93003")
    sender.send(*sender.lookups(41, at(DAY, 8), every=5))
    desks.send(*desks.lookups(150, at(DAY, 8), every=1.5, lane="desk"), *desks.lookups(40, at(DAY, 9), every=7))
    (only,) = found(store, Kind.TOO_FAST)
    assert (only.facility, only.station, dict(only.numbers)) == ("93002", "kiosk-1", {"checkins": 41, "limit": 40})
    assert only.severity is Severity.WARN and len(only.evidence) == MOST_EVIDENCE
    set_for(store, "too_fast_desk", 100, "93003")
    assert [each.facility for each in found(store, Kind.TOO_FAST)] == ["93002", "93003"]


def test_typed_numbers_reported_as_chip_have_no_verdict_or_no_issuer(store: Store) -> None:
    sender, honest = Sender(store), Sender(store, "93003")
    typed = sender.send(*sender.lookups(5, at(DAY, 8), chip_verdict=None, issuer=None))
    bare = sender.send(*sender.lookups(4, at(DAY, 9), issuer=None))
    honest.send(*honest.lookups(2, at(DAY, 8), chip_verdict=None, issuer=None))
    honest.send(*honest.lookups(9, at(DAY, 8), chip_verdict="forged", issuer=None))
    honest.send(*honest.lookups(9, at(DAY, 8), method="QR_CCCD", chip_verdict=None, issuer=None))
    (without_verdict,) = found(store, Kind.CHIP_WITHOUT_VERDICT)
    assert (without_verdict.facility, dict(without_verdict.numbers)) == ("93002", {"bare": 5, "chips": 9})
    assert (set(without_verdict.evidence), without_verdict.severity) == (set(typed), Severity.ALARM)
    (without_issuer,) = found(store, Kind.CHIP_WITHOUT_ISSUER)
    assert (without_issuer.facility, set(without_issuer.evidence)) == ("93002", set(bare))


def week_of(sender: Sender, monday: date, typed: int, chips: int) -> list[dict[str, object]]:
    manual = {"method": "MANUAL_ID", "chip_verdict": None, "issuer": None, "lane": "desk"}
    return [*sender.lookups(typed, at(monday, 8), **manual), *sender.lookups(chips, at(monday, 9))]


def test_typed_numbers_turn_into_chips_from_one_week_to_the_next(store: Store) -> None:
    sender, steady = Sender(store), Sender(store, "93003")
    first = date(2026, 3, 2)
    sender.send(*week_of(sender, first, 80, 20))
    chips = sender.send(*week_of(sender, first + timedelta(days=7), 5, 95))
    steady.send(*week_of(steady, first, 40, 60), *week_of(steady, first + timedelta(days=7), 20, 80))
    (only,) = found(store, Kind.TYPED_TO_CHIP)
    assert (only.facility, only.first_day, only.last_day) == ("93002", date(2026, 3, 9), date(2026, 3, 15))
    assert dict(only.numbers) == {"typed_before": 80, "typed": 5, "chips_before": 20, "chips": 95}
    assert set(only.evidence) <= set(chips)


def test_a_week_over_the_end_of_a_month_is_judged_once_and_when_it_is_over(store: Store) -> None:
    sender = Sender(store)
    sender.send(*week_of(sender, date(2026, 3, 23), 80, 20), *week_of(sender, date(2026, 3, 30), 0, 99))
    assert found(store, Kind.TYPED_TO_CHIP) == []
    for first in (date(2026, 3, 1), date(2026, 4, 1)):
        (only,) = found(store, Kind.TYPED_TO_CHIP, datetime(2026, 5, 4, 2, tzinfo=UTC), first)
        assert (only.first_day, only.last_day) == (date(2026, 3, 30), date(2026, 4, 5))


def test_an_issuer_that_only_one_station_meets(store: Store) -> None:
    faker, other, third = Sender(store), Sender(store, "93003"), Sender(store, "93010")
    other.send(*other.lookups(150, at(DAY, 6)))
    third.send(*third.lookups(100, at(DAY, 6)), *third.lookups(19, at(DAY, 9), issuer="1111111111111111"))
    faker.send(*faker.lookups(10, at(DAY, 6)))
    made_up = faker.send(*faker.lookups(30, at(DAY, 9), issuer="feedfeedfeedfeed"))
    (only,) = found(store, Kind.ISSUER_ALONE)
    assert (only.facility, only.station, only.severity) == ("93002", "kiosk-1", Severity.ALARM)
    assert dict(only.numbers) == {"cards": 30, "elsewhere": 269, "issuer": "feedfeedfeedfeed"}
    assert set(only.evidence) <= set(made_up)
    other.send(other.lookup(at(DAY, 10), issuer="feedfeedfeedfeed"))
    assert found(store, Kind.ISSUER_ALONE) == []


def test_an_issuer_that_is_no_digest_is_not_shown(store: Store) -> None:
    faker, other = Sender(store), Sender(store, "93003")
    other.send(*other.lookups(200, at(DAY, 6)))
    faker.send(*faker.lookups(20, at(DAY, 9), issuer="somebody's name"))
    (only,) = found(store, Kind.ISSUER_ALONE)
    assert only.numbers["issuer"] == "?"


def test_verdicts_unlike_the_province(store: Store) -> None:
    odd, usual = Sender(store), Sender(store, "93003")
    strange = odd.send(*odd.lookups(40, at(DAY, 6), chip_verdict="cannot_tell"), *odd.lookups(20, at(DAY, 7)))[:40]
    usual.send(*usual.lookups(220, at(DAY, 6)), *usual.lookups(20, at(DAY, 7), chip_verdict="data_authentic"))
    few = Sender(store, "93010")
    few.send(*few.lookups(49, at(DAY, 6), chip_verdict="data_authentic"))
    (only,) = found(store, Kind.VERDICT_MIX)
    assert (only.facility, only.numbers["chips"]) == ("93002", 60)
    assert only.numbers["verdict"] in ("cannot_tell", "genuine")
    assert (only.numbers["pct"], only.numbers["others_pct"]) in ((67, 0), (33, 76))
    assert only.numbers["verdict"] != "cannot_tell" or set(only.evidence) <= set(strange)


def test_visits_that_became_fewer(store: Store) -> None:
    sender, honest = Sender(store), Sender(store, "93003")
    told = sender.send(sender.count(DAY, 100), sender.count(DAY, 120, revision=2), sender.count(DAY, 70, revision=3))
    honest.send(honest.count(DAY, 100), honest.count(DAY, 97, revision=2), honest.count(DAY, 50, origin="manual"))
    (only,) = found(store, Kind.VISITS_SHRUNK)
    assert (only.facility, only.severity, set(only.evidence)) == ("93002", Severity.ALARM, set(told))
    assert dict(only.numbers) == {"before": 120, "after": 70, "origin": "his"}
    sender.send(sender.count(DAY, 119, revision=4))
    assert found(store, Kind.VISITS_SHRUNK) == []


def test_fewer_visits_than_were_served(store: Store) -> None:
    sender, honest = Sender(store), Sender(store, "93003")
    count = sender.count(DAY, 50)
    sender.send(*sender.visits(40, at(DAY, 8)), count, sender.desk(DAY, 30))
    honest.send(*honest.visits(40, at(DAY, 8)), honest.count(DAY, 66), honest.desk(DAY, 30))
    alone = Sender(store, "93010")
    alone.send(*alone.visits(40, at(DAY, 8)))  # nobody counts: the stations' own visits are V
    (only,) = found(store, Kind.VISITS_BELOW_SERVED)
    assert (only.facility, only.evidence, only.severity) == ("93002", (str(count["event_id"]),), Severity.ALARM)
    assert dict(only.numbers) == {"visits": 50, "stations": 40, "desks": 30}


def test_fewer_visits_than_the_portal_has(store: Store) -> None:
    sender, honest = Sender(store), Sender(store, "93003")
    for day in days(date(2026, 3, 2), date(2026, 3, 6)):
        sender.send(sender.count(day, 90), sender.count(day, 100, origin="portal_file"))
        honest.send(honest.count(day, 97), honest.count(day, 100, origin="portal_file"))
    (only,) = found(store, Kind.VISITS_BELOW_PORTAL)
    assert (only.facility, dict(only.numbers)) == ("93002", {"visits": 450, "portal": 500, "pct": 10})
    assert (only.first_day, only.last_day, len(only.evidence)) == (date(2026, 3, 2), date(2026, 3, 6), 5)


def test_another_origin_of_visits(store: Store) -> None:
    sender, honest, lost = Sender(store), Sender(store, "93003"), Sender(store, "93010")
    early, late = days(date(2026, 3, 2), date(2026, 3, 10)), list(days(date(2026, 3, 11), date(2026, 3, 13)))
    whole = [*early, *late]
    sender.send(*(sender.count(day, 90, "manual" if day in late else "his") for day in whole))
    honest.send(*(honest.count(day, 90, "manual" if day == DAY else "his") for day in whole))
    honest.send(*(honest.count(day, 91, "portal_file") for day in whole if day != DAY))
    lost.send(*(lost.count(day, 60) for day in whole if day not in late))
    lost.send(*(visit for day in whole for visit in lost.visits(2, at(day, 8))))
    changed = {each.facility: each for each in found(store, Kind.ORIGIN_CHANGED)}
    assert set(changed) == {"93002", "93010"}
    assert dict(changed["93002"].numbers) == {"main": "his", "main_days": 9, "days": 3, "others": "manual"}
    assert (changed["93002"].severity, len(changed["93002"].evidence)) == (Severity.NOTE, 3)
    assert (changed["93010"].severity, changed["93010"].numbers["others"]) == (Severity.WARN, "stations")


def reporting(store: Store, code: str, silent: set[date], visits: int, until: date = MARCH.end) -> Sender:
    sender = Sender(store, code)
    told = days(date(2026, 2, 25), until)
    sender.send(*(sender.count(day, visits) for day in told if is_working_day(day) and day not in silent))
    return sender


def test_silent_working_days(store: Store) -> None:
    silent = {date(2026, 3, 12), date(2026, 3, 13), date(2026, 3, 16)}
    sender = reporting(store, "93002", silent, 40)
    reporting(store, "93003", {DAY}, 11)  # by chance a day without anybody
    reporting(store, "93010", set(), 40)
    (only,) = found(store, Kind.SILENT_DAYS)
    assert (only.facility, only.first_day, only.last_day) == ("93002", date(2026, 3, 12), date(2026, 3, 16))
    assert (only.severity, dict(only.numbers)) == (Severity.ALARM, {"days": 3, "expected": 120, "usual": 40})
    sender.send(*(sender.count(day, 40) for day in silent))  # the backlog arrives
    assert found(store, Kind.SILENT_DAYS) == []


def test_a_facility_that_stopped_is_one_finding_with_one_key_however_long(store: Store) -> None:
    reporting(store, "93002", set(), 40, until=date(2026, 3, 20))
    keys = set()
    for today, last in ((date(2026, 4, 1), 31), (date(2026, 4, 30), 29), (date(2026, 6, 1), 29)):
        (only,) = found(store, Kind.SILENT_DAYS, at(today, 9), today - timedelta(days=20))
        keys.add(only.key)
        assert (only.first_day, only.last_day.day) == (date(2026, 3, 23), last)
    assert len(keys) == 1


def test_figures_by_file_are_no_silence(store: Store) -> None:
    monthly, outage = Sender(store), reporting(store, "93003", {date(2026, 3, 12), date(2026, 3, 13)}, 40)
    told = [day for day in days(date(2026, 2, 2), MARCH.end) if is_working_day(day)]
    handed_in = {2: date(2026, 3, 2), 3: MARCH.end}
    monthly.send(*(monthly.count(day, 40) | {"happened_at": at(handed_in[day.month], 9).isoformat()} for day in told))
    assert [each.facility for each in found(store, Kind.SILENT_DAYS)] == ["93003"]
    late = at(date(2026, 3, 20), 9).isoformat()
    outage.send(*(outage.count(date(2026, 3, n), 38, "manual") | {"happened_at": late} for n in (12, 13)))
    assert found(store, Kind.SILENT_DAYS) == []
    before_the_next_file = at(date(2026, 4, 20), 9)
    assert [each.facility for each in found(store, Kind.SILENT_DAYS, before_the_next_file)] == ["93003"]


def test_a_facility_that_was_taken_over_is_not_silent(store: Store) -> None:
    reporting(store, "93002", set(), 40, until=date(2026, 3, 20))
    assert len(found(store, Kind.SILENT_DAYS)) == 1
    with store.write() as connection:
        set_succession(connection, Succession("93002", "93003", date(2026, 3, 21), "merged"))
    assert found(store, Kind.SILENT_DAYS) == []


@pytest.mark.parametrize(
    ("day", "works"),
    [
        *((date(2026, 3, 10), True), (date(2026, 3, 14), False), (date(2026, 2, 17), False), (date(2026, 9, 2), False)),
        *((date(2026, 4, 27), False), (date(2026, 4, 30), False), (date(2031, 2, 3), False), (date(2031, 3, 3), True)),
    ],
)
def test_working_days(day: date, works: bool) -> None:
    assert is_working_day(day) is works


def joined(store: Store, code: str, name: str) -> Sender:
    enrol(store, new_code(store, code, name)["code"], base64.b64encode(bytes(32)).decode())
    return Sender(store, code, name)


def test_a_station_that_stopped_speaking_while_its_facility_goes_on(store: Store) -> None:
    gone, here = joined(store, "93002", "kiosk-1"), joined(store, "93002", "kiosk-2")
    alone = joined(store, "93003", "kiosk-1")
    late, early = datetime(2026, 4, 17, 2, tzinfo=UTC), datetime(2026, 4, 8, 2, tzinfo=UTC)
    uploads = Sender(store, "93002", "upload:lan")
    for sender, heard in ((gone, early), (uploads, early), (here, late), (alone, early)):
        sender.send(sender.count(DAY, 9), received_at=heard)
    (only,) = found(store, Kind.STATION_MISSING, at(date(2026, 4, 18), 9))
    assert (only.facility, only.station, only.severity) == ("93002", "kiosk-1", Severity.WARN)
    assert dict(only.numbers) == {"days": 7, "heard": "08/04/2026"}
    gone.send(gone.count(DAY, 9), received_at=late)
    assert found(store, Kind.STATION_MISSING, at(date(2026, 4, 18), 9)) == []


def test_numbers_used_twice(store: Store) -> None:
    sender = Sender(store)
    first, second = sender.lookups(2, at(DAY, 8))
    ids = sender.send(first, second | {"seq": first["seq"]})
    (only,) = found(store, Kind.SEQ_REUSED)
    assert (only.facility, only.station, set(only.evidence)) == ("93002", "kiosk-1", set(ids))
    assert only.numbers == {"events": 1}


def test_numbers_that_never_came(store: Store) -> None:
    sender, whole = Sender(store), Sender(store, "93003")
    sent = sender.lookups(60, at(DAY, 8))
    whole.send(*whole.lookups(60, at(DAY, 8)))
    ids = sender.send(*sent[:10], *sent[13:20], *sent[21:])
    set_for(store, "gap_alarm_events", 4)
    (only,) = found(store, Kind.SEQ_GAP, datetime(2026, 4, 2, 1, tzinfo=UTC))
    assert (only.facility, only.station, only.severity) == ("93002", "kiosk-1", Severity.ALARM)
    assert dict(only.numbers) == {"events": 4, "first": 11, "last": 21}
    assert set(only.evidence) == {ids[9], ids[10], ids[16], ids[17]}
    assert found(store, Kind.SEQ_GAP, datetime(2026, 4, 1, 23, tzinfo=UTC)) == []  # may still be on its way
    sender.send(*sent[10:13])
    (less,) = found(store, Kind.SEQ_GAP, datetime(2026, 4, 3, 1, tzinfo=UTC))
    assert (less.key, less.severity, less.numbers["events"]) == (only.key, Severity.WARN, 1)
    sender.send(sent[20])
    assert found(store, Kind.SEQ_GAP, datetime(2026, 4, 3, 1, tzinfo=UTC)) == []


def test_a_station_that_begins_a_new_database(store: Store) -> None:
    sender, uploads = Sender(store), Sender(store, "93003", "upload:lan")
    for each in (sender, uploads):
        each.send(each.count(DAY, 9), received_at=at(DAY, 18))
    assert found(store, Kind.NEW_EPOCH) == []
    later = DAY + timedelta(days=1)
    for each in (sender, uploads):
        each.epoch, each.seq = events.new_event_id(), itertools.count(1)
    ids = sender.send(sender.count(later, 9), received_at=at(later, 18))
    uploads.send(uploads.count(later, 9), received_at=at(later, 18))
    (only,) = found(store, Kind.NEW_EPOCH)
    assert (only.facility, only.station, only.first_day, only.severity) == ("93002", "kiosk-1", later, Severity.NOTE)
    assert (only.numbers, only.evidence) == ({"number": 2}, tuple(ids))


def test_a_clock_that_is_off(store: Store) -> None:
    sender, honest = Sender(store), Sender(store, "93003")
    received = at(DAY, 8)
    early = sender.send(*sender.lookups(5, received + timedelta(hours=1)), received_at=received)
    sender.send(*sender.lookups(20, at(DAY, 6)), received_at=received)
    honest.send(
        *honest.lookups(1, received + timedelta(hours=1)), *honest.lookups(20, at(DAY, 6)), received_at=received
    )
    (only,) = found(store, Kind.CLOCK_SUSPECT)
    assert only.facility == "93002" and only.numbers["lookups"] == 25
    assert set(early) <= set(only.evidence)


def test_today_is_not_judged_before_it_is_over(store: Store) -> None:
    sender = Sender(store)
    sender.send(*sender.lookups(12, at(DAY, 8), person_day="00112233aabbccdd"))
    assert found(store, Kind.SAME_PERSON, now=at(DAY, 23)) == []
    assert len(found(store, Kind.SAME_PERSON, now=at(DAY, 24.1))) == 1


def honest_plan(codes: dict[str, str], span: Period) -> tuple[str, Plan]:
    """Some facilities without anything a rule may find, but one hospital that is silent for a while."""
    for seed in itertools.count():
        everybody = list(Plan(codes, span, seed).profiles())
        hospitals = [
            each.code for each in everybody if codes[each.code] == "hospital" and each.trouble is Trouble.SILENT
        ]
        if hospitals:
            others = [each.code for each in everybody if each.trouble not in (Trouble.SILENT, Trouble.TYPING)]
            chosen = [hospitals[0], *others[:3], *others[-4:]]
            return hospitals[0], Plan({code: codes[code] for code in chosen}, span, seed, scale=0.3)
    raise AssertionError


def test_an_honest_month_has_no_findings_but_the_silence_of_one_facility(store: Store) -> None:
    span = Period(date(2026, 2, 23), date(2026, 3, 31))
    with store.read() as connection:
        rows = connection.execute(sa.select(facility.c.code, facility.c.type))
        silent, plan = honest_plan({str(row.code): str(row.type) for row in rows}, span)
    simulate(store, plan)
    with store.read() as connection:
        made = find(connection, span.start, NOW)
    assert [(each.kind, each.facility) for each in made] == [(Kind.SILENT_DAYS, silent)]
