"""The verifier of changing VNeID codes behind a real HTTP server: whom it names, and every way of naming nobody."""

import json
import logging
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import VneidTable, parse
from kiosk.documents.personal_id import is_personal_number
from kiosk.errors import ConfigError, TokenVerifierUnavailable
from kiosk.model import Identity, PartialDate, Sex
from kiosk.vneid_verifier import HttpTokenVerifier, identity_of
from simulators.serve import RunningServer
from simulators.vneid import BEARER, VERIFY_PATH, create_app
from tests.kiosk.world import tables

CANARY = "eyJhbGciOiJub25lIn0.CANARYCANARYCANARYCANARYCANARY.c2ln"
WHOLE = {
    "personal_id": "099190000001",
    "full_name": "Trần Thị Mẫu",
    "birth_date": "1990-09-02",
    "sex": "F",
    "address": "Ấp Thử 1, Xã Mẫu",
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """One simulated service for all."""
    with RunningServer(create_app()) as running:
        yield running


@pytest.fixture
def service(server: RunningServer) -> Iterator[httpx.Client]:
    """Its controls, behaving again."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        client.post("/_sim/mode", json={"mode": "normal"})
        yield client


@pytest.fixture
async def verifier(server: RunningServer) -> AsyncIterator[HttpTokenVerifier]:
    """The adapter in front of it, with little patience."""
    made = HttpTokenVerifier(url=server.url + VERIFY_PATH, token=BEARER, seconds=0.4)
    yield made
    await made.close()


def shown(service: httpx.Client, number: int = 1) -> bytes:
    return str(service.post(f"/_sim/show/{number}").json()["token"]).encode()


async def test_the_person_behind_a_code(service, verifier):
    assert await verifier.verify_token(shown(service)) == Identity(
        "099190000001",
        full_name="Trần Thị Mẫu",
        birth_date=PartialDate(1990, 9, 2),
        sex=Sex.FEMALE,
        address="Ấp Thử 1, Xã Mẫu, Thành phố Mô Phỏng",
    )
    born_some_day = await verifier.verify_token(shown(service, 5))
    assert born_some_day is not None and born_some_day.birth_date == PartialDate(1948)


async def test_an_unknown_code_and_one_that_was_used_name_nobody(service, verifier):
    token = shown(service)
    assert await verifier.verify_token(token) is not None
    assert await verifier.verify_token(token) is None
    assert await verifier.verify_token(CANARY.encode()) is None


@pytest.mark.parametrize(
    "token", [b"\xff" * 40, b"one two", b"one\r\ntwo", b"", b"a\x00b", b"\xe2\x80\xae" + b"x" * 40]
)
async def test_what_no_phone_shows_is_not_even_asked(service, verifier, token):
    before = service.get("/_sim/questions").json()
    assert await verifier.verify_token(token) is None
    assert service.get("/_sim/questions").json() == before


MODES = ["hang", "reset", "down", "nonsense", "wrong_number", "no_name", "damaged_name"]


@pytest.mark.parametrize("mode", MODES)
async def test_no_usable_answer_is_told_asked_once_and_never_in_words(service, verifier, mode, caplog):
    caplog.set_level(logging.DEBUG)
    token = shown(service)
    before = len(service.get("/_sim/questions").json())
    service.post("/_sim/mode", json={"mode": mode})
    with pytest.raises(TokenVerifierUnavailable) as unavailable:
        await verifier.verify_token(token)
    assert unavailable.value.code == "VNEID_UNAVAILABLE"
    for words in (caplog.text, str(unavailable.value), repr(unavailable.value.__cause__)):
        assert token.decode() not in words and BEARER not in words and "Mẫu" not in words and "\ufffd" not in words
    assert "gave no answer" in caplog.text
    assert len(service.get("/_sim/questions").json()) <= before + 1


async def test_a_service_that_does_not_know_us_is_no_answer(server, service):
    wrong = HttpTokenVerifier(url=server.url + VERIFY_PATH, token="somebody-else", seconds=1)
    with pytest.raises(TokenVerifierUnavailable, match="http_401"):
        await wrong.verify_token(shown(service))
    await wrong.close()


async def test_nobody_there_is_no_answer(caplog):
    gone = HttpTokenVerifier(url="http://127.0.0.1:9/verify", token="t", seconds=1)
    with pytest.raises(TokenVerifierUnavailable):
        await gone.verify_token(CANARY.encode())
    assert CANARY not in caplog.text
    await gone.close()


UNSOUND = {
    "no object": b"[1]",
    "no JSON": b"<html>",
    "deep": b"[" * 60_000,
    "a number as a number": json.dumps(WHOLE | {"personal_id": 99190000001}).encode(),
    "eleven digits": json.dumps(WHOLE | {"personal_id": "99190000001"}).encode(),
    "a letter in it": json.dumps(WHOLE | {"personal_id": "09919000000l"}).encode(),
    "other digits": json.dumps(WHOLE | {"personal_id": "٠٩٩١٩٠٠٠٠٠٠١"}).encode(),
    "blanks": json.dumps(WHOLE | {"personal_id": " 099190000001"}).encode(),
    "no name": json.dumps(WHOLE | {"full_name": " "}).encode(),
    "a damaged name": json.dumps(WHOLE | {"full_name": "Tr\ufffdn"}).encode(),
    "a name of other letters": json.dumps(WHOLE | {"full_name": "Trần ﾃｭ"}).encode(),
    "digits for a name": json.dumps(WHOLE | {"full_name": "Trần 1"}).encode(),
    "markup for a name": json.dumps(WHOLE | {"full_name": "<b>Trần</b>"}).encode(),
    "an endless name": json.dumps(WHOLE | {"full_name": "Trần " * 60}).encode(),
    "no birth date": json.dumps(WHOLE | {"birth_date": None}).encode(),
    "a day of no calendar": json.dumps(WHOLE | {"birth_date": "1990-02-31"}).encode(),
    "another form of date": json.dumps(WHOLE | {"birth_date": "02/09/1990"}).encode(),
    "another century": json.dumps(WHOLE | {"birth_date": "1090-09-02"}).encode(),
    "an unknown sex": json.dumps(WHOLE | {"sex": "Nữ"}).encode(),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_who_is_not_named_soundly_is_not_believed(name):
    assert identity_of(UNSOUND[name]) is None


def test_what_may_be_missing():
    known = identity_of(json.dumps({name: WHOLE[name] for name in ("personal_id", "full_name", "birth_date")}).encode())
    assert known == Identity("099190000001", full_name="Trần Thị Mẫu", birth_date=PartialDate(1990, 9, 2))
    damaged = identity_of(json.dumps(WHOLE | {"address": "X\ufffd"}).encode())
    assert damaged is not None and damaged.address is None


@pytest.mark.parametrize("name", ["H’Hen Niê", "Y Bkrông", "Thạch Sa Rây", "Đinh Y-Thuyên", "K'Sor H'Bơ"])
def test_names_of_all_peoples_are_believed(name):
    known = identity_of(json.dumps(WHOLE | {"full_name": name}).encode())
    assert known is not None and known.full_name == name


@given(
    st.binary(max_size=300)
    | st.builds(
        lambda changes: json.dumps(WHOLE | changes).encode(),
        st.dictionaries(
            st.sampled_from(sorted(WHOLE)),
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=20)
            | st.lists(st.text(max_size=3), max_size=2),
        ),
    )
)
def test_any_answer_is_a_whole_person_or_nobody(answer):
    identity = identity_of(answer)
    if identity is not None:
        assert is_personal_number(str(identity.personal_id)) and identity.full_name and identity.birth_date
        assert "\ufffd" not in identity.full_name and not any(char.isdigit() for char in identity.full_name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://vneid.example/verify"},
        {"url": "vneid.example"},
        {"token": "a\nb"},
        {"ca_file": "/nonexistent/ca.pem"},
    ],
    ids=["plain", "no scheme", "line break", "no authority"],
)
def test_a_setting_that_would_leak_or_never_work_is_refused_by_its_name(wrong):
    with pytest.raises(ConfigError, match=r"^vneid\."):
        HttpTokenVerifier(**{"url": "https://vneid.example/verify", "token": "t"} | wrong)


def test_the_configuration_names_what_is_missing_and_the_demo_stays_here(tmp_path):
    with pytest.raises(ValueError, match="token_file"):
        VneidTable(url="https://vneid.example/verify")
    table = {"url": "https://vneid.example/verify", "token_file": "vneid-token"}
    with pytest.raises(ConfigError, match="loopback"):
        parse(tables(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2", vneid=table))
