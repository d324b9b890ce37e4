"""``kioskctl user``: accounts of staff, through the running daemon."""

from __future__ import annotations

from pathlib import Path

import click

from kiosk.cli_daemon import CONFIG, ask, show

_ROLES = click.option(
    "--role",
    "roles",
    type=click.Choice(["receptionist", "supervisor", "technician"]),
    multiple=True,
    required=True,
    help="May be given several times.",
)


@click.group()
def user() -> None:
    """Who may sign in at staff and counter screens."""


@user.command("list")
@CONFIG
def listed(config_path: Path) -> None:
    """All accounts."""
    show(ask(config_path, "GET", "/users"))


@user.command()
@click.argument("name")
@_ROLES
@CONFIG
def add(name: str, roles: tuple[str, ...], config_path: Path) -> None:
    """Make an account; prints its one-time password."""
    show(ask(config_path, "POST", "/users", json={"name": name, "roles": roles}))


@user.command()
@click.argument("name")
@_ROLES
@CONFIG
def role(name: str, roles: tuple[str, ...], config_path: Path) -> None:
    """Give an account other roles."""
    show(ask(config_path, "POST", "/users/roles", json={"name": name, "roles": roles}))


@user.command()
@click.argument("name")
@CONFIG
def disable(name: str, config_path: Path) -> None:
    """Let nobody in under this name."""
    show(ask(config_path, "POST", "/users/disable", json={"name": name}))


@user.command()
@click.argument("name")
@CONFIG
def reset(name: str, config_path: Path) -> None:
    """Let somebody in again: prints a one-time password; PIN and authenticator are forgotten."""
    show(ask(config_path, "POST", "/users/reset", json={"name": name}))


COMMANDS = (user,)
