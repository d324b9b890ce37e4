"""No value anywhere in a hospital system's answer can break an adapter, or put what no screen and no store can hold
into what the adapter hands on: each node of good answers in turn is replaced by each of a list of hostile values.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from hospital_adapters.gnuhealth import create as gnuhealth_adapter
from hospital_adapters.http_line import Answer, HttpLine, NoAnswer
from kiosk.hospital_model import Encounter, MatchKind, PatientMatch, PatientRef, Receipt
from kiosk.model import EligibilityClass, KeyKind, LookupKey, PartialDate, local_day
from kiosk.ports import AdapterContext, HospitalAdapter
from tests.contracts.hospital import assert_ours, insured
from tests.hospital_adapters import c06_peer, fhir_peer, hisnguonmo_peer
from tests.hospital_adapters.c06_peer import PEOPLE

HOSTILE = (
    "null",
    "true",
    "-1",
    "0",
    "1e308",
    "12.5",
    "1" + "0" * 60,
    '""',
    '"\\ud800"',
    '"\\u0000A\\r\\nMSH|^~\\u001b[31m\\u202eB\\u0085"',
    '"' + "A" * 5000 + '"',
    '"NaN"',
    '"9999-12-31T23:59:59+00:00"',
    "99999999999999",
    "[]",
    "{}",
    "[null]",
    "[[]]",
    '[{"id":[]}]',
    '{"a":{}}',
)
LONGEST = 2500
NUMBER_LONGEST = 32
MOST = Decimal(10) ** 15
_MARK = "@@here@@"
Key = tuple[str, str]
Calls = dict[str, Callable[[HospitalAdapter], Awaitable[Any]]]


class Replay:
    """Answers calls of an `HttpLine` from what was recorded, one of them changed."""

    def __init__(self) -> None:
        self.recorded: dict[Key, Answer] = {}
        self.changed: tuple[Key, bytes] | None = None

    @staticmethod
    def key(method: str, target: str, content: bytes | None) -> Key:
        said = json.loads(content).get("method") if content and content.startswith(b'{"id"') else None
        return (method, said or target.partition("?")[0])

    def scripted(self, request: dict[str, Any]) -> Answer:
        """The good answer to a call of the live server that is not here; kept as if it had been recorded."""
        value = GNU_ANSWERS[request["method"]]
        kept = Answer(200, json.dumps({"id": 0, "result": value}, separators=(",", ":")).encode(), httpx.Headers())
        self.recorded["POST", request["method"]] = kept
        return replace(kept, body=kept.body.replace(b'"id":0', b'"id":%d' % request["id"], 1))

    async def call(self, method: str, target: str, content: bytes | None) -> Answer | NoAnswer:
        key = self.key(method, target, content)
        good = self.recorded.get(key)
        if good is None:
            return NoAnswer("unreachable", sent=False)
        body = self.changed[1] if self.changed and self.changed[0] == key else good.body
        if content and content.startswith(b'{"id"'):  # JSON-RPC: an answer names the call
            body = body.replace(b'"id":0', b'"id":%d' % json.loads(content)["id"], 1)
        return replace(good, body=body)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each node; of a list only the first."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value[:1]):
            yield from paths(inner, (*path, place))


def changed(value: Any, path: tuple[Any, ...], hostile: str) -> bytes:
    """*value* as JSON with the node at *path* replaced by the JSON text *hostile*."""
    if not path:
        return hostile.encode()
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = _MARK
    return json.dumps(copy, separators=(",", ":")).replace(f'"{_MARK}"', hostile).encode()


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if is_dataclass(value):
        for one in fields(value):
            yield from leaves(getattr(value, one.name), one.name)
    elif isinstance(value, list | tuple | dict):
        for inner in value:
            yield from leaves(inner, name)
    else:
        yield name, value


def assert_presentable(found: Any) -> None:
    """It can be kept, read back, sent as JSON, printed, and drawn on a screen."""
    if is_dataclass(found) and type(found) is not PartialDate:
        kind = TypeAdapter(type(found))
        assert kind.validate_python(kind.dump_python(found, mode="json")) == found
    for name, leaf in leaves(found):
        assert leaf is None or isinstance(leaf, str | int | bool | Decimal | date | Enum), name
        if isinstance(leaf, Decimal):
            assert leaf.is_finite() and 0 <= leaf <= MOST, name
        if isinstance(leaf, str):
            leaf.encode()
            assert not [char for char in leaf if unicodedata.category(char) in ("Cc", "Cs")], (name, leaf[:40])
            assert len(leaf) <= (NUMBER_LONGEST if name == "number" and isinstance(found, Receipt) else LONGEST), name


def asked(visit: Encounter) -> Calls:
    """Every question and registration about *visit*, by name."""
    person, day = visit.identity, local_day(visit.happened_at)
    key = LookupKey(person.personal_id or "", KeyKind.PERSONAL_12, person.full_name or "", PartialDate(1990, 9, 2))
    receipt = Receipt("11" if visit.service.code == "NOI" else "V1", None, "Encounter/V1")
    calls: Calls = {
        "services": lambda a: a.services(day),
        "find_patient": lambda a: a.find_patient(person, "DN4999900000001"),
        "suggest": lambda a: a.suggest(person),
        "find_visits": lambda a: a.find_visits(person, None, day),
        "appointments": lambda a: a.appointments(person, day),
        "eligibility": lambda a: a.eligibility(key),
        "visit_count": lambda a: a.visit_count(day),
        "push": lambda a: a.push(visit),
        "amend": lambda a: a.amend(receipt, insured(visit)),
        "cancel": lambda a: a.cancel(receipt, "x"),
    }
    return calls


def promised(adapter: HospitalAdapter, calls: Calls) -> Calls:
    able = adapter.capabilities
    offers = {"services": able.menu, "find_visits": able.history, "push": True}
    return {name: call for name, call in calls.items() if offers.get(name, getattr(able, name, False))}


Made = tuple[Callable[[], HospitalAdapter], Encounter]


@asynccontextmanager
async def c06(**settings: Any) -> AsyncIterator[Made]:
    profile = settings.pop("profile", "doc")
    sim = {"history": "on"}
    async with c06_peer.peer_of(profile, sim, history_path="/lichsu-dangky", asks_insurer=True, **settings) as peer:
        room = next(row for row in await peer.adapter.services(c06_peer.TODAY) if row.insured)
        match = await peer.adapter.find_patient(PEOPLE[1])
        wanted = {"profile": profile, "history_path": "/lichsu-dangky", "asks_insurer": True, **settings}
        yield (
            lambda: c06_peer.adapter_for(peer.url, **wanted),
            replace(c06_peer.visit(PEOPLE[1], service=room), patient=match),
        )


@asynccontextmanager
async def c06_field() -> AsyncIterator[Made]:
    async with c06(profile="field") as made:
        yield made


@asynccontextmanager
async def hisnguonmo() -> AsyncIterator[Made]:
    async with hisnguonmo_peer.HisnguonmoPeer() as peer:
        yield lambda: hisnguonmo_peer.adapter_for(peer.url), await peer.known(3)


@asynccontextmanager
async def fhir() -> AsyncIterator[Made]:
    settings: dict[str, Any] = {
        "appointments": True,
        "menu": "location",
        "visit_count_query": "date=ge{from}&date=lt{to}",
    }
    async with fhir_peer.FhirPeer(**settings) as peer:
        visit = fhir_peer.with_card(fhir_peer.visit(1))
        numbers = {fhir_peer.CITIZEN: visit.identity.personal_id or "", fhir_peer.OLD: "099000108"}
        held = fhir_peer.patient("P7", numbers, visit.identity.full_name or "", birthDate="1990-09-02", gender="male")
        peer.hold(held | {"address": [{"line": ["Ấp Thử"], "city": "Mẫu"}], "link": []})
        peer.hold({"resourceType": "Location", "id": "R1", "status": "active", "name": "Phòng 101"})
        yield (
            lambda: fhir_peer.adapter_for(peer.url, **settings),
            replace(visit, patient=PatientMatch(MatchKind.ONE, PatientRef("P7", None))),
        )


GNU_PERSON = {
    "id": 7,
    "ref": "099190000001",
    "name": "MẪU",
    "lastname": "TRẦN THỊ",
    "dob": {"__class__": "date", "year": 1990, "month": 9, "day": 2},
    "est_dob": False,
    "gender": "f",
}
GNU_VISIT = {
    "id": 11,
    "comments": "CK1;id=01JGZ5T3Q8W4",
    "state": "checked_in",
    "name": "APPT 7",
    "appointment_date": {
        "__class__": "datetime",
        **{"year": 2026, "month": 1, "day": 5, "hour": 0, "minute": 12, "second": 31, "microsecond": 0},
    },
    "patient.": {"id": 9, "puid": "099190000001", "party.": GNU_PERSON},
    "speciality.": {"id": 3, "code": "NOI"},
    "_timestamp": "1767571951.0",
}
GNU_ANSWERS: dict[str, Any] = {
    "common.db.login": [2, "key"],
    "model.res.user.get_preferences": {"company": 1, "language": "vi"},
    "model.gnuhealth.institution.specialties.search_read": [
        {"id": 1, "institution": 4, "specialty.": {"id": 3, "code": "NOI", "name": "Nội"}}
    ],
    "model.gnuhealth.institution.search_read": [{"id": 4, "code": "99001"}],
    "model.party.party.search_read": [GNU_PERSON],
    "model.gnuhealth.patient.search_read": [{"id": 9, "puid": "099190000001", "current_insurance": 5}],
    "model.gnuhealth.insurance.search_read": [{"id": 5, "party": 7, "member_since": None, "party.": GNU_PERSON}],
    "model.gnuhealth.insurance.write": None,
    "model.gnuhealth.patient.write": None,
    "model.gnuhealth.appointment.search_read": [GNU_VISIT],
    "model.gnuhealth.appointment.search_count": 12,
    "model.gnuhealth.appointment.write": None,
    "model.gnuhealth.appointment.create": [12],
}
"""What the calls of the adapter are answered with by a live server, written down."""


@asynccontextmanager
async def gnuhealth() -> AsyncIterator[Made]:
    settings = {"url": "http://127.0.0.1:9", "database": "health", "user": "kiosk", "password_file": "p"}
    settings |= {"institution": "99001", "insurer": "BHXH"}
    visit = replace(c06_peer.visit(PEOPLE[1]), coverage=hisnguonmo_peer.CARD, eligibility=EligibilityClass.INSURED)
    service = replace(visit.service, id="NOI.BHYT", code="NOI", insured=True)
    context = AdapterContext("99001", lambda name: "mat-khau")
    yield lambda: gnuhealth_adapter(settings, context), replace(visit, service=service)


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Replay:
    found = Replay()
    real = HttpLine.call

    async def call(
        self: HttpLine, method: str, target: str, headers: Any, content: bytes | None, limit: float
    ) -> Answer | NoAnswer:
        if found.changed is not None:
            return await found.call(method, target, content)
        if "127.0.0.1:9/" in target and content is not None:
            return found.scripted(json.loads(content))
        end = await real(self, method, target, headers, content, limit)
        if isinstance(end, Answer):
            found.recorded[found.key(method, target, content)] = end
        return end

    monkeypatch.setattr(HttpLine, "call", call)
    return found


async def tried(make: Callable[[], HospitalAdapter], call: Callable[[HospitalAdapter], Awaitable[Any]]) -> Any:
    adapter = make()
    try:
        return await call(adapter)
    except Exception as error:
        assert_ours(error, ("0991900", "TRẦN THỊ MẪU", "Văn Thử"))
        assert len(str(error)) <= 60 and str(error).isprintable()
        return getattr(error, "text", None)
    finally:
        await adapter.close()


async def spoil(replay: Replay, make: Callable[[], HospitalAdapter], calls: Calls) -> tuple[int, list[str]]:
    """Every call with every change of every answer that was recorded for it: how many these were, and what broke."""
    tries, broken = 0, []
    spoilt: Counter[Key] = Counter()
    for name, call in calls.items():
        replay.changed, replay.recorded = None, {}
        await tried(make, call)
        used = dict(replay.recorded)
        for key, good in used.items():
            spoilt[key] += 1
            if not good.body or spoilt[key] > 2:  # a catalogue is read by many calls in the same way
                continue
            value = json.loads(good.body)
            for path in paths(value):
                for hostile in HOSTILE:
                    replay.recorded, replay.changed = used, (key, changed(value, path, hostile))
                    try:
                        assert_presentable(await tried(make, call))
                    except Exception as error:
                        broken.append(f"{name}: {key[1]} {path} = {hostile[:40]}: {error!r}"[:400])
                    tries += 1
    replay.changed = None
    return tries, broken


@pytest.mark.parametrize("kind", [c06, c06_field, hisnguonmo, fhir, gnuhealth])
async def test_no_value_in_an_answer_breaks_the_adapter_or_what_it_hands_on(replay: Replay, kind: Any) -> None:
    async with kind() as (make, visit):
        calls = promised(make(), asked(visit))
        tries, broken = await spoil(replay, make, calls)
        assert broken == []
        assert tries > 500
