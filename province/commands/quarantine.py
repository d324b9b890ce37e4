"""`provincectl quarantine` and `gaps`: events that were refused, and those that never came."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import click

from province.commands.hub import Hub, print_json
from province.gaps import epochs, gaps
from province.quarantine import quarantined


@click.group()
def quarantine() -> None:
    """Events that were refused."""


@quarantine.command("list")
@click.option("--facility", help="Only of this facility.")
@click.pass_obj
def list_quarantine(hub: Hub, facility: str | None) -> None:
    """List the refused events by their ids and reasons, the latest first."""
    with hub.open().read() as connection:
        found = [asdict(each) for each in quarantined(connection, facility)]
    print_json({"quarantined": [_plain(each) for each in found]})


@click.command("gaps")
@click.option("--facility", help="Only of this facility.")
@click.pass_obj
def list_gaps(hub: Hub, facility: str | None) -> None:
    """List numbers that never came, and the stations that began more than one epoch."""
    with hub.open().read() as connection:
        missing = [asdict(each) for each in gaps(connection, facility, now=datetime.now(UTC))]
        begun = [asdict(each) for each in epochs(connection, facility)]
    stations = [(each["facility"], each["station"]) for each in begun]
    again = [each for each in begun if stations.count((each["facility"], each["station"])) > 1]
    print_json({"gaps": [_plain(each) for each in missing], "epochs": [_plain(each) for each in again]})


def _plain(row: dict[str, object]) -> dict[str, object]:
    return {
        name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
        for name, value in row.items()
    }


COMMANDS: Final = (quarantine, list_gaps)
