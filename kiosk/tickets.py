"""The ticket printer, from the daemon's side: a process of its own that is killed when it does not answer in time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from dataclasses import asdict
from typing import Any, Final

from kiosk.ticket_model import PrinterSettings, PrinterState, Ticket

_CHILD: Final = "kiosk.ticket_child"
_PRINT_SECONDS: Final = 12.0
_STATE_SECONDS: Final = 8.0


class ProcessPrinter:
    """A ``TicketPrinter``: one job at a time, each under a deadline."""

    def __init__(
        self,
        settings: PrinterSettings,
        *,
        print_seconds: float = _PRINT_SECONDS,
        state_seconds: float = _STATE_SECONDS,
    ) -> None:
        """Nothing is started before the first job; ``*_seconds``: what a job may take, with the process's start."""
        self._settings = settings
        self._print_seconds = print_seconds
        self._state_seconds = state_seconds
        self._child: asyncio.subprocess.Process | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._one = asyncio.Lock()

    async def print(self, ticket: Ticket) -> PrinterState:
        """Print *ticket*; the state afterwards, SILENT when the printer or the process took too long."""
        return await self._job({"ticket": asdict(ticket)}, self._print_seconds)

    async def state(self) -> PrinterState:
        """What the printer says of itself now."""
        return await self._job({}, self._state_seconds)

    async def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    async def _job(self, job: dict[str, Any], seconds: float) -> PrinterState:
        async with self._one:
            try:
                async with asyncio.timeout(seconds):
                    answer = await self._answered(job)
                return PrinterState(json.loads(answer)["state"])
            except (TimeoutError, OSError, ValueError):
                await self.close()
                return PrinterState.SILENT
            except asyncio.CancelledError:
                await self.close()  # its answer would be taken for that of the next job
                raise

    async def _answered(self, job: dict[str, Any]) -> bytes:
        child = self._child
        if child is None or child.returncode is not None:
            await self.close()
            self._scratch = tempfile.TemporaryDirectory(prefix="kiosk-printer-")
            child = self._child = await _start(self._scratch.name)
            _write(child, asdict(self._settings))
        _write(child, job)
        assert child.stdin is not None and child.stdout is not None  # noqa: S101 - both are pipes
        await child.stdin.drain()
        return await child.stdout.readline()


async def _start(scratch: str) -> asyncio.subprocess.Process:
    """*scratch*: for what python-escpos keeps of its table of printers, so that a killed process leaves nothing."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=os.sep,
        env={"TMPDIR": scratch},
    )


def _write(child: asyncio.subprocess.Process, document: dict[str, Any]) -> None:
    assert child.stdin is not None  # noqa: S101 - a pipe
    child.stdin.write(json.dumps(document).encode() + b"\n")
