"""The wire format shared by kiosk and province (interfaces.md 5)."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kiosk import events

AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def lookup() -> dict[str, object]:
    return events.lookup_event(
        event_id=events.new_event_id(),
        epoch="epoch-1",
        seq=7,
        happened_at=AT,
        checkin_id=events.new_event_id(),
        key_kind="PERSONAL_12",
        method="QR_CCCD",
        lane="self",
        chip_verdict=None,
        issuer=None,
        eligibility_class="insured",
        result_code="000",
        reached_gateway=True,
        latency_ms=812,
        attempt=1,
        person_day="0123456789abcdef",
    )


def visit() -> dict[str, object]:
    return events.visit_event(
        event_id=events.new_event_id(),
        epoch="epoch-1",
        seq=8,
        happened_at=AT,
        checkin_id=events.new_event_id(),
        bhyt=True,
        method=None,
        lane="emergency",
        not_by_chip="EMERGENCY",
        person_day=None,
    )


def beat() -> dict[str, object]:
    return events.heartbeat(
        event_id=events.new_event_id(),
        epoch="epoch-1",
        happened_at=AT,
        version="0.1.0",
        readers={"scanner": "ok"},
        outbox_waiting=0,
        oldest_waiting_s=None,
        clock_offset_ms=-4,
        disk_free_mb=512,
    )


def count(kind: str = "visit_count") -> dict[str, object]:
    numbers: dict[str, object] = {"bhyt_visits": 46, "by_class": {"1.1": 40}}
    if kind == "desk_lookups":
        numbers = {"lookups": 9, "visits_looked_up": 8, "visits_success": 7}
    common = {"schema": 1, "event_id": events.new_event_id(), "epoch": "e", "seq": 1, "kind": kind}
    return (
        common
        | {"happened_at": "2026-03-02T17:00:00+07:00", "date": "2026-03-02", "origin": "his"}
        | numbers
        | {"revision": 1}
    )


COMMON = {"schema", "event_id", "epoch", "seq", "kind", "happened_at"}


def test_built_events_have_exactly_the_fields_of_the_contract() -> None:
    words = "checkin_id key_kind method lane chip_verdict issuer class result_code reached_gateway latency_ms attempt"
    assert set(lookup()) == COMMON | set(words.split()) | {"person_day"}
    assert set(visit()) == COMMON | {"checkin_id", "bhyt", "method", "lane", "not_by_chip", "person_day"}
    beats = {"version", "readers", "outbox_waiting", "oldest_waiting_s", "clock_offset_ms", "disk_free_mb"}
    assert set(beat()) == COMMON - {"seq"} | beats


def test_built_events_pass_the_check_after_a_trip_through_json() -> None:
    for event in (lookup(), visit(), beat(), count(), count("desk_lookups")):
        assert events.check_event(json.loads(json.dumps(event))) is None


def test_times_are_written_with_offset_and_keep_their_moment() -> None:
    text = lookup()["happened_at"]
    assert text == "2026-03-03T01:30:00.000000+07:00"
    assert events.parse_happened_at(text) == AT


def test_a_naive_time_is_refused_when_building() -> None:
    with pytest.raises(ValueError, match="offset"):
        events.person_day(b"k", "099190000001", datetime(2026, 3, 2))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "dance"}, "unknown_kind"),
        ({"kind": None}, "unknown_kind"),
        ({"kind": ["lookup"]}, "unknown_kind"),
        ({"schema": 2}, "unknown_schema"),
        ({"schema": "1"}, "unknown_schema"),
        ({"schema": True}, "unknown_schema"),
        ({"event_id": "7f1c9a52-7a0c-4b6e-9f0a-2b8f3c1d4e5f"}, "bad_event_id"),
        ({"event_id": "01a2049b-bb18-778c-b93c-8fb9ec348b01\n"}, "bad_event_id"),
        ({"event_id": 7}, "bad_event_id"),
        ({"event_id": None}, "bad_event_id"),
        ({"happened_at": "2026-03-02T08:00:00"}, "bad_happened_at"),
        ({"happened_at": "yesterday"}, "bad_happened_at"),
        ({"happened_at": "0001-01-01T00:00:00+07:00"}, "bad_happened_at"),
        ({"happened_at": "9999-12-31T23:59:59+00:00"}, "bad_happened_at"),
        ({"happened_at": 1767225600}, "bad_happened_at"),
        ({"seq": -1}, "bad_seq"),
        ({"seq": 2**63}, "bad_seq"),
        ({"seq": True}, "bad_seq"),
        ({"epoch": None}, "bad_epoch"),
        ({"checkin_id": ""}, "bad_checkin_id"),
        ({"reached_gateway": "yes"}, "bad_reached_gateway"),
        ({"result_code": 0}, "bad_result_code"),
        ({"method": "M" * 65}, "bad_method"),
        ({"latency_ms": -1}, "bad_latency_ms"),
        ({"latency_ms": float("inf")}, "bad_text"),
        ({"person_day": "099190000001"}, "bad_person_day"),
        ({"lane": "se\x00lf"}, "bad_text"),
        ({"lane": "\ud800"}, "bad_text"),
        ({"extra": {"a": [{"b\x00": 1}]}}, "bad_text"),
        ({"extra": ["\udfff"]}, "bad_text"),
    ],
)
def test_faulty_events_are_refused_with_a_reason(change: dict[str, object], reason: str) -> None:
    assert events.check_event(lookup() | change) == reason


@pytest.mark.parametrize("field", ["epoch", "seq", "checkin_id", "reached_gateway", "happened_at"])
def test_missing_required_fields_are_refused(field: str) -> None:
    event = lookup()
    del event[field]
    assert events.check_event(event) == f"bad_{field}"


@pytest.mark.parametrize(
    "change", [{"date": "2026-02-30"}, {"date": "20260302"}, {"bhyt_visits": -1}, {"bhyt_visits": 1.5}]
)
def test_faulty_day_counts_are_refused(change: dict[str, object]) -> None:
    assert events.check_event(count() | change) == f"bad_{next(iter(change))}"


def test_unknown_fields_and_unknown_words_of_open_lists_pass() -> None:
    assert events.check_event(lookup() | {"method": "IRIS", "class": "later", "new_field": {"x": [1, None]}}) is None
    assert events.check_event(visit() | {"not_by_chip": "SOLAR_FLARE"}) is None
    assert events.check_event(count() | {"origin": "satellite"}) is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_the_check_never_raises(raw: object) -> None:
    assert events.check_event(raw) is None or isinstance(events.check_event(raw), str)


@given(
    st.sampled_from([lookup(), visit(), beat(), count(), count("desk_lookups")]),
    st.dictionaries(st.sampled_from(sorted({*lookup(), *visit(), *beat(), *count()})), JSON_VALUES, max_size=4),
)
def test_the_check_never_raises_on_damaged_events(event: dict[str, object], damage: dict[str, object]) -> None:
    reason = events.check_event(event | damage)
    assert reason is None or isinstance(reason, str)
    if reason is None:
        json.dumps(event | damage, allow_nan=False).encode()


def test_person_day_is_the_keyed_digest_of_number_and_vietnamese_day() -> None:
    expected = hmac.new(b"k" * 32, b"0991900000012026-03-03", hashlib.sha256).hexdigest()[:16]
    assert events.person_day(b"k" * 32, "099190000001", AT) == expected
    same_moment = AT.astimezone(timezone(timedelta(hours=-9)))
    assert events.person_day(b"k" * 32, "099190000001", same_moment) == expected
    assert events.person_day(b"j" * 32, "099190000001", AT) != expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("000", "success"),
        ("003", "success_with_check"),
        ("110", "found_not_eligible"),
        ("050", "failed_not_found"),
        ("070", "failed_mismatch"),
        ("500", "failed_technical"),
        ("205", "failed_input"),
        ("054", "failed_account"),
        ("999", "failed_other"),
        ("0", "failed_other"),
    ],
)
def test_result_classes(code: str, expected: str) -> None:
    assert events.result_kpi_class(code) == expected


def test_a_signature_holds_for_exactly_these_bytes() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    body = b'{"events":[]}'
    parsed = events.parse_signature(events.sign_batch(key, "key-1", body))
    assert parsed is not None and parsed.key_id == "key-1"
    assert events.verify_batch(public, parsed.signature, body)
    for position in range(len(body)):
        flipped = bytearray(body)
        flipped[position] ^= 1
        assert not events.verify_batch(public, parsed.signature, bytes(flipped))
    assert not events.verify_batch(b"short", parsed.signature, body)


GOOD = "A" * 86 + "=="


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f'keyId="k",signature="{GOOD}"',
        f'keyId="k",algorithm="rsa-sha256",signature="{GOOD}"',
        f'keyId="k",keyId="j",signature="{GOOD}"',
        f'keyId="k",algorithm="ed25519",signature="{GOOD}",x="y"',
        'keyId="k",algorithm="ed25519",signature="AAAA"',
        'keyId="k",algorithm="ed25519",signature="%%%"',
        f'keyId="",algorithm="ed25519",signature="{GOOD}"',
    ],
)
def test_malformed_signature_headers_are_refused(header: str | None) -> None:
    assert events.parse_signature(header) is None


def test_the_order_of_header_parameters_does_not_matter() -> None:
    parsed = events.parse_signature(f'signature="{GOOD}", algorithm="ed25519", keyId="k"')
    assert parsed == events.ParsedSignature("k", bytes(64))


@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\x00\ud800\udc00\udfff\\u0dD8\U0001f600"))),
    st.booleans(),
)
def test_a_text_called_storable_hides_nothing(words: str, ascii_only: bool) -> None:
    written = json.dumps({"a": [words]}, ensure_ascii=ascii_only)
    try:
        written.encode()
    except UnicodeEncodeError:
        return  # cannot be sent
    if events.surely_storable(written):
        assert not any(each == "\x00" or "\ud800" <= each <= "\udfff" for each in json.loads(written)["a"][0])


def test_ordinary_events_are_called_storable() -> None:
    assert events.surely_storable(json.dumps([lookup(), visit(), "Trần Thị Mẫu"]))
    assert not events.surely_storable(r'["\uD83d"]')
