"""Simulated citizen cards by name: one mode for each known way in which cards fail, are forged or differ.

Source: identity-documents.md 7 and 8.3, faults-threats-speed.md 4 and 6.1; the forgeries are those of `chip_forgery`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final

from simulators.chip_card import VirtualCard
from simulators.chip_curves import Rng
from simulators.chip_files import BAC_ONLY, CAM, CC_2024, CCCD_2021, PASSPORT, Profile, personalise
from simulators.chip_forgery import FORGERIES, Forgery, Verdict
from simulators.chip_infos import ActiveAuthentication, ChipAuthentication, PaceInfo
from simulators.chip_person import CardPerson, card_person
from simulators.chip_pki import TestPki
from simulators.chip_quirks import Quirks
from simulators.vss_people import Person

GENUINE: Final = "genuine"
_NO_QUIRKS: Final = Quirks()
_VIETNAM: Final = timezone(timedelta(hours=7))
_NO_PROOF: Final = Profile(active_authentication=None, chip_authentication=None, dg14=False)
_OLD_CRYPTOGRAPHY: Final = Profile(
    pace=(PaceInfo("ECDH-GM", "3DES", 12),),
    chip_authentication=ChipAuthentication("secp256r1", None),
    active_authentication=ActiveAuthentication("rsa-1024", "sha1"),
)
_STRONG_CRYPTOGRAPHY: Final = Profile(
    pace=(PaceInfo("ECDH-GM", "AES-256", 17),),
    chip_authentication=ChipAuthentication("brainpoolP512r1", "AES-256", key_id=1),
    active_authentication=ActiveAuthentication("secp521r1", "sha512", "der"),
)
_DH: Final = Profile(pace=(PaceInfo("DH-GM", "AES-128", 0),))


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One kind of card, and what a complete read of it shall end in.

    `forgery` is a name in `FORGERIES`, applied after personalising. `with_anchor`, `without_anchor`: the verdict with
    the anchors and the CRL of the card's authority, and without any. `error`: the code in which a read by CAN alone
    ends; the verdicts are then those of a read by MRZ, None where that ends in the same code (or, after a PACE that
    fails by itself, depends on what the reader thinks of falling back to BAC). `photo`: only a read of the portrait
    can find the forgery.
    """

    description: str
    quirks: Quirks = _NO_QUIRKS
    profile: Profile = CCCD_2021
    forgery: str | None = None
    with_anchor: Verdict | None = "genuine"
    without_anchor: Verdict | None = "cannot_tell"
    error: str | None = None
    photo: bool = False


def _forged(name: str, forgery: Forgery) -> Mode:
    return Mode(
        description=(forgery.function.__doc__ or name).split("\n", maxsplit=1)[0].removesuffix("."),
        forgery=name,
        with_anchor=forgery.with_anchor,
        without_anchor=forgery.without_anchor,
        error=forgery.error,
        photo=forgery.photo,
    )


def _working(description: str, profile: Profile = CCCD_2021, **quirks: object) -> Mode:
    return Mode(description=description, quirks=Quirks(**quirks), profile=profile)  # type: ignore[arg-type]


def _copy(description: str, **quirks: object) -> Mode:
    return Mode(
        description=description,
        quirks=Quirks(**quirks),  # type: ignore[arg-type]
        with_anchor="suspected_copy",
        without_anchor="suspected_copy",
    )


def _failing(error: str, description: str, profile: Profile = CCCD_2021, **quirks: object) -> Mode:
    return Mode(
        description=description,
        quirks=Quirks(**quirks),  # type: ignore[arg-type]
        profile=profile,
        with_anchor=None,
        without_anchor=None,
        error=error,
    )


_LIMITS: Final = {
    f"max_le_{limit}{name}": _working(f"reads of more than {limit} bytes {effect}", max_le=limit, over_max=answer)
    for limit in (231, 223, 192, 160, 128, 112)
    for name, answer, effect in (
        ("", "short", "give fewer bytes"),
        ("_6700", "6700", "are refused with 6700"),
        ("_6988", "6988", "break the session"),
    )
}

