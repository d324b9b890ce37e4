"""Tryton's JSON: values come back as they were sent, and no answer, however odd, is more than it is."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_adapters import gnuhealth_mapping as mapping
from hospital_adapters import gnuhealth_wire as wire
from hospital_adapters.gnuhealth_wire import Failure, Problem, Result
from kiosk.errors import HospitalRejected
from kiosk.model import Identity, PartialDate, Sex

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("__class__"), inner),
)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=7))])
ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.dates() | st.lists(st.none(), max_size=1)
RECORDS = st.dictionaries(
    st.sampled_from([*mapping.PERSON_FIELDS, *mapping.VISIT_FIELDS, "patient.", "id"]),
    ODD | st.dictionaries(st.sampled_from(["puid", "id"]), ODD),
)
VALUES = (
    st.none()
    | st.integers()
    | st.text()
    | st.dates()
    | st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)
    | st.decimals(allow_nan=False, allow_infinity=False)
)
LOOKALIKES = st.dictionaries(
    st.sampled_from(["__class__", "year", "month", "day", "hour", "minute", "second", "microsecond", "decimal"]),
    st.sampled_from(["date", "datetime", "Decimal", "NaN"])
    | st.integers()
    | st.none()
    | st.booleans()
    | st.lists(st.none()),
)


def answer(body: Any) -> bytes:
    return json.dumps(body).encode()


@given(st.lists(VALUES, max_size=4))
def test_values_come_back_as_they_were_sent(values: list[Any]) -> None:
    sent = json.loads(wire.request(7, "model.party.party.search", values))
    assert (sent["id"], sent["method"]) == (7, "model.party.party.search")
    assert wire.parse(answer({"id": 7, "result": sent["params"]}), 7) == Result(values)


def test_the_forms_are_those_of_tryton() -> None:
    moment = datetime(2026, 1, 5, 7, 12, 31, 987, tzinfo=timezone(timedelta(hours=7)))
    sent = json.loads(wire.request(1, "m", [moment, date(1990, 9, 2), Decimal("45000.50")]))
    day = {"year": 2026, "month": 1, "day": 5}
    assert sent["params"] == [
        {"__class__": "datetime", **day, "hour": 0, "minute": 12, "second": 31, "microsecond": 987},
        {"__class__": "date", "year": 1990, "month": 9, "day": 2},
        {"__class__": "Decimal", "decimal": "45000.50"},
    ]
    assert wire.utc(moment) == datetime(2026, 1, 5, 0, 12, 31, tzinfo=UTC)


@given(st.binary() | JSON.map(answer) | st.builds(lambda value: answer({"id": 1, "result": value}), JSON | LOOKALIKES))
def test_no_answer_breaks_the_parser(body: bytes) -> None:
    assert isinstance(wire.parse(body, 1), Result | Problem | None)


@given(LOOKALIKES)
def test_what_only_looks_like_a_date_stays_what_it_is(value: dict[str, Any]) -> None:
    said = wire.parse(answer({"id": 1, "result": value}), 1)
    assert isinstance(said, Result)
    assert said.value == value or isinstance(said.value, date | Decimal)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"id":1}',
        b'{"id":2,"result":1}',
        b'{"id":true,"result":1}',
        b'{"id":"1","result":1}',
        b'{"result":1}',
        b'{"id":1,"result":1',
        b'{"id":1,"result":NaN}',
        b'{"id":1,"result":1,"error":["UserError",["","",null]]}',
        b'{"id":1,"error":null}',
        b'{"id":1,"error":[]}',
        b'{"id":1,"error":[7]}',
        b'{"id":1,"result":"\xff"}',
        b'{"id":1,"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    assert wire.parse(body, 1) is None


@pytest.mark.parametrize(
    ("error", "failure", "text"),
    [
        (["UserError", ["The PUID must be unique", "why", None]], Failure.USER_ERROR, "The PUID must be unique why"),
        (["UserError", "odd"], Failure.USER_ERROR, "odd"),
        (["UserError"], Failure.USER_ERROR, ""),
        (["UserWarning", ["name", "message", ""]], Failure.USER_WARNING, "name message"),
        (["LoginException", ["password", "Password:", "password"]], Failure.LOGIN, "password Password:"),
        (["ConcurrencyException", "modified"], Failure.CONCURRENCY, "modified"),
        (["'fed_country'", ""], Failure.SERVER_ERROR, "'fed_country'"),
        (["could not serialize access due to concurrent update\n", ""], Failure.DATABASE_BUSY, ...),
        (["deadlock detected\nDETAIL: x", ""], Failure.DATABASE_BUSY, ...),
        (["server closed the connection unexpectedly\n", ""], Failure.LOST, ...),
        (["x" * 9000, ""], Failure.SERVER_ERROR, "x" * 500),
    ],
)
def test_errors_by_their_kind(error: list[Any], failure: Failure, text: Any) -> None:
    said = wire.parse(answer({"id": 1, "error": error}), 1)
    assert isinstance(said, Problem) and said.failure is failure
    assert text is ... or said.text == text


@given(RECORDS)
def test_no_record_breaks_the_mapping(row: dict[str, Any]) -> None:
    assert isinstance(mapping.person(row), Identity)
    mapping.reference(row)
    mapping.receipt(row)
    mapping.checkin_id(row)


@pytest.mark.parametrize(
    ("comments", "found"),
    [
        ("CK1;id=abc", "abc"),
        ("Tái khám\r\nCK1;id=abc\r\nđã gọi", "abc"),
        ("CK1;id=", ""),
        ("CK1;id=a b", ""),
        ("see CK1;id=abc", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_our_mark_is_a_line_of_its_own(comments: Any, found: str) -> None:
    assert mapping.checkin_id({"comments": comments}) == found


@pytest.mark.parametrize("checkin_id", ["", "a b", "a\nb", "é", "x" * 58])
def test_an_id_that_cannot_be_carried_is_refused(checkin_id: str) -> None:
    with pytest.raises(HospitalRejected) as refused:
        mapping.mark(checkin_id)
    assert refused.value.reason == "gnuhealth.checkin_id"


@pytest.mark.parametrize(
    "who", [Identity("099190000001", full_name="A"), Identity("099190000001", birth_date=PartialDate(1990)), Identity()]
)
def test_a_person_without_name_or_birth_date_is_left_to_staff(who: Identity) -> None:
    with pytest.raises(HospitalRejected) as refused:
        mapping.new_party(who, "CK1;id=a", "whole", "VNM")
    assert refused.value.reason == "gnuhealth.incomplete_identity"


@pytest.mark.parametrize(("split", "name", "lastname"), [("last", "MẪU", None), ("first", "MẪU", None)])
def test_a_single_word_is_a_given_name(split: str, name: str, lastname: None) -> None:
    values = mapping.new_party(Identity(full_name="Mẫu", birth_date=PartialDate(1990, 9)), "CK1;id=a", split, "VNM")
    assert (values["name"], values["lastname"], values["gender"]) == (name, lastname, "u")
    assert (values["dob"], values["est_dob"], values["code"]) == (date(1990, 9, 1), True, "CK1;id=a")
    assert "ref" not in values


def test_an_old_number_alone_is_the_persons_number() -> None:
    who = Identity(None, "099000108", "Mẫu", PartialDate(1990, 9, 2), Sex.MALE)
    values = mapping.new_party(who, "CK1;id=a", "whole", "VNM")
    assert values["ref"] == "099000108" and "alternative_ids" not in values and "code" not in values


@pytest.mark.parametrize("number", ["", "0", "01", "-1", "1.0", "١", "V1", "9" * 30, None])
def test_only_a_record_id_is_one(number: str | None) -> None:
    assert mapping.number_of(number) is None
    assert mapping.number_of("17") == 17


def test_a_day_begins_and_ends_in_vietnam() -> None:
    start, end = mapping.day_bounds(date(2026, 1, 5))
    assert (start, end) == (datetime(2026, 1, 4, 17, tzinfo=UTC), datetime(2026, 1, 5, 17, tzinfo=UTC))
