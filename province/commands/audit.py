"""The commands that read and check the audit."""

import re
from datetime import UTC, datetime

import click

from province.access.audit import list_audit, verify
from province.commands.hub import DAY, Hub, print_json

_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@click.group()
def audit() -> None:
    """Who fetched or did what, and when."""


@audit.command("list")
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, required=True)
@click.option("--who", help="Name of an account, label of an API key, or 'command line'.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@click.pass_obj
def list_records(hub: Hub, first: datetime, last: datetime, who: str | None, limit: int) -> None:
    """List the records of these days (UTC+7), newest first."""
    with hub.open().read() as connection:
        print_json({"records": list_audit(connection, first.date(), last.date(), who=who, limit=limit)})


@audit.command("verify")
@click.option(
    "--anchor", "anchors", multiple=True, metavar="NUMBER:HASH", help="From an 'audit anchor' line of the log."
)
@click.pass_context
def verify_chain(context: click.Context, anchors: tuple[str, ...]) -> None:
    """Check that no record was changed, removed or put in between; exit code 1 when one was."""
    found = [_ANCHOR.fullmatch(anchor) for anchor in anchors]
    if not all(found):
        raise click.UsageError("--anchor is NUMBER:HASH")
    known = {int(match[1]): match[2] for match in found if match}
    with context.obj.open().read() as connection:
        verdict = verify(connection, datetime.now(UTC), known)
    print_json({"first": verdict.first, "last": verdict.last, "broken_at": verdict.broken_at})
    if verdict.broken_at is not None:
        context.exit(1)


COMMANDS = (audit,)