MODES: Final[Mapping[str, Mode]] = MappingProxyType(
    {
        GENUINE: _working("the citizen card of 2021, sound"),
        "cc_2024": _working("the card since July 2024: no DG13, portrait in JPEG 2000", CC_2024),
        "passport": _working("a passport: two lines of MRZ, no DG13", PASSPORT),
        "cam": _working("PACE with Chip Authentication Mapping and EF.CardSecurity", CAM),
        "dh": _working("PACE modulo a prime", _DH),
        "old_cryptography": _working(
            "3DES, RSA of 1,024 bits with SHA-1, Chip Authentication by MSE:Set KAT", _OLD_CRYPTOGRAPHY
        ),
        "strong_cryptography": _working("curves of 512 and 521 bits, AES-256, ECDSA in DER", _STRONG_CRYPTOGRAPHY),
        "no_proof": Mode(
            description="neither Active nor Chip Authentication", profile=_NO_PROOF, with_anchor="data_authentic"
        ),
        "bac_only": Mode(description="no PACE, so no access by CAN", profile=BAC_ONLY, error="ACCESS_DENIED"),
        "type_b": _working("a card of ISO 14443 type B", type_b=True),
        "mf_selectable": _working("SELECT of the master file works", mf_6d00=False),
        "extended": _working("extended lengths up to 32,768 bytes", extended=32_768),
        "extended_1000": _working("extended lengths up to 1,000 bytes", extended=1_000),
        "extended_lie": _working("the ATR promises extended lengths, the card answers 6700", extended_lie=True),
        **_LIMITS,
        "short_answers": _working("every read gives 16 bytes less than asked", short_answers=16),
        "no_sfi_6a82": _working("short file ids are refused with 6A82", no_sfi=0x6A82),
        "no_sfi_6a86": _working("short file ids are refused with 6A86", no_sfi=0x6A86),
        "card_access_missing": Mode(
            description="EF.CardAccess cannot be found, though DG14 names PACE",
            quirks=Quirks(card_access_missing=True),
            with_anchor="forged",
            without_anchor="forged",
            error="ACCESS_DENIED",
        ),
        "pace_6982": _failing("ACCESS_DENIED", "PACE is refused with 6982", pace_sabotaged="6982"),
        "pace_6300": _failing("WRONG_KEY", "PACE always ends in 6300", pace_sabotaged="6300"),
        "pace_wrong_token": _failing("WRONG_KEY", "the chip's PACE token is wrong", pace_sabotaged="wrong_token"),
        "pace_needs_pause": _working("a command less than 100 ms after PACE breaks the session", pace_needs_pause=100),
        "no_bac": _working("PACE only", no_bac=True),
        "try_counter": _working("wrong passwords are told as 63Cx; the third blocks", try_counter=3),
        "plain_errors": _working("errors come without secure messaging", plain_errors_under_sm=True),
        "sm_breaks": _working("the session breaks once, after 20 commands", sm_breaks_after=20),
        "slips": _working("the card slips once, after 25 commands, for 0.3 s", removal_after=25, back_after_ms=300),
        "pulled": _failing("CARD_LOST", "the card is taken away after 25 commands", removal_after=25),
        "not_an_emrtd": _failing(
            "NOT_AN_EMRTD", "a card without the application, such as a bank card", not_an_emrtd=True
        ),
        "ca_refused": _copy("Chip Authentication is refused with 6A88", ca_refused=0x6A88),
        "ca_bluff": _copy("Chip Authentication is accepted without the key", ca_bluff=True),
        "aa_refused": _copy("Active Authentication is refused with 6985", aa_refused=0x6985),
        "aa_wrong_signature": _copy("Active Authentication gives random bytes", aa_wrong_signature=True),
        "slow": _working("as slow as a real card: 8 ms for a command, 106 kbit/s", latency_ms=8, us_per_byte=85),
        **{name: _forged(name, forgery) for name, forgery in FORGERIES.items()},
    }
)
"""By name; `kiosk-sim chip --list-modes` prints them."""


def make_card(
    person: Person | CardPerson,
    mode: str = GENUINE,
    pki: TestPki | None = None,
    now: datetime | None = None,
    rng: Rng = secrets.token_bytes,
    latency_ms: float | None = None,
) -> VirtualCard:
    """The chip of *person*'s card in a mode of `MODES`, issued by *pki* (default: an authority of its own).

    *now* (default: that of *pki*, else the present) is the moment of signing, and the day in UTC+7 that the dates of a
    simulated person are relative to. *latency_ms* takes the place of the mode's. ValueError for an unknown mode, or a
    person without a card.
    """
    chosen = MODES.get(mode)
    if chosen is None:
        raise ValueError(f"there is no mode {mode}")
    moment = now or (pki.now if pki else datetime.now(UTC))
    pki = pki or TestPki(moment)
    if isinstance(person, Person):
        person = card_person(person, moment.astimezone(_VIETNAM).date())
    data = personalise(person, pki, chosen.profile, moment)
    if chosen.forgery is not None:
        data = FORGERIES[chosen.forgery].function(data)
    quirks = chosen.quirks if latency_ms is None else replace(chosen.quirks, latency_ms=latency_ms)
    return VirtualCard(data, quirks, rng)
