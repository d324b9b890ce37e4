"""What a vendor's reader program posts: parsing, challenges, and our own checks over its bytes."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.pushed_chip import MAX_BODY, NAMES, Challenges, PushedChipRefused, parse


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
