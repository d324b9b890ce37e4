"""Cards that slip, are taken away or swapped at any moment: a right result or CARD_LOST, never a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

import pytest

from kiosk.emrtd.chip import AccessKey
from kiosk.emrtd.errors import ChipLost, WrongKey
from kiosk.emrtd.results import ChipRead
from simulators.chip_card import VirtualCard
from tests.emrtd.laid_card import Laid, can_key, card, issued, mrz_key, read


@dataclass(frozen=True)
class Kind:
    """A kind of read: of which card, how opened, whether with the portrait."""

    mode: str
    photo: bool = False
    by_mrz: bool = False

    def key(self, chip: VirtualCard) -> AccessKey:
        return mrz_key(chip.data) if self.by_mrz else can_key(chip.data)

    def read(self, laid: Laid, on_identity: Callable[[Mapping[str, bytes]], None] | None = None) -> ChipRead:
        return read(laid, self.key(laid.chip), photo=self.photo, on_identity=on_identity)


QUICK = {
    "pace-short": Kind("genuine"),
    "pace-extended-photo": Kind("extended", photo=True),
    "bac": Kind("bac_only", by_mrz=True),
}


def same(one: ChipRead, other: ChipRead) -> bool:
    """Whether two reads say the same; the challenge of Active Authentication is another each time."""
    return (one.files, one.access, one.checks, one.verdict, one.issuer, one.findings) == (
        other.files,
        other.access,
        other.checks,
        other.verdict,
        other.issuer,
        other.findings,
    )


def cut_everywhere(kind: Kind) -> None:
    whole = kind.read(laid := Laid(card(kind.mode)))
    for at in range(laid.commands):
        for when in ("before", "after"):
            told: list[Mapping[str, bytes]] = []
            slips = Laid(card(kind.mode), lose=lambda n, at=at, when=when: when if n == at else "")
            assert same(kind.read(slips, told.append), whole), (at, when)
            assert [dict(files) for files in told] == [{name: whole.files[name] for name in ("DG1", "DG13")}]
            assert (slips.losses, slips.resets >= 1) == (1, True)
        gone = Laid(card(kind.mode), lose=lambda n, at=at: "after" if n == at else "")
        gone.back = lambda: None
        with pytest.raises(ChipLost):
            kind.read(gone)
        assert gone.resets - laid.resets <= 1, "a card that does not come back is not waited for again"


@pytest.mark.parametrize("name", QUICK)
def test_cut_at_every_command(name: str) -> None:
    cut_everywhere(QUICK[name])


@pytest.mark.long
@pytest.mark.parametrize("mode", ["genuine", "max_le_112", "dh", "strong_cryptography", "plain_errors", "cam"])
def test_cut_at_every_command_of_a_whole_read(mode: str) -> None:
    cut_everywhere(Kind(mode, photo=True))


def shaky(kind: Kind, reads: int, mean: float, seed: int) -> tuple[int, float]:
    """*reads* first placements by hands that lose the card; results, and losses a read.

    *mean* is counted over the commands of a read without any loss: opening the chip again makes it more.
    """
    whole = kind.read(laid := Laid(card(kind.mode)))
    hand = Random(seed)
    probability = mean / laid.commands
    results = losses = 0
    for _ in range(reads):
        slips = Laid(
            card(kind.mode),
            lose=lambda n: hand.choice(("before", "after")) if hand.random() < probability else "",
        )
        told: list[Mapping[str, bytes]] = []
        try:
            result = kind.read(slips, told.append)
        except ChipLost:
            assert len(told) <= 1
        else:
            assert same(result, whole)
            assert len(told) == 1
            results += 1
        losses += slips.losses
    print(f"seed {seed}: {results} of {reads} first placements ended in a result, {losses / reads:.2f} losses a read")
    return results, losses / reads


@pytest.mark.parametrize(("mean", "reads"), [(0.8, 75), (1.2, 75)], ids=["calm", "shaky"])
def test_shaky_hands(mean: float, reads: int) -> None:
    results, losses = shaky(QUICK["pace-short"], reads, mean, seed=7)
    assert results >= 0.95 * reads
    assert 1 <= losses <= 3


@pytest.mark.long
@pytest.mark.parametrize("mean", [1, 1.8, 2.3], ids=str)
def test_shaky_hands_at_length(mean: float) -> None:
    results, losses = shaky(Kind("genuine", photo=True), 500, mean, seed=7)
    assert results >= 0.95 * 500
    assert 1 <= losses <= 3


# -- another card ----------------------------------------------------------------------------------------------------


def swapped(at: int, other: VirtualCard, *, photo: bool = False) -> Laid:
    """Another card lies there after the n-th command."""
    laid = Laid(card(), lose=lambda n: "before" if n == at else "")
    laid.back = lambda: other if laid.losses else laid.chip
    return laid


def second_card() -> VirtualCard:
    """The card of somebody else whose number ends like the first one's."""
    return card(data=replace(issued(person=3)[0], can=issued()[0].can))


