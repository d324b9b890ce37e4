"""The ``[hospital]`` table of the FHIR adapter, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from kiosk.errors import ConfigError
from kiosk.hospital_model import QueueNumber
from kiosk.loopback import is_loopback

Seconds = Annotated[float, Field(gt=0, le=120)]
Flag = Annotated[bool, Field(strict=True)]
Uri = Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9+.-]*:[!-~]+)?$", max_length=200)]
"""An absolute URI; empty: none. Nothing with a meaning in a query is in it (``_queryable``)."""
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,40}$")]
Reference = Annotated[str, Field(pattern=r"^([A-Z][A-Za-z]{1,40}/[A-Za-z0-9.-]{1,64})?$")]


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.port == 0:
        raise ValueError("expected a port from 1 to 65535")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("expected https://... (http only to this machine itself)")
    if not host or not all(0 < len(label) < 64 for label in host.split(".")) or not host.isascii():
        raise ValueError("expected a URL with a host name in ASCII")
    if parts.username is not None or parts.query or parts.fragment or not value.isprintable() or " " in value:
        raise ValueError("expected a URL without account, query or fragment")
    return value.rstrip("/")


def _queryable(value: str) -> str:
    if any(char in '|,$\\&?#%+"<>' for char in value):
        raise ValueError("expected a URI without signs that have a meaning in a query")
    return value


System = Annotated[Uri, AfterValidator(_queryable)]


class Timeouts(BaseModel):
    """Seconds. ``get`` bounds a whole question, ``post`` a registration, both with a renewed login."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connect: Seconds = 3
    get: Seconds = 8
    post: Seconds = 20


class Auth(BaseModel):
    """``bearer``: the token of ``token_file`` as it is. ``client_credentials``: OAuth 2 (RFC 6749, 4.4) at
    ``token_url``; ``client_auth``: whether id and secret go in the header (Basic) or in the body.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["none", "bearer", "client_credentials"] = "none"
    token_file: str = ""
    token_url: Annotated[str, AfterValidator(lambda value: _base_url(value) if value else value)] = ""
    client_id: Annotated[str, Field(pattern=r"^[!-9;-~]{0,200}$")] = ""
    client_secret_file: str = ""
    scope: Annotated[str, Field(pattern=r"^[ !#-\[\]-~]{0,500}$")] = ""
    client_auth: Literal["header", "body"] = "header"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "bearer" and not self.token_file:
            raise ValueError("token_file: needed for a static token")
        if self.kind == "client_credentials" and not (self.token_url and self.client_id and self.client_secret_file):
            raise ValueError("token_url, client_id and client_secret_file are needed for client credentials")
        return self


class Systems(BaseModel):
    """Whose number an identifier is (health-data-standards.md 4.2). Empty: by the profile; ``patient`` has no default.

    ``patient``: the hospital's own number of a person. ``checkin``: our id of a visit, which makes a repeat harmless.
    ``lookup``: our receipt of the insurer's answer. ``room``: codes of a configured menu. ``commune``, ``province``:
    code systems of administrative units. ``object_code``: MA_DOITUONG_KCB; without it the code is not sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    citizen: System = ""
    old: System = ""
    card: System = ""
    patient: System = ""
    facility: System = ""
    visit: System = ""
    lookup: System = ""
    checkin: Annotated[System, Field(min_length=1)] = "urn:bhyt-kiosk:checkin"
    room: System = ""
    commune: System = ""
    province: System = ""
    object_code: System = ""


