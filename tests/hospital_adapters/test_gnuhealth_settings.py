"""Wrong settings stop the start and name the key; values, which may be secret, are not repeated."""

from pathlib import Path
from typing import Any

import pytest

from hospital_adapters.gnuhealth import create
from kiosk.errors import ConfigError
from kiosk.ports import AdapterContext

GOOD: dict[str, Any] = {
    "url": "https://his.example",
    "database": "health",
    "user": "kiosk",
    "password_file": "gnuhealth-password",
    "institution": "99001",
    "insurer": "BHXH-VN",
}


def start(password: str = "a-password", **keys: Any) -> None:
    table = {key: value for key, value in (GOOD | keys).items() if value is not ...}
    create(table, AdapterContext("99001", lambda name: password))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"url": "http://127.0.0.1:8000/"},
        {"url": "http://localhost:8000/tryton"},
        {"name_split": "last", "self_pay": False, "prefix": "XXX"},
        {"timeouts": {"visit": 30}},
    ],
)
def test_good_settings(keys: dict[str, Any]) -> None:
    start(**keys)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"colour": "red"}, r"^hospital\.colour: unknown key, expected one of ca_file, database, institution, "),
        ({"timeouts": {"get": 1}}, r"^hospital\.timeouts\.get: unknown key, expected one of ask, connect, visit$"),
        ({"timeouts": {"ask": 0}}, r"^hospital\.timeouts\.ask: "),
        ({"url": ...}, r"^hospital\.url: Field required"),
        ({"url": "http://his.example"}, r"^hospital\.url: .*expected https"),
        ({"url": "https://"}, r"^hospital\.url: .*host name"),
        ({"url": "https://a..b"}, r"^hospital\.url: "),
        ({"url": "https://u:p4ss@his.example"}, r"^hospital\.url: .*without account"),
        ({"url": "https://his.example/?a=1"}, r"^hospital\.url: "),
        ({"url": "https://his.example:0"}, r"^hospital\.url: "),
        ({"database": "a/b"}, r"^hospital\.database: "),
        ({"database": ""}, r"^hospital\.database: "),
        ({"user": "a:b"}, r"^hospital\.user: "),
        ({"institution": ""}, r"^hospital\.institution: "),
        ({"insurer": ...}, r"^hospital\.insurer: Field required"),
        ({"prefix": "vn"}, r"^hospital\.prefix: "),
        ({"name_split": "middle"}, r"^hospital\.name_split: "),
        ({"password": " \n"}, r"^hospital\.password_file: .*it is empty"),
    ],
)
def test_wrong_settings(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as wrong:
        start(**keys)
    assert "p4ss" not in str(wrong.value)


def test_a_ca_file_must_hold_certificates(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for path in (tmp_path / "none.pem", tmp_path / "empty.pem"):
        with pytest.raises(ConfigError, match=r"^hospital\.ca_file: "):
            start(ca_file=str(path))
