"""`provincectl audit-sample ...`: draw, list, check and enter the monthly samples."""

from dataclasses import asdict
from datetime import date
from typing import Final

import click
from fastapi.encoders import jsonable_encoder

from province.audit_sample.drawing import draw, verify
from province.audit_sample.results import Verdict, enter, sample
from province.commands.hub import Hub, note, print_json
from province.commands.months import MONTH
from province.months.rules import MonthRefused, month_name


@click.group("audit-sample")
def audit_sample() -> None:
    """Twenty chip lookups of each facility and month whose evidence the facility must show."""


@audit_sample.command("draw")
@click.argument("month", type=MONTH)
@click.option("--by", required=True, help="Who asks for it.")
@click.pass_obj
def draw_sample(hub: Hub, month: date, by: str) -> None:
    """Draw the sample of a month that is over; a month is drawn once."""
    store = hub.open()
    try:
        number = draw(store, hub.key(), month, by)
    except MonthRefused as error:
        raise click.ClickException(str(error)) from error
    note(store, "audit-sample draw", month=month_name(month))
    print_json({"month": month_name(month), "lookups": number})


@audit_sample.command("list")
@click.argument("month", type=MONTH)
@click.option("--facility", help="Only of this facility.")
@click.pass_obj
def list_sample(hub: Hub, month: date, facility: str | None) -> None:
    """Print the lookups of a sample with what was seen of them, and each facility's share."""
    with hub.open().read() as connection:
        found = sample(connection, month, only=facility)
    if found is None:
        raise click.ClickException("not_drawn")
    shares = [asdict(each) | {"shown_pct": each.shown_pct} for each in found.shares]
    print_json(jsonable_encoder(asdict(found) | {"shares": shares}))


@audit_sample.command("verify")
@click.argument("month", type=MONTH)
@click.pass_context
def verify_sample(context: click.Context, month: date) -> None:
    """Draw a sample again and compare; exit code 1 when something does not hold."""
    hub: Hub = context.obj
    with hub.open().read() as connection:
        faults = verify(connection, month)
    print_json({"month": month_name(month), "faults": faults})
    if faults:
        context.exit(1)


@audit_sample.command("enter")
@click.argument("month", type=MONTH)
@click.option("--facility", required=True)
@click.option("--event", "event_id", required=True)
@click.option("--verdict", type=click.Choice([each.value for each in Verdict]), required=True)
@click.option("--note", "words", default="", help="Needed unless it was shown.")
@click.option("--by", required=True, help="Who looked.")
@click.pass_obj
def enter_result(hub: Hub, month: date, facility: str, event_id: str, verdict: str, words: str, by: str) -> None:
    """Keep what was seen of one lookup; a later result stands before an earlier one."""
    store = hub.open()
    try:
        with store.write() as connection:
            enter(connection, month, facility, event_id, verdict, by, words)
    except MonthRefused as error:
        raise click.ClickException(str(error)) from error
    note(store, "audit-sample enter", month=month_name(month), facility=facility, verdict=verdict)
    print_json({"event_id": event_id, "verdict": verdict})


COMMANDS: Final = (audit_sample,)
