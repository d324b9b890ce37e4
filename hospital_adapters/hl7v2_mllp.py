"""Carries one message over MLLP and tells what became of it; never raises for the other side's faults.

MLLP: VT, the message, FS, CR (HL7 v2.5.1 implementation guide, appendix C). What receivers really do: components.md 5.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass

from hospital_adapters.hl7v2_settings import Hl7v2Settings
from hospital_adapters.hl7v2_wire import Ack, read_ack
from kiosk.errors import ConfigError
from kiosk.tls import client_context

ANSWER_LIMIT = 64 * 1024
_START, _END = b"\x0b", b"\x1c"
_GOODBYE_S = 1.0
_REFUSAL_S = 0.5
_LISTEN_S = 0.01
_ONLY_WITHOUT_ID = ("AR", "CR")
# With TLS 1.3 a receiver that refuses our certificate says so only when we have begun to send; it took nothing in.
_CERTIFICATE_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")


@dataclass(frozen=True, slots=True)
class NoAck:
    """No usable acknowledgement. ``sent`` False: no byte of the message can have been taken in."""

    reason: str
    sent: bool


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class MllpClient:
    """One message at a time on a connection: a fresh one for each, or a kept one for all (``keep_connection``)."""

    def __init__(self, settings: Hl7v2Settings) -> None:
        """Nothing is opened yet. ConfigError when ``ca_file`` or ``client_file`` cannot be used."""
        self._settings = settings
        self._trust = _trust(settings) if settings.tls else None
        self._turn = asyncio.Lock()
        self._kept: _Connection | None = None

    async def exchange(self, message: str, control_id: str) -> Ack | NoAck:
        """Send *message*, whose MSH-10 is *control_id*, and wait for its acknowledgement."""
        if not self._settings.keep_connection:
            return await self._on_fresh(message, control_id)
        async with self._turn:
            return await self._on_kept(message, control_id)

    async def probe(self) -> NoAck | None:
        """Connect, TLS included, and hang up; None when that worked.

        In TLS it listens for half a second before: with TLS 1.3 our certificate is refused when all seems done.
        """
        connection = await self._open()
        if isinstance(connection, NoAck):
            return connection
        stands = self._trust is None or await _quiet(connection, _REFUSAL_S)
        await _hang_up(connection)
        return None if stands else NoAck("tls", sent=False)

    async def close(self) -> None:
        """Hang up."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await _hang_up(kept)

    async def _on_fresh(self, message: str, control_id: str) -> Ack | NoAck:
        connection = await self._open()
        if isinstance(connection, NoAck):
            return connection
        try:
            return await self._send(connection, message, control_id)
        finally:
            await _hang_up(connection)

    async def _on_kept(self, message: str, control_id: str) -> Ack | NoAck:
        connection, self._kept = self._kept, None
        if connection is not None and not await _quiet(connection, _LISTEN_S):
            await _hang_up(connection)
            connection = None
        opened = connection or await self._open()
        if isinstance(opened, NoAck):
            return opened
        end: Ack | NoAck | None = None
        try:
            end = await self._send(opened, message, control_id)
        finally:
            if isinstance(end, Ack):
                self._kept = opened
            else:
                await _hang_up(opened)
        return end

    async def _open(self) -> _Connection | NoAck:
        host, port = self._settings.address
        try:
            async with asyncio.timeout(self._settings.timeouts.connect):
                return _Connection(*await asyncio.open_connection(host, port, ssl=self._trust))
        except TimeoutError:
            return NoAck("connect_timeout", sent=False)
        except ssl.SSLError:
            return NoAck("tls", sent=False)
        except (OSError, ValueError):
            return NoAck("unreachable", sent=False)

    async def _send(self, connection: _Connection, message: str, control_id: str) -> Ack | NoAck:
        others = 0
        try:
            async with asyncio.timeout(self._settings.timeouts.answer):
                connection.writer.write(_START + message.encode() + _END + b"\r")
                await connection.writer.drain()
                received = b""
                while piece := await connection.reader.read(ANSWER_LIMIT):
                    blocks, received = _blocks(received + piece)
                    for ack in map(read_ack, blocks):
                        if ack is not None and _is_for(ack, control_id):
                            return ack
                    others += sum(map(len, blocks))
                    if others + len(received) > ANSWER_LIMIT:
                        return NoAck("too_large", sent=True)
        except TimeoutError:
            return NoAck("other_answer" if others else "no_answer", sent=True)
        except ssl.SSLError as failure:
            refused = any(word in (failure.reason or "").upper() for word in _CERTIFICATE_ALERTS)
            return NoAck("tls" if refused else "connection_lost", sent=not refused)
        except OSError:
            return NoAck("connection_lost", sent=True)
        return NoAck("other_answer" if others else "closed", sent=True)


def _blocks(received: bytes) -> tuple[list[bytes], bytes]:
    """The whole MLLP blocks in *received*, and what is left; what stands outside of blocks is dropped.

    The CR after FS is not waited for: some receivers leave it out.
    """
    *ended, rest = received.split(_END)
    blocks = [block.rpartition(_START)[2] for block in ended if _START in block]
    return blocks, rest


def _is_for(ack: Ack, control_id: str) -> bool:
    # A receiver that could not read a message cannot name it (components.md 5, simple-hl7).
    return ack.control_id == control_id or (not ack.control_id and ack.code in _ONLY_WITHOUT_ID)


async def _quiet(connection: _Connection, seconds: float) -> bool:
    """Whether, *seconds* from now, a connection still stands and nothing unasked for has come in."""
    try:
        async with asyncio.timeout(seconds):
            await connection.reader.read(1)
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


async def _hang_up(connection: _Connection) -> None:
    connection.writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            await connection.writer.wait_closed()
    connection.writer.transport.abort()


def _trust(settings: Hl7v2Settings) -> ssl.SSLContext:
    try:
        if not settings.client_file:
            return client_context("https:", settings.ca_file)
        own = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ValueError):
        raise ConfigError("hospital.ca_file: expected a readable PEM file with certificates") from None
    try:
        own.load_cert_chain(settings.client_file, password=lambda: b"")
    except (OSError, ValueError):
        raise ConfigError("hospital.client_file: expected a PEM file with certificate and unencrypted key") from None
    return own
