"""What a vendor's reader program posts: parsing, challenges, and our own checks over its bytes."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.emrtd.results import Checks, CheckState, ChipRead, Verdict
from kiosk.pushed_chip import (
    CHALLENGE_NOT_OURS,
    MAX_BODY,
    NAMES,
    Challenges,
    PushedBody,
    PushedChipRefused,
    parse,
    read_pushed,
)
from simulators.chip_files import CardData, personalise
from tests.kiosk.signed_card import BARE, NO_CA, NOW, anchors_in, answer, authority, card, files_of

PASSED = CheckState.PASSED


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


GOOD = {"files": {"DG1": b64(b"one"), "EF.SOD": b64(b"sod")}, "challenge": None, "response": None, "reader": "HN-212"}


def body(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


def files(**changes: object) -> bytes:
    return body(files=GOOD["files"] | changes)


def test_a_body_is_taken_apart():
    pushed = parse(body(challenge="0011223344556677", response=b64(b"sig")))
    assert pushed.files == {"DG1": b"one", "EF.SOD": b"sod"}
    assert (pushed.challenge, pushed.response, pushed.reader) == (bytes.fromhex("0011223344556677"), b"sig", "HN-212")
    bare = parse(json.dumps({"files": GOOD["files"]}).encode())
    assert (bare.challenge, bare.response, bare.reader) == (None, None, None)


REFUSED = {
    "empty": (b"", "BAD_BODY"),
    "no_json": (b"\xff{}", "BAD_BODY"),
    "list": (b"[]", "BAD_BODY"),
    "deep": (b"[" * 100_000, "BAD_BODY"),
    "large": (files(DG2=b64(bytes(MAX_BODY))), "TOO_LARGE"),
    "misspelt": (body(respnse="AA=="), "BAD_BODY"),
    "no_files": (body(files=None), "BAD_BODY"),
    "fingerprints": (files(DG3="AA=="), "UNKNOWN_FILE"),
    "path": (files(**{"../DG1": "AA=="}), "UNKNOWN_FILE"),
    "no_sod": (body(files={"DG1": "AA=="}), "MISSING_FILE"),
    "not_base64": (files(DG13="*"), "BAD_FILE"),
    "not_text": (files(DG13=[1]), "BAD_FILE"),
    "nothing_in_it": (files(DG13=""), "BAD_FILE"),
    "accents": (files(DG13="ổ"), "BAD_FILE"),
    "short_challenge": (body(challenge="00"), "BAD_CHALLENGE"),
    "number_challenge": (body(challenge=1), "BAD_CHALLENGE"),
    "empty_response": (body(response=""), "BAD_RESPONSE"),
    "long_response": (body(response=b64(bytes(1025))), "BAD_RESPONSE"),
    "reader_markup": (body(reader="<b>"), "BAD_BODY"),
    "reader_number": (body(reader=212), "BAD_BODY"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_body_is_refused_by_code(name):
    raw, code = REFUSED[name]
    with pytest.raises(PushedChipRefused) as refusal:
        parse(raw)
    assert refusal.value.code == code == str(refusal.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3)
)


@given(
    st.binary(max_size=99)
    | st.fixed_dictionaries(
        {},
        optional={
            "files": JSON | st.dictionaries(st.sampled_from(sorted(NAMES)) | st.text(max_size=3), JSON),
            "challenge": JSON,
            "response": JSON,
            "reader": JSON,
        },
    ).map(lambda said: json.dumps(said).encode())
)
def test_any_body_is_taken_or_refused(raw):
    try:
        assert {"DG1", "EF.SOD"} <= parse(raw).files.keys() <= NAMES
    except PushedChipRefused as refusal:
        assert refusal.code in {code for _, code in REFUSED.values()}


class Time:
    """A clock that moves when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_challenge_counts_once():
    challenges = Challenges()
    challenge = challenges.issue()
    assert len(challenge) == 8
    assert challenges.take(challenge) is True
    assert challenges.take(challenge) is False
    assert challenges.take(bytes(8)) is False


def test_a_challenge_ages():
    clock = Time()
    challenges = Challenges(seconds=60, monotonic=clock)
    early, late = challenges.issue(), challenges.issue()
    clock.now = 60
    assert challenges.take(early) is True
    clock.now = 60.1
    assert challenges.take(late) is False


def test_only_so_many_challenges_wait():
    challenges = Challenges(limit=2)
    first, second, third = (challenges.issue() for _ in range(3))
    assert [challenges.take(one) for one in (first, second, third)] == [False, True, True]


def pushed(posted: dict[str, bytes], challenge: bytes | None = None, response: bytes | None = None) -> PushedBody:
    """What a program posts, through the parser."""
    return parse(
        body(
            files={name: b64(raw) for name, raw in posted.items()},
            challenge=challenge and challenge.hex(),
            response=response and b64(response),
        )
    )


@pytest.fixture(scope="module")
def anchors(tmp_path_factory):
    """The authority of the cards."""
    return anchors_in(tmp_path_factory.mktemp("anchors"))


@pytest.fixture
def challenges() -> Challenges:
    """Issued ones."""
    return Challenges()


def read_with(data: CardData, challenges: Challenges, anchors, posted: dict[str, bytes] | None = None) -> ChipRead:
    """An honest program: asks for a challenge, lets the chip sign it, posts everything."""
    challenge = challenges.issue()
    return read_pushed(pushed(posted or files_of(data), challenge, answer(data, challenge)), challenges, anchors, NOW)


