"""``kioskctl`` and chips: cards read through the real PC/SC stack and a serial line, evidence checked from a file."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.cli import main
from kiosk.evidence import make_evidence
from simulators.chip_card import VirtualCard
from simulators.chip_quirks import Quirks
from simulators.chip_vpcd import VpcdCard
from simulators.pn532 import SimulatedPn532
from tests.kiosk.signed_card import NOW, anchors_in, authority, card, chip_of, read_of
from tests.readers.pcscd import READERS, PcscdInfo, running_pcscd

STATION = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STATION_KEY = base64.b64encode(STATION.public_key().public_bytes_raw()).decode()


def run(*words: object) -> tuple[int, dict, str]:
    """Exit code, the JSON document on stdout, and what people are told on stderr."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout), result.stderr


def misuse(*words: object) -> str:
    """What the usage error says."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


@pytest.fixture
def anchors(tmp_path):
    """A folder with the authority of the cards."""
    return authority().write_anchors(tmp_path / "anchors")


@pytest.fixture
def evidence(tmp_path):
    """A file of evidence, made where the authority was known."""
    read = read_of(card(), anchors_in(tmp_path / "there"))
    file = tmp_path / "evidence.json"
    file.write_bytes(
        make_evidence(read, key=STATION, key_id=None, facility="93002", station="k", reader="pcsc", read_at=NOW)
    )
    return file


def test_evidence_is_confirmed(evidence, anchors):
    code, report, _ = run("verify-evidence", evidence, "--anchors", anchors, "--station-key", STATION_KEY)
    assert (code, report["confirmed"], report["verdict"], report["error"]) == (0, True, "genuine", None)
    assert "chip_authentication" in report["rests_on_station_word"]


def test_evidence_is_not_confirmed_without_anchors_or_by_another_key(evidence, anchors):
    assert run("verify-evidence", evidence)[:2][0] == 1
    other = base64.b64encode(bytes(32)).decode()
    code, report, _ = run("verify-evidence", evidence, "--anchors", anchors, "--station-key", other)
    assert (code, report["confirmed"], report["contradictions"]) == (1, False, ["STATION_KEY"])


def test_changed_evidence_is_refused(evidence, anchors):
    evidence.write_bytes(evidence.read_bytes().replace(b"93002", b"93001"))
    code, report, err = run("verify-evidence", evidence, "--anchors", anchors)
    assert (code, report["confirmed"], report["error"]) == (1, False, "BAD_EVIDENCE") and "signature" in err


def test_a_wrong_key_or_anchor_is_misuse(evidence, tmp_path):
    (tmp_path / "notes.txt").write_text("no certificate")
    assert "32 bytes" in misuse("verify-evidence", evidence, "--station-key", "AAAA")
    assert "notes.txt" in misuse("verify-evidence", evidence, "--anchors", tmp_path / "notes.txt")
    assert "does not exist" in misuse("verify-evidence", tmp_path / "absent")


NUMBER = card().person.citizen_id
FAST = ("--wait", 5)


@pytest.fixture(scope="module")
def daemon() -> Iterator[PcscdInfo]:
    """A pcscd of this module's own."""
    with running_pcscd() as info:
        yield info


@pytest.fixture
def pcscd(daemon: PcscdInfo, monkeypatch: pytest.MonkeyPatch) -> PcscdInfo:
    """The daemon with empty readers."""
    for name, value in daemon.socket_env.items():
        monkeypatch.setenv(name, value)
    daemon.wait_until_empty(0)
    return daemon


@contextmanager
def laid(pcscd: PcscdInfo, card: VirtualCard) -> Iterator[None]:
    """The card in the first PC/SC reader."""
    with VpcdCard(card, port=pcscd.vpcd_ports[0]) as inserted:
        assert inserted.wait_connected(10)
        yield


@pytest.fixture
def serial(tmp_path) -> Iterator[SimulatedPn532]:
    """A PN532 on a serial line."""
    with SimulatedPn532(tmp_path / "pn532") as reader:
        yield reader


def test_a_card_is_read_through_pcsc(pcscd, anchors, tmp_path):
    with laid(pcscd, chip_of("genuine")):
        words = ("--reader", READERS[0], "--id", NUMBER, "--anchors", anchors, "--photo", tmp_path / "face.jpg")
        code, report, err = run("read-card", *words, *FAST)
    assert (code, report["error"], report["verdict"], report["access"]) == (0, None, "genuine", "PACE"), report
    assert report["identity"]["personal_id"] == NUMBER and report["identity_source"] == "DG13"
    assert report["photo"] == {"format": "jpeg", "bytes": len(card().portrait)}
    assert (tmp_path / "face.jpg").read_bytes() == card().portrait
    assert (tmp_path / "face.jpg").stat().st_mode & 0o777 == 0o600
    assert NUMBER not in err and card().person.full_name not in err


