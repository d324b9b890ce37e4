"""`provincectl insurer ...`: the insurer's own figures of a month, and the month beside them."""

from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from province.commands.hub import EXISTING_FILE, Hub, note, print_json
from province.commands.months import MONTH
from province.facilities import read_registry
from province.feed import to_csv
from province.months.insurer import enter
from province.months.insurer_file import COLUMNS as FILE_COLUMNS
from province.months.insurer_file import read_insurer_file, template_rows
from province.months.parallel_run import COLUMNS, parallel_run
from province.months.rules import MonthRefused, month_name
from province.uploads.problems import UploadRefused
from province.uploads.table_file import MAX_BYTES

_TARGET: Final = click.argument("target", type=click.File("wb"))


@click.group()
def insurer() -> None:
    """The insurer's own monthly figures, beside what the hub publishes."""


@insurer.command()
@click.argument("month", type=MONTH)
@click.option("--format", "wanted", type=click.Choice(["csv", "xlsx"]), default="xlsx", show_default=True)
@_TARGET
@click.pass_obj
def template(hub: Hub, month: date, wanted: str, target: BinaryIO) -> None:
    """Write a file to fill in to TARGET (- for stdout), with a line for each facility active in MONTH."""
    with hub.open().read() as connection:
        rows = template_rows(read_registry(connection), month)
    target.write(_table(rows, FILE_COLUMNS, wanted))


@insurer.command("enter")
@click.argument("month", type=MONTH)
@click.argument("file", type=EXISTING_FILE)
@click.option("--by", required=True, help="Who hands the figures in.")
@click.pass_obj
def enter_figures(hub: Hub, month: date, file: Path, by: str) -> None:
    """Keep the figures of MONTH in FILE (CSV or XLSX), all or none; every fault is printed with its line and column."""
    store = hub.open()
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    try:
        with store.write() as connection:
            figures = read_insurer_file(content, frozenset(read_registry(connection).facilities))
            changed = enter(connection, month, figures, by)
    except UploadRefused as error:
        raise click.ClickException("\n".join(f"{each.code}: {each.words}" for each in error.problems)) from error
    except MonthRefused as error:
        raise click.ClickException(str(error)) from error
    note(store, "insurer enter", month=month_name(month), changed=changed)
    print_json({"facilities": len(figures), "changed": changed})


@insurer.command()
@click.argument("month", type=MONTH)
@click.option("--format", "wanted", type=click.Choice(["json", "csv", "xlsx"]), default="json", show_default=True)
@click.argument("target", type=click.File("wb"), default="-")
@click.pass_obj
def compare(hub: Hub, month: date, wanted: str, target: BinaryIO) -> None:
    """Write MONTH as published beside the insurer's figures, every difference with its causes."""
    with hub.open().read() as connection:
        found = parallel_run(connection, month)
    if wanted == "json":
        print_json(found)
    else:
        target.write(_table(found["rows"], COLUMNS, wanted))


def _table(rows: list[dict[str, Any]], columns: dict[str, str], wanted: str) -> bytes:
    if wanted == "csv":
        return to_csv(rows, columns)
    from province.feed_xlsx import to_xlsx  # noqa: PLC0415  (openpyxl: only who asks pays for it)

    return to_xlsx(rows, columns)


COMMANDS: Final = (insurer,)