def test_our_challenge_answered_by_the_chip_proves_it(anchors, challenges):
    read = read_with(card(NO_CA), challenges, anchors)
    assert read.verdict is Verdict.GENUINE
    assert read.checks == Checks(*[PASSED] * 4, CheckState.NOT_SUPPORTED, CheckState.NOT_SUPPORTED)
    assert (read.access, read.findings, read.files) == (None, (), files_of(card(NO_CA)))
    assert read.active is not None and len(read.issuer or "") == 16


def test_one_proof_against_copying_is_enough(anchors, challenges):
    read = read_with(card(), challenges, anchors)
    assert (read.checks.active_authentication, read.checks.chip_authentication) == (PASSED, CheckState.NOT_DONE)
    assert read.verdict is Verdict.GENUINE


def test_without_a_challenge_nobody_can_tell_a_copy(anchors, challenges):
    read = read_pushed(pushed(files_of(card(NO_CA))), challenges, anchors, NOW)
    assert (read.checks.chain, read.checks.active_authentication) == (PASSED, CheckState.NOT_DONE)
    assert (read.verdict, read.active) == (Verdict.CANNOT_TELL, None)


def test_a_chip_without_keys_proves_its_data(anchors, challenges):
    read = read_pushed(pushed(files_of(card(BARE))), challenges, anchors, NOW)
    assert read.verdict is Verdict.DATA_AUTHENTIC


def test_without_anchors_the_issuer_is_unknown(challenges):
    read = read_with(card(NO_CA), challenges, None)
    assert (read.verdict, read.checks.chain) == (Verdict.CANNOT_TELL, CheckState.NO_ANCHOR)


def test_padding_behind_the_files_is_no_part_of_them(anchors, challenges):
    posted = {name: raw + bytes(50) for name, raw in files_of(card(NO_CA)).items()}
    read = read_with(card(NO_CA), challenges, anchors, posted)
    assert (read.verdict, read.files) == (Verdict.GENUINE, files_of(card(NO_CA)))


@pytest.mark.parametrize("how", ["own", "used", "old"])
def test_a_challenge_that_is_not_ours_counts_for_nothing(anchors, how):
    clock = Time()
    challenges = Challenges(monotonic=clock)
    challenge = bytes(8) if how == "own" else challenges.issue()
    posted = pushed(files_of(card(NO_CA)), challenge, answer(card(NO_CA), challenge))
    if how == "used":
        assert read_pushed(posted, challenges, anchors, NOW).verdict is Verdict.GENUINE
    clock.now = 61 if how == "old" else 1
    read = read_pushed(posted, challenges, anchors, NOW)
    assert (read.verdict, read.checks.active_authentication) == (Verdict.CANNOT_TELL, CheckState.NOT_DONE)
    assert (read.findings, read.active) == ((CHALLENGE_NOT_OURS,), None)


def test_a_copy_cannot_answer(anchors, challenges):
    challenge = challenges.issue()
    posted = pushed(files_of(card(NO_CA)), challenge, answer(card(NO_CA), bytes(8)))
    read = read_pushed(posted, challenges, anchors, NOW)
    assert (read.verdict, read.checks.active_authentication) == (Verdict.SUSPECTED_COPY, CheckState.FAILED)


def test_a_copy_with_a_key_of_its_own_is_forged(anchors, challenges):
    own = personalise(card(NO_CA).person, authority(), NO_CA)
    posted = files_of(card(NO_CA)) | {"DG15": files_of(own)["DG15"]}
    assert read_with(own, challenges, anchors, posted).verdict is Verdict.FORGED


def test_a_key_that_was_never_signed_for_is_a_copy(anchors, challenges):
    posted = files_of(card(BARE)) | {"DG15": files_of(card(NO_CA))["DG15"]}
    read = read_with(card(NO_CA), challenges, anchors, posted)
    assert (read.verdict, read.findings) == (Verdict.SUSPECTED_COPY, ("W_ANTI_CLONE_KEY_UNSIGNED",))


@pytest.mark.parametrize(("hidden", "verdict"), [("DG14", Verdict.GENUINE), ("DG15", Verdict.CANNOT_TELL)])
def test_hiding_the_key_that_would_be_asked_does_not_help(anchors, challenges, hidden, verdict):
    posted = {name: raw for name, raw in files_of(card()).items() if name != hidden}
    assert read_with(card(), challenges, anchors, posted).verdict is verdict


@pytest.mark.parametrize("name", ["DG1", "DG13", "DG14", "DG15"])
def test_a_changed_file_is_forged(anchors, challenges, name):
    raw = files_of(card())[name]
    read = read_with(card(), challenges, anchors, files_of(card()) | {name: raw[:-1] + bytes((raw[-1] ^ 1,))})
    assert (read.verdict, read.checks.hashes) == (Verdict.FORGED, CheckState.FAILED)


@given(
    st.dictionaries(st.sampled_from(sorted(NAMES)), st.binary(min_size=1, max_size=60)),
    st.binary(min_size=1, max_size=99),
)
def test_any_bytes_in_the_files_end_in_a_verdict(noise, response):
    challenges = Challenges()
    posted = pushed(files_of(card()) | noise, challenges.issue(), response)
    read = read_pushed(posted, challenges, None, NOW)
    assert noise.keys() & {"DG1", "DG13", "DG14", "DG15", "EF.SOD"} == set() or read.verdict is Verdict.FORGED
    assert read.verdict in (Verdict.FORGED, Verdict.SUSPECTED_COPY)