def test_any_reader_will_do(pcscd):
    with laid(pcscd, chip_of("cc_2024")):
        code, report, _ = run("read-card", "--can", NUMBER[-6:], "--no-photo", *FAST)
    assert (code, report["verdict"], report["photo"], report["identity_source"]) == (0, "cannot_tell", None, "DG1")


def test_no_reader_and_no_card_are_told_apart(pcscd, tmp_path):
    code, report, err = run("read-card", "--id", NUMBER, "--wait", 3)
    assert (code, report["error"], report["identity"]) == (1, "NO_CARD", None) and "no card" in err
    code, report, _ = run("read-card", "--reader", tmp_path / "absent", "--id", NUMBER, "--wait", 3)
    assert (code, report["error"], report["sw"]) == (1, "NO_READER", None)


def on(serial: SimulatedPn532, card: VirtualCard, *words: object) -> tuple[int, dict, str]:
    """Read this card on the serial line."""
    serial.lay(card)
    return run("read-card", "--reader", serial.link, "--no-photo", *words, *FAST)


def test_a_card_is_read_on_a_serial_line(serial, anchors):
    code, report, _ = on(serial, chip_of("genuine"), "--id", NUMBER, "--anchors", anchors)
    assert (code, report["verdict"], report["identity"]["personal_id"]) == (0, "genuine", NUMBER)


FAILURES = {"pace_6982": "ACCESS_DENIED", "pulled": "CARD_LOST", "not_an_emrtd": "NOT_AN_EMRTD"}


@pytest.mark.parametrize("mode", FAILURES)
def test_a_read_that_fails_tells_its_code(serial, mode):
    code, report, err = on(serial, chip_of(mode), "--id", NUMBER)
    assert (code, report["error"], report["verdict"]) == (1, FAILURES[mode], None)
    assert report["why"] in err and NUMBER[-6:] not in err


def test_a_wrong_number_is_told_with_the_status_word(serial):
    code, report, _ = on(serial, chip_of("genuine"), "--can", "999999")
    assert (code, report["error"], report["sw"]) == (1, "WRONG_KEY", "6300")


def test_the_lines_of_the_card_open_it(serial, tmp_path):
    (tmp_path / "mrz").write_text("\n".join(card().mrz))
    code, report, _ = on(serial, chip_of("bac_only"), "--mrz", tmp_path / "mrz")
    assert (code, report["access"], report["error"]) == (0, "BAC", None)
    assert report["access_note"]


def test_a_birth_date_opens_what_the_number_does_not(serial):
    birth = card().person.birth_date
    assert on(serial, chip_of("bac_only"), "--id", NUMBER)[1]["error"] == "ACCESS_DENIED"
    code, report, _ = on(serial, chip_of("bac_only"), "--id", NUMBER, "--birth", birth)
    assert (code, report["access"], report["identity"]["personal_id"]) == (0, "BAC", NUMBER)


def test_estimated_dates_are_few_and_stop_before_the_chip_blocks(serial):
    other_day = chip_of("bac_only")
    code, report, _ = on(serial, other_day, "--id", NUMBER, "--birth", "1971-01-01")
    assert (code, report["error"]) == (1, "WRONG_KEY") and 1 <= other_day.failures <= 3
    counting = VirtualCard(card(), Quirks(try_counter=3, latency_ms=0))
    code, report, _ = on(serial, counting, "--id", "099190999999", "--birth", "1971-01-01")
    assert (code, report["error"], report["sw"]) == (1, "WRONG_KEY", "63C1")
    assert not counting.blocked


