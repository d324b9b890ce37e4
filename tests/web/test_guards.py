"""What every request must pass: host, origin, size, type, session; and what every answer carries."""

import asyncio
import json
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.web.guards import CSP, MAX_BODY
from tests.kiosk.world import qr

GET, POST = "GET", "POST"
JSON = {"Content-Type": "application/json"}


async def operations(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """(method, path template) of everything the listener offers."""
    spec = (await client.get("/openapi.json")).json()
    return [(method.upper(), path) for path, methods in spec["paths"].items() for method in methods]


def filled(path: str, value: str = "01a204c0-a961-7603-8bd8-a1daed2dd56a") -> str:
    return path.replace("{station_id}", "kiosk-1").replace("{checkin_id}", value)


async def test_a_foreign_host_is_misdirected(kiosk):
    for host in ("evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil"):
        for path in ("/", "/api/v1/station", "/metrics", "/static/base.css"):
            answer = await kiosk.bare.get(path, headers={"Host": host})
            assert (answer.status_code, answer.json()) == (421, {"error": "UNKNOWN_HOST"}), host
            assert "set-cookie" not in answer.headers


async def test_our_own_names_are_answered(kiosk):
    port = kiosk.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "LOCALHOST"):
        assert (await kiosk.bare.get("/healthz", headers={"Host": f"{host}:{port}"})).status_code == 200


async def test_a_foreign_page_changes_nothing(kiosk):
    await kiosk.bare.get("/")
    before = await kiosk.dump()
    for origin in ("http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", ""):
        for path in ("/api/v1/station/scan", "/api/v1/station/answer", "/api/v1/staff/login", "/api/v1/staff/logout"):
            headers = {"Origin": origin, "X-Screen-Token": kiosk.token, "Content-Type": "application/octet-stream"}
            answer = await kiosk.bare.post(path, content=qr(1), headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "FOREIGN_ORIGIN"), origin
    assert await kiosk.dump() == before
    assert (await kiosk.state())["phase"] == "idle"


async def test_without_origin_only_the_token_opens(kiosk):
    headers = {"Content-Type": "application/octet-stream"}
    await kiosk.bare.get("/")
    assert (await kiosk.bare.post("/api/v1/station/scan", content=qr(1), headers=headers)).status_code == 403
    wrong = headers | {"X-Screen-Token": "wrong-\u00e9".encode("latin-1")}
    assert (await kiosk.bare.post("/api/v1/station/scan", content=qr(1), headers=wrong)).status_code == 403
    assert (await kiosk.scan(qr(1))).status_code == 202


async def test_the_screens_cookie_comes_from_the_page_alone_and_only_opens_the_station(kiosk):
    page = await kiosk.bare.get("/")
    cookie = page.headers["set-cookie"]
    for part in ("screen=", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert (await kiosk.bare.get("/api/v1/station", headers=kiosk.origin)).status_code == 200
    headers = kiosk.origin | {"Content-Type": "application/octet-stream"}
    assert (await kiosk.bare.post("/api/v1/station/scan", content=qr(1), headers=headers)).status_code == 202
    async with httpx.AsyncClient(base_url=kiosk.url) as other:
        for method, path in await operations(other):
            if path.endswith("/stream"):
                continue
            answer = await other.request(method, filled(path), headers=kiosk.origin)
            assert "screen=" not in answer.headers.get("set-cookie", "")
        assert (await other.get("/api/v1/station")).json() == {"error": "NOT_THE_KIOSK_SCREEN"}
        forged = await other.get("/api/v1/station", headers={"Cookie": "screen=guessed"})
        assert forged.status_code == 403


async def test_the_staff_listener_gives_no_screen_cookie(serve, staff_listener):
    async with serve(demo=False, staff=staff_listener.table), staff_listener.client() as staff:
        for path in ("/staff", "/", "/api/v1/station"):
            answer = await staff.get(path)
            assert "set-cookie" not in answer.headers
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert (await staff.get("/")).status_code == 404


async def test_outside_the_demo_staff_do_not_come_in_by_the_screen(serve):
    async with serve(demo=False) as kiosk:
        for path in ("/staff", "/api/v1/staff/session", "/api/v1/staff/check-ins"):
            assert (await kiosk.bare.get(path)).status_code == 404


PLACES = ("/api/v1/station/scan", "/api/v1/station/answer", "/api/v1/staff/login")


async def test_bodies_end_at_64_kib_with_and_without_a_length(kiosk):
    big = b"x" * (MAX_BODY + 1)

    async def pieces():
        for start in range(0, len(big), 16 * 1024):
            yield big[start : start + 16 * 1024]

    for path in PLACES:
        headers = JSON if path.endswith(("answer", "login")) else {"Content-Type": "application/octet-stream"}
        declared = await kiosk.tool.post(path, content=big, headers=headers)
        assert (declared.status_code, declared.json()) == (413, {"error": "TOO_LARGE"})
        chunked = await kiosk.tool.post(path, content=pieces(), headers=headers)
        assert (chunked.status_code, chunked.json()) == (413, {"error": "TOO_LARGE"})
        exactly = await kiosk.tool.post(path, content=b"x" * MAX_BODY, headers=headers)
        assert exactly.status_code == 422


async def test_only_json_and_bytes_are_taken(kiosk):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "*/*"):
        for path in PLACES:
            answer = await kiosk.tool.post(path, content=b"{}", headers={"Content-Type": kind})
            assert (answer.status_code, answer.json()) == (415, {"error": "JSON_OR_BYTES_ONLY"}), kind


