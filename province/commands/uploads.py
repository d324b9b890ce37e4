"""`provincectl upload`, `upload-template` and `uploads`: figures of days as files, at the command line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from province.access.caller import Caller, Role
from province.commands.hub import DAY, EXISTING_FILE, Hub, note, print_json
from province.facilities import read_registry
from province.uploads.kinds import UploadKind
from province.uploads.listing import broken_signatures, list_uploads
from province.uploads.problems import UploadRefused
from province.uploads.table_file import MAX_BYTES
from province.uploads.taking import hand_in
from province.uploads.templates import template_csv, template_rows, template_xlsx

_OPERATOR = Caller("command line", Role.ADMIN)
_KIND = click.option("--kind", type=click.Choice([str(kind) for kind in UploadKind]), required=True)


@click.command()
@click.argument("file", type=EXISTING_FILE)
@_KIND
@click.option("--dry-run", is_flag=True, help="Only print what it would change.")
@click.pass_obj
def upload(hub: Hub, file: Path, kind: str, dry_run: bool) -> None:
    """Take the figures in FILE (CSV or XLSX), whole or not at all; every fault is printed with its line and column."""
    store = hub.open()
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    now = datetime.now(UTC)
    try:
        receipt = hand_in(store, hub.key(), _OPERATOR, content, UploadKind(kind), now, dry_run=dry_run)
    except UploadRefused as error:
        raise click.ClickException("\n".join(f"{each.code}: {each.words}" for each in error.problems)) from error
    if not dry_run:
        note(store, "upload", kind=kind, upload=receipt.upload or "nothing-new")
    print_json(
        {
            "dry_run": dry_run,
            "upload": receipt.upload,
            "file_sha256": receipt.sha256,
            "changes": [change.as_json() for change in receipt.changes],
            "unchanged": receipt.unchanged,
        }
    )


@click.command("upload-template")
@_KIND
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, required=True)
@click.option("--facility", help="Only for this facility.")
@click.option("--format", "wanted", type=click.Choice(["csv", "xlsx"]), default="xlsx", show_default=True)
@click.argument("target", type=click.File("wb"))
@click.pass_obj
def upload_template(
    hub: Hub, kind: str, first: datetime, last: datetime, facility: str | None, wanted: str, target: BinaryIO
) -> None:
    """Write a file to fill in to TARGET (- for stdout), with a line for each active facility and day."""
    with hub.open().read() as connection:
        registry = read_registry(connection)
    try:
        rows = template_rows(registry, first.date(), last.date(), facility)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    make = template_xlsx if wanted == "xlsx" else template_csv
    target.write(make(UploadKind(kind), rows))


@click.command()
@click.option("--facility", help="Only those with figures of this facility.")
@click.pass_obj
def uploads(hub: Hub, facility: str | None) -> None:
    """List the newest files that were taken, and check the hub's signature over all that ever were."""
    with hub.open().read() as connection:
        broken = broken_signatures(connection)
        print_json({"uploads": list_uploads(connection, only=facility), "broken_signatures": broken})
    if broken:
        raise click.ClickException("signatures do not hold")


COMMANDS = (upload, upload_template, uploads)
