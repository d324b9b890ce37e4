"""The ``[hospital]`` table of the HL7 v2 adapter, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from kiosk.errors import ConfigError

Seconds = Annotated[float, Field(gt=0, le=120)]
Flag = Annotated[bool, Field(strict=True)]
Designator = Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{1,20}(&[A-Za-z0-9.:_-]{1,199}&[A-Z]{1,6})?)?$")]
"""An HD: a namespace such as ``VNM-CCCD``, or with its universal id and type, ``VNM-CCCD&1.2.3&ISO``."""


def _mllp_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("expected mllp://host:port or mllps://host:port") from None
    if parts.scheme not in ("mllp", "mllps") or port == 0 or parts.path or parts.query or parts.fragment:
        raise ValueError("expected mllp://host:port or mllps://host:port")
    if parts.username is not None or not host.isascii() or not all(0 < len(label) < 64 for label in host.split(".")):
        raise ValueError("expected a host name in ASCII, without account")
    return value


class Timeouts(BaseModel):
    """Seconds. ``connect``: TCP and TLS together. ``answer``: from the first byte sent to the acknowledgement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connect: Seconds = 3
    answer: Seconds = 20


class Authorities(BaseModel):
    """Who gave a number (PID-3.4). ``patient``: of the hospital's own number; empty: the facility's code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    citizen: Designator = "VNM-CCCD"
    old: Designator = "VNM-CMND"
    card: Designator = "VSS"
    patient: Designator = ""


class Hl7v2Settings(BaseModel):
    """All keys, with the defaults of health-data-standards.md 4.3.

    ``url``: ``mllps`` is MLLP in TLS. ``ca_file``: PEM of the hospital's own authority instead of the public ones.
    ``client_file``: PEM with our certificate and its unencrypted key, where the receiver asks for one.
    ``sending_facility``: empty: the facility's code. ``new_patient``: whether a person whom nobody found in the
    hospital's system is announced by A28 before A04. ``receiver_deduplicates``: the receiver's maker has said that a
    message whose MSH-10 it has stored is acknowledged again and not processed again; without that word a visit whose
    acknowledgement was lost is left to staff. A28 before A04 needs it, because both are repeated when the second is
    not answered. ``keep_connection``: one connection for all messages, one after the other, for receivers that allow
    few; a connection that broke unseen makes the next visit's outcome unknown. ``name_split``: ``words`` puts first,
    last and middle words of a name in PID-5.1 to .3. ``ethnicity_code`` (PID-22): sent for everybody, empty: not at
    all. ``citizenship`` (PID-26): sent for holders of a citizen's number. ``visit_segment``: adds ZVN.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_mllp_url)]
    ca_file: str = ""
    client_file: str = ""
    timeouts: Timeouts = Timeouts()
    keep_connection: Flag = False
    receiver_deduplicates: Flag = False
    new_patient: Literal["a04", "a28_a04"] = "a04"
    sending_application: Designator = "KIOSK"
    sending_facility: Designator = ""
    receiving_application: Designator = ""
    receiving_facility: Designator = ""
    processing_id: Literal["P", "T", "D"] = "P"
    authorities: Authorities = Authorities()
    citizen_id_type: Literal["NI", "NNVNM"] = "NI"
    card_id_type: Literal["SB", "HC"] = "SB"
    patient_id_type: Literal["MR", "PI"] = "MR"
    name_split: Literal["none", "words"] = "none"
    ethnicity_code: Annotated[str, Field(pattern=r"^([0-9]{2})?$")] = ""
    citizenship: Annotated[str, Field(pattern=r"^([A-Z]{2,3})?$")] = "VNM"
    visit_segment: Flag = False

    @model_validator(mode="after")
    def _two_messages_need_a_receiver_that_deduplicates(self) -> Hl7v2Settings:
        if self.new_patient == "a28_a04" and not self.receiver_deduplicates:
            raise ValueError('new_patient: "a28_a04" needs receiver_deduplicates = true')
        if not self.tls and (self.ca_file or self.client_file):
            raise ValueError("ca_file and client_file need url = mllps://...")
        return self

    @property
    def tls(self) -> bool:
        """Whether MLLP runs in TLS."""
        return self.url.startswith("mllps:")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; 2575, which is registered for HL7, where the URL names none."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 2575


def load(settings: Mapping[str, Any]) -> Hl7v2Settings:
    """Check the table; ConfigError names the first wrong key and what was expected, never the value."""
    try:
        return Hl7v2Settings.model_validate(dict(settings))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(["hospital", *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        nested = {"timeouts": Timeouts.model_fields, "authorities": Authorities.model_fields}
        known = nested.get(str(first["loc"][0]), Hl7v2Settings.model_fields)
        raise ConfigError(f"{key}: unknown key, expected one of {', '.join(sorted(known))}")
    raise ConfigError(f"{key}: {first['msg']}")
