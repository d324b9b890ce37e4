"""``kioskctl readers``: what is plugged in, what is wrong with it, and a try-out with the test code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:  # imported when the command runs: kioskctl must start fast
    from kiosk.documents.scan_diagnosis import Diagnosis

_DEFAULT_CONFIG = Path("/etc/kiosk/kiosk.toml")
_USUAL_SPEEDS = (9600, 115200, 19200, 38400, 57600)
_STDIN = 0
_TYPING_GAP_S = 0.5
_KINDS = {
    "serial": "serial port",
    "cameras": "camera",
    "keyboards": "types",
    "hid_pos": "scanner",
    "usb": "USB device",
    "system": "this machine",
}


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="KIOSK_CONFIG",
    help=f"The configuration to compare with.  [default: {_DEFAULT_CONFIG}, if there]",
)
@click.option("--probe", is_flag=True, help="Also open each serial port; that may reset the device behind it.")
@click.option(
    "--try",
    "where",
    metavar="DEVICE|keyboard|-",
    help="Take one scan of the test code and say what is wrong: from a serial port, a /dev/input device, what is typed "
    "into this terminal, or stdin to its end.",
)
@click.option("--baud", default="9600", show_default=True, help="Serial speed for --try, or auto: the usual ones.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=20, show_default=True, help="How long --try waits.")
def readers(config_path: Path | None, probe: bool, where: str | None, baud: str, seconds: float) -> None:
    """List scanners, cameras and card readers and say what is wrong with them; or --try a scanner.

    The list ends with 0 whatever is wrong; --try with 0 if the kiosk reads such scans right, else 1.
    """
    if where is not None:
        _try(where, _speeds(baud), seconds)
    from kiosk.readers.attached import attached  # noqa: PLC0415
    from kiosk.readers.machine import Machine  # noqa: PLC0415

    machine = Machine()
    document = attached(machine, probe=probe)
    document["configured"] = _configured(config_path, document)
    for line in _plain(document):
        click.echo(line, err=True)
    _print(document)


def _configured(path: Path | None, document: dict[str, Any]) -> list[dict[str, Any]] | None:
    from kiosk import config  # noqa: PLC0415
    from kiosk.errors import ConfigError  # noqa: PLC0415
    from kiosk.readers.configured import configured  # noqa: PLC0415
    from kiosk.readers.machine import Machine  # noqa: PLC0415

    if path is None and not _DEFAULT_CONFIG.exists():
        return None
    try:
        return configured(config.load(path or _DEFAULT_CONFIG), document, Machine())
    except ConfigError as exc:
        return [{"setting": None, "value": None, "code": exc.code, "problem": str(exc)}]


def _plain(document: dict[str, Any]) -> Iterator[str]:
    """One line for each device and each setting, for people."""
    for table, kind in _KINDS.items():
        for entry in document[table]:
            yield _line(kind, entry.get("configure_as") or entry.get("device") or entry.get("name") or "", entry)
    for entry in document["pcsc"]["readers"]:
        yield _line("card reader", entry["name"], entry)
    if document["pcsc"]["problem"]:
        yield _line("card readers", "", document["pcsc"])
    for entry in document["configured"] or ():
        yield _line("configured", f"{entry['setting'] or ''} {entry['value'] or ''}".strip(), entry)


def _line(kind: str, name: str, entry: dict[str, Any]) -> str:
    what = f"{kind} {name}".strip()
    if entry["problem"]:
        return f"! {what}: {entry['problem']}"
    holders = ", ".join(entry.get("held_by", ()))
    return f"  {what}: fine" + (f" (in use by {holders})" if holders else "")


def _speeds(baud: str) -> tuple[int, ...]:
    if baud == "auto":
        return _USUAL_SPEEDS
    if not (baud.isascii() and baud.isdigit() and 300 <= int(baud) <= 4_000_000):
        raise click.UsageError("--baud: expected a speed such as 9600, or auto")
    return (int(baud),)


def _try(where: str, speeds: tuple[int, ...], seconds: float) -> NoReturn:
    """Take one scan from *where* (at each of *speeds* until one fits), print the diagnosis and end."""
    from kiosk.documents.scan_diagnosis import diagnose  # noqa: PLC0415
    from kiosk.documents.scan_test_code import ScanFault  # noqa: PLC0415
    from kiosk.errors import KioskError  # noqa: PLC0415
    from kiosk.readers.one_scan import read_grabbed, read_typed  # noqa: PLC0415

    baud: int | None = None
    try:
        if where == "-":
            raw = read_typed(_STDIN, seconds, None)
            diagnosis = diagnose(raw)
        elif where == "keyboard":
            _ask()
            raw = read_typed(_STDIN, seconds, _TYPING_GAP_S)
            diagnosis = diagnose(raw)
        elif where.startswith("/dev/input/"):
            _ask()
            raw = read_grabbed(where, seconds)
            diagnosis = diagnose(raw, framed=True)
        else:
            for baud in speeds:
                raw = _from_line(where, baud, seconds)
                diagnosis = diagnose(raw)
                if diagnosis.code is not ScanFault.WRONG_SPEED:
                    break
    except KioskError as exc:
        click.echo(f"kioskctl: {exc}{_who_has(where)}", err=True)
        _print({"where": where, "error": exc.code})
        sys.exit(1)
    _finish(where, baud, len(raw), diagnosis)


def _from_line(port: str, baud: int, seconds: float) -> bytes:
    from kiosk.readers.serial_scanner import read_burst  # noqa: PLC0415

    _ask(f" (listening at {baud})")
    return read_burst(port, baud, seconds)


def _who_has(where: str) -> str:
    from kiosk.readers.machine import Machine  # noqa: PLC0415
    from kiosk.readers.who_holds import holders  # noqa: PLC0415

    names = ", ".join(holder.name for holder in holders(Machine(), Path(where)))
    return f"; in use by {names}: stop that first" if names else ""


def _finish(where: str, baud: int | None, size: int, diagnosis: Diagnosis) -> NoReturn:
    from kiosk.documents.scan_advice import ADVICE  # noqa: PLC0415

    for fault in diagnosis.faults:
        click.echo(f"{fault.value}: {ADVICE[fault]}", err=True)
    _print(
        {
            "where": where,
            "baud": baud,
            "bytes": size,
            "code": diagnosis.code.value,
            "faults": [fault.value for fault in diagnosis.faults],
            "kiosk_copes": diagnosis.kiosk_copes,
            "error": None,
        }
    )
    sys.exit(0 if diagnosis.kiosk_copes else 1)


def _ask(more: str = "") -> None:
    click.echo(f"kioskctl: scan the test code now{more}", err=True)


def _print(document: Any) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


COMMANDS = (readers,)
