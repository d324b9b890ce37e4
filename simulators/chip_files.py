"""The files of one simulated card: a person, an issuing authority and a profile in, a card's content out.

Source: ICAO 9303-10 (logical data structure), BSI TR-03110-3 A, identity-documents.md 6 and 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_bytes
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from simulators.chip_ber import integer, tlv
from simulators.chip_cms import Signer, signed_data
from simulators.chip_dg13 import data_group_13, dg13_entries
from simulators.chip_infos import (
    CCCD_PACE,
    ActiveAuthentication,
    ChipAuthentication,
    PaceInfo,
    active_authentication_info,
    chip_authentication_infos,
    public_key,
    security_infos,
)
from simulators.chip_keys import PrivateKey, Scheme, make_key, public_key_info
from simulators.chip_mrz import data_group_1, mrz_lines
from simulators.chip_person import CardPerson
from simulators.chip_pki import TestPki
from simulators.chip_portrait import Format, data_group_2
from simulators.chip_sod import security_object_file

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


CCCD_CHIP_AUTHENTICATION: Final = ChipAuthentication()
CCCD_ACTIVE_AUTHENTICATION: Final = ActiveAuthentication()

_SECURITY_OBJECT: Final = "0.4.0.127.0.7.3.2.1"
_GROUP_TAGS: Final = {DG1: 0x61, DG2: 0x75, DG3: 0x63, DG13: 0x6D, DG14: 0x6E, DG15: 0x6F}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a kind of card holds; the defaults are the Vietnamese citizen card of 2021.

    `pace`: the PaceInfos of EF.CardAccess, in order, repeated in DG14; empty: no EF.CardAccess (BAC only). One of
    mapping ECDH-CAM brings EF.CardSecurity. `chip_authentication` None: no such key in DG14; `active_authentication`
    None: no DG15. `com`, `dg3`, `dg13`, `dg14`: whether the chip has these. `dg2_size`, `dg13_size`: bytes of the whole
    file, reached by padding the image and the identifying marks; 0 is as short as it gets. `hash`: of the data groups;
    `signer`: how the document signer signs, None as its authority does; `named_by`: how EF.SOD names it.
    """

    document: Literal["TD1", "TD3"] = "TD1"
    pace: tuple[PaceInfo, ...] = (CCCD_PACE,)
    chip_authentication: ChipAuthentication | None = CCCD_CHIP_AUTHENTICATION
    active_authentication: ActiveAuthentication | None = CCCD_ACTIVE_AUTHENTICATION
    com: bool = True
    dg3: bool = True
    dg13: bool = True
    dg14: bool = True
    portrait: Format = "jpeg"
    dg2_size: int = 15_000
    dg13_size: int = 0
    hash: Literal["sha1", "sha224", "sha256", "sha384", "sha512"] = "sha256"
    signer: Scheme | None = None
    lds_version: Literal[0, 1] = 0
    signing_time: bool = True
    named_by: Literal["issuer", "key"] = "issuer"


CCCD_2021: Final = Profile()
CC_2024: Final = Profile(dg13=False, portrait="jp2", lds_version=1)
"""The card since July 2024 as far as is known: no DG13 (identity-documents.md 7.1)."""
BAC_ONLY: Final = Profile(pace=())
CAM: Final = Profile(pace=(PaceInfo("ECDH-CAM"), CCCD_PACE))
PASSPORT: Final = Profile(document="TD3", dg13=False, portrait="jp2")
BENCHMARK: Final = Profile(
    dg13_size=700,
    active_authentication=ActiveAuthentication("brainpoolP256r1"),
    signer=Scheme("rsa-3072"),
)
"""Files near the sizes that reads are measured with: DG1 95, DG2 15,000, DG13 700, DG14 400, DG15 100 bytes, and
EF.SOD 2,200 when issued by an authority of `BENCHMARK_CSCA`."""
BENCHMARK_CSCA: Final = Scheme("rsa-4096")


@dataclass(frozen=True, kw_only=True)
class CardData:
    """Everything one card holds, and who it is.

    `files`: the application's elementary files, file id -> whole file; `master_files`: those under the master file
    (EF.CardAccess, EF.CardSecurity), apart because EF.CardSecurity and EF.SOD share the id 011D. `can`: the last six
    digits of the citizen number. `mrz`: lines of the machine-readable zone, as printed. A private key is None where the
    chip has none; `portrait` is the image of DG2. `person`, `profile`, `pki` and `signed_at` are what it was made from.
    """

    files: Mapping[int, bytes] = field(repr=False)
    master_files: Mapping[int, bytes] = field(repr=False)
    can: str = field(repr=False)
    mrz: tuple[str, ...] = field(repr=False)
    aa_key: PrivateKey | None = field(repr=False)
    ca_key: EllipticCurvePrivateKey | None = field(repr=False)
    pace_cam_key: EllipticCurvePrivateKey | None = field(repr=False)
    portrait: bytes = field(repr=False)
    person: CardPerson = field(repr=False)
    profile: Profile
    pki: TestPki = field(repr=False, compare=False)
    signed_at: datetime


