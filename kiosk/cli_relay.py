"""``kioskctl relay`` and ``kioskctl relay-key``: a facility's relay, and the keys of the stations that ask it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from kiosk.cli_daemon import fail, show
from kiosk.errors import KioskError


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("/etc/kiosk/relay.toml"),
    envvar="KIOSK_RELAY_CONFIG",
    show_default=True,
    help="The relay's configuration file.",
)
def relay(config_path: Path) -> None:
    """Run the relay: one account and one register of visits for all stations of a facility."""
    from kiosk import logs, relay_config, relay_daemon  # noqa: PLC0415 - other commands need none of it

    logs.set_up()
    os.umask(0o077)
    try:
        relay_daemon.run(relay_config.load(config_path), config_path.parent)
    except KioskError as exc:
        fail(exc.code, str(exc))


@click.command("relay-key")
@click.argument("station")
def relay_key(station: str) -> None:
    """Make a key for one STATION: "key" goes into its key_file, "key_sha256" into the relay's configuration."""
    from kiosk.relay_config import new_key  # noqa: PLC0415

    key, print_of_it = new_key()
    show({"station": station, "key": key, "key_sha256": print_of_it})


COMMANDS = (relay, relay_key)
