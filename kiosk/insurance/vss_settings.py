"""Settings of the direct gateway adapter; defaults are those of insurance-gateway.md 1.6, 2.2 and 6."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from kiosk.errors import ConfigError
from kiosk.loopback import is_loopback

LOGIN_PATH = "/api/token/take"
"""Where a token is taken (insurance-gateway.md 1.3)."""
LOOKUP_PATH = "/api/egw/KQNhanLichSuKCB2024"
"""The current card lookup (insurance-gateway.md 2.1)."""


@dataclass(frozen=True, slots=True)
class VssSettings:
    """How this facility reaches the gateway; ``repr`` shows neither secrets nor people.

    ``url``: scheme, host, port and optional base path; https, or http on a loopback address. ``account``: the
    facility's (``99001_BV``), ``password`` in clear. ``facility``: five characters. Times in seconds:
    ``connect_timeout`` and ``read_timeout`` per request, ``total_timeout`` for a whole lookup with login, waits and
    repeats, ``retry_pause`` before the one repeat, ``login_backoff`` after a refused login, ``dedup_seconds`` for which
    an answer serves the same question again. The breaker opens after ``breaker_failures`` transport failures in a row
    for ``breaker_seconds``. ``ca_file``: PEM bundle instead of the system's authorities.

    ConfigError names the first key that is wrong.
    """

    url: str
    account: str
    password: str = field(repr=False)
    facility: str
    encoding: Literal["json", "form"] = "json"
    md5_case: Literal["upper", "lower"] = "upper"
    connect_timeout: float = 3.0
    read_timeout: float = 8.0
    total_timeout: float = 15.0
    retry_pause: float = 3.0
    login_backoff: float = 300.0
    breaker_failures: int = 5
    breaker_seconds: float = 60.0
    max_in_flight: int = 2
    per_second: float = 1.0
    dedup_seconds: float = 60.0
    ca_file: Path | None = None
    login_path: str = LOGIN_PATH
    lookup_path: str = LOOKUP_PATH

    def __post_init__(self) -> None:
        """Refuse what could not work or would not be safe (ConfigError)."""
        _check_url(self.url)
        for key in ("account", "password", "facility"):
            if not str(getattr(self, key)).strip():
                raise ConfigError(f"insurance.{key}: must not be empty")
        for key, choices in (("encoding", ("json", "form")), ("md5_case", ("upper", "lower"))):
            if getattr(self, key) not in choices:
                raise ConfigError(f"insurance.{key}: expected {' or '.join(choices)}")
        for key in ("connect_timeout", "read_timeout", "total_timeout", "breaker_failures", "breaker_seconds"):
            if getattr(self, key) <= 0:
                raise ConfigError(f"insurance.{key}: expected more than 0")
        for key in ("max_in_flight", "per_second"):
            if getattr(self, key) <= 0:
                raise ConfigError(f"insurance.{key}: expected more than 0")
        for key in ("retry_pause", "login_backoff", "dedup_seconds"):
            if getattr(self, key) < 0:
                raise ConfigError(f"insurance.{key}: expected 0 or more")
        for key in ("login_path", "lookup_path"):
            if not str(getattr(self, key)).startswith("/"):
                raise ConfigError(f"insurance.{key}: expected a path that starts with /")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigError("insurance.url: not a URL") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise ConfigError("insurance.url: expected https://host without user, query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError("insurance.url: http is for loopback addresses only, expected https")
