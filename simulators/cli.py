"""`kiosk-sim`: each simulator on its own.

A command prints one JSON document on stdout when it is ready (`{"simulator": ..., "url": ...}`), messages for people on
stderr, and runs until Ctrl-C. Each command is one short function; it imports its simulator when called.
"""

import contextlib
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click


@click.group()
def main() -> None:
    """Simulators of the systems around the kiosk. Only invented people; loopback by default."""


def announce(name: str) -> Callable[[str], None]:
    """A callback for `serve_forever`: tells machines (stdout, JSON) and people (stderr) where `name` listens."""

    def listening(url: str) -> None:
        click.echo(json.dumps({"simulator": name, "url": url}))
        click.echo(f"{name} simulator on {url} (Ctrl-C ends it)", err=True)

    return listening


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8099, show_default=True, help="Port to listen on; 0 takes a free one.")
def gateway(host: str, port: int) -> None:
    """Health-insurance gateway (KQNhanLichSuKCB2024) with 31 invented people.

    Needs nothing but a free port. Account 99001_BV, password sim-secret, officer 099085000001
    NGUYỄN CÁN BỘ THỬ. People: GET /_sim/people; forced faults: POST /_sim/mode; what was asked: GET /_sim/calls.

    \b
    Environment:
      SIM_FACILITY         facility code instead of 99001 in people and accounts
      SIM_TODAY            simulated day, YYYY-MM-DD (default: today in UTC+7)
      SIM_TOKEN_TTL        token life in seconds (default 600)
      SIM_BIND_IP          1: a token works only from the address that took it (default); 0: from anywhere
      SIM_FORWARDED_FOR    1: the caller's address is the first in X-Forwarded-For (default 0)
      SIM_401_SHAPE        http_json (default), body or http_empty: how a refused token is answered
      SIM_DOB8             1: accept birth dates of eight bare digits (default 0)
    """
    from simulators.serve import serve_forever  # noqa: PLC0415 - each command pays only for its own simulator
    from simulators.vss_gateway import Settings, create_app  # noqa: PLC0415

    try:
        serve_forever(create_app(Settings.from_env()), host, port, announce("gateway"))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command("his-c06")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8098, show_default=True, help="Port to listen on; 0 takes a free one.")
def his_c06(host: str, port: int) -> None:
    """Hospital system with the C06 kiosk interface, twelve services and ten known invented people.

    Needs nothing but a free port. Merchant KIOSK-TEST, secret sim-c06-secret. Its rows as a page: GET /_sim/;
    forced faults: POST /_sim/mode; what was asked: GET /_sim/calls; what it holds: GET /_sim/registrations.

    \b
    Environment (first value is the default):
      SIM_FACILITY          99001: own facility code
      SIM_PROFILE           doc, field: as published, or as seen in hospitals
      SIM_KEYS              upper, camel: case of the answers' keys
      SIM_SEX               standard, reversed: sex codes
      SIM_DATES             iso, compact, slash: date forms of the answers
      SIM_SLOTS             object, list: shape of /dichvu-lichkham
      SIM_STT               now, null, after_payment, text: queue number in answers
      SIM_DUP               accept, reject, same: same person and service again on one day
      SIM_DEDUP             none, du_phong: a known DU_PHONG gets its earlier receipt
      SIM_HISTORY           off, on: GET /lichsu-dangky
      SIM_SIGN_ERROR        body999, http401, http403_html: how a bad signature is answered
      SIM_HTTP_404          0, 1: code 404 comes with HTTP 404
      SIM_REQUIRE_DISTRICT  0, 1: MAHUYEN_CU_TRU may not be empty
      SIM_FIRST_VISIT       1: what visits are counted from, for a start on the same day as another
      SIM_SKEW_S            300: how far x-timestamp may be off, in seconds
      SIM_TODAY             simulated day, YYYY-MM-DD (default: today in UTC+7)
      SIM_MERCHANT, SIM_SECRET            account of the kiosk
      SIM_SIGN_BHYT, SIM_SIGN_DANGKY_KCB  signed fields (SO_GTTT,LOAI_GTTT and MA_BN)
    """
    from simulators.his_c06 import Settings, create_app  # noqa: PLC0415
    from simulators.serve import serve_forever  # noqa: PLC0415

    try:
        serve_forever(create_app(Settings.from_env()), host, port, announce("his-c06"))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command("his-hisnguonmo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8095, show_default=True, help="Port to listen on; 0 takes a free one.")
def his_hisnguonmo(host: str, port: int) -> None:
    """Hospital system with the kiosk calls of hisnguonmo, eight rooms and ten known invented people.

    Needs nothing but a free port. Application HIS, user kiosk, password sim-hisnguonmo-secret; the kiosk's reception
    room is KIOSK01. Forced faults: POST /_sim/mode; what was asked: GET /_sim/calls; what it holds: GET
    /_sim/registrations.

    \b
    Environment (first value is the default):
      SIM_APPLICATION, SIM_USER, SIM_PASSWORD  account of the kiosk
      SIM_TOKEN_TTL    3600: life of a token in seconds
      SIM_LOGIN_ERROR  http401, body: how a refused account is told
      SIM_EMPTY_LISTS  0, 1: the look-up writes [] instead of null
      SIM_TODAY        simulated day, YYYY-MM-DD (default: today in UTC+7)
    """
    from simulators.his_hisnguonmo import Settings, create_app  # noqa: PLC0415
    from simulators.serve import serve_forever  # noqa: PLC0415

    try:
        serve_forever(create_app(Settings.from_env()), host, port, announce("his-hisnguonmo"))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8097, show_default=True, help="Port to listen on; 0 takes a free one.")
