"""``kioskctl officers``: who may answer for lookups at the insurer."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

import click

from kiosk.cli_daemon import CONFIG, ask, show


@click.group()
def officers() -> None:
    """Who may answer for lookups, as registered on the insurer's portal."""


@officers.command("list")
@click.option("--reveal", is_flag=True, help="Show names and citizen numbers in full.")
@CONFIG
def listed(config_path: Path, *, reveal: bool) -> None:
    """All of them, and who answers now."""
    show(ask(config_path, "GET", "/officers", params={"reveal": reveal}))


@officers.command()
@CONFIG
def add(config_path: Path) -> None:
    """Register one, or correct a name: a line "name;12-digit number" on standard input."""
    show(ask(config_path, "POST", "/officers", json={"line": sys.stdin.readline()}))


@officers.command()
@click.argument("officer_id")
@CONFIG
def remove(officer_id: str, config_path: Path) -> None:
    """Take one off the register."""
    show(ask(config_path, "DELETE", f"/officers/{quote(officer_id, safe='')}"))


@officers.command()
@click.argument("officer_id")
@CONFIG
def designate(officer_id: str, config_path: Path) -> None:
    """Choose who stands in when nobody has signed on."""
    show(ask(config_path, "POST", f"/officers/{quote(officer_id, safe='')}/designate"))


@officers.command("sign-on")
@click.argument("officer_id")
@CONFIG
def sign_on(officer_id: str, config_path: Path) -> None:
    """Begin an officer's shift; at a kiosk of its own the staff screen does the same."""
    show(ask(config_path, "POST", f"/officers/{quote(officer_id, safe='')}/sign-on"))


@officers.command("sign-off")
@CONFIG
def sign_off(config_path: Path) -> None:
    """End the shift that runs: the designated officer stands in."""
    show(ask(config_path, "POST", "/officers/sign-off"))


COMMANDS = (officers,)
