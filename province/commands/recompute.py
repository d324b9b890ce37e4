"""`provincectl recompute`: are the published figures what the raw events say?"""

from dataclasses import asdict
from datetime import datetime
from typing import Final

import click

from province.commands.hub import DAY, Hub, print_json
from province.months.rules import MonthRefused, parse_month
from province.periods import Period, month_end
from province.recompute import compare


@click.command("recompute")
@click.option("--month", help="YYYY-MM; or --from and --to.")
@click.option("--from", "first", type=DAY, help="First day.")
@click.option("--to", "last", type=DAY, help="Last day, inclusive.")
@click.option("--facility", help="Only this facility.")
@click.pass_context
def recompute_figures(
    context: click.Context, month: str | None, first: datetime | None, last: datetime | None, facility: str | None
) -> None:
    """Compute figures again from the raw events alone; exit code 1 when a kept one differs."""
    hub: Hub = context.obj
    span = _span(month, first, last)
    with hub.open().read() as connection:
        found = compare(connection, span, facility)
    days = {"from": span.start.isoformat(), "to": span.end.isoformat()}
    print_json(days | {"equal": not found, "differences": [asdict(each) for each in found]})
    if found:
        context.exit(1)


def _span(month: str | None, first: datetime | None, last: datetime | None) -> Period:
    if month is not None and first is None and last is None:
        try:
            start = parse_month(month)
        except MonthRefused as error:
            raise click.UsageError(str(error)) from error
        return Period(start, month_end(start))
    if month is None and first is not None and last is not None and first <= last:
        return Period(first.date(), last.date())
    raise click.UsageError("give --month, or --from and --to")


COMMANDS: Final = (recompute_figures,)
