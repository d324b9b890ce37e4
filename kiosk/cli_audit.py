"""``kioskctl audit``: whether anybody bent the log of who did what, and the log itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from kiosk.cli_daemon import CONFIG, ask, fail, fetch, show

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """The log of who did or saw what."""


@audit.command()
@click.option(
    "--anchors",
    "anchors_path",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Anchors as they were kept elsewhere (lines of audit-anchors.jsonl).",
)
@CONFIG
def verify(config_path: Path, anchors_path: Path | None) -> None:
    """Go through the chain; exit 0 when nothing was bent, 1 otherwise."""
    try:
        lines = anchors_path.read_text("ascii").splitlines() if anchors_path else []
        told = {"anchors": [json.loads(line) for line in lines]}
    except (OSError, ValueError):
        fail("BAD_ANCHORS", "the anchors cannot be read")
    result = ask(config_path, "POST", "/audit/verify", json=told)
    show(result)
    sys.exit(0 if result["intact"] else 1)


@audit.command()
@click.option("--from", "first", type=_DAY, required=True, help="First day, inclusive.")
@click.option("--to", "last", type=_DAY, required=True, help="Last day, inclusive.")
@CONFIG
def export(first: Any, last: Any, config_path: Path) -> None:
    """Print the rows of these days as JSON lines; typed words in them may name people."""
    for piece in fetch(config_path, "/audit/export", {"first": str(first.date()), "last": str(last.date())}):
        sys.stdout.buffer.write(piece)


COMMANDS = (audit,)
