"""Whatever anybody sends to any route of `/openapi.json`: no 5xx, and only answers that it describes (issue 7)."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from province.access.keys import new_api_key

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 7
ANY_BYTES = "application/octet-stream"  # there are no wrong ones
load_all_checks()

# Texts and numbers that get past the first check, and some that should not.
WORDS = {
    "month": ["2026-03", "2026-10", "2000-01", "9999-12"],
    "from": ["2026-03-01", "0001-01-01"],
    "to": ["2026-03-31", "9999-12-31"],
    "facility": ["93002", "93003", "00000", "93002\0"],
    "figure": ["r1", "visits_bhyt"],
    "reason": ["missing_visits", "other", "ít quá", "a\0b"],
    "text": ["đã gọi", "a\0b", "x" * 5000],
    "verdict": ["accepted", "refused"],
    "next": ["/", "//evil.example"],
    "number": [1, 2**31, 2**63, -1],
}


def with_words(described: object, name: str = "") -> object:
    """The same description, with only WORDS for each parameter and field of such a name."""
    if isinstance(described, list):
        return [with_words(each) for each in described]
    if not isinstance(described, dict):
        return described
    if name in WORDS and described.get("type") in ("string", "integer"):
        return {"enum": WORDS[name]}
    if "in" in described and "schema" in described:
        return described | {"schema": with_words(described["schema"], str(described["name"]))}
    if isinstance(described.get("properties"), dict):
        named = {each: with_words(field, each) for each, field in described["properties"].items()}
        return described | {"properties": named}
    return {each: with_words(value) for each, value in described.items()}


@pytest.fixture
def caller(request: pytest.FixtureRequest, hub) -> dict[str, str]:
    """The headers of a stranger, of a program that may read, of a facility's program, or of an admin."""
    made = {
        "stranger": dict,
        "reader": lambda: {"Authorization": f"Bearer {new_api_key(hub.store, 'read')['key']}"},
        "facility": lambda: hub.person("facility", "93002"),
        "admin": lambda: hub.person("admin"),
    }
    return made[request.param]()  # type: ignore[no-any-return]


# PostgreSQL refuses more than SQLite does (NUL in texts, numbers too large), so every caller meets it.
@pytest.mark.parametrize(
    ("kind", "caller"),
    [
        ("postgresql", "stranger"),
        ("postgresql", "reader"),
        ("postgresql", "facility"),
        ("postgresql", "admin"),
        ("sqlite", "admin"),
    ],
    indirect=["caller"],
)
def test_no_request_breaks_the_hub_and_answers_are_as_described(hub, caller: dict[str, str]) -> None:
    station = hub.station()
    station.send(
        station.visit(datetime(2026, 3, 2, 1, tzinfo=UTC)), station.lookup(datetime(2026, 3, 2, 1, tzinfo=UTC))
    )
    described = hub.http.get("/openapi.json").json()
    with requests.Session() as session:

        def try_out(operation: schemathesis.APIOperation, mode: GenerationMode) -> None:
            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def ask(case: schemathesis.Case) -> None:
                answer = case.call(base_url=str(hub.http.base_url), session=session, headers=caller)
                case.validate_response(answer, checks=CHECKS)

            ask()

        for operation in operations(described, caller):
            try_out(operation, GenerationMode.POSITIVE)
            if operation.query or any(each.media_type != ANY_BYTES for each in operation.body):
                try_out(operation, GenerationMode.NEGATIVE)
        for operation in operations(with_words(described), caller):
            try_out(operation, GenerationMode.POSITIVE)


def operations(described: object, caller: dict[str, str]) -> Iterator[schemathesis.APIOperation]:
    """All routes, but the one that would make an admin a stranger for all that follows."""
    schema = schemathesis.openapi.from_dict(described)
    schema.config.generation.update(with_security_parameters=False)
    for found in schema.get_all_operations():
        if found.ok().path != "/logout" or "Cookie" not in caller:
            yield found.ok()


def test_texts_that_no_database_keeps_are_refused(hub) -> None:
    admin = hub.person("admin")
    for facility in ('"93002\\u0000"', '"\\ud800"', '"93002\\ud800"'):
        body = f'{{"facility": {facility}}}'
        answer = hub.http.post("/api/v1/months/2026-03/confirmations", content=body, headers=admin)
        assert answer.status_code in (404, 422) and set(answer.json()) == {"error", "detail"}
    number = "9" * 30
    body = '{"verdict": "accepted", "text": "x"}'
    assert hub.http.post(f"/api/v1/objections/{number}/answers", content=body, headers=admin).status_code in (404, 422)


def test_what_is_not_there_is_said_in_the_same_shape(hub) -> None:
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/login", 405, "method_not_allowed"),
    ):
        answer = hub.http.request(method, path)
        assert (answer.status_code, answer.json()) == (status, {"error": code, "detail": ""})