def test_the_card_of_somebody_else_never_goes_on_where_the_first_was() -> None:
    whole = read(Laid(card()))
    other = read(Laid(second_card()))
    assert other.files["DG1"] != whole.files["DG1"]
    for at in range(whole.apdus):
        told: list[Mapping[str, bytes]] = []
        try:
            result = read(swapped(at, second_card()), can_key(issued()[0]), on_identity=told.append)
        except ChipLost:
            assert [dict(files) for files in told] in ([], [{name: whole.files[name] for name in ("DG1", "DG13")}])
        else:
            assert same(result, other), "only when nothing of the first card was kept"
            assert [files["DG1"] for files in told] == [other.files["DG1"]]


def test_a_card_that_the_key_does_not_open_is_another_card() -> None:
    with pytest.raises(ChipLost) as caught:
        read(swapped(20, card(data=issued(person=3)[0])), can_key(issued()[0]))
    assert not isinstance(caught.value, WrongKey)
    assert "another card" in str(caught.value)


def test_a_card_in_parts_of_dg1_is_no_mixture() -> None:
    """DG1 comes in three reads; the card is swapped between them."""
    first = replace(issued("max_le_112")[1], max_le=40)
    reads = 0
    for at in range(8, 20):
        chips = [VirtualCard(issued()[0], first), VirtualCard(second_card().data, first)]
        laid = Laid(chips[0], lose=lambda n, at=at: "before" if n == at else "")
        laid.back = lambda laid=laid, chips=chips: chips[1] if laid.losses else chips[0]
        try:
            result = read(laid, can_key(chips[0].data))
        except ChipLost:
            continue
        reads += 1
        assert result.verdict.value == "cannot_tell"
        assert result.files["DG1"] in {chip.data.files[0x0101] for chip in chips}
    assert reads


@pytest.mark.parametrize("mode", ["old_cryptography", "bac_only", "cam", "passport", "no_sfi_6a86"])
def test_a_card_of_another_make_is_read_as_what_it_is(mode: str) -> None:
    """What the first card offered in the open must not be held against the one that lies there now."""
    data, quirks = issued(mode, person=3)
    can = issued()[0].can
    key = replace(mrz_key(data), can=can)

    def second() -> VirtualCard:
        return VirtualCard(replace(data, can=can), quirks)

    whole, chip = read(Laid(second()), key), card()
    read(Laid(chip), key)
    has_dg1 = next(at for at, entry in enumerate(chip.log, start=1) if entry.protected and entry.header[1] == 0xB0)
    for at in range(chip.apdus):
        try:
            result = read(swapped(at, second()), key)
        except ChipLost:
            assert at >= has_dg1, "before that the second card is simply read"
        else:
            assert at < has_dg1
            assert same(result, whole)


def test_a_card_without_a_readable_dg1_is_another_card() -> None:
    data, quirks = issued()
    for files in (data.files | {0x0101: b"\x61\x82"}, {fid: raw for fid, raw in data.files.items() if fid != 0x0101}):
        with pytest.raises(ChipLost, match="another card"):
            read(swapped(25, VirtualCard(replace(data, files=files), quirks)))
