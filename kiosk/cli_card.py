"""What ``kioskctl`` does with chips: read one, run a recorded read again, check evidence (interfaces, section 1)."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

if TYPE_CHECKING:  # the commands import it when they run: kioskctl must start fast
    from kiosk.emrtd.chip import AccessKey, Connection
    from kiosk.emrtd.errors import EmrtdError
    from kiosk.emrtd.results import ChipRead
    from kiosk.emrtd.trust import TrustAnchors

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_BOX = """\
+---------------------------------------------------------------------+
| --apdu-log: the file will hold a person's data and the key to the   |
| card. Keep it on this machine, send it to nobody, delete it soon.   |
+---------------------------------------------------------------------+"""
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
_ANCHORS = click.option(
    "--anchors",
    "anchors_path",
    type=click.Path(path_type=Path, exists=True),
    help="Country signing certificates: PEM, DER, a master list, or a folder of them.",
)


class _Attempt(NamedTuple):
    """How a read ended, the text of its log ("" unless recorded), and the report that may be sent to anyone."""

    outcome: ChipRead | EmrtdError
    log: str
    report: dict[str, Any]


@click.command("read-card")
@click.option("--reader", default="auto", show_default=True, help="A PC/SC name, or the path of a PN532's serial line.")
@click.option("--can", metavar="N", help="The card access number, six digits.")
@click.option("--mrz", "mrz_file", type=_FILE, help="A file with the lines of the machine-readable zone.")
@click.option("--id", "personal_id", metavar="N", help="The twelve digits of a citizen card; the last six open it.")
@click.option("--birth", type=click.DateTime(["%Y-%m-%d"]), help="With --id: also try estimated expiry dates.")
@_ANCHORS
@click.option("--no-photo", is_flag=True, help="Leave the portrait on the chip: faster.")
@click.option("--photo", "photo_file", type=_NEW_FILE, help="Write the portrait there; only you can read it.")
@click.option(
    "--apdu-log", "log_file", type=_NEW_FILE, help="Record the exchange there; it holds the person and the key."
)
@click.option(
    "--report", "report_file", type=_NEW_FILE, help="Write there what may be sent to anyone: no personal data."
)
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
    log_file: Path | None,
    report_file: Path | None,
    wait: float,
) -> None:
    """Read one chip and say what it proves; exit 0 read, 1 not."""
    from kiosk.chip_report import error_json  # noqa: PLC0415
    from kiosk.errors import ReaderUnavailable  # noqa: PLC0415
    from kiosk.readers.card_readers import open_card  # noqa: PLC0415

    if no_photo and photo_file is not None:
        raise click.UsageError("--photo and --no-photo exclude each other")
    keys = _access_keys(can, mrz_file, personal_id, birth)
    anchors = _load_anchors(anchors_path)
    adapter = "pn532" if reader.startswith("/") else "pcsc"
    if log_file is not None:
        click.echo(_BOX, err=True)
    click.echo("kioskctl: lay the card on the reader and leave it there", err=True)
    try:
        with open_card(adapter, reader, wait) as card:
            attempt = _attempt(card, keys, anchors, photo=not no_photo, record=log_file is not None)
    except ReaderUnavailable as exc:
        _end(error_json(exc.code, str(exc)))
    if log_file is not None:
        _write_private(log_file, attempt.log.encode())
    if report_file is not None:
        _write_private(report_file, (json.dumps(attempt.report, indent=2) + "\n").encode())
    _finish(attempt.outcome, photo_file)


@click.command("replay-apdu")
@click.argument("log", type=_FILE)
@_ANCHORS
def replay_apdu(log: Path, anchors_path: Path | None) -> None:
    """Run a recorded exchange through the protocol again; exit 0 read as recorded, 1 not."""
    from kiosk.card_log import MAX_LOG, LogDiffers, replay_log  # noqa: PLC0415
    from kiosk.chip_report import error_json  # noqa: PLC0415
    from kiosk.emrtd.errors import EmrtdError  # noqa: PLC0415
    from kiosk.emrtd.recording import RecordingError  # noqa: PLC0415

    anchors = _load_anchors(anchors_path)
    outcome: ChipRead | EmrtdError
    with log.open("rb") as stream:
        text = stream.read(MAX_LOG).decode("utf-8", "replace")
    try:
        outcome = replay_log(text, anchors)
    except EmrtdError as exc:
        outcome = exc
    except LogDiffers as exc:
        _end(error_json("REPLAY_DIFFERS", str(exc)))
    except RecordingError as exc:
        _end(error_json("BAD_LOG", str(exc)))
    _finish(outcome, None)


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


def _attempt(
    card: Connection, keys: list[AccessKey], anchors: TrustAnchors | None, *, photo: bool, record: bool
) -> _Attempt:
    """Read *card* with the first of *keys* that opens it; *record* what goes over the wire with the last one used."""
    from kiosk.card_log import Asked, log_text  # noqa: PLC0415
    from kiosk.chip_keys import read_with  # noqa: PLC0415
    from kiosk.emrtd.chip import read_chip  # noqa: PLC0415
    from kiosk.emrtd.errors import EmrtdError  # noqa: PLC0415
    from kiosk.emrtd.recording import Recorder, Trace  # noqa: PLC0415
    from kiosk.emrtd.report import report  # noqa: PLC0415

    trace, now, card_type = Trace(card), datetime.now(UTC), card.card_type
    recorders: list[Recorder] = []
    outcome: ChipRead | EmrtdError

    def read(key: AccessKey) -> ChipRead:
        if not record:
            return read_chip(trace, key, anchors=anchors, now=now, photo=photo)
        recorders.append(recorder := Recorder(trace, secrets.token_bytes, key))
        return read_chip(recorder, key, anchors=anchors, now=now, photo=photo, rng=recorder.rng)

    try:
        outcome = read_with(trace, keys, read)
    except EmrtdError as exc:
        outcome = exc
    asked = Asked(photo, now, None if isinstance(outcome, EmrtdError) else outcome.seconds)
    log = log_text(recorders[-1].lines, asked) if recorders else ""
    return _Attempt(outcome, log, report(outcome, trace, card_type))


def _finish(outcome: ChipRead | EmrtdError, photo_file: Path | None) -> NoReturn:
    """Print the JSON document of *outcome* and end; the portrait goes to *photo_file*."""
    from kiosk.chip_report import chip_json, error_json, failure_json  # noqa: PLC0415
    from kiosk.documents.chip_person import UnreadableChip, person_of  # noqa: PLC0415
    from kiosk.emrtd.errors import DataError, EmrtdError  # noqa: PLC0415
    from kiosk.emrtd.lds import portrait  # noqa: PLC0415

    if isinstance(outcome, EmrtdError):
        _end(failure_json(outcome))
    try:
        photo = portrait(outcome.files["DG2"]) if "DG2" in outcome.files else None
    except DataError as exc:
        photo = None
        click.echo(f"kioskctl: no portrait: {exc}", err=True)
    try:
        person = person_of(outcome.files, today=_today())
    except UnreadableChip as exc:
        _end(error_json("CHIP_ERROR", str(exc)))
    if photo is not None and photo_file is not None:
        _write_private(photo_file, photo.data)
    _print(chip_json(outcome, person, photo))
    sys.exit(0)


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


def _load_anchors(path: Path | None) -> TrustAnchors | None:
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


COMMANDS = (read_card, replay_apdu, verify_evidence)
