"""``kioskctl tickets``: the numbers of a day, for rooms that work from paper."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kiosk.cli_daemon import CONFIG, ask, show
from kiosk.model import VIETNAM


@click.group()
def tickets() -> None:
    """Numbers that were handed out."""


@tickets.command(name="list")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Default: today.")
@click.option("--room", default="", help="Only rooms, departments and services whose name contains this.")
@click.option("--text", is_flag=True, help="Lines to print on paper instead of JSON.")
@CONFIG
def list_(config_path: Path, day: datetime | None, room: str, text: bool) -> None:
    """The numbers of a day, our own beside the hospital's."""
    wanted = {"room": room} | ({"day": str(day.date())} if day else {})
    found = ask(config_path, "GET", "/tickets", params=wanted)
    if not text:
        show(found)
        return
    click.echo(f"{found['day']}  {room}".rstrip())
    for line in found["tickets"]:
        click.echo(_line(line))


def _line(line: dict[str, Any]) -> str:
    own, his = line["kiosk_number"] or "", line["his_number"] or ""
    place = line["room"] or line["department"] or ""
    accepted = line["accepted_at"]
    at = datetime.fromisoformat(accepted).astimezone(VIETNAM).strftime("%H:%M") if accepted else ""
    words = (f"{own:<8}", "->" if own and his else "  ", f"{his:<8}", f"{at:<5}", place, line["service"] or "")
    return "  ".join((*words, line["closed_reason"] or "")).rstrip()


COMMANDS = (tickets,)
