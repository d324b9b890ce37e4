"""The ``[hospital]`` table of the C06 adapter, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from kiosk.errors import ConfigError
from kiosk.hospital_model import QueueNumber
from kiosk.loopback import is_loopback

Seconds = Annotated[float, Field(gt=0, le=120)]
Code = Annotated[str, Field(max_length=20)]
Path = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~/-]+)?$")]
_CALLS = frozenset(
    (
        "loai-kham",
        "khoa",
        "dichvu",
        "khoa/dichvu-cotontai",
        "dichvu-lichkham",
        "benhnhan",
        "bhyt",
        "dangky-kcb",
        "dan-toc",
        "quoc-gia",
        "nghe-nghiep",
    )
)


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


class Timeouts(BaseModel):
    """Seconds. ``get`` and ``post`` bound a whole call, ``get`` both attempts of it (his-kiosk-c06.md 5)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connect: Seconds = 3
    get: Seconds = 8
    post: Seconds = 20


class Sign(BaseModel):
    """Fields signed after merchant and time stamp where the published interface names none (6, row 2).

    ``bhyt``: of the query's; ``dangky_kcb``: of the patient block, the service block or the root.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bhyt: tuple[Literal["SO_GTTT", "LOAI_GTTT", "HO_TEN", "GIOI_TINH", "NGAY_SINH"], ...] = ("SO_GTTT", "LOAI_GTTT")
    dangky_kcb: tuple[Annotated[str, Field(pattern="^[A-Z_]+$")], ...] = ("MA_BN",)


class C06Settings(BaseModel):
    """All keys, with the defaults of his-kiosk-c06.md 4 to 8. Numbers in brackets are rows of its section 6.

    The other side: ``profile``: names and contents of #8 as published (``doc``) or as met in hospitals (``field``) [9].
    ``url``: base of all calls; ``urls``: another base for single ones, by path without the leading slash. ``sign``:
    fields signed in #7 and #8 [2]. ``signature_codes``: body codes by which this HIS refuses a signature.
    ``gateway_503_is_safe``: 429 and 503 with Retry-After surely were not processed. ``ca_file``: PEM of the hospital's
    own authority, instead of the public ones.

    Calls that only some have: ``tree_path``: the whole menu in one answer, instead of #1 to #3. ``asks_availability``,
    ``asks_slots``: #4 and #5, for what is shut or full today. ``history_path``: a vendor's call for the visits of a
    person and day. ``asks_insurer``: this HIS answers #7 by asking the insurer (its vendor's word, because nothing
    shows it). ``patient_by_card``: #6 also finds by MA_THE_BHYT. ``code_lists``: /dan-toc, /quoc-gia, /nghe-nghiep.

    Codes: ``insured_exam_type``: the ID_LOAI_KHAM that means insured. ``sex``: ``reversed`` where 1 is female [1].
    ``birth_year_only``: how a year alone is written. ``ids_are``: whether #8 wants ids or codes of department, service
    and room. ``province_code``, ``commune_code``, ``district``: sent where the address of a person names none;
    ``district_code_old``: send the district abolished in 2025 where it is known [21]. ``also_send_matinh_cu_tru``: the
    province under the ministry's name of the field too [4]. ``ethnicity_code``, ``nationality_code``,
    ``occupation_code``: this HIS's codes for what no card says [14]. ``old_id_type``: LOAI_GTTT for 9-digit numbers, if
    this hospital has one; empty: never asked with one [16].

    What was agreed: ``dedup``: ``du_phong`` once the vendor has confirmed in writing that DU_PHONG is unique there.
    ``queue_number``: ``later`` or ``never`` where STT_LK is missing in the answer of #8, such as before a payment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_base_url)]
    merchant: Annotated[str, Field(pattern=r"^[!-{}~]{1,100}$")]
    secret_file: Annotated[str, Field(min_length=1)]
    profile: Literal["doc", "field"] = "doc"
    urls: dict[str, Annotated[str, AfterValidator(_base_url)]] = {}
    insured_exam_type: Annotated[str, Field(min_length=1, max_length=20)] = "1"
    sign: Sign = Sign()
    sex: Literal["standard", "reversed"] = "standard"
    name_split: Literal["last", "first"] = "last"
    birth_year_only: Literal["yyyy", "yyyy-01-01"] = "yyyy-01-01"
    province_code: Code = ""
    district: Code = ""
    commune_code: Code = ""
    district_code_old: bool = False
    also_send_matinh_cu_tru: bool = False
    ethnicity_code: Code = "99"
    nationality_code: Code = "VN"
    occupation_code: Code = "00000"
    ids_are: Literal["id", "code"] = "id"
    doc_type: Annotated[str, Field(min_length=1, max_length=20)] = "CCCD"
    old_id_type: Code = ""
    signature_codes: tuple[str, ...] = ()
    timeouts: Timeouts = Timeouts()
    ca_file: str = ""
    gateway_503_is_safe: bool = False
    history_path: Path = ""
    tree_path: Path = ""
    dedup: Literal["none", "du_phong"] = "none"
    queue_number: QueueNumber = QueueNumber.IN_RECEIPT
    asks_insurer: bool = False
    asks_availability: bool = False
    asks_slots: bool = False
    patient_by_card: bool = False
    code_lists: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        unknown = self.urls.keys() - _CALLS - {path.lstrip("/") for path in (self.history_path, self.tree_path)}
        if unknown:
            raise ValueError(f"urls: expected paths of calls such as {', '.join(sorted(_CALLS))}")
        if self.queue_number is QueueNumber.LATER and not self.history_path:
            raise ValueError("queue_number: a later number can only be found with history_path")
        return self

    def target(self, path: str) -> str:
        """The URL of a call by its *path*, which begins with a slash."""
        return self.urls.get(path.lstrip("/"), self.url) + path


def load(settings: Mapping[str, Any]) -> C06Settings:
    """Check the table; ConfigError names the first wrong key and what was expected, never the value."""
    try:
        return C06Settings.model_validate(dict(settings))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        nested = {"timeouts": Timeouts.model_fields, "sign": Sign.model_fields}
        known = nested[key.split(".")[0]] if "." in key else C06Settings.model_fields
        raise ConfigError(f"hospital.{key}: unknown key, expected one of {', '.join(sorted(known))}")
    raise ConfigError(f"hospital.{key}: {first['msg']}" if key else f"hospital: {first['msg']}")
