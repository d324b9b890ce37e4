"""`provincectl months ...`: confirm, close, verify, and what came after."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

import click
import sqlalchemy as sa

from province.commands.hub import Hub, note, print_json
from province.months import closing, confirmations, objections
from province.months.rules import MonthRefused, month_name, parse_month
from province.months.state import month_state
from province.months.state import months as known_months


class _Month(click.ParamType[date]):
    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else parse_month(str(value))
        except MonthRefused as error:
            self.fail(str(error), param, ctx)


MONTH: Final = _Month()
"""The type of an argument that is a month; converts to its first day."""


def _json(value: Any) -> Any:
    """Dates and times as ISO 8601, everything else as it is."""
    if isinstance(value, dict):
        return {name: _json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def _change(hub: Hub, command: str, work: Callable[[sa.Connection], object], **told: object) -> object:
    store = hub.open()
    with store.write() as connection:
        try:
            done = work(connection)
        except MonthRefused as error:
            raise click.ClickException(str(error)) from error
    note(store, f"months {command}", **told)
    return done


@click.group()
def months() -> None:
    """Closing the figures of a month, and what is said about them."""


@months.command("list")
@click.pass_obj
def list_months(hub: Hub) -> None:
    """Months that anybody has done something about."""
    with hub.open().read() as connection:
        print_json({"months": known_months(connection)})


@months.command("show")
@click.argument("month", type=MONTH)
@click.option("--facility", help="Only of this facility.")
@click.pass_obj
def show_month(hub: Hub, month: date, facility: str | None) -> None:
    """Confirmations, objections and adjustments of a month."""
    with hub.open().read() as connection:
        print_json(_json(asdict(month_state(connection, month, facility))))


@months.command("confirm")
@click.argument("month", type=MONTH)
@click.option("--facility", required=True)
@click.option("--by", required=True, help="The head of the facility, as the paper names them.")
@click.pass_obj
def confirm_month(hub: Hub, month: date, facility: str, by: str) -> None:
    """Keep that the head of a facility confirms its figures as they are now."""

    def work(connection: sa.Connection) -> None:
        confirmations.confirm(connection, facility, month, by)

    _change(hub, "confirm", work, month=month_name(month), facility=facility)
    print_json({"facility": facility, "confirmed": True})


@months.command("close")
@click.argument("month", type=MONTH)
@click.option("--by", required=True)
@click.option("--reason", default="", help="Why, although facilities have not confirmed; it is published.")
@click.pass_obj
def close_month(hub: Hub, month: date, by: str, reason: str) -> None:
    """Freeze the figures of a month in a signed document; what comes later is an adjustment beside them."""
    store = hub.open()
    try:
        closed = closing.close(store, hub.key(), month, by, reason)
    except MonthRefused as error:
        raise click.ClickException(str(error)) from error
    note(store, "months close", month=month_name(month))
    print_json(closed)


@months.command("document")
@click.argument("month", type=MONTH)
@click.pass_obj
def print_document(hub: Hub, month: date) -> None:
    """Print the signed document of a closed month, byte for byte."""
    with hub.open().read() as connection:
        found = closing.snapshot(connection, month)
    if found is None:
        raise click.ClickException("month_open")
    click.echo(found.document, nl=False)


@months.command("verify")
@click.pass_context
def verify_months(context: click.Context) -> None:
    """Check digest, signature and figures of every closed month; exit code 1 when one does not hold."""
    hub: Hub = context.obj
    with hub.open().read() as connection:
        found = closing.verify(connection, hub.key())
    print_json({"months": found})
    if any(each["faults"] for each in found):
        context.exit(1)


@months.command("object")
@click.argument("month", type=MONTH)
@click.option("--facility", required=True)
@click.option("--by", required=True)
@click.option("--figure", type=click.Choice(objections.FIGURES), required=True)
@click.option("--reason", type=click.Choice([each.value for each in objections.Reason]), required=True)
@click.option("--text", default="")
@click.pass_obj
def object_to_figure(hub: Hub, month: date, facility: str, by: str, figure: str, reason: str, text: str) -> None:
    """Keep a facility's objection to a figure of its own month."""

    def work(connection: sa.Connection) -> objections.Objection:
        return objections.object_to(connection, facility, month, by, figure, reason, text)

    made = _change(hub, "object", work, month=month_name(month), facility=facility, figure=figure, reason=reason)
    print_json({"number": getattr(made, "number", None)})


@months.command("answer")
@click.argument("number", type=int)
@click.option("--by", required=True)
@click.option("--verdict", type=click.Choice([each.value for each in objections.Verdict]), required=True)
@click.option("--text", required=True)
@click.pass_obj
def answer_objection(hub: Hub, number: int, by: str, verdict: str, text: str) -> None:
    """Keep the province's answer to an objection."""

    def work(connection: sa.Connection) -> None:
        objections.answer(connection, number, by, verdict, text)

    _change(hub, "answer", work, number=number, verdict=verdict)
    print_json({"number": number, "verdict": verdict})


COMMANDS: Final = (months,)
