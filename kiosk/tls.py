"""Whom an HTTPS client trusts. One context for all clients with the same authorities: each would hold them anew.

A context with Debian's 140 authorities takes 1.6 MB and 10 ms; a client of plain HTTP needs none of them.
"""

from __future__ import annotations

import functools
import ssl
from pathlib import Path


def client_context(url: str, ca_file: Path | str | None = None) -> ssl.SSLContext:
    """The context for a client of *url*: it checks names, and chains to *ca_file* (PEM) or the system's authorities.

    For ``http://`` it trusts nobody, so that a connection that should turn out to be TLS fails. OSError or ValueError
    if *ca_file* cannot be read or holds no certificate, also where *url* needs none.
    """
    if ca_file:
        return _trusting(str(ca_file))
    return _trusting(None) if url.lower().startswith("https:") else _trusting_nobody()


@functools.cache
def _trusting(ca_file: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


@functools.cache
def _trusting_nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
