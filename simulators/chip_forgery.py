"""Forged, copied and spoilt cards: one function for each known way, and the verdict that a reader owes it.

Each function takes a sound card and gives the forged one. Source: faults-threats-speed.md 4, identity-documents.md 7.3
and 7.4, ICAO 9303-11 5 (what each check can find).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from simulators.chip_ber import tlv
from simulators.chip_dg13 import data_group_13, dg13_entries, entry
from simulators.chip_files import (
    CARD_ACCESS,
    COM,
    DG1,
    DG2,
    DG13,
    DG14,
    DG15,
    SOD,
    CardData,
    common,
    data_group_14,
    data_group_15,
    signed,
    with_file,
)
from simulators.chip_infos import PaceInfo, security_infos
from simulators.chip_keys import Scheme, make_key
from simulators.chip_mrz import data_group_1, mrz_lines
from simulators.chip_person import CardPerson
from simulators.chip_pki import TestPki

Verdict = Literal["genuine", "data_authentic", "cannot_tell", "suspected_copy", "forged"]

_NAME_IN_DG1: Final = 65
_ETHNICITY: Final = 6
_WEAKER_PACE: Final = PaceInfo("ECDH-GM", "3DES", 13)


@dataclass(frozen=True)
class Forgery:
    """One way to forge a card of the profile `CCCD_2021`.

    `with_anchor`, `without_anchor`: the verdict of a complete read, with the anchors and the CRL of the card's `pki`
    and without any. `error`: the error code that a read by CAN alone ends in, where it cannot open the chip; the
    verdicts are then those of a read by MRZ. `photo`: only a read of the portrait can find it.
    """

    function: Callable[[CardData], CardData]
    with_anchor: Verdict
    without_anchor: Verdict
    error: str | None = None
    photo: bool = False


def dg1_tampered(data: CardData) -> CardData:
    """Another first letter of the name in DG1."""
    return _altered(data, DG1, _NAME_IN_DG1)


def dg13_tampered(data: CardData) -> CardData:
    """Another first letter of the name in DG13."""
    return _altered(data, DG13, data.files[DG13].index(data.person.full_name.encode()))


def dg2_tampered(data: CardData) -> CardData:
    """One byte in the middle of the portrait."""
    return _altered(data, DG2, len(data.files[DG2]) // 2)


def dg1_of_another(data: CardData) -> CardData:
    """DG1 of another person; the chip still opens with the key of the first."""
    return with_file(data, DG1, data_group_1(mrz_lines(_another(data.person), data.profile.document)))


def dg13_of_another(data: CardData) -> CardData:
    """DG13 of another person."""
    return with_file(data, DG13, data_group_13(dg13_entries(_another(data.person))))


def foreign_signer(data: CardData) -> CardData:
    """Everything signed anew by the signer of an invented authority with the name of the real one."""
    return _signed_by_forger(data)


def impostor_signer(data: CardData) -> CardData:
    """The same; the invented authority claims the key identifier of the real one, too."""
    return _signed_by_forger(data, key_id=data.pki.csca.key_id)


def sod_sha1(data: CardData) -> CardData:
    """A self-made EF.SOD in which SHA-1 is used throughout."""
    return _signed_by_forger(data, Scheme("secp256r1", "sha1"), hash_name="sha1")


def expired_signer(data: CardData) -> CardData:
    """Signed by a real document signer a month after its certificate had ended."""
    return signed(data, data.pki.expired_signer, at=data.pki.expired_on + timedelta(days=30))


def revoked_signer(data: CardData) -> CardData:
    """Signed by a real document signer that the CRL lists."""
    return signed(data, data.pki.revoked_signer)


def sod_signature_flipped(data: CardData) -> CardData:
    """The last bit of the signature in EF.SOD."""
    sod = data.files[SOD]
    return with_file(data, SOD, sod[:-1] + bytes((sod[-1] ^ 1,)))


def clone_without_keys(data: CardData) -> CardData:
    """All files copied; the private keys, which never leave a chip, are not there."""
    return replace(data, aa_key=None, ca_key=None, pace_cam_key=None)


def clone_with_own_keys(data: CardData) -> CardData:
    """A copy that proves keys of its own, in DG14 and DG15 under the old EF.SOD."""
    profile = data.profile
    aa, ca = profile.active_authentication, profile.chip_authentication
    files = dict(data.files)
    if aa:
        data = replace(data, aa_key=(aa_key := make_key(aa.key, "clone")))
        files[DG15] = data_group_15(aa, aa_key)
    if ca:
        ca_key = make_key(ca.curve)
        if isinstance(ca_key, EllipticCurvePrivateKey):
            data = replace(data, ca_key=ca_key)
            files[DG14] = data_group_14(profile, ca_key)
    return replace(data, files=files)


def clone_stripped(data: CardData) -> CardData:
    """A copy without DG14 and DG15, so that nobody asks for their proof; EF.COM fits, EF.SOD still lists them."""
    files = {fid: file for fid, file in data.files.items() if fid not in (DG14, DG15)}
    return replace(clone_without_keys(data), files={**files, COM: common(files)})


def sod_removed(data: CardData) -> CardData:
    """A made-up person without EF.SOD: nothing is signed, so nothing can be found wrong with it."""
    files = {fid: file for fid, file in data.files.items() if fid != SOD}
    return replace(data, files={**files, COM: common(files)})


def card_access_weaker(data: CardData) -> CardData:
    """EF.CardAccess, which nobody signs, offers PACE with 3DES alone; DG14 names what the issuer meant."""
    weaker = replace(data.profile, pace=(_WEAKER_PACE,))
    access = security_infos([_WEAKER_PACE.encoded])
    return replace(data, profile=weaker, master_files={**data.master_files, CARD_ACCESS: access})


def card_access_removed(data: CardData) -> CardData:
    """No EF.CardAccess and no PACE: a reader is pushed to BAC; DG14 still names PACE."""
    rest = {fid: file for fid, file in data.master_files.items() if fid != CARD_ACCESS}
    return replace(data, profile=replace(data.profile, pace=()), master_files=rest)


def dg13_bad_entry(data: CardData) -> CardData:
    """The issuer's own fault, signed: the text of DG13's ethnicity claims more bytes than its entry has."""
    entries = dg13_entries(data.person)
    entries[_ETHNICITY - 1] = entry(_ETHNICITY, b"\x0c\x7fKinh")
    return _with_signed_file(data, DG13, data_group_13(entries))


def dg13_wrong_lengths(data: CardData) -> CardData:
    """The issuer's own fault, signed: SEQUENCE and SET around DG13's entries claim 9 bytes more than there are."""
    entries = b"".join(dg13_entries(data.person))
    claimed = (len(entries) + 9).to_bytes(2, "big")
    outer = (len(entries) + 9 + 4).to_bytes(2, "big")
    return _with_signed_file(data, DG13, tlv(0x6D, b"\x30\x82", outer, b"\x31\x82", claimed, entries))


def dg1_number_differs(data: CardData) -> CardData:
    """The issuer's own fault, signed: DG1 has another number than DG13. Sound to every check; people must look."""
    other = replace(data.person, citizen_id=_another(data.person).citizen_id)
    return _with_signed_file(data, DG1, data_group_1(mrz_lines(other, data.profile.document)))


