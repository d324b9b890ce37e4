"""The configuration file of the daemon (interfaces, section 7): unknown keys and wrong values stop the start.

Secrets are never in the file: a ``*_file`` setting names a systemd credential or a file.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from kiosk.errors import ConfigError
from kiosk.hospital_addresses import addresses
from kiosk.loopback import is_loopback
from kiosk.model import Sex


def checked_listen(value: str) -> str:
    """*value* if it is ``address:port``, else ValueError."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError('expected "address:port"')
    return value


def _local_listen(value: str) -> str:
    host = checked_listen(value).rpartition(":")[0].strip("[]")
    if not is_loopback(host):
        raise ValueError("the patient screen listens on loopback only, such as 127.0.0.1:8080")
    return value


Seconds = Annotated[float, Field(gt=0, le=86_400)]
Pause = Annotated[float, Field(gt=0, le=6000)]  # with jitter still within outbox_table.LONGEST_PAUSE
Listen = Annotated[str, AfterValidator(_local_listen)]
StationId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
HourMinute = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]


class Table(BaseModel):
    """A table of a configuration file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StationTable(Table):
    """This machine. ``facility`` is the five-character code, ``data`` the folder of the store."""

    id: StationId
    facility: Annotated[str, Field(pattern=r"^[0-9A-Z]{5}$")]
    listen: Listen = "127.0.0.1:8080"
    data: Path
    store_key_file: str | None = None


class PolicyTable(Table):
    """What the facility decides. ``document``: whether people are asked for the chip; it needs a card reader.

    ``priority_file``: a facility's own rules of who is examined first, in the form of ``kiosk/data/priority.toml``.
    """

    document: Literal["chip_first", "chip_periodic", "qr_first"] = "chip_first"
    number_wait: Seconds = 8
    confirm_seconds: Seconds = 40
    choose_seconds: Seconds = 90
    done_seconds: Seconds = 15
    staff_seconds: Seconds = 30
    priority_file: str = ""
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30


class StaffTable(Table):
    """The second listener, for staff on other machines; it needs a certificate.

    ``desks``: names of the desks at which clerks serve people from their browsers (``/desk``).
    """

    listen: str = ""
    cert_file: str = ""
    key_file: str = ""
    hosts: tuple[str, ...] = ()
    desks: tuple[StationId, ...] = ("desk-1",)

    @model_validator(mode="after")
    def _needs_certificate(self) -> StaffTable:
        if self.listen:
            checked_listen(self.listen)
            if not self.cert_file or not self.key_file or not self.hosts:
                raise ValueError("a staff listener needs cert_file, key_file and hosts")
        return self


class ScannerTable(Table):
    """The serial scanner: a stable path or any pyserial URL; empty: none."""

    port: str = ""
    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 9600


class CameraTable(Table):
    """The camera that reads codes; empty ``device``: none.

    ``device``: a stable path (``/dev/v4l/by-id/...``), or for tests and the demo ``file:PATH`` (a video) or
    ``folder:PATH`` (pictures). ``exposure`` and ``focus``: ``auto`` or the driver's own number. ``preview``: show
    people what the camera sees while they aim.
    """

    device: str = ""
    width: Annotated[int, Field(ge=160, le=4096)] = 1280
    height: Annotated[int, Field(ge=120, le=4096)] = 720
    fps: Annotated[float, Field(gt=0, le=60)] = 15
    exposure: Literal["auto"] | Annotated[float, Field(strict=True)] = "auto"
    focus: Literal["auto"] | Annotated[float, Field(strict=True)] = "auto"
    rotate: Literal[0, 90, 180, 270] = 0
    mirror: Annotated[bool, Field(strict=True)] = True
    preview: Annotated[bool, Field(strict=True)] = True


class KeyboardTable(Table):
    """A scanner that types. ``device``: its ``/dev/input/by-id/...-event-kbd``, read alone below the keyboard layout;
    empty: none. Without it, what such a scanner types into the screens is taken as well.
    """

    device: str = ""


class VneidTable(Table):
    """A licensed service that verifies VNeID's changing codes; empty ``url``: people are asked for the card instead."""

    url: str = ""
    token_file: str = ""
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> VneidTable:
        if self.url and not self.token_file:
            raise ValueError("a verifier needs token_file")
        return self


class CardTable(Table):
    """The chip reader, what its checks rest on, and what is done with the result.

    ``anchors``: a file or folder of country signing certificates and revocation lists; without any the best verdict is
    ``cannot_tell``. ``portrait``: read it and let staff glance at it. ``provider_*``: a licensed provider asked beside.
    """

    adapter: Literal["pcsc", "pn532", "pushed", "none"] = "none"
    reader: str = "auto"
    anchors: str = ""
    portrait: Annotated[bool, Field(strict=True)] = False
    place_seconds: Seconds = 30
    evidence_days: Annotated[int, Field(ge=1, le=3650)] = 30
    provider_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._-]{0,40}$")] = ""
    provider_url: str = ""
    provider_token_file: str = ""
    provider_ca_file: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> CardTable:
        if self.adapter == "pn532" and self.reader in ("", "auto"):
            raise ValueError("a pn532 needs reader, the path of its serial line")
        if self.provider_url and not (self.provider_name and self.provider_token_file):
            raise ValueError("a provider needs provider_name and provider_token_file")
        return self


