"""Whole reads of simulated cards: every known kind of card, the number of commands, keys, sizes that are learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.emrtd import tlv
from kiosk.emrtd.chip import AccessKey
from kiosk.emrtd.errors import AccessDenied, ChipLost, DataError, EmrtdError, WrongKey
from kiosk.emrtd.results import Access, CheckState, Verdict
from kiosk.emrtd.trust import TrustAnchors, load_anchors
from simulators.chip import MODES
from simulators.chip_apdu import Apdu, Refused
from simulators.chip_card import VirtualCard
from simulators.chip_files import CCCD_2021, personalise
from simulators.chip_infos import PaceInfo
from simulators.chip_person import card_person
from simulators.chip_quirks import Quirks
from simulators.vss_people import PEOPLE
from tests.emrtd.laid_card import (
    FIDS,
    TODAY,
    Clock,
    Laid,
    Sizes,
    authority,
    can_key,
    card,
    files_on,
    issued,
    mrz_key,
    read,
)


@pytest.fixture(scope="module")
def anchors(tmp_path_factory: pytest.TempPathFactory) -> TrustAnchors:
    folder: Path = tmp_path_factory.mktemp("anchors")
    return load_anchors(authority().write_anchors(folder))


BAC_DESPITE_PACE = "pace_6982"
"""PACE fails by itself and BAC works: a finding, but what signatures and proofs say does not depend on the way in."""


def ends(laid: Laid, key: AccessKey, clock: Clock, anchors: TrustAnchors | None) -> tuple[str | None, str | None]:
    """Verdict and error code."""
    try:
        return read(laid, key, anchors=anchors, photo=True, clock=clock).verdict.value, None
    except EmrtdError as error:
        return None, error.code


def owed(mode: str, by_can: bool, trusting: bool) -> tuple[str | None, str | None]:
    """Verdict and error code that a read must end in."""
    kind = MODES[mode]
    if mode == BAC_DESPITE_PACE and not by_can:
        return ("genuine" if trusting else "cannot_tell"), None
    verdict = kind.with_anchor if trusting else kind.without_anchor
    return (None, kind.error) if kind.error and (by_can or verdict is None) else (verdict, None)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("by_can", [True, False], ids=["can", "mrz"])
def test_every_kind_of_card_ends_as_it_must(mode: str, by_can: bool, anchors: TrustAnchors) -> None:
    for trusting in (True, False):
        clock = Clock()
        laid = Laid(card(mode, clock))
        key = (can_key if by_can else mrz_key)(laid.chip.data)
        assert ends(laid, key, clock, anchors if trusting else None) == owed(mode, by_can, trusting)


@pytest.mark.parametrize("mode", ["genuine", "cc_2024", "passport", "extended_1000", "short_answers", "no_sfi_6a86"])
def test_files_come_out_as_they_are_on_the_chip(mode: str) -> None:
    laid = Laid(card(mode))
    result = read(laid, photo=True)
    on_chip = {**files_on(laid.chip.data, photo=True), "EF.CardAccess": laid.chip.data.master_files[0x011C]}
    assert dict(result.files) == on_chip
    assert (result.access, result.access_note) == (Access.PACE, None)
    assert result.apdus == laid.commands == laid.chip.apdus
    assert "DG2" not in read(Laid(card(mode))).files


# -- how many commands -----------------------------------------------------------------------------------------------

SIZES = {"DG1": 95, "DG13": 700, "DG14": 400, "DG15": 100, "EF.SOD": 2200, "DG2": 15_000}
TAGS = {"DG1": 0x61, "DG13": 0x6D, "DG14": 0x6E, "DG15": 0x6F, "EF.SOD": 0x77, "DG2": 0x75}


def of_size(tag: int, size: int) -> bytes:
    overhead = next(n for n in (2, 3, 4) if len(tlv.encode(tag, bytes(size - n))) == size)
    return tlv.encode(tag, bytes(size - overhead))


def reads_and_selects(quirks: Quirks, cipher: str, memory: Sizes | None = None, *, photo: bool = True) -> list[int]:
    """Instruction codes of a read of files of the sizes above; access and proofs left out."""
    profile = replace(CCCD_2021, pace=(PaceInfo("ECDH-GM", cipher, 12),))
    data = personalise(card_person(PEOPLE[0], TODAY), authority(), profile)
    data = replace(data, files={FIDS[name]: of_size(TAGS[name], size) for name, size in SIZES.items()})
    chip = VirtualCard(data, quirks)
    read(Laid(chip), photo=photo, memory=memory)
    return [entry.header[1] for entry in chip.log if entry.protected and entry.header[1] in (0xA4, 0xB0, 0xB1)]


def test_short_reads_take_at_most_84_commands() -> None:
    assert len(reads_and_selects(Quirks(), "3DES")) <= 84


def test_a_block_of_aes_costs_three_more() -> None:
    """223 bytes fit into a short answer under AES, 231 under 3DES: fewer commands cannot carry these files."""
    least = 1 + sum(-(-size // 223) for size in SIZES.values())
    assert len(reads_and_selects(Quirks(), "AES-128")) == least == 87


@pytest.mark.parametrize("cipher", ["3DES", "AES-128"])
def test_extended_reads_take_at_most_8_commands(cipher: str) -> None:
    assert len(reads_and_selects(Quirks(extended=32_768), cipher)) <= 8


@pytest.mark.parametrize("cipher", ["3DES", "AES-128"])
def test_a_name_takes_at_most_20_commands(cipher: str, anchors: TrustAnchors) -> None:
    chip = card("genuine")
    before: list[int] = []

    def known(files: Mapping[str, bytes]) -> None:
        before.append(sum(entry.protected and entry.header[1] in (0xA4, 0xB0) for entry in chip.log))

    read(Laid(chip), on_identity=known, anchors=anchors)
    assert before[0] <= 20
    most = 1 + sum(-(-SIZES[name] // (231 if cipher == "3DES" else 223)) for name in ("DG1", "DG13", "EF.SOD"))
    assert most <= 20


# -- identity first --------------------------------------------------------------------------------------------------


def test_the_person_is_told_once_before_the_rest_is_read() -> None:
    chip = card()
    told: list[tuple[Mapping[str, bytes], int]] = []
    result = read(Laid(chip), photo=True, on_identity=lambda files: told.append((files, chip.apdus)))
    [(files, commands)] = told
    assert dict(files) == {name: result.files[name] for name in ("DG1", "DG13")}
    assert commands < result.apdus / 3


def test_the_person_is_told_once_though_the_card_slips() -> None:
    told: list[int] = []
    laid = Laid(card(), lose=lambda n: "before" if n in (12, 22, 30) else "")
    read(laid, on_identity=lambda files: told.append(1))
    assert (told, laid.losses) == ([1], 3)


@pytest.mark.parametrize("mode", ["dg1_tampered", "dg13_tampered", "dg1_of_another", "dg13_of_another"])
def test_a_person_who_was_not_signed_is_not_told(mode: str) -> None:
    told: list[int] = []
    assert read(Laid(card(mode)), on_identity=lambda files: told.append(1)).verdict is Verdict.FORGED
    assert not told


def without(mode: str, *names: str) -> VirtualCard:
    data, quirks = issued(mode)
    files = {fid: raw for fid, raw in data.files.items() if fid not in {FIDS[name] for name in names}}
    return VirtualCard(replace(data, files=files), quirks)


def test_a_signed_dg13_that_the_chip_keeps_to_itself_does_not_end_the_read() -> None:
    told: list[Mapping[str, bytes]] = []
    result = read(Laid(without("genuine", "DG13")), on_identity=told.append)
    assert "DG13" not in result.files
    assert [list(files) for files in told] == [["DG1"]]


def test_a_chip_without_dg1_is_no_document() -> None:
    with pytest.raises(DataError):
        read(Laid(without("genuine", "DG1")))


class Reserved(VirtualCard):
    """Keeps one file for terminals with more rights; its files are selected, not read by short id."""

    kept = b"\x01\x0d"

    def _dispatch(self, command: Apdu, room: int) -> tuple[bytes, int]:
        if command.ins == 0xA4 and command.data == self.kept:
            raise Refused(0x6982)
        return super()._dispatch(command, room)


def test_a_file_that_needs_more_rights_is_done_without() -> None:
    data, _ = issued()
    result = read(Laid(Reserved(data, Quirks(no_sfi=0x6A86))))
    assert set(result.files) == set(files_on(data)) - {"DG13"} | {"EF.CardAccess"}


def test_without_rights_for_dg1_there_is_no_read() -> None:
    data, _ = issued()
    chip = Reserved(data, Quirks(no_sfi=0x6A86))
    chip.kept = b"\x01\x01"
    with pytest.raises(AccessDenied) as caught:
        read(Laid(chip))
    assert caught.value.sw == 0x6982


# -- keys ------------------------------------------------------------------------------------------------------------


def other(can: str) -> str:
    return f"{(int(can) + 1) % 1_000_000:06}"


def test_a_wrong_can_is_tried_once_when_the_chip_says_so() -> None:
    chip = card()
    with pytest.raises(WrongKey) as caught:
        read(Laid(chip), AccessKey(can=other(chip.data.can)))
    assert (caught.value.sw, caught.value.tries_left, chip.failures) == (0x6300, None, 1)


class Ambiguous(Laid):
    """A card that says to a wrong key what it says to much else."""

    sw = 0x6982

    def transmit(self, apdu: bytes) -> bytes:
        answer = super().transmit(apdu)
        return self.sw.to_bytes(2, "big") if answer == b"\x63\x00" else answer


@pytest.mark.parametrize("sw", [0x6982, 0x6985, 0x6987, 0x6988], ids=hex)
@pytest.mark.parametrize("mode", ["genuine", "cam"])
def test_a_wrong_can_is_tried_twice_at_most_when_the_chip_is_ambiguous(mode: str, sw: int) -> None:
    chip = card(mode)
    laid = Ambiguous(chip)
    laid.sw = sw
    with pytest.raises(WrongKey) as caught:
        read(laid, AccessKey(can=other(chip.data.can)))
    assert (caught.value.sw, chip.failures) == (sw, 2)


class ContactReader(Laid):
    """Hands out answers by GET RESPONSE, as T=0 does; the chip refuses the key agreement before any password."""

    rest = b""

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == 0xC0:
            return self.rest + b"\x90\x00"
        answer = super().transmit(apdu)
        if apdu[:2] == b"\x10\x86" and apdu[7] == 0x83:
            return b"\x69\x82"
        if len(answer) == 2:
            return answer
        self.rest = answer[:-2]
        return bytes((0x61, len(self.rest) % 256))


def test_a_refusal_before_the_password_is_shown_is_not_about_the_password() -> None:
    chip = card()
    with pytest.raises(AccessDenied):
        read(ContactReader(chip), can_key(chip.data))


def test_bac_decides_when_the_proof_of_the_zone_in_pace_is_refused_ambiguously() -> None:
    chip = card("pace_6300")
    result = read(Ambiguous(chip), mrz_key(chip.data))
    assert (result.access, result.verdict, chip.failures) == (Access.BAC, Verdict.CANNOT_TELL, 0)
    assert "W_PACE_TO_BAC" in result.findings


def test_a_wrong_can_does_not_keep_the_right_mrz_out() -> None:
    chip = card()
    key = AccessKey(can=other(chip.data.can), mrz=mrz_key(chip.data).mrz)
    lost = iter(range(4))
    laid = Laid(chip, lose=lambda n: "after" if n > 20 and n % 9 == 0 and next(lost, None) is not None else "")
    result = read(laid, key)
    assert (result.access, result.verdict) == (Access.PACE, Verdict.CANNOT_TELL)
    assert laid.losses == 4, "a card that slips is opened with what opened it before"


def test_the_last_try_is_the_holders() -> None:
    chip = card("try_counter")
    wrong = AccessKey(can=other(chip.data.can))
    with pytest.raises(WrongKey):
        read(Laid(chip), wrong)
    with pytest.raises(WrongKey) as caught:
        read(Laid(chip), replace(wrong, mrz=mrz_key(chip.data).mrz))
    assert (caught.value.tries_left, chip.failures) == (1, 2)
    assert not chip.blocked


def test_a_chip_without_pace_is_opened_by_bac_and_says_why() -> None:
    chip = card("bac_only")
    result = read(Laid(chip), mrz_key(chip.data))
    assert (result.access, result.verdict) == (Access.BAC, Verdict.CANNOT_TELL)
    assert result.access_note == "EF.CardAccess cannot be read"


def test_the_reason_for_bac_outlives_a_slip() -> None:
    chip = card("pace_6982")
    slipped = Laid(chip, lose=lambda n: "before" if n == 40 else "")
    result = read(slipped, mrz_key(chip.data))
    assert (result.access, result.access_note) == (Access.BAC, "PACE: nonce: 6982 security status not satisfied")
    assert result.checks.downgrade is not CheckState.PASSED
    assert "W_PACE_TO_BAC" in result.findings


def test_a_key_is_needed() -> None:
    with pytest.raises(ValueError, match="CAN or an MRZ"):
        AccessKey()


# -- read sizes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        ("genuine", 256),
        ("extended", 65_536),
        ("max_le_192_6700", 192),
        ("max_le_160_6988", 160),
        ("max_le_112_6988", 112),
    ],
)
def test_what_works_is_remembered_and_saves_the_next_read_the_search(mode: str, size: int) -> None:
    memory = Sizes()
    first, second = Laid(card(mode)), Laid(card(mode))
    one, two = read(first, memory=memory), read(second, memory=memory)
    assert memory == {first.card_type: size}
    assert one.files == two.files
    assert (second.resets, two.apdus) <= (0, one.apdus)


def test_what_was_learnt_is_kept_when_the_card_is_taken_away() -> None:
    memory = Sizes()
    laid = Laid(card("max_le_192_6700"), lose=lambda n: "before" if n > 24 else "")
    laid.back = lambda: None
    with pytest.raises(EmrtdError):
        read(laid, memory=memory)
    assert memory == {laid.card_type: 192}


@pytest.mark.parametrize("mode", ["max_le_192_6700", "max_le_192_6988", "max_le_112"])
def test_a_remembered_size_that_no_longer_works_is_given_up(mode: str) -> None:
    laid = Laid(card(mode))
    memory = Sizes({laid.card_type: 65_536})
    assert read(laid, memory=memory).verdict is Verdict.CANNOT_TELL
    assert memory[laid.card_type] < 65_536


class PoorReader(Laid):
    """A reader that loses the card over a long answer."""

    def transmit(self, apdu: bytes) -> bytes:
        answer = super().transmit(apdu)
        if len(answer) > 400:
            self._active = False
            self.losses += 1
            raise ChipLost("a frame that is too long")
        return answer


@pytest.mark.parametrize("remembered", [False, True], ids=["new", "remembered"])
def test_a_reader_that_loses_the_card_over_long_answers_is_asked_for_short_ones(remembered: bool) -> None:
    laid = PoorReader(card("extended"))
    memory = Sizes({laid.card_type: 65_536} if remembered else {})
    result = read(laid, memory=memory, photo=True)
    assert result.files.items() >= files_on(laid.chip.data, photo=True).items()
    assert laid.losses == 3
    assert memory == {laid.card_type: 256}


@pytest.mark.parametrize("sw", [0x6A82, 0x6A86], ids=hex)
def test_short_ids_that_end_the_session_are_given_up(sw: int) -> None:
    data, _ = issued()
    laid = Laid(VirtualCard(data, Quirks(no_sfi=sw, plain_errors_under_sm=True)))
    assert read(laid, photo=True).files.items() >= files_on(data, photo=True).items()


@pytest.mark.parametrize("quirks", [Quirks(), Quirks(plain_errors_under_sm=True)], ids=["protected", "plain"])
def test_files_that_are_not_there_are_told_in_either_way(quirks: Quirks) -> None:
    data, _ = issued("no_proof")
    result = read(Laid(VirtualCard(data, quirks)))
    assert set(result.files) == {"EF.CardAccess", "DG1", "DG13", "EF.SOD"}
    assert result.checks.active_authentication is CheckState.NOT_SUPPORTED


# -- proofs ----------------------------------------------------------------------------------------------------------


class LongSignature(VirtualCard):
    """Gives its signature in an extended answer only."""

    def _internal_authenticate(self, command: Apdu) -> bytes:
        if not command.extended:
            raise Refused(0x6700)
        return super()._internal_authenticate(command)


@pytest.mark.parametrize("plain", [False, True], ids=["protected-refusal", "session-ends"])
def test_active_authentication_is_asked_in_both_lengths(plain: bool) -> None:
    data, _ = issued()
    chip = LongSignature(data, Quirks(extended=1000, plain_errors_under_sm=plain))
    result = read(Laid(chip), memory=Sizes({chip.atr.hex(): 223}))
    assert result.checks.active_authentication is CheckState.PASSED
    assert result.active is not None
    assert len(result.active.challenge) == 8


def test_a_card_that_slips_during_the_proofs_is_no_copy() -> None:
    whole = Laid(card())
    read(whole)
    for first in range(whole.commands - 5, whole.commands):
        slipping = {first, first + 10, first + 20, first + 30}
        result = read(Laid(card(), lose=lambda n, at=slipping: "after" if n in at else ""))
        assert result.checks.active_authentication is CheckState.PASSED
        assert result.checks.chip_authentication is CheckState.PASSED


def test_time_is_taken_from_the_clock() -> None:
    clock = Clock()

    class Slow(Laid):
        def transmit(self, apdu: bytes) -> bytes:
            clock.wait(0.25)
            return super().transmit(apdu)

    result = read(Slow(card()), clock=clock)
    assert result.seconds == result.apdus * 0.25
