"""The configuration file of a facility's relay: unknown keys and wrong values stop the start, as at a station.

Secrets are never in the file: a ``*_file`` setting names a systemd credential or a file, and of a station's key only
its SHA-256 stands here.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from kiosk.config import InsuranceTable, StationId, Table, checked_listen, read_tables, wrong
from kiosk.loopback import is_loopback


class RelayTable(Table):
    """This process. ``listen``: without a certificate on loopback only; ``hosts``: the names stations call it by."""

    facility: Annotated[str, Field(pattern=r"^[0-9A-Z]{5}$")]
    listen: str
    data: Path
    store_key_file: str | None = None
    cert_file: str = ""
    key_file: str = ""
    hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _safe(self) -> RelayTable:
        host = checked_listen(self.listen).rpartition(":")[0].strip("[]")
        if bool(self.cert_file) is not bool(self.key_file):
            raise ValueError("cert_file and key_file go together")
        if not self.cert_file and not is_loopback(host):
            raise ValueError("a relay needs cert_file and key_file, unless it listens on loopback")
        if self.cert_file and not self.hosts:
            raise ValueError("a relay with a certificate needs hosts")
        return self


class AllowedStation(Table):
    """A station that may ask. ``key_sha256``: of its key, as ``kioskctl relay-key`` prints it."""

    id: StationId
    key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RelayConfig(Table):
    """The whole file."""

    relay: RelayTable
    insurance: InsuranceTable
    station: Annotated[tuple[AllowedStation, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_account(self) -> RelayConfig:
        if self.insurance.adapter != "vss":
            raise ValueError('a relay asks the insurer itself: insurance.adapter must be "vss"')
        for what in ("id", "key_sha256"):
            if len({getattr(one, what) for one in self.station}) < len(self.station):
                raise ValueError(f"station.{what}: each must be another")
        return self


def load(path: Path) -> RelayConfig:
    """Read and check the file at *path*. ConfigError names the key and what was expected, never a value."""
    return parse(read_tables(path))


def parse(values: dict[str, Any]) -> RelayConfig:
    """Check the tables of a configuration that has been read."""
    try:
        return RelayConfig.model_validate(values)
    except ValidationError as exc:
        raise wrong(exc) from None


def new_key() -> tuple[str, str]:
    """A key for one station, and what the relay keeps of it (hex)."""
    key = secrets.token_urlsafe(32)
    return key, fingerprint(key)


def fingerprint(key: str) -> str:
    """SHA-256 of a station's key: enough to know it again, because the key has 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()
