"""The commands about who may send, see and do what: station keys, API keys, accounts."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from province.access.accounts import AccountRefused, add_account, disable_account, list_accounts, set_password, set_role
from province.access.caller import Role, Scope
from province.access.keys import KeyRefused, list_api_keys, new_api_key, revoke_api_key
from province.commands.hub import EXISTING_FILE, Hub, note, print_json, read_text
from province.enrolment import EnrolmentError, list_keys, new_code
from province.enrolment import revoke as revoke_key
from province.store import Store

_PASSWORD_FILE = click.option(
    "--password-file", type=click.File("r", "utf-8"), help="Take the password from the first line; - is stdin."
)


def new_station_code(store: Store, facility: str, station: str, *, code: str | None = None) -> dict[str, str]:
    """As `enrolment.new_code`, but raises ClickException."""
    try:
        made = new_code(store, facility, station, code=code)
    except EnrolmentError as error:
        raise click.ClickException(f"{facility} {station}: {error.code}") from error
    note(store, "enrol", facility=facility, station=station)
    return made


@click.command()
@click.option("--facility")
@click.option("--station")
@click.option("--file", "file", type=EXISTING_FILE, help="CSV with the columns facility,station.")
@click.pass_obj
def enrol(hub: Hub, facility: str | None, station: str | None, file: Path | None) -> None:
    """Print a code with which a station joins once within 7 days, or a list of them for --file.

    For a station that has a key this is the way to a new one: the old key holds until the new one is used.
    """
    if file is None:
        if not facility or not station:
            raise click.UsageError("give --facility and --station, or --file")
        print_json(new_station_code(hub.open(), facility, station))
        return
    if facility or station:
        raise click.UsageError("--file goes without --facility and --station")
    rows = list(csv.DictReader(read_text(file).splitlines()))
    if any(not row.get("facility") or not row.get("station") for row in rows):
        raise click.ClickException("every line needs facility and station")
    store = hub.open()
    print_json(
        [
            {"facility": row["facility"], "station": row["station"]}
            | new_station_code(store, row["facility"], row["station"])
            for row in rows
        ]
    )


@click.command()
@click.pass_obj
def keys(hub: Hub) -> None:
    """List all station keys with their state and last use."""
    print_json({"keys": list_keys(hub.open())})


@click.command()
@click.option("--key-id", required=True)
@click.pass_obj
def revoke(hub: Hub, key_id: str) -> None:
    """Refuse a station key from now on."""
    store = hub.open()
    try:
        revoked = revoke_key(store, key_id)
    except EnrolmentError as error:
        raise click.ClickException(error.code) from error
    note(store, "revoke", key_id=key_id)
    print_json(revoked)


@click.group("api-key", invoke_without_command=True)
@click.option("--scope", type=click.Choice([str(scope) for scope in Scope]))
@click.option("--facility", help="Only for this facility.")
@click.option("--label", help="The name that the audit shows.")
@click.option("--days", type=click.IntRange(1, 3660), help="For how many days; default: until revoked.")
@click.pass_context
def api_key(
    context: click.Context, scope: str | None, facility: str | None, label: str | None, days: int | None
) -> None:
    """Make an API key; it is shown only now. With list or revoke: see to those there are."""
    if context.invoked_subcommand is not None:
        return
    if scope is None:
        raise click.UsageError("give --scope")
    store = context.obj.open()
    try:
        made = new_api_key(store, scope, facility_code=facility, label=label, days=days)
    except KeyRefused as error:
        raise click.ClickException(error.code) from error
    note(store, "api-key", scope=scope, facility=facility, id=made["id"])
    print_json(made)


@api_key.command("list")
@click.pass_obj
def list_them(hub: Hub) -> None:
    """List all API keys, without the keys themselves."""
    print_json({"api_keys": list_api_keys(hub.open())})


@api_key.command("revoke")
@click.argument("key_id", metavar="ID")
@click.pass_obj
def revoke_it(hub: Hub, key_id: str) -> None:
    """Refuse an API key from now on."""
    store = hub.open()
    try:
        revoked = revoke_api_key(store, key_id)
    except KeyRefused as error:
        raise click.ClickException(error.code) from error
    note(store, "api-key revoke", id=key_id)
    print_json(revoked)


@click.group()
def user() -> None:
    """Accounts of people; from the first one on, looking at pages needs signing in (see run --public)."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--facility", help="Of an account with the role facility.")
@_PASSWORD_FILE
@click.pass_obj
def add_user(hub: Hub, name: str, role: str, facility: str | None, password_file: TextIO | None) -> None:
    """Make an account."""
    store = hub.open()
    try:
        add_account(store, name, Role(role), _password(password_file), facility)
    except AccountRefused as error:
        raise click.ClickException(error.code) from error
    note(store, "user add", name=name, role=role, facility=facility)
    print_json({"name": name, "role": role, "facility": facility})


@user.command("list")
@click.pass_obj
def list_users(hub: Hub) -> None:
    """List all accounts with their state."""
    print_json({"accounts": list_accounts(hub.open(), datetime.now(UTC))})


@user.command("role")
@click.argument("name")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--facility", help="Of an account with the role facility.")
@click.pass_obj
def new_role(hub: Hub, name: str, role: str, facility: str | None) -> None:
    """Give an account another role; its sessions end."""
    store = hub.open()
    try:
        set_role(store, name, Role(role), facility)
    except AccountRefused as error:
        raise click.ClickException(error.code) from error
    note(store, "user role", name=name, role=role, facility=facility)
    print_json({"name": name, "role": role, "facility": facility})


@user.command("disable")
@click.argument("name")
@click.pass_obj
def disable_user(hub: Hub, name: str) -> None:
    """Let nobody in with this account; a new password lets it in again."""
    store = hub.open()
    try:
        disable_account(store, name)
    except AccountRefused as error:
        raise click.ClickException(error.code) from error
    note(store, "user disable", name=name)
    print_json({"name": name, "state": "disabled"})


@user.command("password")
@click.argument("name")
@_PASSWORD_FILE
@click.pass_obj
def new_password(hub: Hub, name: str, password_file: TextIO | None) -> None:
    """Give an account a new password; its sessions end."""
    store = hub.open()
    try:
        set_password(store, name, _password(password_file))
    except AccountRefused as error:
        raise click.ClickException(error.code) from error
    note(store, "user password", name=name)
    print_json({"name": name, "state": "active"})


def _password(file: TextIO | None) -> str:
    if file is None:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return str(file.readline()).rstrip("\r\n")


COMMANDS = (enrol, keys, revoke, api_key, user)
