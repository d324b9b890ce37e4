"""How far a technician's connection to a hospital system gets: name, connection, certificate, clock, each by itself.

What comes after, signature, login, rights and mapping, only the adapter knows (``HospitalAdapter.check``). No number of
any person is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from kiosk.hospital_addresses import addresses
from kiosk.ports import Clock
from kiosk.tls import client_context

_WITHIN_S: Final = 5.0
_SKEW_S: Final = 60
_SOON_DAYS: Final = 14
_PORTS: Final = {
    "http": 80,
    "https": 443,
    "mllp": 2575,
    "mllps": 2575,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mssql": 1433,
    "oracle": 1521,
}
_WITH_TLS: Final = ("https", "mllps")
_CERTIFICATE: Final = {
    9: "the certificate is not valid yet: is this machine's clock right?",
    10: "the certificate has expired",
    18: "the certificate is signed by itself: set ca_file to it",
    19: "nobody here knows who signed the certificate: set ca_file to the hospital's authority",
    20: "nobody here knows who signed the certificate: set ca_file to the hospital's authority",
    21: "nobody here knows who signed the certificate: set ca_file to the hospital's authority",
    62: "the certificate is for another name than the one in the address",
    64: "the certificate is for another name than the one in the address",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a hospital system is. ``ca_file``: PEM bundle instead of the system's authorities."""

    host: str
    port: int
    tls: bool
    http: bool
    ca_file: str | None = None

    @classmethod
    def all_of(cls, settings: Mapping[str, Any]) -> tuple[Target, ...]:
        """From the ``[hospital]`` table: each machine and port of its addresses once, of any kind, or ``host`` and
        ``port``; none where there are neither.
        """
        ca_file = str(settings["ca_file"]) if settings.get("ca_file") else None
        found: dict[tuple[str, int], Target] = {}
        for address in addresses(settings):
            with contextlib.suppress(ValueError):
                url = urlsplit(address)
                scheme = url.scheme.partition("+")[0].lower()
                port = url.port or _PORTS.get(scheme)
                if url.hostname and port:
                    http = scheme in ("http", "https")
                    found.setdefault((url.hostname, port), cls(url.hostname, port, scheme in _WITH_TLS, http, ca_file))
        host, port = settings.get("host"), settings.get("port")
        if not found and isinstance(host, str) and host and isinstance(port, int):
            return (cls(host, port, bool(settings.get("tls", False)), False, ca_file),)
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: ``dns``, ``connect``, ``tls`` or ``clock``; ``says``: what was found, for a technician."""

    name: str
    ok: bool
    says: str


async def reach(target: Target, clock: Clock) -> list[Step]:
    """Go the way to *target* until it ends; each step takes at most five seconds. Never raises."""
    return [step async for step in _steps(target, clock)]


async def _steps(target: Target, clock: Clock) -> AsyncIterator[Step]:
    yield (found := await _name(target))
    if not found.ok:
        return
    yield (connected := await _connection(target))
    if not connected.ok:
        return
    if target.tls:
        yield (secured := await _certificate(target, clock))
        if not secured.ok:
            return
    if target.http:
        yield await _clocks(target, clock)


async def _name(target: Target) -> Step:
    try:
        async with asyncio.timeout(_WITHIN_S):
            found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return Step("dns", False, "the name server does not answer: check the network and DNS of this machine")
    except (OSError, UnicodeError):
        return Step("dns", False, "there is no machine of this name: check the address, and DNS of this machine")
    return Step("dns", True, f"{len({place[4][0] for place in found})} address(es)")


async def _connection(target: Target) -> Step:
    try:
        async with asyncio.timeout(_WITHIN_S):
            _, writer = await asyncio.open_connection(target.host, target.port)
    except TimeoutError:
        return Step("connect", False, "nothing answers at this address: is a firewall between, is the machine on?")
    except ConnectionRefusedError:
        return Step("connect", False, f"the machine is there, but nothing listens on port {target.port}")
    except OSError:
        return Step("connect", False, "there is no way to this machine: check cable, route and VPN")
    await _closed(writer)
    return Step("connect", True, f"port {target.port} is open")


async def _certificate(target: Target, clock: Clock) -> Step:
    try:
        context = client_context("https:", target.ca_file)
    except (OSError, ValueError):
        return Step("tls", False, "ca_file cannot be read, or holds no certificate")
    try:
        async with asyncio.timeout(_WITHIN_S):
            _, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        return Step("tls", False, _CERTIFICATE.get(error.verify_code, "the certificate cannot be trusted"))
    except ssl.SSLError:
        return Step("tls", False, "what listens there speaks no TLS, or a version that is too old")
    except (TimeoutError, OSError):
        return Step("tls", False, "the connection breaks off before a certificate is shown: is it TLS at all?")
    certificate = writer.get_extra_info("peercert") or {}
    await _closed(writer)
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends - clock()).days
    if days < _SOON_DAYS:
        return Step("tls", True, f"the certificate ends in {days} days: ask the hospital for a new one")
    return Step("tls", True, f"the certificate is good for {days} days")


async def _clocks(target: Target, clock: Clock) -> Step:
    said = await _date_header(target)
    if said is None:
        return Step("clock", True, "the other side tells no time")
    skew = round((clock() - said).total_seconds())
    if abs(skew) > _SKEW_S:
        behind = "ahead of" if skew > 0 else "behind"
        return Step(
            "clock", False, f"this machine's clock is {abs(skew)} s {behind} the other side's: check NTP on both"
        )
    return Step("clock", True, f"the clocks differ by {abs(skew)} s")


async def _date_header(target: Target) -> datetime | None:
    context = client_context("https:", target.ca_file) if target.tls else None
    with contextlib.suppress(TimeoutError, OSError, ValueError, OverflowError, asyncio.LimitOverrunError):
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
            try:
                writer.write(f"HEAD / HTTP/1.1\r\nHost: {target.host}\r\nConnection: close\r\n\r\n".encode("ascii"))
                while line := (await reader.readline()).strip():
                    name, _, value = line.decode("latin-1").partition(":")
                    if name.lower() == "date":
                        moment = parsedate_to_datetime(value.strip())
                        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            finally:
                await _closed(writer)
    return None


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