class PrinterTable(Table):
    """The ticket printer; see kiosk.ticket_model for each setting. A printer behind ``file`` is not asked."""

    adapter: Literal["none", "usb", "serial", "network", "file"] = "none"
    address: str = ""
    width: Literal[58, 80] = 80
    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 9600
    asks: Annotated[bool, Field(strict=True)] = True
    languages: Annotated[tuple[Literal["vi", "en", "km"], ...], Field(min_length=1, max_length=3)] = ("vi",)

    @model_validator(mode="after")
    def _whole(self) -> PrinterTable:
        shapes = {"usb": r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}", "network": r".+:\d{1,5}", "serial": "/.+", "file": "/.+"}
        if self.adapter != "none" and not re.fullmatch(shapes[self.adapter], self.address):
            raise ValueError("address: usb expects vendor:product, network host:port, serial and file an absolute path")
        return self


class TicketsTable(Table):
    """The kiosk's own numbers: ``first`` to ``last`` are this station's, so that several never give the same one.

    Beyond ``last`` it goes on a thousand higher. ``lines``: letters by service id, such as N for K-N024.
    """

    first: Annotated[int, Field(ge=1, le=999)] = 1
    last: Annotated[int, Field(ge=1, le=999)] = 999
    lines: dict[str, Annotated[str, Field(pattern=r"^[A-Z]{1,2}$")]] = {}

    @model_validator(mode="after")
    def _in_order(self) -> TicketsTable:
        if self.first > self.last:
            raise ValueError("first: expected at most last")
        return self


class InsuranceTable(Table):
    """Who is asked whether people are insured; see kiosk.insurance for what each setting does.

    ``adapter``: ``vss`` asks the insurer directly (``account``, ``password_file``; ``officers_file`` fills the
    register of officers), ``relay`` asks this facility's relay at ``url`` with the station's key in ``key_file``,
    ``via_his`` lets the hospital system ask. ``opens`` and ``closes``: hours between which questions that found no
    answer are asked again. ``answers_days``: how long the insurer's untouched answers are kept.
    """

    adapter: Literal["vss", "relay", "via_his"] = "vss"
    url: str = ""
    account: str = ""
    password_file: str = ""
    officers_file: str = ""
    key_file: str = ""
    login_path: str = "/api/token/take"
    lookup_path: str = "/api/egw/KQNhanLichSuKCB2024"
    opens: HourMinute = "00:00"
    closes: HourMinute = "24:00"
    answers_days: Annotated[int, Field(ge=1, le=7300)] = 1825
    encoding: Literal["json", "form"] = "json"
    md5_case: Literal["upper", "lower"] = "upper"
    connect_timeout: Seconds = 3
    read_timeout: Seconds = 8
    total_timeout: Annotated[float, Field(gt=0, le=15)] = 15
    retry_pause: Annotated[float, Field(ge=0, le=10)] = 3
    max_in_flight: Annotated[int, Field(ge=1, le=8)] = 2
    per_second: Annotated[float, Field(gt=0, le=100)] = 1
    ca_file: Path | None = None
    recheck_after: Annotated[tuple[Pause, ...], Field(min_length=1)] = (60, 300, 900, 1800, 3600)

    @model_validator(mode="after")
    def _whole(self) -> InsuranceTable:
        needed = {"vss": ("url", "account", "password_file"), "relay": ("url", "key_file"), "via_his": ()}
        if missing := [key for key in needed[self.adapter] if not getattr(self, key)]:
            raise ValueError(f"adapter {self.adapter} needs {', '.join(f'insurance.{key}' for key in missing)}")
        if self.opens >= self.closes:
            raise ValueError("opens: expected an hour before closes")
        return self


class RouteTable(Table):
    """What this facility is for the rules of route, since the day ``since`` (insurance-gateway.md 5.4).

    ``accepted``: codes of places of registration that count as this facility. ``level``: professional level,
    ``score``: its points, ``former``: its tier before 2025, ``primary``: a commune station or the like (code 1.2).
    Without any table no route is proposed.
    """

    since: date
    accepted: tuple[Annotated[str, Field(pattern=r"^[0-9A-Z]{5}$")], ...] = ()
    level: Literal["initial", "basic", "specialised"]
    score: Annotated[float, Field(ge=0, le=100)] | None = None
    former: Literal["", "commune", "district", "province", "central"] = ""
    primary: Annotated[bool, Field(strict=True)] = False


class EligibilityTable(Table):
    """Questions of the hospital system and the cashier; ``key_file``: the key they bring, empty: nobody may ask."""

    key_file: str = ""


class HospitalTable(BaseModel):
    """The hospital system. All keys but these belong to the adapter, which checks them itself.

    ``figures``: whether this station asks it for the figures of whole days; one a facility is enough.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: str
    unchecked: Literal["push", "hold"] = "push"
    grace: Annotated[float, Field(ge=0, le=600)] = 60
    figures: Annotated[bool, Field(strict=True)] = True

    @property
    def own(self) -> dict[str, Any]:
        """The adapter's own settings."""
        return dict(self.model_extra or {})


