"""`provincectl federation ...`: joining the hub above and sending it sums; the codes and keys of hubs below."""

import signal
import threading
from dataclasses import asdict
from typing import Final

import click

from province.commands.hub import Hub, note, print_json
from province.enrolment import EnrolmentError
from province.federation.members import list_members, new_member_code, revoke_member
from province.federation.sending import FederationError, find_upper, join_upper, send_round
from province.federation.sending import status as upper_status
from province.federation.sharing import set_sharing
from province.observe import log, log_to_stderr

_LONGEST: Final = 3600


@click.group()
def federation() -> None:
    """Hubs above and below: sums of days go up, signed; events stay, unless the province shares them."""


@federation.command()
@click.argument("name")
@click.option("--province", "provinces", multiple=True, required=True, help="Code of a province it speaks for.")
@click.pass_obj
def code(hub: Hub, name: str, provinces: tuple[str, ...]) -> None:
    """Print a code with which the hub NAME joins this one once within 7 days."""
    store = hub.open()
    try:
        made = new_member_code(store, name, provinces)
    except EnrolmentError as error:
        raise click.ClickException(error.code) from error
    note(store, "federation code", hub=name, provinces=",".join(provinces))
    print_json(made)


@federation.command()
@click.pass_obj
def members(hub: Hub) -> None:
    """Print the keys of the hubs below, and how much each hub sent."""
    with hub.open().read() as connection:
        print_json({"members": list_members(connection)})


@federation.command()
@click.option("--key-id", required=True)
@click.pass_obj
def revoke(hub: Hub, key_id: str) -> None:
    """Refuse a key of a hub below from now on; what it sent stays."""
    store = hub.open()
    try:
        done = revoke_member(store, key_id)
    except EnrolmentError as error:
        raise click.ClickException(error.code) from error
    note(store, "federation revoke", key_id=key_id)
    print_json(done)


@federation.command()
@click.argument("url")
@click.argument("code")
@click.option("--share-events", is_flag=True, help="Raw events leave the province too (no personal data).")
@click.pass_obj
def join(hub: Hub, url: str, code: str, share_events: bool) -> None:
    """Join the hub at URL with a CODE made there."""
    store = hub.open()
    try:
        upper = join_upper(store, hub.key(), url, code, share_events=share_events)
    except FederationError as error:
        raise click.ClickException(error.code) from error
    note(store, "federation join", hub=upper.hub, share_events=str(share_events))
    print_json(asdict(upper))


@federation.command("share-events")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_obj
def share_events(hub: Hub, state: str) -> None:
    """Share raw events with the hub above from now on, with all that are kept here; or never again."""
    store = hub.open()
    with store.write() as connection:
        joined = set_sharing(connection, wanted=state == "on")
    if not joined:
        raise click.ClickException("not_joined")
    note(store, "federation share-events", state=state)
    with store.read() as connection:
        print_json(upper_status(connection))


@federation.command()
@click.pass_obj
def status(hub: Hub) -> None:
    """Print where this hub sends to, what waits, and what was refused."""
    with hub.open().read() as connection:
        print_json(upper_status(connection))


@federation.command()
@click.option("--once", is_flag=True, help="One round; print what it did.")
@click.option("--every", type=click.IntRange(10, _LONGEST), default=300, show_default=True, help="Seconds.")
@click.pass_obj
def run(hub: Hub, once: bool, every: int) -> None:
    """Send the sums of days that changed to the hub above, until stopped."""
    store, key = hub.open(), hub.key()
    try:
        find_upper(store)
        if once:
            print_json(asdict(send_round(store, key)))
            return
    except FederationError as error:
        raise click.ClickException(error.code) from error
    log_to_stderr()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        wait = every
        try:
            log.info("rollups sent", extra={"fields": asdict(send_round(store, key))})
        except FederationError as error:
            log.warning("rollups not sent", extra={"fields": {"problem": error.code}})
            wait = every if error.wait is None else error.wait
        stop.wait(wait)


COMMANDS = (federation,)
"""For the group of all commands."""
