"""Signing in: accounts, sessions, the brake on guessing, and what browsers may send (issue 7, roles)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from province.access import passwords
from province.access.accounts import (
    AccountRefused,
    add_account,
    caller_of_session,
    disable_account,
    list_accounts,
    open_session,
    set_password,
)
from province.access.caller import Caller, Role
from province.access.own_origin import is_own, local_path
from province.access.signing_in import (
    TRIES_PER_ACCOUNT,
    WINDOW,
    SignInRefused,
    sign_in,
)
from province.access_tables import account, account_session, wrong_password
from province.guards import ApiError
from province.web.access import form_fields

PASSWORD = "một mật khẩu đủ dài"
REAL_HASHER = passwords._HASHER
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def origin(hub) -> str:
    return str(hub.http.base_url).rstrip("/")


def login(hub, name: str, password: str, **more: str):
    fields = {"name": name, "password": password} | more
    body = urlencode(fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin(hub)}
    answer = hub.http.post("/login", content=body, headers=headers)
    hub.http.cookies.clear()
    return answer


def test_a_person_signs_in_looks_and_signs_out(hub) -> None:
    add_account(hub.store, "Mai.Tran", Role.VIEWER, PASSWORD)
    away = hub.http.get("/?month=2026-03")
    assert (away.status_code, away.headers["Location"]) == (303, "/login?next=%2F%3Fmonth%3D2026-03")
    page = hub.http.get(away.headers["Location"])
    assert page.status_code == 200 and 'value="/?month=2026-03"' in page.text and "Mật khẩu" in page.text
    answer = login(hub, " mai.tran ", PASSWORD, next="/?month=2026-03")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?month=2026-03")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Secure" not in cookie
    token = cookie.split(";")[0]
    assert hub.http.get("/", headers={"Cookie": token}).status_code == 200
    assert hub.http.get("/api/v1/facilities", headers={"Cookie": token}).status_code == 200
    out = hub.http.post("/logout", headers={"Cookie": token, "Origin": origin(hub)})
    assert (out.status_code, out.headers["Location"]) == (303, "/login")
    assert hub.http.get("/", headers={"Cookie": token}).status_code == 303
    assert hub.http.get("/api/v1/facilities", headers={"Cookie": token}).status_code == 401


def test_a_cookie_is_secure_unless_the_hub_is_asked_on_this_machine(hub) -> None:
    add_account(hub.store, "mai", Role.VIEWER, PASSWORD)
    for headers, host in (({"X-Forwarded-Proto": "https"}, "127.0.0.1:1"), ({}, "hub.example")):
        body = urlencode({"name": "mai", "password": PASSWORD})
        answer = hub.http.post("/login", content=body, headers={"Host": host, "Origin": f"http://{host}"} | headers)
        hub.http.cookies.clear()
        assert answer.status_code == 303 and "Secure" in answer.headers["Set-Cookie"]
    assert "https://" in hub.http.get("/login", headers={"Host": "hub.example"}).text


def test_the_database_keeps_neither_password_nor_token_nor_address(store) -> None:
    add_account(store, "mai", Role.VIEWER, PASSWORD)
    token = sign_in(store, "mai", PASSWORD, "192.0.2.7", NOW)
    with pytest.raises(SignInRefused):
        sign_in(store, "mai", "wrong wrong wrong", "192.0.2.7", NOW)
    with store.read() as connection:
        kept = "".join(
            str(connection.execute(sa.select(table)).all()) for table in (account, account_session, wrong_password)
        )
    assert "$argon2id$" in kept
    assert token not in kept and PASSWORD not in kept and "192.0.2.7" not in kept


def test_hashes_take_the_work_that_makes_guessing_slow() -> None:
    assert REAL_HASHER.hash("x").startswith("$argon2id$")
    assert REAL_HASHER.memory_cost >= 64 * 1024 and REAL_HASHER.time_cost >= 3


def test_pages_are_open_until_the_first_account_and_to_the_public_where_asked(store, run_hub) -> None:
    with run_hub(store) as hub:
        assert hub.http.get("/").status_code == 200
        assert "provincectl user add" in hub.http.get("/login").text
        add_account(store, "mai", Role.VIEWER, PASSWORD)
        assert hub.http.get("/").status_code == 303
    with run_hub(store, public=True) as hub:
        assert hub.http.get("/").status_code == 200
        assert hub.http.get("/api/v1/facilities").status_code == 401


@pytest.mark.parametrize("body", [b"name=mai&name", b"%ff=1&password=%ff", b"\xff", b"a=1&" * 30, b"", b"next=//x"])
def test_broken_sign_ins_are_answered(hub, body: bytes) -> None:
    answer = hub.http.post("/login", content=body, headers={"Origin": origin(hub)})
    assert answer.status_code in (401, 422)
    assert hub.http.post("/login", content=b" " * 5000, headers={"Origin": origin(hub)}).status_code == 413


def test_wrong_name_wrong_password_and_disabled_are_answered_alike(hub) -> None:
    add_account(hub.store, "mai", Role.VIEWER, PASSWORD)
    add_account(hub.store, "gone", Role.VIEWER, PASSWORD)
    disable_account(hub.store, "gone")
    tries = (("mai", "not the password"), ("nobody", PASSWORD), ("gone", PASSWORD))
    answers = [login(hub, name, password) for name, password in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert "không đúng" in answers[0].text


def test_guessing_is_braked_per_account_also_for_nobody_and_ends(store) -> None:
    add_account(store, "mai", Role.VIEWER, PASSWORD)
    for name in ("mai", "nobody"):
        for number in range(TRIES_PER_ACCOUNT):
            with pytest.raises(SignInRefused, match="bad_login"):
                sign_in(store, name, "not the password", f"192.0.2.{number}", NOW)
        with pytest.raises(SignInRefused, match="too_many_tries"):
            sign_in(store, name, PASSWORD, "192.0.2.99", NOW)
    assert sign_in(store, "mai", PASSWORD, "192.0.2.99", NOW + WINDOW + timedelta(seconds=1))


def test_guessing_is_braked_per_address_and_the_right_password_costs_nothing(store, monkeypatch) -> None:
    monkeypatch.setattr("province.access.signing_in.TRIES_PER_ADDRESS", 7)
    add_account(store, "mai", Role.VIEWER, PASSWORD)
    for _ in range(8):
        assert sign_in(store, "mai", PASSWORD, "192.0.2.1", NOW)
    for number in range(7):
        with pytest.raises(SignInRefused, match="bad_login"):
            sign_in(store, f"guess-{number}", PASSWORD, "192.0.2.1", NOW)
    with pytest.raises(SignInRefused, match="too_many_tries"):
        sign_in(store, "mai", PASSWORD, "192.0.2.1", NOW)
    assert sign_in(store, "mai", PASSWORD, "192.0.2.2", NOW)


def test_a_locked_account_is_told_when_to_come_back(hub) -> None:
    answers = [login(hub, "nobody", "wrong") for _ in range(TRIES_PER_ACCOUNT + 1)]
    assert [answer.status_code for answer in answers] == [401] * TRIES_PER_ACCOUNT + [429]
    assert int(answers[-1].headers["Retry-After"]) == 900


def test_sessions_end_after_8_hours_or_30_idle_minutes(store) -> None:
    add_account(store, "mai", Role.ADMIN, PASSWORD)
    token = open_session(store, "mai", NOW)
    assert caller_of_session(store, "other", NOW) is None
    moment = NOW
    for _ in range(16):  # in use every 29 minutes
        assert caller_of_session(store, token, moment) == Caller("mai", Role.ADMIN, signed_in=True)
        moment += timedelta(minutes=29)
    assert moment < NOW + timedelta(hours=8)
    assert caller_of_session(store, token, NOW + timedelta(hours=8, seconds=1)) is None
    idle = open_session(store, "mai", NOW)
    assert caller_of_session(store, idle, NOW + timedelta(minutes=29)) is not None
    assert caller_of_session(store, idle, NOW + timedelta(minutes=60)) is None


def test_a_new_password_or_disabling_ends_sessions_at_once(store) -> None:
    for change in (lambda: disable_account(store, "mai"), lambda: set_password(store, "mai", PASSWORD)):
        if not list_accounts(store, NOW):
            add_account(store, "mai", Role.VIEWER, PASSWORD)
        now = datetime.now(UTC)
        token = open_session(store, "mai", now)
        change()
        assert caller_of_session(store, token, now) is None
    assert sign_in(store, "mai", PASSWORD, "192.0.2.1", datetime.now(UTC))


def test_an_account_that_nobody_uses_is_closed_after_45_days(store) -> None:
    add_account(store, "mai", Role.VIEWER, PASSWORD)
    made = datetime.now(UTC)
    assert sign_in(store, "mai", PASSWORD, "192.0.2.1", made + timedelta(days=44))
    late = made + timedelta(days=44 + 46)
    with pytest.raises(SignInRefused, match="bad_login"):
        sign_in(store, "mai", PASSWORD, "192.0.2.1", late)
    assert [row["state"] for row in list_accounts(store, late)] == ["idle"]


@pytest.mark.parametrize(
    ("name", "role", "password", "facility", "code"),
    [
        ("m", Role.VIEWER, PASSWORD, None, "bad_name"),
        ("mai tran", Role.VIEWER, PASSWORD, None, "bad_name"),
        ("mai", Role.VIEWER, "short", None, "bad_password"),
        ("mai", Role.VIEWER, "x" * 12, None, "bad_password"),
        ("mai", Role.VIEWER, "xy" * 101, None, "bad_password"),
        ("mai", Role.FACILITY, PASSWORD, None, "facility_needed"),
        ("mai", Role.ADMIN, PASSWORD, "93002", "facility_not_for_role"),
        ("mai", Role.FACILITY, PASSWORD, "00000", "unknown_facility"),
    ],
)
def test_bad_accounts_are_refused(store, name: str, role: Role, password: str, facility: str | None, code: str) -> None:
    with pytest.raises(AccountRefused, match=code):
        add_account(store, name, role, password, facility)
    assert list_accounts(store, NOW) == []


def test_a_name_is_taken_in_any_case_and_unknown_accounts_are_said(store) -> None:
    add_account(store, "Mai", Role.VIEWER, PASSWORD)
    with pytest.raises(AccountRefused, match="name_taken"):
        add_account(store, "mAI", Role.ADMIN, PASSWORD)
    with pytest.raises(AccountRefused, match="unknown_account"):
        disable_account(store, "nobody")
    with pytest.raises(AccountRefused, match="unknown_account"):
        set_password(store, "nobody", PASSWORD)


@pytest.mark.parametrize("sent", [None, "null", "http://evil.example", "https://127.0.0.1", "http://127.0.0.1:x", "//"])
def test_forms_of_other_sites_are_refused(hub, sent: str | None) -> None:
    cookie = {"Cookie": hub.person("admin")["Cookie"]}
    headers = cookie | ({} if sent is None else {"Origin": sent})
    for path in ("/login", "/logout"):
        answer = hub.http.post(path, content=b"name=a&password=b", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
    assert hub.http.get("/", headers=cookie).status_code == 200


def test_people_change_their_own_password(hub) -> None:
    assert hub.http.get("/password").headers["Location"] == "/login?next=%2Fpassword"
    person = hub.person("viewer", name="mai")  # with "a long enough password"
    other = hub.person("viewer", name="lan")
    assert "Mật khẩu mới" in hub.http.get("/password", headers=person).text

    def change(old: str, new: str, headers: dict[str, str]):
        answer = hub.http.post("/password", data={"password": old, "new_password": new}, headers=headers)
        hub.http.cookies.clear()
        return answer

    assert change(PASSWORD, PASSWORD, person).status_code == 401
    assert change("a long enough password", "short", person).status_code == 422
    assert change("a long enough password", PASSWORD, person | {"Origin": "http://evil.example"}).status_code == 403
    assert change("a long enough password", PASSWORD, {"Origin": person["Origin"]}).status_code == 303  # to the login
    done = change("a long enough password", PASSWORD, person)
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert hub.http.get("/", headers=person).status_code == 303
    assert hub.http.get("/", headers={"Cookie": done.headers["Set-Cookie"].split(";")[0]}).status_code == 200
    assert hub.http.get("/", headers=other).status_code == 200
    assert login(hub, "mai", "a long enough password").status_code == 401
    assert login(hub, "mai", PASSWORD).status_code == 303
    assert [change("x", PASSWORD, other).status_code for _ in range(6)] == [401] * 5 + [429]


@given(st.text(max_size=60))
def test_after_signing_in_nobody_is_sent_elsewhere(wanted: str) -> None:
    path = local_path(wanted)
    assert path.startswith("/") and not path.startswith(("//", "/\\")) and path.isascii() and path.isprintable()


_URLS = st.text(max_size=30) | st.from_regex(r"\A(https?|null)://[a-z0-9.\[\]:@-]{0,20}\Z")


@given(_URLS, _URLS)
def test_any_origin_and_host_are_compared(sent: str, host: str) -> None:
    headers = [(b"origin", sent.encode("utf-8", "replace")), (b"host", host.encode("utf-8", "replace"))]
    if is_own(Request({"type": "http", "headers": headers})):
        assert sent.startswith(("http://", "https://")) and "null" not in sent


@pytest.mark.parametrize(
    ("sent", "host", "own"),
    [
        ("http://hub.example", "hub.example", True),
        ("https://hub.example", "hub.example:443", True),
        ("https://hub.example", "HUB.example", True),
        ("http://hub.example:8090", "hub.example:8090", True),
        ("http://hub.example:8090", "hub.example", False),
        ("http://hub.example.evil.example", "hub.example", False),
        ("http://evil.example/hub.example", "hub.example", False),
        ("http://hub.example@evil.example", "hub.example", False),
        ("ftp://hub.example", "hub.example", False),
    ],
)
def test_an_origin_is_ours_when_host_and_port_are(sent: str, host: str, own: bool) -> None:
    headers = [(b"origin", sent.encode()), (b"host", host.encode())]
    assert is_own(Request({"type": "http", "headers": headers})) is own


@given(st.binary(max_size=200))
def test_any_bytes_as_a_form_are_read_or_refused(body: bytes) -> None:
    try:
        fields = form_fields(body)
    except ApiError as error:
        assert error.code == "malformed"
    else:
        for text in (*fields, *fields.values()):
            text.encode("utf-8")


@given(st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=20), max_size=5))
def test_a_form_is_read_as_it_was_sent(fields: dict[str, str]) -> None:
    assert form_fields(urlencode(fields).encode()) == fields
