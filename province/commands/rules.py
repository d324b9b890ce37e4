"""`provincectl rules ...`: targets, exclusions, opening balances and successions by date."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Final

import click
import sqlalchemy as sa

from province.commands.hub import DAY, Hub, note, print_json
from province.measures import Measures
from province.rollup_table import CLASSES
from province.rules import (
    EVERYWHERE,
    Exclusion,
    OpeningBalance,
    RuleRefused,
    Succession,
    Target,
    read_rules,
    set_exclusion,
    set_opening,
    set_succession,
    set_target,
)
from province.store import Store

_COUNT: Final = click.IntRange(0, 2**31 - 1)


def _day(moment: datetime) -> date:
    return moment.date()


def _change(hub: Hub, command: str, work: Callable[[sa.Connection], None], **told: object) -> None:
    store = hub.open()
    with store.write() as connection:
        try:
            work(connection)
        except RuleRefused as error:
            raise click.ClickException(error.code) from error
    note(store, f"rules {command}", **told)
    _show(store)


def _show(store: Store) -> None:
    with store.read() as connection:
        rules = read_rules(connection)
    openings = [
        {
            "facility": each.facility,
            "first": each.first.isoformat(),
            "last": each.last.isoformat(),
            "visits": each.sums.visits,
            "visits_looked_up": each.sums.visits_looked_up,
            "lookups": each.sums.counted,
            "success": each.sums.success,
        }
        for each in rules.openings
    ]
    print_json(
        {
            "targets": [_plain(each) for each in rules.targets],
            "exclusions": [_plain(each) for each in rules.exclusions],
            "successions": [_plain(each) for each in rules.successions],
            "opening_balances": openings,
        }
    )


def _plain(rule: Target | Exclusion | Succession) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(rule).items()}


@click.group()
def rules() -> None:
    """What is not in the events but decided by people, with its dates; each command prints all rules."""


@rules.command("list")
@click.pass_obj
def list_rules(hub: Hub) -> None:
    """Print all rules."""
    _show(hub.open())


@rules.command("target")
@click.option("--unit", default=EVERYWHERE, show_default=True, help="A facility, area or province by its code.")
@click.option("--from", "first", type=DAY, required=True)
@click.option("--pct", type=click.FloatRange(0, 100), required=True)
@click.pass_obj
def target_rule(hub: Hub, unit: str, first: datetime, pct: float) -> None:
    """Set the target for r1 from a day on."""
    day = _day(first)
    _change(hub, "target", lambda connection: set_target(connection, unit, day, pct), unit=unit, first=day, pct=pct)


@rules.command("exclude")
@click.argument("name", type=click.Choice(CLASSES))
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY)
@click.option("--reason", required=True)
@click.pass_obj
def exclusion_rule(hub: Hub, name: str, first: datetime, last: datetime | None, reason: str) -> None:
    """Leave a class of visits out of the rates from a day on, or until a day."""
    rule = Exclusion(name, _day(first), _day(last) if last else None, reason)
    _change(hub, "exclude", lambda connection: set_exclusion(connection, rule), name=name)


@rules.command("opening")
@click.argument("facility")
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, required=True)
@click.option("--visits", type=_COUNT, required=True)
@click.option("--looked-up", type=_COUNT, required=True, help="Visits with a lookup by citizen number.")
@click.option("--lookups", type=_COUNT, required=True)
@click.option("--success", type=_COUNT, required=True)
@click.pass_obj
def opening_rule(
    hub: Hub, facility: str, first: datetime, last: datetime, visits: int, looked_up: int, lookups: int, success: int
) -> None:
    """Set what a facility had reached before its events were counted here."""
    sums = Measures(visits=visits, visits_looked_up=looked_up, counted=lookups, success=success)
    rule = OpeningBalance(facility, _day(first), _day(last), sums)
    _change(hub, "opening", lambda connection: set_opening(connection, rule), facility=facility, visits=visits)


@rules.command("succession")
@click.argument("old")
@click.argument("new")
@click.option("--day", type=DAY, required=True)
@click.option("--kind", type=click.Choice(["merged", "renumbered", "split"]), default="merged", show_default=True)
@click.pass_obj
def succession_rule(hub: Hub, old: str, new: str, day: datetime, kind: str) -> None:
    """Let what comes under OLD count for NEW from a day on."""
    rule = Succession(old, new, _day(day), kind)
    _change(hub, "succession", lambda connection: set_succession(connection, rule), old=old, new=new, day=rule.day)


COMMANDS: Final = (rules,)
