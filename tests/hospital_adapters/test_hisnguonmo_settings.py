"""The ``[hospital]`` table of the hisnguonmo adapter: what is refused at start, in which words."""

from pathlib import Path
from typing import Any

import pytest

from hospital_adapters.hisnguonmo import create
from kiosk.errors import ConfigError
from kiosk.ports import AdapterContext

GOOD: dict[str, Any] = {
    "url": "https://his.example/mos",
    "user": "kiosk",
    "password_file": "his-password",
    "request_room": "KIOSK01",
}


def start(secret: str = "word\n", **keys: Any) -> None:
    settings = {key: value for key, value in (GOOD | keys).items() if value is not ...}
    create(settings, AdapterContext("99001", lambda name: {"his-password": secret, "his-token": secret}[name]))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"url": "http://127.0.0.1:8095"},
        {"login_url": "https://acs.example"},
        {"mode": "partner"},
        {"user": ..., "password_file": ..., "token_file": "his-token"},
        {"timeouts": {"post": 60}},
        {"paths": {"rooms": "api/HisRoom/Get"}},
        {"male": 1, "female": 2},
    ],
)
def test_good_settings(keys: dict[str, Any]) -> None:
    start(**keys)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"colour": "red"}, r"^hospital\.colour: unknown key, expected one of application_code, "),
        ({"timeouts": {"read": 1}}, r"^hospital\.timeouts\.read: unknown key, expected one of connect, get, post$"),
        ({"paths": {"beds": "a"}}, r"^hospital\.paths\.beds: unknown key, expected one of find, login, "),
        ({"paths": {"rooms": "/a?b=1"}}, r"^hospital\.paths\.rooms: "),
        ({"url": ...}, r"^hospital\.url: Field required"),
        ({"url": "http://his.example"}, r"^hospital\.url: .*expected https"),
        ({"url": "https://u:p4ss@his.example"}, r"^hospital\.url: .*without account"),
        ({"url": "https://bệnhviện.vn"}, r"^hospital\.url: .*ASCII"),
        ({"login_url": "http://acs.example"}, r"^hospital\.login_url: .*expected https"),
        ({"request_room": ...}, r"^hospital\.request_room: Field required"),
        ({"request_room": ""}, r"^hospital\.request_room: "),
        ({"mode": "other"}, r"^hospital\.mode: Input should be 'own' or 'partner'"),
        ({"user": ...}, r"^hospital: .*either user with password_file, or token_file"),
        ({"token_file": "his-token"}, r"^hospital: .*either user with password_file, or token_file"),
        ({"male": 1}, r"^hospital: .*male, female: expected two numbers"),
        ({"application_code": "A B"}, r"^hospital\.application_code: "),
        ({"token_header": "X: y"}, r"^hospital\.token_header: "),
        ({"menu_seconds": 0}, r"^hospital\.menu_seconds: "),
        ({"ca_file": "/nowhere/ca.pem"}, r"^hospital\.ca_file: expected a readable PEM"),
        ({"secret": ""}, r"^hospital\.password_file: expected a file with one line"),
        ({"secret": "two\nlines"}, r"^hospital\.password_file: expected a file with one line"),
    ],
)
def test_wrong_settings(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        start(**keys)
    assert "p4ss" not in str(caught.value)


def test_a_file_that_holds_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"hospital\.ca_file"):
        start(ca_file=str(tmp_path / "ca.pem"))
