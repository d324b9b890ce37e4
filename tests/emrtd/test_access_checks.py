"""What the way into the chip proves: downgrades, and PACE with Chip Authentication Mapping."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.emrtd.access_checks import access_findings, downgrade_state
from kiosk.emrtd.results import Access, CheckState, ChipRead, Verdict
from kiosk.emrtd.trust import TrustAnchors, load_anchors
from simulators.chip_files import CardData
from tests.emrtd.laid_card import Laid, authority, card, issued, read

DATA, _ = issued()
ACCESS, DG14 = DATA.master_files[0x011C], DATA.files[0x010E]
OTHER = ACCESS.replace(bytes.fromhex("040202"), bytes.fromhex("040201"))  # 3DES in the place of AES
WITHOUT_PACE = issued("bac_only")[0].files[0x010E]
CARD_SECURITY = 0x011D


@pytest.mark.parametrize(
    ("access", "card_access", "dg14", "covered", "state", "findings"),
    [
        (Access.PACE, ACCESS, DG14, {"DG14"}, CheckState.PASSED, ()),
        (Access.BAC, ACCESS, DG14, {"DG14"}, CheckState.NOT_DONE, ("W_PACE_TO_BAC",)),
        (Access.PACE, OTHER, DG14, {"DG14"}, CheckState.FAILED, ("W_CARD_ACCESS_DIFFERS",)),
        (Access.BAC, None, DG14, {"DG14"}, CheckState.FAILED, ("W_PACE_TO_BAC", "W_CARD_ACCESS_DIFFERS")),
        (Access.BAC, b"\x31\x80", DG14, {"DG14"}, CheckState.FAILED, ("W_PACE_TO_BAC", "W_CARD_ACCESS_DIFFERS")),
        (Access.BAC, None, WITHOUT_PACE, {"DG14"}, CheckState.NOT_SUPPORTED, ()),
        (Access.BAC, None, None, set(), CheckState.NOT_SUPPORTED, ()),
        (Access.PACE, ACCESS, None, {"DG14"}, CheckState.NOT_DONE, ()),
        (Access.BAC, ACCESS, None, {"DG14"}, CheckState.NOT_DONE, ("W_PACE_TO_BAC",)),
    ],
    ids=[
        "same",
        "offered-not-used",
        "weaker",
        "missing",
        "unreadable",
        "never-offered",
        "no-dg14",
        "dg14-not-read",
        "dg14-not-read-bac",
    ],
)
def test_what_is_offered_and_what_is_signed(
    access: Access,
    card_access: bytes | None,
    dg14: bytes | None,
    covered: set[str],
    state: CheckState,
    findings: tuple[str, ...],
) -> None:
    assert downgrade_state(access, card_access, dg14, covered) is state
    assert tuple(access_findings(access, card_access, dg14, CheckState.PASSED)) == findings


@pytest.fixture(scope="module")
def anchors(tmp_path_factory: pytest.TempPathFactory) -> TrustAnchors:
    return load_anchors(authority().write_anchors(tmp_path_factory.mktemp("anchors")))


def by_mapping(anchors: TrustAnchors | None, **changes: object) -> ChipRead:
    """A read of a card with PACE-CAM, perhaps with another file or key."""
    data: CardData = replace(issued("cam")[0], **changes)
    return read(Laid(card("cam", data=data)), anchors=anchors)


def master_files(card_security: bytes | None) -> dict[int, bytes]:
    files = dict(issued("cam")[0].master_files)
    del files[CARD_SECURITY]
    return files if card_security is None else files | {CARD_SECURITY: card_security}


def test_the_mapping_is_checked_with_the_signed_key(anchors: TrustAnchors) -> None:
    result = by_mapping(anchors)
    assert result.files["EF.CardSecurity"] == issued("cam")[0].master_files[CARD_SECURITY]
    assert result.checks.chip_authentication is CheckState.PASSED
    assert result.verdict is Verdict.GENUINE


@pytest.mark.parametrize("with_anchors", [True, False], ids=["anchors", "no-anchors"])
def test_a_chip_with_another_mapping_key_is_a_copy(with_anchors: bool, anchors: TrustAnchors) -> None:
    result = by_mapping(anchors if with_anchors else None, pace_cam_key=issued("cam", 3)[0].pace_cam_key)
    assert result.checks.chip_authentication is CheckState.FAILED
    assert "W_CAM_FAILED" in result.findings
    assert result.verdict is Verdict.SUSPECTED_COPY


def tampered() -> bytes:
    whole = bytearray(issued("cam")[0].master_files[CARD_SECURITY])
    whole[-1] ^= 1
    return bytes(whole)


@pytest.mark.parametrize("card_security", [tampered(), b"\x30\x03abc"], ids=["signature", "nonsense"])
def test_a_key_that_nobody_signed_proves_nothing(card_security: bytes, anchors: TrustAnchors) -> None:
    result = by_mapping(anchors, master_files=master_files(card_security))
    assert result.checks.chip_authentication is CheckState.FAILED
    assert result.verdict is Verdict.SUSPECTED_COPY


def test_without_card_security_chip_authentication_decides(anchors: TrustAnchors) -> None:
    result = by_mapping(anchors, master_files=master_files(None))
    assert "EF.CardSecurity" not in result.files
    assert result.checks.chip_authentication is CheckState.PASSED
