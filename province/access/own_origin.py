"""Whether a browser's request came from a page of this hub (cross-site request forgery), and where it may be sent."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_own(request: Request) -> bool:
    """Whether the request's `Origin` names the host that the request was sent to; False without the header.

    The scheme may differ: behind a proxy that ends TLS the hub itself sees http.
    """
    origin = request.headers.get("origin", "")
    scheme, _, _ = origin.partition("://")
    place = _place(origin)
    return place is not None and place == _place(f"{scheme}://{request.headers.get('host', '')}")


def local_path(wanted: str) -> str:
    """A path of this hub to go to after signing in: *wanted*, or `/` when it could lead elsewhere."""
    good = wanted.startswith("/") and not wanted.startswith("//") and wanted.isascii() and wanted.isprintable()
    return wanted if good and "\\" not in wanted and len(wanted) <= 500 else "/"


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine itself."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname, port) if parts.hostname else None
