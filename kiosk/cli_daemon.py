"""How ``kioskctl`` talks to the running daemon: through the socket in its data folder, one JSON document on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kiosk.errors import ConfigError

if TYPE_CHECKING:  # only commands that talk to the daemon pay for it
    import httpx

CONFIG = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("/etc/kiosk/kiosk.toml"),
    envvar="KIOSK_CONFIG",
    show_default=True,
    help="The configuration file.",
)


def show(document: Any) -> None:
    """Print the one JSON document of a command."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def fail(code: str, message: str, **more: Any) -> NoReturn:
    """End the command: *message* for people, *code* and what *more* is known for programs."""
    click.echo(f"kioskctl: {message}", err=True)
    show({"error": code} | more)
    sys.exit(1)


def ask(config_path: Path, method: str, path: str, **request: Any) -> Any:
    """The daemon's JSON answer; ends the command with a clear message if there is none."""
    with _answer(config_path, method, path, request) as answer:
        answer.read()
        return answer.json()


def fetch(config_path: Path, path: str, body: Any) -> Iterator[bytes]:
    """What the daemon answers to a POST, piece by piece; ends the command likewise."""
    with _answer(config_path, "POST", path, {"json": body}) as answer:
        yield from answer.iter_bytes()


@contextmanager
def _answer(config_path: Path, method: str, path: str, request: dict[str, Any]) -> Iterator[httpx.Response]:
    import httpx  # noqa: PLC0415

    try:
        address = _data_folder(config_path) / "admin.sock"
    except ConfigError as exc:
        fail(exc.code, str(exc))
    try:
        transport = httpx.HTTPTransport(uds=str(address))
        with (
            httpx.Client(transport=transport, timeout=60) as client,
            client.stream(method, f"http://kiosk{path}", **request) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
                said = answer.json()
                error = said.pop("error", "ERROR")
                fail(error, f"refused: {error}", **said)
            yield answer
    except httpx.HTTPError:
        fail("NOT_RUNNING", f"no daemon answers at {address}; is kiosk.service running, and are you its user?")


def _data_folder(config_path: Path) -> Path:
    """Of the daemon, or of the relay, whichever the configuration is of. ConfigError."""
    from kiosk import config, relay_config  # noqa: PLC0415

    tables = config.read_tables(config_path)
    if "relay" in tables:
        return relay_config.parse(tables).relay.data
    return config.parse(tables).station.data
