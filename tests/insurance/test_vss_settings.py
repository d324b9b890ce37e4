"""Settings: what is refused, and that nothing secret shows."""

from collections.abc import Callable
from typing import Any

import pytest

from kiosk.errors import ConfigError
from kiosk.insurance.vss_settings import VssSettings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "http://192.0.2.1"),
        ("url", "http://gateway.example"),
        ("url", "ftp://127.0.0.1"),
        ("url", "https://"),
        ("url", "https://user:word@gateway.example"),
        ("url", "https://gateway.example/?token=1"),
        ("url", "https://[broken"),
        ("url", "https://gateway.example:99999"),
        ("account", " "),
        ("password", ""),
        ("facility", ""),
        ("encoding", "xml"),
        ("md5_case", "mixed"),
        ("connect_timeout", 0),
        ("read_timeout", -1),
        ("total_timeout", 0),
        ("retry_pause", -1),
        ("login_backoff", -1),
        ("breaker_failures", 0),
        ("max_in_flight", 0),
        ("per_second", 0),
        ("dedup_seconds", -1),
        ("login_path", "api/token/take"),
    ],
)
def test_a_wrong_key_is_named(settings_for: Callable[..., VssSettings], key: str, value: Any) -> None:
    given: dict[str, Any] = {"url": "https://gateway.example", key: value}
    with pytest.raises(ConfigError, match=rf"insurance\.{key}: "):
        settings_for(given.pop("url"), **given)


@pytest.mark.parametrize("url", ["https://egw.example", "http://127.0.0.1:8099", "http://[::1]:1", "http://localhost"])
def test_addresses_that_may_be_used(settings_for: Callable[..., VssSettings], url: str) -> None:
    assert settings_for(url).url == url


def test_repr_shows_no_secret(settings_for: Callable[..., VssSettings]) -> None:
    shown = repr(settings_for("https://egw.example"))
    assert not [word for word in ("sim-secret",) if word in shown]
