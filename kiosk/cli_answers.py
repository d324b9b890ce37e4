"""What ``kioskctl`` does with what lookups leave behind: kept answers, receipts, evidence of failed lookups."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from kiosk.cli_daemon import CONFIG, ask, fail, fetch, show

_DAY = click.DateTime(["%Y-%m-%d"])
_FROM = click.option("--from", "first", type=_DAY, required=True, help="First day, inclusive.")
_TO = click.option("--to", "last", type=_DAY, required=True, help="Last day, inclusive.")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def answers() -> None:
    """The gateway's answers as they came, which the facility must keep."""


@answers.command("list")
@_FROM
@_TO
@CONFIG
def list_days(first: datetime, last: datetime, config_path: Path) -> None:
    """Count the kept answers of each day."""
    show(ask(config_path, "GET", "/answers", params=_days(first, last)))


@answers.command("export")
@_FROM
@_TO
@click.option("-o", "--output", type=_FILE, required=True, help="The file; only you can read it.")
@CONFIG
def export(first: datetime, last: datetime, output: Path, config_path: Path) -> None:
    """Write the kept answers as JSON lines. They are personal data."""
    size = save(output, config_path, "/answers/export", _days(first, last))
    show({"file": str(output), "bytes": size})


@click.command()
@click.argument("code")
@CONFIG
def receipt(code: str, config_path: Path) -> None:
    """Check the lookup receipt CODE; exit 0 valid or its answer kept no longer, 1 not."""
    found = ask(config_path, "GET", f"/receipt/{quote(code, safe='')}")
    show(found)
    raise SystemExit(0 if found["state"] in ("valid", "answer_gone") else 1)


@click.command("lookup-evidence")
@click.argument("checkin_id", required=False)
@click.option("--day", type=_DAY, help="Instead of one visit: all visits of a day without an answer, as CSV.")
@click.option("--format", "form", type=click.Choice(["csv", "pdf"]), default="csv", show_default=True)
@click.option("-o", "--output", type=_FILE, required=True, help="The file; only you can read it.")
@CONFIG
def lookup_evidence(checkin_id: str | None, day: datetime | None, form: str, output: Path, config_path: Path) -> None:
    """Write the evidence of a visit's lookups. It is personal data."""
    if (checkin_id is None) is (day is None):
        raise click.UsageError("expected CHECKIN_ID or --day")
    if day is not None and form == "pdf":
        raise click.UsageError("--day: CSV only")
    which = {"checkin_id": checkin_id} if day is None else {"day": str(day.date())}
    size = save(output, config_path, "/lookup-evidence", which | {"format": form})
    show({"file": str(output), "bytes": size})


def _days(first: datetime, last: datetime) -> dict[str, str]:
    return {"first": str(first.date()), "last": str(last.date())}


def save(output: Path, config_path: Path, path: str, body: dict[str, Any]) -> int:
    """Write what the daemon answers to *output*, readable by its owner alone; returns its bytes.

    A file of that name is replaced only when the answer is whole.
    """
    part = output.with_name(f".{output.name}.part")
    size = 0
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            for piece in fetch(config_path, path, body):
                size += file.write(piece)
        part.replace(output)
    except OSError as exc:
        fail("CANNOT_WRITE", f"{output}: {exc.strerror}")
    finally:
        part.unlink(missing_ok=True)
    return size


COMMANDS = (answers, receipt, lookup_evidence)