MISUSE = {
    "no_key": ((), "one of"),
    "two_keys": (("--can", "123456", "--id", NUMBER), "one of"),
    "short_can": (("--can", "12345"), "six digits"),
    "letters": (("--can", "12345O"), "six digits"),
    "other_digits": (("--can", "١٢٣٤٥٦"), "six digits"),
    "short_id": (("--id", "123456789"), "twelve digits"),
    "birth_alone": (("--can", "123456", "--birth", "1990-01-01"), "belongs to --id"),
    "no_date": (("--id", NUMBER, "--birth", "01/01/1990"), "does not match"),
    "photo_and_not": (("--can", "123456", "--no-photo", "--photo", "x"), "exclude"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_of_read_card_is_explained(name):
    words, why = MISUSE[name]
    told = misuse("read-card", *words)
    assert why in told and NUMBER not in told


def test_lines_that_are_wrong_open_nothing(tmp_path):
    lines = list(card().mrz)
    (tmp_path / "mrz").write_text("\n".join([lines[0].replace("1", "2"), *lines[1:]]))
    assert "check digit" in misuse("read-card", "--mrz", tmp_path / "mrz")
    (tmp_path / "mrz").write_text("nothing")
    assert "--mrz" in misuse("read-card", "--mrz", tmp_path / "mrz")


def test_a_portrait_that_cannot_be_kept_is_told(serial, tmp_path):
    serial.lay(chip_of("genuine"))
    words = ("--reader", serial.link, "--id", NUMBER, "--photo", tmp_path / "absent" / "face.jpg")
    code, report, _ = run("read-card", *words, *FAST)
    assert (code, report["error"]) == (1, "CANNOT_WRITE")


def recorded(serial: SimulatedPn532, tmp_path, mode: str = "genuine", *words: object) -> tuple[int, dict, str]:
    """A read with log and report; the log's file was there before, open to all."""
    (tmp_path / "log").touch(0o644)
    return on(serial, chip_of(mode), "--apdu-log", tmp_path / "log", "--report", tmp_path / "report", *words)


def test_a_recorded_read_is_run_again(serial, anchors, tmp_path):
    code, report, err = recorded(serial, tmp_path, "genuine", "--id", NUMBER, "--anchors", anchors)
    assert (code, report["verdict"]) == (0, "genuine") and "person's data" in err
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    again, replayed, _ = run("replay-apdu", tmp_path / "log", "--anchors", anchors)
    assert (again, replayed) == (0, report)
    assert run("replay-apdu", tmp_path / "log")[1]["verdict"] == "cannot_tell"


def test_a_recorded_failure_fails_again(serial, tmp_path):
    code, report, _ = recorded(serial, tmp_path, "pulled", "--id", NUMBER)
    assert (code, report["error"]) == (1, "CARD_LOST")
    again, replayed, _ = run("replay-apdu", tmp_path / "log")
    assert (again, replayed | {"why": report["why"]}) == (1, report)


def test_the_log_is_of_the_key_that_opened(serial, tmp_path):
    birth = card().person.birth_date
    _, report, _ = recorded(serial, tmp_path, "bac_only", "--id", NUMBER, "--birth", birth)
    assert run("replay-apdu", tmp_path / "log")[1] == report and report["access"] == "BAC"


def test_a_log_that_differs_says_where(serial, tmp_path):
    recorded(serial, tmp_path, "genuine", "--id", NUMBER)
    lines = (tmp_path / "log").read_text().splitlines(keepends=True)
    commands = [at for at, line in enumerate(lines) if '"command"' in line]
    other = json.loads(lines[commands[6]])
    other["command"] = "0c" + "b1" + other["command"][4:]
    changed = [*lines[: commands[6]], json.dumps(other) + "\n", *lines[commands[6] + 1 :]]
    longer = [*lines[:-1], lines[commands[-1]], lines[-1]]
    shorter = [*lines[: commands[9]], lines[-1]]
    told = []
    for kind in (changed, longer, shorter):
        (tmp_path / "log").write_text("".join(kind))
        code, report, _ = run("replay-apdu", tmp_path / "log")
        assert (code, report["error"]) == (1, "REPLAY_DIFFERS")
        told.append(report["why"])
    assert "command 7" in told[0]
    assert f"after command {len(commands)}, in the log after {len(commands) + 1}" in told[1]
    assert "command 10" in told[2] and "ends" in told[2]


@pytest.mark.parametrize(
    "text", ["", "nonsense", "{}\n{}", '{"apdu_log": 1}'], ids=["empty", "words", "objects", "head"]
)
def test_what_is_no_log_is_told(tmp_path, text):
    (tmp_path / "log").write_text(text)
    code, report, _ = run("replay-apdu", tmp_path / "log")
    assert (code, report["error"]) == (1, "BAD_LOG")


@pytest.mark.parametrize("mode", ["genuine", "not_an_emrtd"])
def test_the_report_names_nobody(serial, tmp_path, mode):
    recorded(serial, tmp_path, mode, "--id", NUMBER)
    text = (tmp_path / "report").read_text()
    person = card().person
    for secret in (NUMBER, NUMBER[-6:], NUMBER[-9:], person.full_name, person.birth_date, person.chip_id, *card().mrz):
        assert secret not in text and secret.encode().hex() not in text.lower()
    report = json.loads(text)
    assert (report["error"] is None) == (mode == "genuine") and report["exchanges"]


def test_nothing_is_written_that_was_not_asked_for(serial, tmp_path):
    before = set(tmp_path.iterdir())
    assert on(serial, chip_of("genuine"), "--id", NUMBER)[0] == 0
    assert set(tmp_path.iterdir()) == before
