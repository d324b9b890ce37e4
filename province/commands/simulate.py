"""The command that fills a hub with a simulated history."""

from datetime import date, datetime, timedelta

import click
import sqlalchemy as sa

from kiosk.events import VIETNAM, parse_day
from province.commands.hub import DAY, Hub, print_json
from province.facilities import read_registry
from province.periods import Period
from province.rules import RuleRefused
from province.simulate.country import load_made_up
from province.simulate.mergers import choose_mergers
from province.simulate.plan import Plan
from province.simulate.writing import NotForRealFigures, refuse_real_figures
from province.simulate.writing import simulate as write_history
from province.store import Store
from province.tables import facility
from province.unit_sums import catch_up


class _LastDay(click.ParamType[date]):
    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """A day as YYYY-MM-DD, or `yesterday` in UTC+7."""
        if isinstance(value, date):
            return value
        day = datetime.now(VIETNAM).date() - timedelta(days=1) if value == "yesterday" else parse_day(value)
        if day is None:
            self.fail("not YYYY-MM-DD or yesterday", param, ctx)
        return day


@click.command()
@click.option("--from", "first", type=DAY, help="First day; a year before the last, when it is not given.")
@click.option(
    "--to", "--until", "last", type=_LastDay(), default="yesterday", show_default=True, help="Last day, or yesterday."
)
@click.option("--facilities", type=click.IntRange(1, 38_000), help="How many; made-up ones join those of the registry.")
@click.option("--merged", type=click.IntRange(0), default=0, show_default=True, help="Health stations merged away.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--scale", type=click.FloatRange(0.01, 10), default=1.0, show_default=True, help="Of the usual sizes.")
@click.option("--sums-only", is_flag=True, help="Write the sums that the feed reads, and no events.")
@click.option("--force", is_flag=True, help="Although stations have joined this hub.")
@click.pass_obj
def simulate(
    hub: Hub,
    first: datetime | None,
    last: date,
    facilities: int | None,
    merged: int,
    seed: int,
    scale: float,
    *,
    sums_only: bool,
    force: bool,
) -> None:
    """Write a plausible history of the facilities of the registry, marked as simulated."""
    begin = first.date() if first else last - timedelta(days=364)
    if last < begin:
        raise click.UsageError("--to is before --from")
    span = Period(begin, last)
    store = hub.open()
    try:
        refuse_real_figures(store, force=force)
        plan = _plan(store, span, facilities, merged, seed, scale)
        days = write_history(store, plan, sums_only=sums_only, force=force)
        catch_up(store)
        print_json({"facility_days": days})
    except (NotForRealFigures, RuleRefused) as error:
        raise click.ClickException(error.code) from error


def _plan(store: Store, span: Period, number: int | None, merged: int, seed: int, scale: float) -> Plan:
    with store.read() as connection:
        known = connection.scalar(sa.select(sa.func.count()).select_from(facility)) or 0
    if number is not None and number > known:
        load_made_up(store, number - known)
    with store.read() as connection:
        registry = read_registry(connection)
    codes = sorted(registry.facilities)[:number]
    mergers = [each for each in choose_mergers(registry, span, merged, seed) if each.old in codes and each.new in codes]
    return Plan({code: registry.facilities[code].type for code in codes}, span, seed, tuple(mergers), scale)


COMMANDS = (simulate,)
