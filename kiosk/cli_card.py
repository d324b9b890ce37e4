"""What ``kioskctl`` does with chips: read one, run a recorded read again, check evidence (interfaces, section 1)."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_ANCHORS = click.option(
    "--anchors",
    "anchors_path",
    type=click.Path(path_type=Path, exists=True),
    help="Country signing certificates: PEM, DER, a master list, or a folder of them.",
)


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


COMMANDS = (verify_evidence,)
