"""What ``kioskctl`` does with chips: read one, run a recorded read again, check evidence (interfaces, section 1)."""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:  # the commands import it when they run: kioskctl must start fast
    from kiosk.emrtd.chip import AccessKey
    from kiosk.emrtd.results import ChipRead

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
_ANCHORS = click.option(
    "--anchors",
    "anchors_path",
    type=click.Path(path_type=Path, exists=True),
    help="Country signing certificates: PEM, DER, a master list, or a folder of them.",
)


@click.command("read-card")
@click.option("--reader", default="auto", show_default=True, help="A PC/SC name, or the path of a PN532's serial line.")
@click.option("--can", metavar="N", help="The card access number, six digits.")
@click.option("--mrz", "mrz_file", type=_FILE, help="A file with the lines of the machine-readable zone.")
@click.option("--id", "personal_id", metavar="N", help="The twelve digits of a citizen card; the last six open it.")
@click.option("--birth", type=click.DateTime(["%Y-%m-%d"]), help="With --id: also try estimated expiry dates.")
@_ANCHORS
@click.option("--no-photo", is_flag=True, help="Leave the portrait on the chip: faster.")
@click.option("--photo", "photo_file", type=_NEW_FILE, help="Write the portrait there; only you can read it.")
@click.option("--wait", type=click.FloatRange(3, 600), default=10, show_default=True, help="Seconds for the card.")
def read_card(
    reader: str,
    can: str | None,
    mrz_file: Path | None,
    personal_id: str | None,
    birth: datetime | None,
    anchors_path: Path | None,
    no_photo: bool,
    photo_file: Path | None,
    wait: float,
) -> None:
    """Read one chip and say what it proves; exit 0 read, 1 not."""
    from kiosk.chip_keys import read_with  # noqa: PLC0415
    from kiosk.chip_report import error_json, failure_json  # noqa: PLC0415
    from kiosk.emrtd.chip import read_chip  # noqa: PLC0415
    from kiosk.emrtd.errors import EmrtdError  # noqa: PLC0415
    from kiosk.errors import ReaderUnavailable  # noqa: PLC0415
    from kiosk.readers.card_readers import open_card  # noqa: PLC0415

    if no_photo and photo_file is not None:
        raise click.UsageError("--photo and --no-photo exclude each other")
    keys = _access_keys(can, mrz_file, personal_id, birth)
    anchors = _load_anchors(anchors_path)
    adapter = "pn532" if reader.startswith("/") else "pcsc"
    click.echo("kioskctl: lay the card on the reader and leave it there", err=True)
    try:
        with open_card(adapter, reader, wait) as card:
            read = read_with(
                card, keys, lambda key: read_chip(card, key, anchors=anchors, now=datetime.now(UTC), photo=not no_photo)
            )
    except ReaderUnavailable as exc:
        _end(error_json(exc.code, str(exc)))
    except EmrtdError as exc:
        _end(failure_json(exc))
    _print(_report_of(read, photo_file))


@click.command("verify-evidence")
@click.argument("file", type=_FILE)
@_ANCHORS
@click.option("--station-key", metavar="BASE64", help="The station's key as you know it; only then is it trusted.")
def verify_evidence(file: Path, anchors_path: Path | None, station_key: str | None) -> None:
    """Check the signed record of a read again; exit 0 confirmed, 1 not."""
    from kiosk.evidence import MAX_FILE, BadEvidence, open_evidence  # noqa: PLC0415 - other commands need none of it
    from kiosk.evidence_check import check_evidence, confirmation_json  # noqa: PLC0415

    expected = None if station_key is None else _key(station_key)
    anchors = _load_anchors(anchors_path)
    try:
        with file.open("rb") as stream:
            record = open_evidence(stream.read(MAX_FILE + 2))
    except BadEvidence as exc:
        _end({"confirmed": False, "error": exc.code, "why": str(exc)})
    outcome = check_evidence(record, anchors, expected)
    _print(confirmation_json(record, outcome))
    sys.exit(0 if outcome.confirmed else 1)


def _access_keys(
    can: str | None, mrz_file: Path | None, personal_id: str | None, birth: datetime | None
) -> list[AccessKey]:
    """What to open the chip with, in order. UsageError names the option that is wrong, never its value."""
    from kiosk.chip_keys import bac_candidates  # noqa: PLC0415
    from kiosk.emrtd.chip import AccessKey  # noqa: PLC0415
    from kiosk.emrtd.errors import DataError  # noqa: PLC0415
    from kiosk.emrtd.mrz import MrzKey, parse  # noqa: PLC0415
    from kiosk.emrtd.vietnam import can_of  # noqa: PLC0415

    if [can, mrz_file, personal_id].count(None) != 2:
        raise click.UsageError("expected one of --can, --mrz and --id")
    if birth is not None and personal_id is None:
        raise click.UsageError("--birth belongs to --id")
    if can is not None:
        if not (len(can) == 6 and can.isascii() and can.isdigit()):
            raise click.UsageError("--can: expected six digits")
        return [AccessKey(can=can)]
    if mrz_file is not None:
        try:
            return [AccessKey(mrz=MrzKey.of(parse(mrz_file.read_text("ascii", "replace"))))]
        except DataError as exc:
            raise click.UsageError(f"--mrz: {exc}") from None
    assert personal_id is not None  # noqa: S101 - one of the three is there
    try:
        keys = [AccessKey(can=can_of(personal_id))]
    except ValueError:
        raise click.UsageError("--id: expected twelve digits") from None
    if birth is not None:
        keys += [AccessKey(mrz=key) for key in bac_candidates(personal_id, birth.date(), _today())]
    return keys


def _report_of(read: ChipRead, photo_file: Path | None) -> dict[str, Any]:
    """The JSON document of a *read*; its portrait goes to *photo_file*."""
    from kiosk.chip_report import chip_json, error_json  # noqa: PLC0415
    from kiosk.documents.chip_person import UnreadableChip, person_of  # noqa: PLC0415
    from kiosk.emrtd.errors import DataError  # noqa: PLC0415
    from kiosk.emrtd.lds import portrait  # noqa: PLC0415

    try:
        photo = portrait(read.files["DG2"]) if "DG2" in read.files else None
    except DataError as exc:
        photo = None
        click.echo(f"kioskctl: no portrait: {exc}", err=True)
    try:
        person = person_of(read.files, today=_today())
    except UnreadableChip as exc:
        _end(error_json("CHIP_ERROR", str(exc)))
    if photo is not None and photo_file is not None:
        _write_private(photo_file, photo.data)
    return chip_json(read, person, photo)


def _write_private(path: Path, content: bytes) -> None:
    """Write *content* so that only the user can read it, also where the file was there before."""
    from kiosk.chip_report import error_json  # noqa: PLC0415

    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
    except OSError as exc:
        _end(error_json("CANNOT_WRITE", f"{path}: {exc.strerror}"))


def _today() -> date:
    from kiosk.model import local_day  # noqa: PLC0415

    return local_day(datetime.now(UTC))


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise click.UsageError("--station-key: expected the base64 of 32 bytes")
    return key


def _load_anchors(path: Path | None) -> Any:
    from kiosk.emrtd.trust import TrustError, load_anchors  # noqa: PLC0415

    try:
        return None if path is None else load_anchors(path)
    except TrustError as exc:
        raise click.UsageError(f"--anchors: {exc}") from None


def _print(document: Any) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _end(document: dict[str, Any]) -> NoReturn:
    click.echo(f"kioskctl: {document['why']}", err=True)
    _print(document)
    sys.exit(1)


COMMANDS = (read_card, verify_evidence)
