"""``kioskctl``: one JSON document on stdout, messages for people on stderr (interfaces, section 1)."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import click

from kiosk import __version__, cli_card, cli_readers
from kiosk.errors import ConfigError, KioskError

_CONFIG = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("/etc/kiosk/kiosk.toml"),
    envvar="KIOSK_CONFIG",
    show_default=True,
    help="The configuration file.",
)

_MAX_PICTURE = 64 * 1024 * 1024  # bytes of a picture file that are looked at


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Runs and administers the check-in kiosk."""


for command in (*cli_card.COMMANDS, *cli_readers.COMMANDS):
    main.add_command(command)


def _print(document: Any) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _fail(code: str, message: str) -> NoReturn:
    click.echo(f"kioskctl: {message}", err=True)
    _print({"error": code})
    sys.exit(1)


@main.command()
@_CONFIG
def run(config_path: Path) -> None:
    """Run the daemon."""
    from kiosk import config, daemon, logs  # noqa: PLC0415 - other commands need none of it

    logs.set_up()
    os.umask(0o077)
    try:
        daemon.run(config.load(config_path), config_path.parent)
    except KioskError as exc:
        _fail(exc.code, str(exc))


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
        _print(reports)
        sys.exit(0 if any(report["error"] is None for report in reports) else 1)
    report = _with_hints(decode_report(sys.stdin.buffer.read()))
    _print(report)
    sys.exit(1 if report["error"] else 0)


def _decode_picture(path: Path) -> list[dict[str, Any]]:
    """One report for each code, the largest first; those on which the decoders disagree come last and say no more."""
    from kiosk.documents.as_json import decode_report  # noqa: PLC0415
    from kiosk.readers.qr_decoder import PictureUnreadable, decode_picture  # noqa: PLC0415 - OpenCV: 60 MB

    try:
        with path.open("rb") as file:
            found = decode_picture(file.read(_MAX_PICTURE))
    except OSError as exc:
        _fail(PictureUnreadable.code, f"cannot read the file: {exc.strerror}")
    except PictureUnreadable as exc:
        _fail(exc.code, str(exc))
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
@_CONFIG
def check(what: str, config_path: Path) -> None:
    """Probe one neighbour through the running daemon, without any person's number."""
    result = _call(config_path, "GET", f"/check/{what}")
    _print(result)
    sys.exit(0 if result["ok"] else 1)


@main.group()
def outbox() -> None:
    """Deliveries that wait."""


@outbox.command("list")
@_CONFIG
def outbox_list(config_path: Path) -> None:
    """All that is not done yet."""
    _print(_call(config_path, "GET", "/outbox"))


@outbox.command("show")
@click.argument("row_id", type=int)
@_CONFIG
def outbox_show(row_id: int, config_path: Path) -> None:
    """One delivery."""
    _print(_call(config_path, "GET", f"/outbox/{row_id}"))


@outbox.command("retry")
@click.argument("row_id", type=int)
@_CONFIG
def outbox_retry(row_id: int, config_path: Path) -> None:
    """Try one delivery again now."""
    _print(_call(config_path, "POST", f"/outbox/{row_id}/retry"))


@main.command()
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day, inclusive.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day, inclusive.")
@_CONFIG
def kpi(first: Any, last: Any, config_path: Path) -> None:
    """This kiosk's own lookup rates."""
    days = {"first": str(first.date()), "last": str(last.date())}
    _print(days | _call(config_path, "GET", "/kpi", params=days))


@main.command()
@click.argument("checkin_id")
@_CONFIG
def evidence(checkin_id: str, config_path: Path) -> None:
    """Print what the chip of a check-in proved, signed; for `verify-evidence`. It is personal data."""
    record = _call(config_path, "GET", f"/evidence/{quote(checkin_id, safe='')}")
    click.echo(json.dumps(record, ensure_ascii=False))  # the one spelling that `verify-evidence` takes


@main.command()
@click.argument("url")
@click.argument("code")
@_CONFIG
def enrol(url: str, code: str, config_path: Path) -> None:
    """Join the province hub at URL with a one-time CODE."""
    _print(_call(config_path, "POST", "/enrol", json={"url": url, "code": code}))


@main.group("facility-key")
def facility_key() -> None:
    """The key under which a facility's stations make the same daily digests."""


@facility_key.command("create")
@_CONFIG
def key_create(config_path: Path) -> None:
    """Make a new key (first station of a facility)."""
    _print(_call(config_path, "POST", "/facility-key/create"))


@facility_key.command("export")
@click.password_option("--passphrase", help="At least 12 characters; tell it by another way.")
@_CONFIG
def key_export(passphrase: str, config_path: Path) -> None:
    """Print the key, sealed with a passphrase."""
    _print(_call(config_path, "POST", "/facility-key/export", json={"passphrase": passphrase}))


@facility_key.command("import")
@click.argument("sealed")
@click.option("--passphrase", prompt=True, hide_input=True)
@_CONFIG
def key_import(sealed: str, passphrase: str, config_path: Path) -> None:
    """Take over a sealed key from another station."""
    body = {"passphrase": passphrase, "sealed": sealed}
    _print(_call(config_path, "POST", "/facility-key/import", json=body))


def _call(config_path: Path, method: str, path: str, **request: Any) -> Any:
    """Ask the running daemon through its socket; ends the command with a clear message if it cannot."""
    import httpx  # noqa: PLC0415 - only commands that talk to the daemon pay for it

    from kiosk import config  # noqa: PLC0415

    try:
        address = config.load(config_path).station.data / "admin.sock"
    except ConfigError as exc:
        _fail(exc.code, str(exc))
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(address)), timeout=60) as client:
            answer = client.request(method, f"http://kiosk{path}", **request)
    except httpx.HTTPError:
        _fail("NOT_RUNNING", f"no daemon answers at {address}; is kiosk.service running, and are you its user?")
    if answer.status_code >= 400:
        error = answer.json().get("error", "ERROR")
        _fail(error, f"refused: {error}")
    return answer.json()
