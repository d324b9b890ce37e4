"""``kioskctl``: one JSON document on stdout, messages for people on stderr (interfaces, section 1)."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from kiosk import (
    __version__,
    cli_answers,
    cli_audit,
    cli_card,
    cli_figures,
    cli_officers,
    cli_readers,
    cli_relay,
    cli_subject,
    cli_tickets,
    cli_users,
)
from kiosk.cli_daemon import CONFIG, ask, fail, show
from kiosk.errors import KioskError

_MAX_PICTURE = 64 * 1024 * 1024  # bytes of a picture file that are looked at


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Runs and administers the check-in kiosk."""


for command in (
    *cli_answers.COMMANDS,
    *cli_audit.COMMANDS,
    *cli_card.COMMANDS,
    *cli_figures.COMMANDS,
    *cli_officers.COMMANDS,
    *cli_readers.COMMANDS,
    *cli_relay.COMMANDS,
    *cli_subject.COMMANDS,
    *cli_tickets.COMMANDS,
    *cli_users.COMMANDS,
):
    main.add_command(command)


@main.command()
@CONFIG
def run(config_path: Path) -> None:
    """Run the daemon."""
    from kiosk import config, daemon, logs  # noqa: PLC0415 - other commands need none of it

    logs.set_up()
    os.umask(0o077)
    try:
        daemon.run(config.load(config_path), config_path.parent)
    except KioskError as exc:
        fail(exc.code, str(exc))


@main.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the demo's data.")
@click.option("--port-base", type=int, default=8080, show_default=True, help="Kiosk here, province at +10, ...")
def demo(data: Path | None, port_base: int) -> None:
    """Run kiosk, province and simulators together on this machine."""
    command = [sys.executable, "-m", "simulators.demo", "--port-base", str(port_base)]
    if data is not None:
        command += ["--data", str(data)]
    os.execv(sys.executable, command)  # noqa: S606 - our own module, no shell


@main.command()
@click.option(
    "--image", type=click.Path(path_type=Path, dir_okay=False), help="A picture with codes: PNG, JPEG, WebP, BMP."
)
def decode(image: Path | None) -> None:
    """Decode scanner bytes from stdin, or all codes in a picture; exit 0 parsed, 1 not."""
    from kiosk.documents.as_json import decode_report  # noqa: PLC0415

    if image is not None:
        reports = _decode_picture(image)
        show(reports)
        sys.exit(0 if any(report["error"] is None for report in reports) else 1)
    report = _with_hints(decode_report(sys.stdin.buffer.read()))
    show(report)
    sys.exit(1 if report["error"] else 0)


def _decode_picture(path: Path) -> list[dict[str, Any]]:
    """One report for each code, the largest first; those on which the decoders disagree come last and say no more."""
    from kiosk.documents.as_json import decode_report  # noqa: PLC0415
    from kiosk.readers.qr_decoder import PictureUnreadable, decode_picture  # noqa: PLC0415 - OpenCV: 60 MB

    try:
        with path.open("rb") as file:
            found = decode_picture(file.read(_MAX_PICTURE))
    except OSError as exc:
        fail(PictureUnreadable.code, f"cannot read the file: {exc.strerror}")
    except PictureUnreadable as exc:
        fail(exc.code, str(exc))
    reports = [_with_hints(decode_report(code.payload)) | {"decoders": list(code.by)} for code in found.codes]
    disputed = _with_hints(decode_report(b"")) | {"error": "DISPUTED", "decoders": []}
    return reports + [disputed] * found.disputed


def _with_hints(report: dict[str, Any]) -> dict[str, Any]:
    """*report* of one document and, as ``card_hints``, what the parts of its card number usually mean.

    ``address_codes``: the administrative units that its address names, as `kiosk.addresses.parse` says.
    """
    from kiosk.addresses.parse import parse_address  # noqa: PLC0415
    from kiosk.insurance.bhyt_number import hints_of  # noqa: PLC0415

    hints = hints_of(report["coverage"]["number"]) if report["coverage"] else None
    address = report["identity"]["address"] if report["identity"] else None
    return report | {
        "card_hints": None if hints is None else asdict(hints),
        "address_codes": None if address is None else asdict(parse_address(address)),
    }


@main.command()
@click.argument("what", type=click.Choice(["gateway", "hospital", "province"]))
@CONFIG
def check(what: str, config_path: Path) -> None:
    """Probe one neighbour through the running daemon, without any person's number."""
    result = ask(config_path, "GET", f"/check/{what}")
    show(result)
    sys.exit(0 if result["ok"] else 1)


@main.group()
def outbox() -> None:
    """Deliveries that wait."""


@outbox.command("list")
@CONFIG
def outbox_list(config_path: Path) -> None:
    """All that is not done yet."""
    show(ask(config_path, "GET", "/outbox"))


@outbox.command("show")
@click.argument("row_id", type=int)
@CONFIG
def outbox_show(row_id: int, config_path: Path) -> None:
    """One delivery."""
    show(ask(config_path, "GET", f"/outbox/{row_id}"))


@outbox.command("retry")
@click.argument("row_id", type=int)
@CONFIG
def outbox_retry(row_id: int, config_path: Path) -> None:
    """Try one delivery again now."""
    show(ask(config_path, "POST", f"/outbox/{row_id}/retry"))


@main.command()
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day, inclusive.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day, inclusive.")
@CONFIG
def kpi(first: Any, last: Any, config_path: Path) -> None:
    """This kiosk's own lookup rates."""
    days = {"first": str(first.date()), "last": str(last.date())}
    show(days | ask(config_path, "GET", "/kpi", params=days))


@main.command()
@click.argument("checkin_id")
@CONFIG
def evidence(checkin_id: str, config_path: Path) -> None:
    """Print what the chip of a check-in proved, signed; for `verify-evidence`. It is personal data."""
    record = ask(config_path, "GET", f"/evidence/{quote(checkin_id, safe='')}")
    click.echo(json.dumps(record, ensure_ascii=False))  # the one spelling that `verify-evidence` takes


@main.command()
@click.argument("url")
@click.argument("code")
@CONFIG
def enrol(url: str, code: str, config_path: Path) -> None:
    """Join the province hub at URL with a one-time CODE."""
    show(ask(config_path, "POST", "/enrol", json={"url": url, "code": code}))


@main.group("facility-key")
def facility_key() -> None:
    """The key under which a facility's stations make the same daily digests."""


@facility_key.command("create")
@CONFIG
def key_create(config_path: Path) -> None:
    """Make a new key (first station of a facility)."""
    show(ask(config_path, "POST", "/facility-key/create"))


@facility_key.command("export")
@click.password_option("--passphrase", help="At least 12 characters; tell it by another way.")
@CONFIG
def key_export(passphrase: str, config_path: Path) -> None:
    """Print the key, sealed with a passphrase."""
    show(ask(config_path, "POST", "/facility-key/export", json={"passphrase": passphrase}))


@facility_key.command("import")
@click.argument("sealed")
@click.option("--passphrase", prompt=True, hide_input=True)
@CONFIG
def key_import(sealed: str, passphrase: str, config_path: Path) -> None:
    """Take over a sealed key from another station."""
    body = {"passphrase": passphrase, "sealed": sealed}
    show(ask(config_path, "POST", "/facility-key/import", json=body))
