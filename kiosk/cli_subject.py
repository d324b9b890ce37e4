"""``kioskctl subject``: what is kept of a person, through the running daemon.

Numbers are read from the standard input, one a line: an argument would stand in the list of processes and in the
shell's history.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kiosk.cli_answers import save
from kiosk.cli_daemon import CONFIG, ask, show


@click.group()
def subject() -> None:
    """A person's rights: find, hand out, erase. Type the person's numbers, one a line, then Ctrl-D."""


@subject.command()
@CONFIG
def find(config_path: Path) -> None:
    """Count what is kept of a person."""
    show(ask(config_path, "POST", "/subject/find", json={"numbers": _numbers()}))


@subject.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file; only you can read it.",
)
@CONFIG
def export(output: Path, config_path: Path) -> None:
    """Write all that is kept of a person, as JSON. It is personal data."""
    size = save(output, config_path, "/subject/export", {"numbers": _numbers()})
    show({"file": str(output), "bytes": size})


@subject.command()
@click.option("--yes", is_flag=True, required=True, help="It cannot be undone.")
@CONFIG
def erase(yes: bool, config_path: Path) -> None:
    """Erase what is kept of a person, but for what still waits and what must be kept; exit 1 if anything waits."""
    done = ask(config_path, "POST", "/subject/erase", json={"numbers": _numbers()})
    show(done)
    raise SystemExit(1 if done["waiting"] else 0)


def _numbers() -> list[str]:
    typed = sys.stdin.read().upper().splitlines()
    numbers = ["".join(line.split()) for line in typed if line.strip()]
    if not numbers:
        raise click.UsageError("expected the person's numbers on the standard input, one a line")
    return numbers


COMMANDS = (subject,)
