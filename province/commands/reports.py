"""`provincectl report`: the monthly report and the weekly sheet as files."""

from datetime import UTC, datetime
from typing import BinaryIO, Final

import click

from province.commands.hub import Hub
from province.pages.texts import Language
from province.reports.content import BadPeriod, Kind
from province.reports.making import FORMATS, make
from province.reports.pdf import PdfUnavailable


@click.command()
@click.argument("kind", type=click.Choice([str(kind) for kind in Kind]))
@click.argument("period", metavar="YYYY-MM|YYYY-Www")
@click.option("--format", "wanted", type=click.Choice(FORMATS), default="pdf", show_default=True)
@click.option("--language", type=click.Choice([str(each) for each in Language]), default="vi", show_default=True)
@click.argument("target", type=click.File("wb"))
@click.pass_obj
def report(hub: Hub, kind: str, period: str, wanted: str, language: str, target: BinaryIO) -> None:
    """Write the report of a month or an ISO week to TARGET (- for stdout)."""
    with hub.open().read() as connection:
        try:
            made = make(connection, Kind(kind), period, wanted, datetime.now(UTC), Language(language))
        except BadPeriod as error:
            raise click.ClickException("not a month YYYY-MM, or a week YYYY-Www") from error
        except PdfUnavailable as error:
            raise click.ClickException("the font DejaVu is missing: install fonts-dejavu-core") from error
    target.write(made)


COMMANDS: Final = (report,)
