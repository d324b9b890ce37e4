"""``kioskctl figures``: what the facility counted of whole days, where its hospital system cannot tell."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kiosk.cli_answers import save
from kiosk.cli_daemon import CONFIG, ask, fail, show

_COUNT = click.IntRange(min=0)


@click.group()
def figures() -> None:
    """All insured visits of a day, and the lookups that the desks made themselves."""


@figures.command("list")
@click.option("--month", help="YYYY-MM; default: this month.")
@CONFIG
def listed(month: str | None, config_path: Path) -> None:
    """Each day of a month: what is told of it, by whom, and how many visits this machine saw."""
    show(ask(config_path, "GET", "/figures", params={"month": month} if month else {}))


@figures.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--visits", type=_COUNT, help="All insured visits of the day.")
@click.option("--lookups", type=_COUNT, help="Lookups at the desk; with --looked-up and --success.")
@click.option("--looked-up", type=_COUNT, help="Visits they were for.")
@click.option("--success", type=_COUNT, help="Of these, visits that were found.")
@CONFIG
def enter(
    day: datetime,
    visits: int | None,
    lookups: int | None,
    looked_up: int | None,
    success: int | None,
    config_path: Path,
) -> None:
    """Enter the figures of one day; the newest entry counts."""
    body: dict[str, Any] = {"day": str(day.date()), "bhyt_visits": visits}
    desk = {"lookups": lookups, "visits_looked_up": looked_up, "visits_success": success}
    if any(count is not None for count in desk.values()):
        if None in desk.values():
            raise click.UsageError("--lookups, --looked-up and --success belong together")
        body["desk"] = desk
    elif visits is None:
        raise click.UsageError("expected --visits, or the three of the desk")
    show(ask(config_path, "POST", "/figures", json=body))


@figures.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--origin", type=click.Choice(["manual", "portal_file"]), default="manual", show_default=True)
@CONFIG
def upload(file: Path, origin: str, config_path: Path) -> None:
    """Hand in a filled template (CSV or XLSX), as a whole."""
    try:
        content = file.read_bytes()
    except OSError as exc:
        fail("CANNOT_READ", f"{file}: {exc.strerror}")
    show(ask(config_path, "POST", "/figures/file", params={"origin": origin}, content=content))


@figures.command()
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True)
@CONFIG
def template(output: Path, config_path: Path) -> None:
    """Write the template with the last 31 days; ``.csv`` or else a workbook."""
    form = "csv" if output.suffix.lower() == ".csv" else "xlsx"
    size = save(output, config_path, f"/figures/template?form={form}", {})
    show({"file": str(output), "bytes": size})


COMMANDS = (figures,)
