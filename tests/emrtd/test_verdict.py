"""The decision table over every combination of states, against the contract's sentences written once more."""

from __future__ import annotations

from itertools import product

import pytest

from kiosk.emrtd.findings import Finding
from kiosk.emrtd.results import Checks, CheckState, Verdict
from kiosk.emrtd.verdict import anti_clone_findings, judge

FIELDS = ("hashes", "signature", "chain", "active_authentication", "chip_authentication", "downgrade")
ALL = [Checks(**dict(zip(FIELDS, states, strict=True))) for states in product(CheckState, repeat=6)]
FAILED, PASSED, ABSENT = CheckState.FAILED, CheckState.PASSED, CheckState.NOT_SUPPORTED


def by_the_contract(checks: Checks) -> Verdict:
    """interfaces.md section 3, sentence by sentence, from the worst on."""
    clone = {checks.active_authentication, checks.chip_authentication}
    if FAILED in (checks.hashes, checks.signature, checks.chain, checks.downgrade):
        return Verdict.FORGED
    if FAILED in clone:
        return Verdict.SUSPECTED_COPY
    if (checks.hashes, checks.signature, checks.chain) != (PASSED, PASSED, PASSED):
        return Verdict.CANNOT_TELL
    if PASSED in clone:
        return Verdict.GENUINE
    return Verdict.DATA_AUTHENTIC if clone == {ABSENT} else Verdict.CANNOT_TELL


def test_every_combination() -> None:
    assert len(ALL) == 5**6
    assert [checks for checks in ALL if judge(checks) is not by_the_contract(checks)] == []


def test_a_worse_check_never_betters_the_verdict() -> None:
    worse = [PASSED, ABSENT, CheckState.NO_ANCHOR, CheckState.NOT_DONE, FAILED]
    order = list(Verdict)
    rank = {tuple(getattr(checks, field) for field in FIELDS): order.index(judge(checks)) for checks in ALL}
    for states, verdict in rank.items():
        for at, state in enumerate(states):
            if state is not FAILED:
                below = (*states[:at], worse[worse.index(state) + 1], *states[at + 1 :])
                assert rank[below] <= verdict


@pytest.mark.parametrize("finding", [Finding.ANTI_CLONE_KEY_MISSING, Finding.ANTI_CLONE_KEY_UNSIGNED])
def test_a_key_that_is_missing_or_unsigned_allows_no_better_than_a_copy(finding: Finding) -> None:
    order = list(Verdict)
    for checks in ALL:
        expected = min(judge(checks), Verdict.SUSPECTED_COPY, key=order.index)
        assert judge(checks, ("W_DS_EXPIRED", finding)) is expected


def test_other_findings_change_nothing() -> None:
    others = set(Finding) - {Finding.ANTI_CLONE_KEY_MISSING, Finding.ANTI_CLONE_KEY_UNSIGNED}
    assert all(judge(checks, others) is judge(checks) for checks in ALL[::7])


@pytest.mark.parametrize(
    ("covered", "on_chip", "expected"),
    [
        ({"DG1", "DG14", "DG15"}, {"DG1", "DG14", "DG15"}, ()),
        ({"DG1"}, {"DG1", "EF.SOD"}, ()),
        ({"DG1", "DG15"}, {"DG1"}, (Finding.ANTI_CLONE_KEY_MISSING,)),
        ({"DG1", "DG14"}, {"DG1"}, (Finding.ANTI_CLONE_KEY_MISSING,)),
        ({"DG1"}, {"DG1", "DG15"}, (Finding.ANTI_CLONE_KEY_UNSIGNED,)),
        ({"DG14"}, {"DG15"}, (Finding.ANTI_CLONE_KEY_MISSING, Finding.ANTI_CLONE_KEY_UNSIGNED)),
        ({"DG1", "DG2", "DG3"}, {"DG1"}, ()),
    ],
    ids=["all there", "no keys", "DG15 stripped", "DG14 stripped", "DG15 added", "exchanged", "others not read"],
)
def test_keys_against_copies(covered: set[str], on_chip: set[str], expected: tuple[Finding, ...]) -> None:
    assert anti_clone_findings(covered, on_chip) == expected


def test_nothing_checked_says_nothing() -> None:
    assert judge(Checks()) is Verdict.CANNOT_TELL
