"""`provincectl`: runs the hub and administers it (interfaces.md 1, 5 and 6).

Each administrative command prints one JSON document on stdout; messages for people go to stderr.
"""

from datetime import date, datetime
from pathlib import Path

import click

from province.access.own_origin import is_loopback
from province.app import create_app
from province.commands import (
    access,
    audit,
    audit_sample,
    federation,
    findings,
    insurer,
    months,
    quarantine,
    recompute,
    reports,
    rules,
    simulate,
    uploads,
)
from province.commands.hub import DAY, EXISTING_FILE, Hub, print_json, read_text
from province.facilities import RegistryError, load_registry
from province.observe import log, log_to_stderr
from province.periods import PeriodType
from province.rates import lookup_rate
from province.server import make_server
from province.units import Level


@click.group()
@click.option("--database", help="sqlite:///FILE or postgresql://...; default: province.db in the data folder.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("province-data"),
    envvar="STATE_DIRECTORY",
    show_default=True,
    help="Folder of the default database; under systemd the unit's StateDirectory.",
)
@click.option(
    "--hub-key", type=click.Path(dir_okay=False, path_type=Path), help="The hub's own key; default: in the data folder."
)
@click.pass_context
def main(context: click.Context, database: str | None, data: Path, hub_key: Path | None) -> None:
    """The province hub: events of all facilities in, lookup rate out."""
    context.obj = Hub(database, data, hub_key)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), required=True)
@click.option("--demo", is_flag=True, help="Accept the API key 'demo'; only on a loopback address.")
@click.option("--demo-enrol", multiple=True, metavar="FACILITY:STATION:CODE", help="Fix an enrolment code; demo only.")
@click.option("--public", is_flag=True, help="Let anybody look at the pages, also when there are accounts.")
@click.pass_obj
def run(hub: Hub, host: str, port: int, demo: bool, demo_enrol: tuple[str, ...], public: bool) -> None:
    """Serve until stopped."""
    if demo and not is_loopback(host):
        raise click.UsageError("--demo needs a loopback --host")
    if demo_enrol and not demo:
        raise click.UsageError("--demo-enrol needs --demo")
    log_to_stderr()
    store = hub.open()
    for wanted in demo_enrol:
        parts = wanted.split(":")
        if len(parts) != 3 or not all(parts):
            raise click.UsageError("--demo-enrol is FACILITY:STATION:CODE")
        access.new_station_code(store, parts[0], parts[1], code=parts[2])
    log.info("starting", extra={"fields": {"host": host, "port": port, "demo": demo}})
    try:
        make_server(create_app(store, demo=demo, public=public or demo, key=hub.key()), host, port).run()
    finally:
        store.close()


@main.command("load-facilities")
@click.argument("file", type=EXISTING_FILE)
@click.option("--versions", type=EXISTING_FILE, help="Dated versions of facilities.")
@click.pass_obj
def load_facilities(hub: Hub, file: Path, versions: Path | None) -> None:
    """Add or replace the facilities in FILE; those it does not name stay."""
    store = hub.open(packaged_registry=False)
    try:
        number = load_registry(store, read_text(file), read_text(versions) if versions else None)
    except RegistryError as error:
        raise click.ClickException(str(error)) from error
    print_json({"facilities": number})


@main.command()
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, required=True)
@click.option("--level", type=click.Choice([str(level) for level in Level]), default=str(Level.PROVINCE))
@click.option("--period", type=click.Choice([str(period) for period in PeriodType]), default=str(PeriodType.TOTAL))
@click.pass_obj
def kpi(hub: Hub, first: datetime, last: datetime, level: str, period: str) -> None:
    """Print the rows of the lookup-rate feed."""
    days: tuple[date, date] = first.date(), last.date()
    with hub.open().read() as connection:
        try:
            print_json({"rows": lookup_rate(connection, *days, Level(level), PeriodType(period))})
        except ValueError as error:
            raise click.ClickException(str(error)) from error


for room in (
    access,
    audit,
    audit_sample,
    federation,
    findings,
    insurer,
    months,
    quarantine,
    recompute,
    reports,
    rules,
    simulate,
    uploads,
):
    for command in room.COMMANDS:
        main.add_command(command)
