"""Wrong settings stop the start and name the key; values, which may be secret, are not repeated."""

from pathlib import Path
from typing import Any

import pytest

from hospital_adapters.c06 import create
from kiosk.errors import ConfigError
from kiosk.ports import AdapterContext

GOOD: dict[str, Any] = {"url": "https://his.example/api", "merchant": "KIOSK-TEST", "secret_file": "c06-secret"}


def secret(name: str) -> str:
    if name != "c06-secret":
        raise ConfigError(f"hospital.secret_file: no secret {name}")
    return "sim-c06-secret"


def start(**keys: Any) -> None:
    create({key: value for key, value in (GOOD | keys).items() if value is not ...}, AdapterContext("99001", secret))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"url": "http://127.0.0.1:8098"},
        {"url": "http://localhost:8098/api/"},
        {"url": "http://[::1]:8098"},
        {"timeouts": {"post": 30}},
        {"sign": {"dangky_kcb": []}},
        {"history_path": "/lich-su/v1"},
        {"history_path": "/lich-su/v1", "queue_number": "later", "urls": {"lich-su/v1": "https://other.example/a"}},
        {"profile": "field", "tree_path": "/dich-vu-tree", "urls": {"dich-vu-tree": "https://other.example/a/"}},
    ],
)
def test_good_settings(keys: dict[str, Any]) -> None:
    start(**keys)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (
            {"colour": "red"},
            r"^hospital\.colour: unknown key, expected one of also_send_matinh_cu_tru, asks_availability, ",
        ),
        ({"timeouts": {"read": 1}}, r"^hospital\.timeouts\.read: unknown key, expected one of connect, get, post$"),
        ({"sign": {"khoa": ["A"]}}, r"^hospital\.sign\.khoa: unknown key, expected one of bhyt, dangky_kcb$"),
        ({"sign": {"bhyt": ["A"]}}, r"^hospital\.sign\.bhyt\.0: "),
        ({"url": ...}, r"^hospital\.url: Field required"),
        ({"url": "http://his.example"}, r"^hospital\.url: .*expected https"),
        ({"url": "http://10.0.0.5"}, r"^hospital\.url: .*expected https"),
        ({"url": "ftp://127.0.0.1"}, r"^hospital\.url: "),
        ({"url": "https://"}, r"^hospital\.url: .*host name"),
        ({"url": "https://a..b"}, r"^hospital\.url: "),
        ({"url": "https://bệnhviện.vn"}, r"^hospital\.url: .*ASCII"),
        ({"url": "https://u:p4ss@his.example"}, r"^hospital\.url: .*without account"),
        ({"url": "https://his.example/?a=1"}, r"^hospital\.url: "),
        ({"url": "https://his.example:99999"}, r"^hospital\.url: "),
        ({"url": "https://his.example:0"}, r"^hospital\.url: "),
        ({"url": "https://[::1"}, r"^hospital\.url: "),
        ({"merchant": "A|B"}, r"^hospital\.merchant: "),
        ({"merchant": "Bệnh viện"}, r"^hospital\.merchant: "),
        ({"merchant": "A\nB"}, r"^hospital\.merchant: "),
        ({"profile": "other"}, r"^hospital\.profile: Input should be 'doc' or 'field'"),
        ({"urls": {"benhnhan": "http://his.example"}}, r"^hospital\.urls\.benhnhan: .*expected https"),
        (
            {"urls": {"benh-nhan": "https://his.example"}},
            r"^hospital: .*urls: expected paths of calls such as benhnhan",
        ),
        ({"queue_number": "later"}, r"^hospital: .*queue_number: .*history_path"),
        ({"queue_number": "soon"}, r"^hospital\.queue_number: "),
        ({"sex": "other"}, r"^hospital\.sex: Input should be 'standard' or 'reversed'"),
        ({"timeouts": {"get": 0}}, r"^hospital\.timeouts\.get: Input should be greater than 0"),
        ({"timeouts": 5}, r"^hospital\.timeouts: "),
        ({"history_path": "lich-su"}, r"^hospital\.history_path: "),
        ({"history_path": "/a?b=1"}, r"^hospital\.history_path: "),
        ({"sign": {"dangky_kcb": ["ma bn"]}}, r"^hospital\.sign\.dangky_kcb\.0: "),
        ({"dedup": "yes"}, r"^hospital\.dedup: Input should be 'none' or 'du_phong'"),
        ({"secret_file": ""}, r"^hospital\.secret_file: "),
        ({"secret_file": "other"}, r"^hospital\.secret_file: "),
        ({"ca_file": "/nowhere/ca.pem"}, r"^hospital\.ca_file: expected a readable PEM"),
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


def test_an_empty_secret() -> None:
    with pytest.raises(ConfigError, match=r"hospital\.secret_file: .*empty"):
        create(GOOD, AdapterContext("99001", lambda _: " \n"))