class ServiceTable(Table):
    """A room or examination of a hospital system that has no menu of its own.

    ``insured``: for insured visits, or paid by the patient. ``age_from`` to ``age_to``: whole years, both included.
    """

    id: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    code: str = ""
    department_id: str = ""
    department: str = ""
    exam_type: str = ""
    insured: Annotated[bool, Field(strict=True)] = True
    price: Annotated[int, Field(ge=0)] | None = None
    age_from: Annotated[int, Field(ge=0, le=150)] | None = None
    age_to: Annotated[int, Field(ge=0, le=150)] | None = None
    sex: Sex | None = None


class ProvinceTable(Table):
    """The province hub; no URL: events wait in the store."""

    url: str = ""
    ca_file: Path | None = None
    heartbeat_seconds: Seconds = 60


class OutboxTable(Table):
    """Pauses between attempts, in seconds."""

    base: Pause = 2
    cap: Pause = 300


class Config(Table):
    """The whole file. ``demo`` is refused unless everything stays on this machine."""

    demo: Annotated[bool, Field(strict=True)] = False
    station: StationTable
    policy: PolicyTable = PolicyTable()
    staff: StaffTable = StaffTable()
    scanner: ScannerTable = ScannerTable()
    camera: CameraTable = CameraTable()
    keyboard: KeyboardTable = KeyboardTable()
    vneid: VneidTable = VneidTable()
    card: CardTable = CardTable()
    printer: PrinterTable = PrinterTable()
    tickets: TicketsTable = TicketsTable()
    insurance: InsuranceTable
    route: tuple[RouteTable, ...] = ()
    eligibility: EligibilityTable = EligibilityTable()
    hospital: HospitalTable
    service: tuple[ServiceTable, ...] = ()
    province: ProvinceTable = ProvinceTable()
    outbox: OutboxTable = OutboxTable()

    @model_validator(mode="after")
    def _each_station_once(self) -> Config:
        names = [self.station.id, *self.staff.desks]
        if len(set(names)) < len(names):
            raise ValueError("staff.desks: expected a name of its own for each, and none of the station")
        return self

    @model_validator(mode="after")
    def _each_service_once(self) -> Config:
        if len({row.id for row in self.service}) < len(self.service):
            raise ValueError("service: expected an id of its own for each")
        return self

    @model_validator(mode="after")
    def _demo_stays_here(self) -> Config:
        if self.demo:
            urls = [self.insurance.url, self.province.url, self.card.provider_url, self.vneid.url]
            urls += addresses(self.hospital.own)
            urls += [f"//{self.printer.address}"] if self.printer.adapter == "network" else []
            if any(url and not is_loopback(urlsplit(url).hostname or "") for url in urls) or self.staff.listen:
                raise ValueError("demo: every URL must be on loopback and there is no staff listener")
        return self


def load(path: Path) -> Config:
    """Read and check the file at *path*. ConfigError names the key and what was expected, never a value."""
    return parse(read_tables(path))


def read_tables(path: Path) -> dict[str, Any]:
    """The tables of the file at *path*, unchecked. ConfigError when it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise ConfigError(f"cannot read {path.name}: {exc.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path.name} is not TOML: {exc}") from None


def parse(values: dict[str, Any]) -> Config:
    """Check the tables of a configuration that has been read."""
    try:
        return Config.model_validate(values)
    except ValidationError as exc:
        raise wrong(exc) from None


def wrong(found: ValidationError) -> ConfigError:
    """What is wrong with a configuration: keys and what was expected."""
    problems = (": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in found.errors())
    return ConfigError("; ".join(problems))


def secret_path(name: str, beside: Path) -> Path:
    """Where a ``*_file`` setting points: an absolute path, a systemd credential, or a file in the folder *beside*."""
    if (path := Path(name)).is_absolute():
        return path
    if (credentials := os.environ.get("CREDENTIALS_DIRECTORY")) and (path := Path(credentials) / name).exists():
        return path
    return beside / name


def read_secret(name: str, beside: Path) -> str:
    """The text of a secret, without surrounding white space. ConfigError names the file, never its content."""
    path = secret_path(name, beside)
    try:
        return path.read_text("utf-8").strip()
    except OSError as exc:
        raise ConfigError(f"secret {name}: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"secret {name}: expected UTF-8 text") from None


def read_officers(text: str) -> list[tuple[str, str]]:
    """The registered officers: one a line, ``name;12-digit number``; lines starting with ``#`` are left out."""
    officers = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, separator, citizen = line.partition(";")
        citizen = citizen.strip()
        if not separator or not name.strip() or len(citizen) != 12 or not citizen.isascii() or not citizen.isdigit():
            raise ConfigError(f'officers, line {number}: expected "name;12-digit number"')
        officers.append((name.strip(), citizen))
    if not officers:
        raise ConfigError("officers: expected at least one")
    return officers