class Extensions(BaseModel):
    """URLs of extensions that no published guide defines; empty: not sent, or not looked for.

    ``coverage``: on the Encounter, the Coverage of this visit, which R4 has no element for. ``slip``: the slip that a
    person says to have brought. ``registered_facility``: MA_DKBD, on the Coverage. ``queue_number``: on the Encounter,
    written by the hospital.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coverage: Uri = "urn:bhyt-kiosk:encounter-coverage"
    slip: Uri = "urn:bhyt-kiosk:slip"
    registered_facility: Uri = "urn:bhyt-kiosk:registered-facility"
    queue_number: Uri = ""


_COMMUNITY: Final = "http://fhir.hl7.org.vn/core/sid/"
_MINISTRY: Final = "http://fhir.ehealth.gov.vn/core/sid/"
_PROFILES: Final = {
    "community": {
        "citizen": _COMMUNITY + "cccd",
        "old": _COMMUNITY + "cmnd",
        "card": _COMMUNITY + "bhyt",
        "facility": _COMMUNITY + "ma-cskcb",
        "visit": _COMMUNITY + "ma-lk",
        "lookup": _COMMUNITY + "bhyt-gateway-response-id",
    },
    # The ministry's guide names no system for a visit or an answer, and a wrong one for a facility.
    "ministry": {
        "citizen": _MINISTRY + "national_id",
        "old": _MINISTRY + "citizen_id",
        "card": _MINISTRY + "insurance_number",
        "patient": _MINISTRY + "patient-internal-id",
        "facility": _COMMUNITY + "ma-cskcb",
        "visit": _COMMUNITY + "ma-lk",
        "lookup": _COMMUNITY + "bhyt-gateway-response-id",
    },
}


class FhirSettings(BaseModel):
    """All keys.

    The other side: ``url``: base of a FHIR R4 server. ``ca_file``: PEM of the hospital's own authority instead of the
    public ones. ``search``: ``post`` keeps people's numbers out of URLs and so out of access logs; ``get`` for servers
    without ``_search``.

    Names: ``profile``: identifier systems of the community's guide or of the ministry's, each of which ``systems``
    overrides. ``name_split``: also send family and given name, ``first``: the first word is the family's.
    ``organization``: the facility's own Organization where it has one, else it is named by its code. ``payor``: the
    insurer's Organization. ``slip``: how a slip that a person says to have brought is told. ``priority_code``: of
    v3-ActPriority; empty: in words only, because age is no medical urgency.

    What the server offers: ``menu``: which resources are rooms to choose from; ``menu_query``: a search that finds only
    these, empty: all. ``menu_insured``: codes of a HealthcareService's category, program or type that mark rooms for
    insured people; empty: every room is offered insured and self-paid. ``appointments``. ``eligibility_response``: also
    tell the insurer's answer as CoverageEligibilityResponse. ``visit_count_query``: the search of Encounters that
    counts the insured visits of a day, with ``{from}`` and ``{to}`` for its two midnights and ``{facility}``; empty:
    not offered. ``queue_number``: ``in_receipt`` or ``later`` where the server puts it into ``extensions.queue_number``
    or an identifier of ``queue_number_system``. ``cancel_status``: what a withdrawn visit becomes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_base_url)]
    ca_file: str = ""
    timeouts: Timeouts = Timeouts()
    auth: Auth = Auth()
    search: Literal["post", "get"] = "post"
    profile: Literal["community", "ministry"] = "community"
    systems: Systems = Systems()
    extensions: Extensions = Extensions()
    name_split: Literal["none", "first"] = "none"
    organization: Reference = ""
    payor: Reference = ""
    slip: Literal["extension", "reason", "none"] = "extension"
    priority_code: Code = ""
    menu: Literal["none", "healthcare_service", "location"] = "none"
    menu_query: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:=&|,/%-]{0,500}$")] = ""
    menu_insured: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    appointments: Flag = False
    eligibility_response: Flag = False
    visit_count_query: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:=&|,{}/%-]{0,500}$")] = ""
    queue_number: QueueNumber = QueueNumber.NEVER
    queue_number_system: System = ""
    cancel_status: Literal["cancelled", "entered-in-error"] = "cancelled"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        agreed = self.extensions.queue_number or self.queue_number_system
        if self.queue_number is not QueueNumber.NEVER and not agreed:
            raise ValueError("queue_number: needs extensions.queue_number or queue_number_system")
        if self.visit_count_query and not {"from", "to"} <= self._placeholders():
            raise ValueError("visit_count_query: expected {from} and {to}")
        if self._placeholders() - {"from", "to", "facility"}:
            raise ValueError("visit_count_query: expected no other placeholders than {from}, {to} and {facility}")
        return self

    def _placeholders(self) -> set[str]:
        return {part.partition("}")[0] for part in self.visit_count_query.split("{")[1:]}

    def system(self, name: str) -> str:
        """The URI of an identifier system by its name in Systems; empty where neither it nor the profile has one."""
        return getattr(self.systems, name) or _PROFILES[self.profile].get(name, "")

    @property
    def patient_type(self) -> str:
        """Code (v2-0203) of the hospital's own number: MR in the community's guide, PI in the ministry's."""
        return "MR" if self.profile == "community" else "PI"


_NESTED: Final[dict[str, type[BaseModel]]] = {
    "timeouts": Timeouts,
    "auth": Auth,
    "systems": Systems,
    "extensions": Extensions,
}


def load(settings: Mapping[str, Any]) -> FhirSettings:
    """Check the table; ConfigError names the first wrong key and what was expected, never the value."""
    try:
        return FhirSettings.model_validate(dict(settings))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        model = _NESTED[key.split(".", maxsplit=1)[0]] if "." in key else FhirSettings
        raise ConfigError(f"hospital.{key}: unknown key, expected one of {', '.join(sorted(model.model_fields))}")
    raise ConfigError(f"hospital.{key}: {first['msg']}" if key else f"hospital: {first['msg']}")
