"""`provincectl`: runs the hub and administers it (interfaces.md 1, 5 and 6).

Each administrative command prints one JSON document on stdout; messages for people go to stderr.
"""

import csv
import ipaddress
from datetime import date, datetime
from pathlib import Path

import click

from province.app import create_app
from province.commands import months, rules, simulate
from province.commands.hub import DAY, EXISTING_FILE, Hub, print_json
from province.enrolment import EnrolmentError, list_keys, new_api_key, new_code
from province.enrolment import revoke as revoke_key
from province.facilities import RegistryError, load_registry
from province.observe import log, log_to_stderr
from province.periods import PeriodType
from province.rates import lookup_rate
from province.server import make_server
from province.store import Store
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
@click.pass_obj
def run(hub: Hub, host: str, port: int, demo: bool, demo_enrol: tuple[str, ...]) -> None:
    """Serve until stopped."""
    if demo and not _is_loopback(host):
        raise click.UsageError("--demo needs a loopback --host")
    if demo_enrol and not demo:
        raise click.UsageError("--demo-enrol needs --demo")
    log_to_stderr()
    store = hub.open()
    for wanted in demo_enrol:
        parts = wanted.split(":")
        if len(parts) != 3 or not all(parts):
            raise click.UsageError("--demo-enrol is FACILITY:STATION:CODE")
        _new_code(store, parts[0], parts[1], code=parts[2])
    log.info("starting", extra={"fields": {"host": host, "port": port, "demo": demo}})
    try:
        make_server(create_app(store, demo=demo, key=hub.key()), host, port).run()
    finally:
        store.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@main.command("load-facilities")
@click.argument("file", type=EXISTING_FILE)
@click.option("--versions", type=EXISTING_FILE, help="Dated versions of facilities.")
@click.pass_obj
def load_facilities(hub: Hub, file: Path, versions: Path | None) -> None:
    """Add or replace the facilities in FILE; those it does not name stay."""
    store = hub.open(packaged_registry=False)
    try:
        number = load_registry(store, _read_text(file), _read_text(versions) if versions else None)
    except RegistryError as error:
        raise click.ClickException(str(error)) from error
    print_json({"facilities": number})


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path.name} is not UTF-8") from error


def _new_code(store: Store, facility: str, station: str, *, code: str | None = None) -> dict[str, str]:
    try:
        return new_code(store, facility, station, code=code)
    except EnrolmentError as error:
        raise click.ClickException(f"{facility} {station}: {error.code}") from error


@main.command()
@click.option("--facility")
@click.option("--station")
@click.option("--file", "file", type=EXISTING_FILE, help="CSV with the columns facility,station.")
@click.pass_obj
def enrol(hub: Hub, facility: str | None, station: str | None, file: Path | None) -> None:
    """Print a code with which a station joins once within 7 days, or a list of them for --file."""
    if file is None:
        if not facility or not station:
            raise click.UsageError("give --facility and --station, or --file")
        print_json(_new_code(hub.open(), facility, station))
        return
    if facility or station:
        raise click.UsageError("--file goes without --facility and --station")
    rows = list(csv.DictReader(_read_text(file).splitlines()))
    if any(not row.get("facility") or not row.get("station") for row in rows):
        raise click.ClickException("every line needs facility and station")
    store = hub.open()
    print_json(
        [
            {"facility": row["facility"], "station": row["station"]} | _new_code(store, row["facility"], row["station"])
            for row in rows
        ]
    )


@main.command()
@click.pass_obj
def keys(hub: Hub) -> None:
    """List all station keys."""
    print_json({"keys": list_keys(hub.open())})


@main.command()
@click.option("--key-id", required=True)
@click.pass_obj
def revoke(hub: Hub, key_id: str) -> None:
    """Refuse a station key from now on."""
    try:
        print_json(revoke_key(hub.open(), key_id))
    except EnrolmentError as error:
        raise click.ClickException(error.code) from error


@main.command("api-key")
@click.option("--scope", type=click.Choice(["read"]), required=True)
@click.pass_obj
def api_key(hub: Hub, scope: str) -> None:
    """Make an API key for the feed; it is shown only now."""
    print_json(new_api_key(hub.open(), scope))


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


for command in (*months.COMMANDS, *rules.COMMANDS, *simulate.COMMANDS):
    main.add_command(command)