async def test_every_answer_carries_the_headers(kiosk):
    answers = [await kiosk.bare.get(path) for path in ("/", "/staff", "/nowhere", "/metrics", "/api/v1/staff/status")]
    answers.append(await kiosk.bare.get("/", headers={"Host": "evil.example"}))
    answers.append(await kiosk.bare.post("/api/v1/staff/login", json={}))
    answers.append(await kiosk.tool.post("/api/v1/station/scan", content=b"x" * (MAX_BODY + 1), headers=JSON))
    answers.append(await kiosk.tool.request("DELETE", "/api/v1/station"))
    for answer in answers:
        assert answer.headers["content-security-policy"] == CSP, answer.url
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers
    assert "default-src 'none'" in CSP and "unsafe" not in CSP and "frame-ancestors 'none'" in CSP


async def test_errors_have_one_shape(kiosk):
    for method, path, status, code in (
        (GET, "/nowhere", 404, "NOT_FOUND"),
        ("DELETE", "/healthz", 405, "METHOD_NOT_ALLOWED"),
        (GET, "/api/v1/stations/other", 404, "NO_SUCH_STATION"),
    ):
        answer = await kiosk.tool.request(method, path)
        assert (answer.status_code, answer.json()) == (status, {"error": code})


async def test_no_get_changes_the_database(kiosk):
    staff = await kiosk.signed_in()
    await kiosk.register(qr(1))
    await kiosk.answer("cancel")
    await kiosk.register(qr(26))
    checkins = (await staff.get("/api/v1/staff/check-ins")).json()["check_ins"]
    await _settled(kiosk)
    before = await kiosk.dump()
    paths = [path for method, path in await operations(kiosk.bare) if method == GET]
    assert len(paths) >= 9
    for path in [*paths, "/", "/desk", "/staff", "/openapi.json", "/api/v1/station"]:
        if path.endswith("/stream"):
            async with staff.stream(GET, filled(path), headers={"X-Screen-Token": kiosk.token}) as stream:
                assert stream.status_code == 200
            continue
        for checkin in checkins:
            answer = await staff.get(filled(path, checkin["checkin_id"]), headers={"X-Screen-Token": kiosk.token})
            assert answer.status_code in (200, 503) or "NO_CAMERA" in answer.text, (path, answer.text)
    assert await kiosk.dump() == before


async def _settled(kiosk) -> None:
    last = ""
    while (now := await kiosk.dump()) != last:
        last = now
        await asyncio.sleep(0.3)


async def test_a_get_of_the_services_does_not_even_remember_the_menu(kiosk):
    staff = await kiosk.signed_in()
    await _settled(kiosk)
    before = await kiosk.dump()
    assert len((await staff.get("/api/v1/staff/services")).json()["services"]) > 5
    assert await kiosk.dump() == before


OPEN = {f"/api/v1/staff/{path}" for path in ("session", "session/unlock", "setup", "login", "logout")}


async def test_every_staff_route_needs_a_session(kiosk):
    await kiosk.bare.get("/")
    found = [(method, path) for method, path in await operations(kiosk.bare) if path.startswith("/api/v1/staff")]
    assert len(found) >= 16
    before = await kiosk.dump()
    for method, path in found:
        if path in OPEN:
            continue
        for cookie in ({}, {"Cookie": "staff=guessed"}):
            headers = kiosk.origin | cookie
            answer = await kiosk.bare.request(method, filled(path), headers=headers)
            assert (answer.status_code, answer.json()) == (401, {"error": "SIGN_IN"}), path
    assert await kiosk.dump() == before


