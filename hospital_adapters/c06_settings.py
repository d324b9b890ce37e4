"""The ``[hospital]`` table of the C06 adapter, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kiosk.errors import ConfigError
from kiosk.loopback import is_loopback

Seconds = Annotated[float, Field(gt=0, le=120)]
Code = Annotated[str, Field(max_length=20)]


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

    ``insured_exam_type``: the ID_LOAI_KHAM that means insured. ``sign``: fields signed in #7 and #8 [2].
    ``sex``: ``reversed`` where 1 is female [1]. ``birth_year_only``: how a year alone is written. ``district``: sent as
    it is, empty since districts were abolished [21]. ``ids_are``: whether #8 wants ids or codes of department and
    service. ``old_id_type``: LOAI_GTTT for 9-digit numbers, if this hospital has one; empty: never asked with one [16].
    ``signature_codes``: body codes by which this HIS refuses a signature. ``gateway_503_is_safe``: 429 and 503 with
    Retry-After surely were not processed. ``history_path``: a vendor's call for the visits of a person and day.
    ``asks_insurer``: this HIS answers #7 by asking the insurer (its vendor's word, because nothing shows it).
    ``dedup``: ``du_phong`` once the vendor has confirmed in writing that DU_PHONG is unique there.
    ``ca_file``: PEM of the hospital's own authority, instead of the public ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_base_url)]
    merchant: Annotated[str, Field(pattern=r"^[!-{}~]{1,100}$")]
    secret_file: Annotated[str, Field(min_length=1)]
    profile: Literal["doc"] = "doc"
    insured_exam_type: Annotated[str, Field(min_length=1, max_length=20)] = "1"
    sign: Sign = Sign()
    sex: Literal["standard", "reversed"] = "standard"
    name_split: Literal["last", "first"] = "last"
    birth_year_only: Literal["yyyy", "yyyy-01-01"] = "yyyy-01-01"
    province_code: Code = ""
    district: Code = ""
    commune_code: Code = ""
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
    history_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~/-]+)?$")] = ""
    dedup: Literal["none", "du_phong"] = "none"
    asks_insurer: bool = False


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
    raise ConfigError(f"hospital.{key}: {first['msg']}")