def vneid(host: str, port: int) -> None:
    """Service that verifies VNeID's changing codes (POST /verify), with 31 invented people.

    Bearer token sim-vneid-bearer. A new code on somebody's phone: POST /_sim/show/NUMBER; it holds for a minute and for
    one question. Forced faults: POST /_sim/mode.
    """
    from simulators.serve import serve_forever  # noqa: PLC0415
    from simulators.vneid import create_app  # noqa: PLC0415

    try:
        serve_forever(create_app(), host, port, announce("vneid"))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command("fault-proxy")
@click.option("--to", required=True, help="Where it leads, HOST:PORT.")
@click.option("--listen", default=0, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8096, show_default=True, help="Port of its control; 0 takes a free one.")
@click.option("--seed", type=int, help="Of the dice, to repeat a run.")
def fault_proxy(to: str, listen: int, host: str, port: int, seed: int | None) -> None:
    """Bad network between a client and a server: delay, jitter, bandwidth, resets, silence, garbage.

    Put its port in the place of the server's. Toxics: POST /_sim/toxic on its control, DELETE /_sim/toxics ends them;
    GET /_sim/health tells port and seed.
    """
    from simulators.fault_proxy import FaultProxy, Settings, create_app  # noqa: PLC0415
    from simulators.serve import serve_forever  # noqa: PLC0415

    to_host, _, to_port = to.rpartition(":")
    if not to_host or not to_port.isdigit():
        raise click.BadParameter("expected HOST:PORT", param_hint="--to")
    proxy = FaultProxy(Settings(to_host, int(to_port), host, listen, seed))
    try:
        serve_forever(create_app(proxy), host, port, announce("fault-proxy"))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option(
    "--link",
    required=True,
    type=click.Path(path_type=Path),
    help="Symbolic link to make; the kiosk's scanner.port.",
)
def scanner(link: Path) -> None:
    """QR scanner on a serial port: a pseudo-terminal behind a link that stays the same.

    Reads standard input: each line is one scan, sent with CR behind it. The port stays until Ctrl-C, also after the
    end of the input. Standard output is {"simulator": "scanner", "port": LINK} instead of a URL.
    """
    from simulators.scanner import SimulatedScanner  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with SimulatedScanner(link) as device, contextlib.suppress(KeyboardInterrupt):
            click.echo(json.dumps({"simulator": "scanner", "port": str(link)}))
            click.echo(f"scanner simulator on {link}; one scan per line (Ctrl-C ends it)", err=True)
            for line in sys.stdin.buffer:
                if scan := line.rstrip(b"\r\n"):
                    device.tap(scan)
            signal.pause()
    except OSError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where each ticket is kept as a PNG.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=9100, show_default=True, help="0: any that is free.")
@click.option("--fault", default="none", show_default=True, help="What is wrong with it at first.")
def printer(folder: Path | None, host: str, port: int, fault: str) -> None:
    """Receipt printer on a TCP port: ESC/POS raster pictures and status.

    Reads standard input: each line is what is wrong from now on: none, paper_low, paper_out, cover_open, broken, silent
    or slow. The printer stays until Ctrl-C. Standard output is {"simulator": "printer", "address": "HOST:PORT"}.
    """
    from simulators.printer import SimulatedPrinter  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with SimulatedPrinter(folder, host=host, port=port) as device, contextlib.suppress(KeyboardInterrupt):
            device.become(fault)
            click.echo(json.dumps({"simulator": "printer", "address": device.address}))
            for line in sys.stdin:
                try:
                    device.become(line.strip())
                except ValueError as error:
                    click.echo(str(error), err=True)
            signal.pause()
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--person", "number", type=click.IntRange(1, 30), help="Whose card, by number (see /_sim/people).")
@click.option("--mode", default="genuine", show_default=True, help="Kind of card; see --list-modes.")
@click.option("--vpcd", metavar="HOST:PORT", help="Insert it into the virtual PC/SC reader that listens there.")
@click.option(
    "--pn532",
    "link",
    metavar="LINK",
    type=click.Path(path_type=Path),
    help="Lay it on a simulated PN532 reader; symbolic link to make, the kiosk's serial port.",
)
@click.option("--latency-ms", type=click.FloatRange(min=0), help="Time for each command, instead of the mode's.")
@click.option(
    "--anchors-out",
    "anchors",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the issuing authority's certificate and CRL there.",
)
@click.option("--list-modes", is_flag=True, help="Print the modes and end.")
def chip(
    number: int | None,
    mode: str,
    vpcd: str | None,
    link: Path | None,
    latency_ms: float | None,
    anchors: Path | None,
    list_modes: bool,
) -> None:
    """Chip of a citizen card of one of the 31 invented people, on a simulated reader.

    The card lies there until Ctrl-C; each line on standard input (Enter) takes it away or lays it down again. Standard
    output is {"simulator": "chip", "reader", "mode", "can", "mrz"}; every start is an issuing authority of its own.
    """
    from simulators.chip_session import modes_as_text, serve_chip  # noqa: PLC0415

    if list_modes:
        click.echo(modes_as_text())
        return
    reader = vpcd or link
    if number is None or reader is None or (vpcd and link):
        raise click.UsageError("give --person and one of --vpcd and --pn532")
    try:
        serve_chip(number, mode, reader, latency_ms, anchors)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
