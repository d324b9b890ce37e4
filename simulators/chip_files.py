"""The files of one simulated card: a person, an issuing authority and a profile in, a card's content out.

Source: ICAO 9303-10 (logical data structure), BSI TR-03110-3 A, identity-documents.md 6 and 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from simulators.chip_cms import Signer
from simulators.chip_infos import CCCD_PACE, ActiveAuthentication, ChipAuthentication, PaceInfo
from simulators.chip_keys import PrivateKey
from simulators.chip_person import CardPerson
from simulators.chip_pki import TestPki

CARD_ACCESS: Final = 0x011C
CARD_SECURITY: Final = 0x011D
COM: Final = 0x011E
SOD: Final = 0x011D
DG1: Final = 0x0101
DG2: Final = 0x0102
DG3: Final = 0x0103
DG13: Final = 0x010D
DG14: Final = 0x010E
DG15: Final = 0x010F


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a kind of card holds; the defaults are the Vietnamese citizen card of 2021.

    `pace`: the PaceInfos of EF.CardAccess, in order, repeated in DG14; empty: no EF.CardAccess (BAC only).
    `chip_authentication`, `active_authentication`: None leaves DG14's key or DG15 out. `dg13`: whether there is one.
    `portrait` and `dg2_size`: image format, and bytes of the whole DG2 (the image is padded to fit; at least about
    4,000). `hash`: of the data groups; `signer`: None is the authority's ordinary document signer.
    """

    document: Literal["TD1", "TD3"] = "TD1"
    pace: tuple[PaceInfo, ...] = (CCCD_PACE,)
    chip_authentication: ChipAuthentication | None = ChipAuthentication()
    active_authentication: ActiveAuthentication | None = ActiveAuthentication()
    dg13: bool = True
    portrait: Literal["jpeg", "jp2"] = "jpeg"
    dg2_size: int = 15_000
    hash: str = "sha256"
    lds_version: Literal[0, 1] = 0
    signing_time: bool = True
    signer: Signer | None = None


@dataclass(frozen=True, kw_only=True)
class CardData:
    """Everything one card holds, and who it is.

    `files`: the application's elementary files, file id -> whole file; `master_files`: those under the master file
    (EF.CardAccess, EF.CardSecurity), apart because EF.CardSecurity and EF.SOD share the id 011D. `can`: the last six
    digits of the citizen number. `mrz`: lines of the machine-readable zone, as printed. A private key is None where the
    chip has none; `portrait` is the image of DG2. `person`, `profile`, `pki` and `signed_at` are what it was made from.
    """

    files: Mapping[int, bytes]
    master_files: Mapping[int, bytes]
    can: str
    mrz: tuple[str, ...]
    aa_key: PrivateKey | None = field(repr=False)
    ca_key: EllipticCurvePrivateKey | None = field(repr=False)
    pace_cam_key: EllipticCurvePrivateKey | None = field(repr=False)
    portrait: bytes = field(repr=False)
    person: CardPerson
    profile: Profile
    pki: TestPki = field(repr=False, compare=False)
    signed_at: datetime