def personalise(
    person: CardPerson, pki: TestPki, profile: Profile = CCCD_2021, now: datetime | None = None
) -> CardData:
    """A card of `profile` for `person`, issued by `pki`, with keys of its own.

    `now` is the moment of signing (default: that of `pki`); EF.SOD names it unless the profile leaves it out.
    UnicodeEncodeError when a number of `person` is not ASCII; KeyError for a curve that no key can be made on.
    """
    aa, ca = profile.active_authentication, profile.chip_authentication
    aa_key = make_key(aa.key, "chip") if aa else None
    ca_key = _ec_key(ca.curve) if ca and profile.dg14 else None
    cam = next((info for info in profile.pace if info.mapping == "ECDH-CAM"), None)
    cam_key = _ec_key(cam.curve) if cam else None
    lines = mrz_lines(person, profile.document)
    dg2, image = data_group_2(profile.portrait, person.sex, profile.dg2_size)
    files = {DG1: data_group_1(lines), DG2: dg2}
    if profile.dg3:
        files[DG3] = _data_group_3()
    if profile.dg13:
        files[DG13] = _data_group_13(person, profile.dg13_size)
    if profile.dg14:
        files[DG14] = data_group_14(profile, ca_key)
    if aa and aa_key:
        files[DG15] = data_group_15(aa, aa_key)
    if profile.com:
        files[COM] = common(files)
    data = CardData(
        files=files,
        master_files={},
        can=person.citizen_id[-6:],
        mrz=lines,
        aa_key=aa_key,
        ca_key=ca_key,
        pace_cam_key=cam_key,
        portrait=image,
        person=person,
        profile=profile,
        pki=pki,
        signed_at=now or pki.now,
    )
    signer = pki.signer_for(profile.signer)
    return signed(replace(data, master_files=_master_files(data, signer)), signer)


def signed(data: CardData, signer: Signer, *, hash_name: str | None = None, at: datetime | None = None) -> CardData:
    """The card with a new EF.SOD over the data groups it has, by `signer`.

    `hash_name` of the data groups (default: the profile's); `at`: the moment of signing (default: the card's).
    """
    moment = at or data.signed_at
    profile = data.profile
    sod = security_object_file(
        {fid - 0x100: file for fid, file in data.files.items() if fid in _GROUP_TAGS},
        signer,
        hash_name or profile.hash,
        version=profile.lds_version,
        signing_time=moment if profile.signing_time else None,
        named_by=profile.named_by,
    )
    return replace(data, files={**data.files, SOD: sod}, signed_at=moment)


def with_file(data: CardData, fid: int, file: bytes) -> CardData:
    """The card with one file of the application replaced, everything else as it was."""
    return replace(data, files={**data.files, fid: file})


def data_group_14(profile: Profile, ca_key: EllipticCurvePrivateKey | None) -> bytes:
    """DG14 (`6E`): the chip-authentication key, the PaceInfos of EF.CardAccess, and the algorithm of an ECDSA DG15."""
    infos = [info.encoded for info in profile.pace]
    if profile.chip_authentication and ca_key:
        infos = [*chip_authentication_infos(profile.chip_authentication, ca_key.public_key()), *infos]
    aa = profile.active_authentication
    if aa and not aa.key.startswith("rsa-"):
        infos.append(active_authentication_info(aa))
    return tlv(0x6E, security_infos(infos))


def data_group_15(offer: ActiveAuthentication, key: PrivateKey) -> bytes:
    """DG15 (`6F`): the public key of Active Authentication."""
    return tlv(0x6F, public_key_info(key.public_key(), explicit=offer.explicit))


def common(files: Mapping[int, bytes]) -> bytes:
    """EF.COM (`60`): LDS 1.7, Unicode 4.0.0, the tags of the data groups among `files` (ICAO 9303-10 4.6.1)."""
    tags = bytes(_GROUP_TAGS[fid] for fid in sorted(files) if fid in _GROUP_TAGS)
    return tlv(0x60, tlv(0x5F01, b"0107"), tlv(0x5F36, b"040000"), tlv(0x5C, tags))


def _data_group_3() -> bytes:
    """DG3 (`63`) without fingerprints: random filling, so that its hash tells nothing (ICAO 9303-10 4.7.3)."""
    return tlv(0x63, tlv(0x7F61, integer(0), tlv(0x53, token_bytes(32))))


def _data_group_13(person: CardPerson, size: int) -> bytes:
    file = data_group_13(dg13_entries(person))
    while (missing := size - len(file)) > 0:
        person = replace(person, identifying_marks=person.identifying_marks + "." * max(1, missing - 4))
        file = data_group_13(dg13_entries(person))
    return file


def _master_files(data: CardData, signer: Signer) -> dict[int, bytes]:
    """EF.CardAccess where the chip does PACE; EF.CardSecurity where it does Chip Authentication Mapping."""
    infos = [info.encoded for info in data.profile.pace]
    files = {CARD_ACCESS: security_infos(infos)} if infos else {}
    if data.pace_cam_key:
        key = public_key(data.pace_cam_key.public_key(), explicit=False)
        content = security_infos([*infos, key])
        files[CARD_SECURITY] = signed_data(_SECURITY_OBJECT, content, signer, signing_time=data.signed_at)
    return files


def _ec_key(curve: str) -> EllipticCurvePrivateKey:
    key = make_key(curve)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"{curve} is no curve")
    return key
