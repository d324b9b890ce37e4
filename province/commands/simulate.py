"""The command that fills a hub with a simulated history."""

from datetime import datetime

import click
import sqlalchemy as sa

from province.commands.hub import DAY, Hub, print_json
from province.periods import Period
from province.simulate.plan import Plan
from province.simulate.writing import NotForRealFigures
from province.simulate.writing import simulate as write_history
from province.tables import facility


@click.command()
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, required=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--scale", type=click.FloatRange(0.01, 10), default=1.0, show_default=True, help="Of the usual sizes.")
@click.option("--sums-only", is_flag=True, help="Write the sums that the feed reads, and no events.")
@click.option("--force", is_flag=True, help="Although stations have joined this hub.")
@click.pass_obj
def simulate(
    hub: Hub, first: datetime, last: datetime, seed: int, scale: float, *, sums_only: bool, force: bool
) -> None:
    """Write a plausible history of all facilities of the registry, marked as simulated."""
    if last < first:
        raise click.UsageError("--to is before --from")
    store = hub.open()
    with store.read() as connection:
        codes = {
            str(row.code): str(row.type) for row in connection.execute(sa.select(facility.c.code, facility.c.type))
        }
    plan = Plan(codes, Period(first.date(), last.date()), seed, {}, scale)
    try:
        print_json({"facility_days": write_history(store, plan, sums_only=sums_only, force=force)})
    except NotForRealFigures as error:
        raise click.ClickException(error.code) from error


COMMANDS = (simulate,)
