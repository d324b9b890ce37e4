"""`provincectl user`, `api-key` and `audit` (issue 7): what they print, and what the audit keeps of them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from province.access.accounts import caller_of_session
from province.access.caller import Role
from province.access.signing_in import sign_in
from province.access_tables import audit
from province.cli import main
from province.store import Store

PASSWORD = "một mật khẩu đủ dài"


@pytest.fixture
def ctl(database_url: str):
    def call(*words: str, typed: str | None = None, code: int = 0):
        done = CliRunner().invoke(main, ["--database", database_url, *words], input=typed)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if done.stdout else done.stderr

    return call


def test_accounts_are_made_listed_disabled_and_let_in_again(ctl, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", "utf-8")
    made = ctl("user", "add", "mai", "--role", "facility", "--facility", "93002", "--password-file", str(file))
    assert made == {"name": "mai", "role": "facility", "facility": "93002"}
    ctl("user", "add", "lan", "--role", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "name_taken" in ctl("user", "add", "lan", "--role", "viewer", "--password-file", str(file), code=1)
    assert "bad_password" in ctl("user", "add", "hoa", "--role", "viewer", typed="short\nshort\n", code=1)
    assert ctl("user", "disable", "mai") == {"name": "mai", "state": "disabled"}
    states = {row["name"]: row["state"] for row in ctl("user", "list")["accounts"]}
    assert states == {"mai": "disabled", "lan": "active"}
    assert "unknown_account" in ctl("user", "disable", "nobody", code=1)
    assert ctl("user", "password", "mai", "--password-file", "-", typed=PASSWORD) == {"name": "mai", "state": "active"}
    store = Store(database_url)
    token = sign_in(store, "mai", PASSWORD, "192.0.2.1", datetime.now(UTC))
    assert "facility_not_for_role" in ctl("user", "role", "mai", "--role", "viewer", "--facility", "93002", code=1)
    assert "facility_needed" in ctl("user", "role", "mai", "--role", "facility", code=1)
    assert "unknown_facility" in ctl("user", "role", "mai", "--role", "facility", "--facility", "00000", code=1)
    assert "unknown_account" in ctl("user", "role", "nobody", "--role", "viewer", code=1)
    assert caller_of_session(store, token, datetime.now(UTC)) is not None
    ctl("user", "role", "mai", "--role", "analyst")
    assert caller_of_session(store, token, datetime.now(UTC)) is None
    token = sign_in(store, "mai", PASSWORD, "192.0.2.1", datetime.now(UTC))
    caller = caller_of_session(store, token, datetime.now(UTC))
    assert caller is not None and (caller.role, caller.facility) == (Role.ANALYST, None)
    store.close()


def test_api_keys_are_made_listed_and_revoked(ctl) -> None:
    made = ctl("api-key", "--scope", "upload", "--facility", "93002", "--label", "HIS 93002", "--days", "30")
    assert (made["scope"], made["facility"], made["label"]) == ("upload", "93002", "HIS 93002")
    end = datetime.now(UTC) + timedelta(days=30)
    assert abs(datetime.fromisoformat(made["expires_at"]) - end) < timedelta(minutes=5)
    (row,) = ctl("api-key", "list")["api_keys"]
    assert (row["id"], row["revoked_at"]) == (made["id"], None) and made["key"] not in str(row)
    assert ctl("api-key", "revoke", made["id"])["revoked_at"]
    assert "unknown_key" in ctl("api-key", "revoke", "x", code=1)
    assert "unknown_facility" in ctl("api-key", "--scope", "read", "--facility", "00000", code=1)
    assert "--scope" in ctl("api-key", code=2)


def test_what_the_command_line_does_is_in_the_audit_and_the_chain_is_checked(ctl, database_url: str) -> None:
    made = ctl("api-key", "--scope", "read")
    ctl("enrol", "--facility", "93002", "--station", "kiosk-1")
    ctl("user", "add", "lan", "--role", "admin", "--password-file", "-", typed=PASSWORD)
    today = datetime.now(UTC).date()
    days = ("--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1)))
    found = ctl("audit", "list", *days, "--who", "command line")["records"]
    assert [(row["route"], row["parameters"]) for row in reversed(found)] == [
        ("provincectl api-key", {"scope": "read", "id": made["id"]}),
        ("provincectl enrol", {"facility": "93002", "station": "kiosk-1"}),
        ("provincectl user add", {"name": "lan", "role": "admin"}),
    ]
    assert ctl("audit", "verify") == {"first": 1, "last": 3, "broken_at": None}
    assert ctl("audit", "verify", "--anchor", f"2:{'0' * 64}", code=1)["broken_at"] == 2
    assert "NUMBER:HASH" in ctl("audit", "verify", "--anchor", "x", code=2)
    store = Store(database_url)
    with store.write() as connection:
        connection.execute(sa.delete(audit).where(audit.c.number == 2))
    store.close()
    assert ctl("audit", "verify", code=1) == {"first": 1, "last": 1, "broken_at": 3}
