"""The relay's configuration: what would not be safe, or cannot work, stops the start and is named."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import ConfigError
from kiosk.relay_config import fingerprint, load, new_key, parse

KEPT = "0" * 63
VALID: dict[str, Any] = {
    "relay": {
        "facility": "93002",
        "listen": "0.0.0.0:8444",
        "data": "/var/lib/kiosk-relay",
        "cert_file": "cert.pem",
        "key_file": "key.pem",
        "hosts": ["relay.example"],
    },
    "insurance": {"url": "https://egw.example", "account": "93002_BV", "password_file": "vss-password"},
    "station": [{"id": "kiosk-1", "key_sha256": KEPT + "1"}, {"id": "kiosk-2", "key_sha256": KEPT + "2"}],
}


def changed(table: str, **changes: Any) -> dict[str, Any]:
    values = deepcopy(VALID)
    values[table] = {key: value for key, value in (values[table] | changes).items() if value is not None}
    return values


def test_a_whole_file_is_taken() -> None:
    config = parse(VALID)
    assert [station.id for station in config.station] == ["kiosk-1", "kiosk-2"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (changed("relay", cert_file=None, key_file=None), "unless it listens on loopback"),
        (changed("relay", key_file=None), "go together"),
        (changed("relay", hosts=[]), "needs hosts"),
        (changed("relay", listen="8444"), "address:port"),
        (changed("relay", facility="93"), "relay.facility"),
        (changed("relay", colour="red"), "relay.colour"),
        (changed("insurance", adapter="relay", key_file="k"), 'must be "vss"'),
        (changed("insurance", password_file=None), "insurance.password_file"),
        (VALID | {"station": []}, "station"),
        (VALID | {"station": [{"id": "a", "key_sha256": "abc"}]}, "station.0.key_sha256"),
        (VALID | {"station": [{"id": "a b", "key_sha256": KEPT + "1"}]}, "station.0.id"),
        (VALID | {"station": [{"id": "a", "key": "plain"}]}, "station.0.key"),
        (VALID | {"station": [VALID["station"][0], VALID["station"][0]]}, "station.id"),
        (VALID | {"station": [VALID["station"][0], {"id": "b", "key_sha256": KEPT + "1"}]}, "station.key_sha256"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(values)
    assert says in str(refused.value)
    assert "plain" not in str(refused.value)


def test_on_loopback_no_certificate_is_needed() -> None:
    values = changed("relay", listen="127.0.0.1:8444", cert_file=None, key_file=None, hosts=None)
    assert parse(values).relay.hosts == ()


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"relay\.toml"):
        load(tmp_path / "relay.toml")
    (tmp_path / "relay.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not TOML"):
        load(tmp_path / "relay.toml")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(table=st.sampled_from(["relay", "insurance", "station"]), value=_ANY)
def test_whatever_stands_there_is_taken_or_refused_by_name(table: str, value: Any) -> None:
    try:
        parse(VALID | {table: value})
    except ConfigError as refused:
        assert table in str(refused)


def test_a_key_is_long_and_only_its_digest_is_kept() -> None:
    (key, kept), (other, _) = new_key(), new_key()
    assert key != other
    assert len(key) >= 43
    assert kept == fingerprint(key)
    assert key not in kept
