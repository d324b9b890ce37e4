"""Files of simulated cards by the names that reads have, and reads of them without any wire."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

from kiosk.emrtd import active_auth, passive_auth
from kiosk.emrtd.chip import AccessKey, read_chip
from kiosk.emrtd.mrz import MrzKey, parse
from kiosk.emrtd.results import Access, ChallengeResponse, Checks, CheckState, ChipRead
from kiosk.emrtd.trust import TrustAnchors, load_anchors
from kiosk.emrtd.verdict import anti_clone_findings, judge
from simulators.chip import make_card
from simulators.chip_card import VirtualCard
from simulators.chip_files import CCCD_2021, CardData, Profile, personalise
from simulators.chip_person import card_person
from simulators.chip_pki import TestPki
from simulators.chip_proofs import active_authentication
from simulators.vss_people import PEOPLE

NOW = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
TODAY = date(2026, 11, 2)
CHALLENGE = bytes.fromhex("0123456789abcdef")
NAMES = {0x0101: "DG1", 0x0102: "DG2", 0x010D: "DG13", 0x010E: "DG14", 0x010F: "DG15", 0x011D: "EF.SOD"}
NO_CA = replace(CCCD_2021, chip_authentication=None)
BARE = replace(CCCD_2021, chip_authentication=None, active_authentication=None)


@cache
def authority() -> TestPki:
    return TestPki(NOW)


@cache
def card(profile: Profile = CCCD_2021, pki: TestPki | None = None) -> CardData:
    return personalise(card_person(PEOPLE[0], TODAY), pki or authority(), profile)


def files_of(data: CardData, *, photo: bool = False) -> dict[str, bytes]:
    return {NAMES[fid]: raw for fid, raw in data.files.items() if fid in NAMES and (photo or NAMES[fid] != "DG2")}


def anchors_in(folder, pki: TestPki | None = None) -> TrustAnchors:
    return load_anchors((pki or authority()).write_anchors(folder))


def answer(data: CardData, challenge: bytes = CHALLENGE) -> bytes:
    """What the card's chip says to a challenge."""
    return active_authentication(data.aa_key, data.profile.active_authentication, challenge, bytes)


def read_of(data: CardData, anchors: TrustAnchors | None, **changes: object) -> ChipRead:
    """A read of the whole card with Active and Chip Authentication, where it has them, done and passed."""
    files = files_of(data) | changes.pop("files", {})
    passive = passive_auth.check(files, anchors, NOW)
    active = None
    if data.aa_key and "DG15" in files:
        active = ChallengeResponse(CHALLENGE, changes.pop("response", None) or answer(data))
    proven = active and active_auth.verify(files["DG15"], active.challenge, active.response, files.get("DG14"))
    aa = CheckState.NOT_SUPPORTED if active is None else CheckState.PASSED if proven else CheckState.FAILED
    ca = CheckState.PASSED if data.ca_key else CheckState.NOT_SUPPORTED
    checks = Checks(passive.hashes, passive.signature, passive.chain, aa, ca, CheckState.PASSED)
    findings = (*passive.findings, *anti_clone_findings(passive.covered, files.keys()))
    read = ChipRead(
        files, Access.PACE, None, checks, judge(checks, findings), passive.issuer, findings, active, 84, 1.2
    )
    return replace(read, **changes)


class Held:
    """A simulated card as a reader holds it; it is never lost."""

    card_type = "3B"

    def __init__(self, chip: VirtualCard) -> None:
        self.transmit, self.reset = chip.transmit, chip.reset


def chip_of(mode: str) -> VirtualCard:
    """The chip of the card of this mode, without waiting."""
    return make_card(card_person(PEOPLE[0], TODAY), mode, authority(), latency_ms=0)


def read_by_wire(mode: str, anchors: TrustAnchors | None) -> ChipRead:
    """A whole read of the card of this mode, by CAN, or by MRZ where the CAN opens nothing."""
    chip = chip_of(mode)
    data = chip.data
    key = AccessKey(can=data.can, mrz=MrzKey.of(parse("\n".join(data.mrz))))
    return read_chip(Held(chip), key, anchors=anchors, now=NOW, photo=True, pause=lambda seconds: None)
