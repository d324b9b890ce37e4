"""`provincectl findings ...`: look for findings, list them, say something about one, and set limits."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import click
from fastapi.encoders import jsonable_encoder

from kiosk.events import VIETNAM
from province.commands.hub import DAY, Hub, note, print_json
from province.findings.finding import FindingRefused, State
from province.findings.limits import EVERYWHERE, LIMITS, Setting, read_limits, set_limit
from province.findings.listing import findings as list_found
from province.findings.notes import say
from province.findings.running import run
from province.findings.words import LANGUAGES


@click.group()
def findings() -> None:
    """What in the events does not look like honest work; a finding is a question, and none is ever deleted."""


@findings.command("run")
@click.option("--from", "first", type=DAY, help="A day of the first month; default: of this month.")
@click.pass_obj
def run_rules(hub: Hub, first: datetime | None) -> None:
    """Look at whole months, up to yesterday."""
    now = datetime.now(UTC)
    day = first.date() if first else now.astimezone(VIETNAM).date()
    try:
        print_json(asdict(run(hub.open(), day, now)))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@findings.command("list")
@click.option("--facility")
@click.option("--state", type=click.Choice([each.value for each in State]))
@click.option("--from", "first", type=DAY)
@click.option("--to", "last", type=DAY)
@click.option("--language", type=click.Choice(LANGUAGES), default="vi", show_default=True)
@click.pass_obj
def list_findings(
    hub: Hub, facility: str | None, state: str | None, first: datetime | None, last: datetime | None, language: str
) -> None:
    """Print findings: open ones first, then the worst, then the newest."""
    days = first.date() if first else None, last.date() if last else None
    with hub.open().read() as connection:
        found = list_found(connection, facility=facility, state=state, first=days[0], last=days[1], language=language)
    print_json({"findings": jsonable_encoder([asdict(each) for each in found])})


@findings.command("explain")
@click.argument("key")
@click.option("--by", required=True, help="Who says it, as the paper names them.")
@click.option("--text", required=True)
@click.option("--state", type=click.Choice([each.value for each in State]), default="explained", show_default=True)
@click.pass_obj
def explain(hub: Hub, key: str, by: str, text: str, state: str) -> None:
    """Keep an explanation, that the finding is settled, or that it is open again."""
    store = hub.open()
    try:
        with store.write() as connection:
            done = say(connection, key, state, by, text, datetime.now(UTC))
    except FindingRefused as error:
        raise click.ClickException(str(error)) from error
    note(store, "findings explain", key=key, state=state, by=by)
    print_json({"key": done.key, "state": done.state})


@findings.command("limits")
@click.pass_obj
def limits(hub: Hub) -> None:
    """Print the limits of the rules: their defaults with reasons, and what the province set."""
    with hub.open().read() as connection:
        settings = read_limits(connection).settings
    known: dict[str, Any] = {name: asdict(limit) for name, limit in LIMITS.items()}
    print_json({"defaults": known, "set": jsonable_encoder([asdict(each) for each in settings])})


@findings.command("limit")
@click.argument("name", type=click.Choice(list(LIMITS)))
@click.argument("value", type=int)
@click.option("--facility", default=EVERYWHERE, show_default=True)
@click.option("--from", "first", type=DAY, required=True)
@click.option("--reason", required=True)
@click.pass_obj
def set_one(hub: Hub, name: str, value: int, facility: str, first: datetime, reason: str) -> None:
    """Set a limit from a day on, for all facilities or one."""
    store = hub.open()
    setting = Setting(name, facility, first.date(), value, reason)
    try:
        with store.write() as connection:
            set_limit(connection, setting)
    except FindingRefused as error:
        raise click.ClickException(str(error)) from error
    note(store, "findings limit", name=name, value=value, facility=facility, day=first.date())
    print_json(jsonable_encoder(asdict(setting)))


COMMANDS: Final = (findings,)