FORGERIES: Final[Mapping[str, Forgery]] = MappingProxyType(
    {
        "dg1_tampered": Forgery(dg1_tampered, "forged", "forged"),
        "dg13_tampered": Forgery(dg13_tampered, "forged", "forged"),
        "dg2_tampered": Forgery(dg2_tampered, "forged", "forged", photo=True),
        "dg1_of_another": Forgery(dg1_of_another, "forged", "forged"),
        "dg13_of_another": Forgery(dg13_of_another, "forged", "forged"),
        "foreign_signer": Forgery(foreign_signer, "forged", "cannot_tell"),
        "impostor_signer": Forgery(impostor_signer, "forged", "cannot_tell"),
        "sod_sha1": Forgery(sod_sha1, "forged", "forged"),
        "expired_signer": Forgery(expired_signer, "forged", "cannot_tell"),
        "revoked_signer": Forgery(revoked_signer, "forged", "cannot_tell"),
        "sod_signature_flipped": Forgery(sod_signature_flipped, "forged", "forged"),
        "sod_removed": Forgery(sod_removed, "forged", "forged"),
        "clone_without_keys": Forgery(clone_without_keys, "suspected_copy", "suspected_copy"),
        "clone_with_own_keys": Forgery(clone_with_own_keys, "forged", "forged"),
        "clone_stripped": Forgery(clone_stripped, "suspected_copy", "suspected_copy"),
        "card_access_weaker": Forgery(card_access_weaker, "forged", "forged"),
        "card_access_removed": Forgery(card_access_removed, "forged", "forged", error="ACCESS_DENIED"),
        "dg13_bad_entry": Forgery(dg13_bad_entry, "genuine", "cannot_tell"),
        "dg13_wrong_lengths": Forgery(dg13_wrong_lengths, "genuine", "cannot_tell"),
        "dg1_number_differs": Forgery(dg1_number_differs, "genuine", "cannot_tell"),
    }
)
"""By name; each applies to a card of the profile `CCCD_2021`."""


def _another(person: CardPerson) -> CardPerson:
    """Somebody else with the same dates."""
    name = "Nguyễn Văn Giả" if person.full_name != "Nguyễn Văn Giả" else "Lê Văn Mạo"
    number = "099090999999" if person.citizen_id != "099090999999" else "099090999998"
    return replace(person, citizen_id=number, full_name=name, sex="M")


def _altered(data: CardData, fid: int, at: int) -> CardData:
    """The card with the byte at offset `at` of one file exchanged for a letter that did not stand there."""
    file = bytearray(data.files[fid])
    file[at] = ord("A") if file[at] != ord("A") else ord("B")
    return with_file(data, fid, bytes(file))


def _with_signed_file(data: CardData, fid: int, file: bytes) -> CardData:
    return signed(with_file(data, fid, file), data.pki.signer_for(data.profile.signer))


def _signed_by_forger(
    data: CardData, scheme: Scheme | None = None, *, hash_name: str | None = None, key_id: bytes | None = None
) -> CardData:
    pki = data.pki
    forger = TestPki(pki.now, country=pki.country, name=pki.name, key_id=key_id)
    return signed(data, forger.document_signer(scheme or data.profile.signer or pki.signing), hash_name=hash_name)
