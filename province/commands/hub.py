"""What every command needs: where the hub's database and key are, and how to print."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa

from province.access.audit import Record, append, plain_parameters
from province.facilities import load_packaged
from province.hub_key import HubKey, HubKeyUnusable
from province.store import Store, StoreUnusable, open_store

DAY = click.DateTime(["%Y-%m-%d"])
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Hub:
    """Where the database is; opened when a command needs it."""

    def __init__(self, database: str | None, data: Path, key_file: Path | None = None) -> None:
        """As the global options say."""
        self._database = database
        self._data = data
        self._key_file = key_file

    def key(self) -> HubKey:
        """The key that the hub signs with, made at the first start. Raises ClickException."""
        try:
            if self._key_file is None:
                self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            return HubKey.of_file(self._key_file or self._data / "hub-key")
        except (HubKeyUnusable, OSError) as error:
            raise click.ClickException(str(error)) from error

    def open(self, *, packaged_registry: bool = True) -> Store:
        """The migrated store, with the packaged registry loaded at the first start; closed when the command ends.

        Raises ClickException.
        """
        try:
            store = open_store(self._database, self._data)
        except (StoreUnusable, OSError) as error:
            raise click.ClickException(str(error)) from error
        except sa.exc.ArgumentError as error:
            raise click.ClickException("--database is not a URL") from error
        except sa.exc.DBAPIError as error:
            raise click.ClickException("the database cannot be opened") from error
        click.get_current_context().call_on_close(store.close)
        if packaged_registry:
            load_packaged(store)
        return store


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def note(store: Store, command: str, **parameters: object) -> None:
    """Keep in the audit that a command changed something; free text among the parameters is left out of it."""
    given = plain_parameters({name: str(value) for name, value in parameters.items() if value is not None})
    append(store, [Record(datetime.now(UTC), "command line", "command", "", f"provincectl {command}", given)])


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without BOM. Raises ClickException."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path.name} is not UTF-8") from error