CANARY = "Cà Nà Ry 099185991199"
MALFORMED = [
    {"checkin_id": [CANARY], "answer": CANARY},
    {"checkin_id": "x", "answer": "confirm", CANARY: 1},
    {"name": {"x": CANARY}, "password": CANARY},
    {"name": CANARY, "password": "y", CANARY: CANARY},
    {"number": [CANARY], "birth_date": 7},
    [CANARY],
    CANARY,
]


async def test_what_is_malformed_is_never_echoed(kiosk):
    staff = await kiosk.signed_in()
    headers = {"X-Screen-Token": kiosk.token} | JSON
    contents = [json.dumps(body, ensure_ascii=False).encode() for body in MALFORMED]
    for path in ("/api/v1/station/answer", "/api/v1/staff/login", "/api/v1/staff/check-ins", "/api/v1/staff/setup"):
        for content in [*contents, b'{"name": "' + CANARY.encode()]:
            answer = await staff.post(path, content=content, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (422, "BAD_REQUEST"), (path, content)
            assert "Ry" not in answer.text and "991199" not in answer.text


SETTINGS = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=40),
    st.sampled_from(
        ["", "099190000001", "DN4999900000001", "1990-02-01", "502", "insured", "self_pay", "known", "\x00"]
    ),
    st.text("0123456789/-.", max_size=14),
)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.lists(TEXTS, max_size=2))


def _bodies(spec: dict, schema: dict) -> st.SearchStrategy:
    schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    fields = schema.get("properties", {})
    typed = {name: _valid(field) for name, field in fields.items()}
    required = {name: typed[name] for name in schema.get("required", [])}
    return st.one_of(
        st.fixed_dictionaries(required, optional={name: typed[name] for name in typed if name not in required}),
        st.fixed_dictionaries({}, optional={name: st.one_of(values, VALUES) for name, values in typed.items()}),
        st.dictionaries(TEXTS, VALUES, max_size=3),
        VALUES,
    )


def _valid(field: dict) -> st.SearchStrategy:
    if "const" in field:
        return st.just(field["const"])
    if "enum" in field:
        return st.sampled_from(field["enum"])
    return {"boolean": st.booleans()}.get(field.get("type", ""), TEXTS)


async def test_no_json_makes_a_route_fail(kiosk):
    """Every route of the listener, with bodies from its own schema and far from it."""
    staff = await kiosk.signed_in()
    staff.headers["X-Screen-Token"] = kiosk.token
    staff.headers["Connection"] = "close"  # the server may end an idle connection just when the next body comes
    await kiosk.register(qr(26))
    (checkin,) = (await staff.get("/api/v1/staff/check-ins")).json()["check_ins"]
    spec = (await kiosk.bare.get("/openapi.json")).json()
    loop = asyncio.get_running_loop()
    failed: list[tuple[str, int]] = []
    statuses: set[int] = set()
    kiosk.daemon._accounts._failed = lambda who: None  # the brake would end the examples of the login

    def call(method: str, path: str, **request: object) -> None:
        answer = asyncio.run_coroutine_threadsafe(staff.request(method, path, **request), loop).result(30)
        statuses.add(answer.status_code)
        if answer.status_code >= 500:
            failed.append((path, answer.status_code))
        assert answer.status_code < 500, (path, answer.text)

    def fuzz(method: str, path: str, operation: dict) -> None:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        bodies = _bodies(spec, content["schema"]) if content else VALUES
        idents = st.one_of(st.just(checkin["checkin_id"]), st.text("abc%/.0\u00e9\u0000", min_size=1, max_size=8))

        @SETTINGS
        @given(bodies, idents)
        def example(body: object, ident: str) -> None:
            target = filled(path, quote(ident, safe=""))
            call(method, target, content=json.dumps(body).encode(), headers=JSON)

        example()

    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if not path.endswith(("/stream", "/logout", "/metrics")):
                await asyncio.to_thread(fuzz, method.upper(), path, operation)

    @SETTINGS
    @given(st.text(max_size=12), st.text(max_size=12))
    def queries(day: str, status: str) -> None:
        call(GET, "/api/v1/staff/check-ins", params={"date": day, "status": status})

    await asyncio.to_thread(queries)

    @SETTINGS
    @given(st.binary(max_size=400))
    def scans(raw: bytes) -> None:
        call(POST, "/api/v1/station/scan", content=raw, headers={"Content-Type": "application/octet-stream"})

    await asyncio.to_thread(scans)
    assert failed == []
    assert {200, 422} <= statuses
    assert (await kiosk.bare.get("/healthz")).status_code == 200
